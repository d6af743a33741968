//! How much of the core one client may hold, so that nobody keeps it busy for everyone.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::Extensions;
use dashmap::DashMap;
use dashmap::mapref::entry::Entry;

/// Most requests with photos that one address may have running.
const MAX_RUNNING: usize = 8;

/// The addresses with requests that run now.
#[derive(Default)]
pub(super) struct Clients {
    running: DashMap<IpAddr, usize>,
}

/// A request that runs; it ends when this is dropped, also when the client hangs up.
pub(super) struct Ticket<'a> {
    clients: &'a Clients,
    address: Option<IpAddr>,
}

impl Clients {
    /// Lets a request of `address` run, unless too many of its requests do. `None` for whoever is not counted.
    pub(super) fn admit(&self, address: Option<IpAddr>) -> Option<Ticket<'_>> {
        if let Some(address) = address {
            let mut running = self.running.entry(address).or_default();
            if *running == MAX_RUNNING {
                return None;
            }
            *running += 1;
        }
        Some(Ticket { clients: self, address })
    }
}

impl Drop for Ticket<'_> {
    fn drop(&mut self) {
        let Some(address) = self.address else {
            return;
        };
        if let Entry::Occupied(mut running) = self.clients.running.entry(address) {
            *running.get_mut() -= 1;
            if *running.get() == 0 {
                running.remove();
            }
        }
    }
}

/// The client's address. Loopback is not counted: there sits the owner of the machine, or a proxy in front of
/// everybody.
pub(super) fn address(extensions: &Extensions) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    let address = peer.ip().to_canonical();
    (!address.is_loopback()).then_some(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_cannot_take_everything() {
        let clients = Clients::default();
        let (one, other) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let mut tickets: Vec<_> =
            (0..MAX_RUNNING).map(|_| clients.admit(Some(one)).expect("within the limit")).collect();
        assert!(clients.admit(Some(one)).is_none());
        assert!(clients.admit(Some(other)).is_some(), "others are not held up");
        tickets.pop();
        assert!(clients.admit(Some(one)).is_some(), "what has ended no longer counts");
        tickets.clear();
        assert!(clients.running.is_empty(), "nobody is remembered");
    }

    #[test]
    fn the_machines_own_requests_are_not_counted() {
        let clients = Clients::default();
        let tickets: Vec<_> = (0..=MAX_RUNNING).map(|_| clients.admit(None)).collect();
        assert!(tickets.iter().all(Option::is_some));
        let of = |peer: &str| {
            let mut extensions = Extensions::new();
            extensions.insert(ConnectInfo::<SocketAddr>(peer.parse().expect("an address")));
            address(&extensions)
        };
        assert_eq!(of("127.0.0.1:5000"), None);
        assert_eq!(of("[::ffff:127.0.0.1]:5000"), None);
        assert_eq!(of("[::ffff:192.0.2.1]:5000"), Some(IpAddr::from([192, 0, 2, 1])));
        assert_eq!(address(&Extensions::new()), None);
    }
}
