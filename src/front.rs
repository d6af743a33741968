//! The front ends: the only modules that name a chat service's or a web server's library.

pub mod discord;
pub mod json;
mod line;
pub mod meters;
mod recent;
pub mod telegram;
pub mod web;
