//! Integration tests: the whole bot against fakes of its services on the wire.

mod discord;
mod fake;
