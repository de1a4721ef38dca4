//! Who may have how many connections: so many in all, so many from one address. A [`Place`] is given back when it is dropped.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::seldom::Seldom;

/// File descriptors that are not for connections: the store, logs, and what libraries open for a moment.
const OTHER_FILES: u64 = 64;

/// The places for connections.
pub(super) struct Places {
    all: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// How many connections each address has.
struct Addresses {
    taken: Mutex<HashMap<IpAddr, usize>>,
    max_each: usize,
    full: Seldom,
}

/// The right to one connection.
pub(super) struct Place {
    _permit: OwnedSemaphorePermit,
    addresses: Arc<Addresses>,
    counted: Option<IpAddr>,
}

impl Places {
    pub(super) fn new(max: usize, max_per_address: usize) -> Self {
        let addresses = Addresses { taken: Mutex::default(), max_each: max_per_address, full: Seldom::default() };
        Self { all: Arc::new(Semaphore::new(max)), addresses: Arc::new(addresses) }
    }

    /// A place, if one is free.
    pub(super) fn try_take(&self) -> Option<Place> {
        self.all.clone().try_acquire_owned().ok().map(|permit| self.place(permit))
    }

    /// A place, as soon as one is free.
    pub(super) async fn take(&self) -> Place {
        let permit = self.all.clone().acquire_owned().await.expect("the semaphore is never closed");
        self.place(permit)
    }

    fn place(&self, permit: OwnedSemaphorePermit) -> Place {
        Place { _permit: permit, addresses: self.addresses.clone(), counted: None }
    }
}

impl Place {
    /// The same place counted for `address`, or `None` where that has as many as it may. A trusted proxy speaks for many, and
    /// what comes from this machine is hardly an attack: neither is counted.
    pub(super) fn of(mut self, address: IpAddr, is_proxy: bool) -> Option<Self> {
        let address = network(address);
        if is_proxy || address.is_loopback() {
            return Some(self);
        }
        let mut all = self.addresses.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = all.entry(address).or_default();
        if *taken >= self.addresses.max_each {
            drop(all);
            if self.addresses.full.is_due() {
                tracing::warn!(%address, "an address has all the connections that it may have; further ones are closed");
            }
            return None;
        }
        *taken += 1;
        drop(all);
        self.counted = Some(address);
        Some(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.counted else { return };
        let mut all = self.addresses.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(taken) = all.get_mut(&address) {
            *taken -= 1;
            if *taken == 0 {
                all.remove(&address);
            }
        }
    }
}

/// What counts as one address: behind IPv6 a single caller usually has a whole /64 to choose from.
fn network(address: IpAddr) -> IpAddr {
    let IpAddr::V6(address) = address.to_canonical() else { return address.to_canonical() };
    if address.is_loopback() {
        return address.into();
    }
    Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into()
}

/// As many of the connections that are wanted as the operating system's limit on open files leaves room for, after raising that limit
/// as far as it goes.
pub(super) fn within_open_files(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(_) => limit.current,
    };
    // No limit at all is `None`.
    let Some(files) = files else { return wanted };
    let room = usize::try_from(files.saturating_sub(OTHER_FILES).max(1)).unwrap_or(usize::MAX);
    if room < wanted {
        tracing::warn!(
            "the limit of {files} open files leaves room for {room} connections, not for the {wanted} of --max-connections; \
             raise it (LimitNOFILE in a unit, ulimit -n in a shell), or ask for fewer"
        );
    }
    room.min(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn n1_no_more_connections_than_there_are_places() {
        let places = Places::new(2, 9);
        let first = places.try_take().unwrap();
        let _second = places.try_take().unwrap();
        assert!(places.try_take().is_none());
        drop(first);
        assert!(places.try_take().is_some());
    }

    #[test]
    fn n1_one_address_gets_no_more_than_its_share_and_gets_it_back() {
        let places = Places::new(9, 1);
        let taken = places.try_take().unwrap().of(ip("192.0.2.1"), false).unwrap();
        assert!(places.try_take().unwrap().of(ip("192.0.2.1"), false).is_none());
        assert!(places.try_take().unwrap().of(ip("::ffff:192.0.2.1"), false).is_none());
        let _other = places.try_take().unwrap().of(ip("192.0.2.2"), false).unwrap();
        drop(taken);
        assert!(places.try_take().unwrap().of(ip("192.0.2.1"), false).is_some());
        assert_eq!(places.all.available_permits(), 8, "refused and returned places are free again");
    }

    #[test]
    fn n1_one_ipv6_network_counts_as_one_address() {
        let places = Places::new(9, 1);
        let _taken = places.try_take().unwrap().of(ip("2001:db8:0:1::1"), false).unwrap();
        assert!(places.try_take().unwrap().of(ip("2001:db8:0:1:ffff::2"), false).is_none());
        assert!(places.try_take().unwrap().of(ip("2001:db8:0:2::1"), false).is_some());
    }

    #[test]
    fn n1_a_trusted_proxy_has_as_many_connections_as_there_are_places() {
        let places = Places::new(3, 1);
        let proxy = |places: &Places| places.try_take().unwrap().of(ip("192.0.2.1"), true);
        let _taken = [proxy(&places).unwrap(), proxy(&places).unwrap()];
        assert!(places.try_take().unwrap().of(ip("192.0.2.1"), false).is_some(), "what a proxy has is nobody's share");
    }

    #[test]
    fn loopback_is_not_counted() {
        let places = Places::new(9, 1);
        let _first = places.try_take().unwrap().of(ip("127.0.0.1"), false).unwrap();
        assert!(places.try_take().unwrap().of(ip("127.0.0.1"), false).is_some());
        let _first = places.try_take().unwrap().of(ip("::1"), false).unwrap();
        assert!(places.try_take().unwrap().of(ip("::1"), false).is_some());
    }
}
