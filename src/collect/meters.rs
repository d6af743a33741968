//! What services of imagery and addresses are asked, and what comes of it.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use reqwest::StatusCode;

use super::wire::{Answer, Fault, FaultKind, Kind};
use crate::metrics::Measured;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    service: &'static str,
    kind: &'static str,
    outcome: &'static str,
}

/// The collectors' families; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Meters {
    calls: Family<Labels, Counter>,
}

/// The part of one service.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    service: &'static str,
    meters: Meters,
}

impl Meters {
    /// The part of a service of this name.
    #[must_use]
    pub fn of(&self, service: &'static str) -> Tally {
        Tally { service, meters: self.clone() }
    }
}

impl Tally {
    /// A request came to an end, whether or not it is made again. `limited`: the service was asked too often.
    pub(super) fn note(&self, kind: Kind, outcome: &Result<Answer, Fault>, limited: bool) {
        let Some(outcome) = name(outcome, limited) else { return };
        let kind = match kind {
            Kind::Question => "question",
            Kind::Picture => "picture",
        };
        self.meters.calls.get_or_create(&Labels { service: self.service, kind, outcome }).inc();
    }
}

/// By the names that failed calls of the chat services have; `None` of what was never sent.
fn name(outcome: &Result<Answer, Fault>, limited: bool) -> Option<&'static str> {
    Some(match outcome {
        Ok(answer) if limited || answer.status == StatusCode::TOO_MANY_REQUESTS => "limit",
        Ok(answer) if answer.status.is_server_error() => "service",
        Ok(answer) if answer.status.is_client_error() => "refused",
        Ok(_) => "answered",
        Err(Fault { kind: FaultKind::Stopped, .. }) => return None,
        Err(Fault { kind: FaultKind::TooLarge { .. }, .. }) => "unreadable",
        Err(_) => "network",
    })
}

impl Measured for Meters {
    fn enter(&self, registry: &mut Registry) {
        let help =
            "Requests to services of imagery and addresses, tries that were repeated included, by what came of them";
        registry.register("collect_calls", help, self.calls.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_name() {
        let answer = |status: u16| {
            let status = StatusCode::from_u16(status).expect("a status");
            Ok(Answer { status, media_type: String::new(), body: Vec::new(), retry_after: None })
        };
        let fault = |kind| Err(Fault { kind, delivered: false });
        for (outcome, limited, named) in [
            (answer(200), false, Some("answered")),
            (answer(200), true, Some("limit")),
            (answer(429), false, Some("limit")),
            (answer(403), false, Some("refused")),
            (answer(503), false, Some("service")),
            (fault(FaultKind::TimedOut), false, Some("network")),
            (fault(FaultKind::TooLarge { limit: 9 }), false, Some("unreadable")),
            (fault(FaultKind::Stopped), false, None),
        ] {
            assert_eq!(name(&outcome, limited), named, "{outcome:?}");
        }
    }
}
