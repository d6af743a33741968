//! What the program measures of itself, for Prometheus.
//!
//! Each service keeps the families of its own ([`Measured`]); the composition root brings them together in one registry,
//! which the page shows at `/metrics`. What stands somewhere already (photos that wait, money that is spent) is read when
//! it is asked for. Labels come from fixed sets, never from people.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::prometheus_text;
use prometheus_client::registry::Registry;

/// The content type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// The registry of one process; clones share it.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

/// Something with families of its own.
pub trait Measured {
    /// Enters the families, by their names without the prefix `kokodoko_`.
    fn enter(&self, registry: &mut Registry);
}

impl Default for Metrics {
    fn default() -> Self {
        Self { registry: Arc::new(Mutex::new(Registry::with_prefix("kokodoko"))) }
    }
}

impl Metrics {
    /// The same registry with the families of `measured`. Enter nothing twice: Prometheus refuses families of one name.
    #[must_use]
    pub fn with(self, measured: &impl Measured) -> Self {
        measured.enter(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        self
    }

    /// Everything, in the text format 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        let registry = self.registry.lock().unwrap_or_else(PoisonError::into_inner);
        // Writing to a string cannot fail.
        let _ = prometheus_text::encode(&mut out, &registry);
        out
    }
}
