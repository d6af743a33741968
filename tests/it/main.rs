//! The program against wire-level fakes of the services that it talks to. One binary: it links once.

mod admin;
mod builtin;
mod collect;
mod deploy;
mod discord;
mod doctor;
mod fake;
mod gifts;
mod insight;
mod kserve;
mod metrics;
mod models;
mod quiz;
mod roles;
mod secrets;
mod support;
mod telegram;
mod web;
mod wire;
