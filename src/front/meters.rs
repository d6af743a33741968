//! What goes wrong between us and the chat services.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::domain::Platform;
use crate::metrics::Measured;

/// Why a call to a service failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// Too many requests.
    Limit,
    /// No connection, or it was lost.
    Network,
    /// The service itself is in trouble.
    Service,
    /// The service refuses the call.
    Refused,
    /// What came back cannot be read.
    Unreadable,
}

impl Fault {
    fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Network => "network",
            Self::Service => "service",
            Self::Refused => "refused",
            Self::Unreadable => "unreadable",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    platform: &'static str,
    fault: &'static str,
}

/// The families of the chat services; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    errors: Family<Labels, Counter>,
}

impl Meters {
    /// A call to a service failed, whether or not it is made again.
    pub fn failed(&self, platform: Platform, fault: Fault) {
        self.errors.get_or_create(&Labels { platform: platform.name(), fault: fault.name() }).inc();
    }
}

impl Measured for Meters {
    fn enter(&self, registry: &mut Registry) {
        let help = "Calls to a chat service that failed, tries that were repeated included";
        registry.register("platform_errors", help, self.errors.clone());
    }
}
