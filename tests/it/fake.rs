//! Stand-ins for the services, on loopback. They keep state and refuse what the real ones would refuse.

pub mod discord;
