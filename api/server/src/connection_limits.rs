//! How many connections there may be: in all, and from one address. A [`ConnectionPermit`] is given back when it is dropped.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use base::ClientNetwork;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::rate_limited_log::RateLimitedLog;

/// File descriptors that are not for connections: the store, logs, and what libraries open for a moment.
const OTHER_FILES: u64 = 64;

/// The connections that may still be opened.
pub(super) struct ConnectionLimits {
    all: Arc<Semaphore>,
    addresses: Arc<Addresses>,
}

/// How many connections each address has.
struct Addresses {
    taken: Mutex<HashMap<ClientNetwork, usize>>,
    max_each: usize,
    full_log: RateLimitedLog,
}

/// The right to one connection.
pub(super) struct ConnectionPermit {
    _permit: OwnedSemaphorePermit,
    addresses: Arc<Addresses>,
    counted: Option<ClientNetwork>,
}

impl ConnectionLimits {
    pub(super) fn new(max: usize, max_per_address: usize) -> Self {
        let addresses =
            Addresses { taken: Mutex::default(), max_each: max_per_address, full_log: RateLimitedLog::default() };
        Self { all: Arc::new(Semaphore::new(max)), addresses: Arc::new(addresses) }
    }

    /// A permit, if there is one left.
    pub(super) fn try_take(&self) -> Option<ConnectionPermit> {
        self.all.clone().try_acquire_owned().ok().map(|permit| self.permit(permit))
    }

    /// A permit, as soon as there is one.
    pub(super) async fn take(&self) -> ConnectionPermit {
        let permit = self.all.clone().acquire_owned().await.expect("the semaphore is never closed");
        self.permit(permit)
    }

    fn permit(&self, permit: OwnedSemaphorePermit) -> ConnectionPermit {
        ConnectionPermit { _permit: permit, addresses: self.addresses.clone(), counted: None }
    }
}

impl ConnectionPermit {
    /// The same permit counted for `address`, or `None` where that has as many connections as it may. A trusted proxy speaks for many, and
    /// what comes from this machine is hardly an attack: neither is counted.
    pub(super) fn count_for(mut self, address: IpAddr, is_proxy: bool) -> Option<Self> {
        if is_proxy || address.to_canonical().is_loopback() {
            return Some(self);
        }
        let address = ClientNetwork::of(address);
        let mut all = self.addresses.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = all.entry(address).or_default();
        if *taken >= self.addresses.max_each {
            drop(all);
            if self.addresses.full_log.allows() {
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

impl Drop for ConnectionPermit {
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
    fn n1_no_more_connections_than_the_limit() {
        let limits = ConnectionLimits::new(2, 9);
        let first = limits.try_take().unwrap();
        let _second = limits.try_take().unwrap();
        assert!(limits.try_take().is_none());
        drop(first);
        assert!(limits.try_take().is_some());
    }

    #[test]
    fn n1_one_address_gets_no_more_than_its_share_and_gets_it_back() {
        let limits = ConnectionLimits::new(9, 1);
        let taken = limits.try_take().unwrap().count_for(ip("192.0.2.1"), false).unwrap();
        assert!(limits.try_take().unwrap().count_for(ip("192.0.2.1"), false).is_none());
        assert!(limits.try_take().unwrap().count_for(ip("::ffff:192.0.2.1"), false).is_none());
        let _other = limits.try_take().unwrap().count_for(ip("192.0.2.2"), false).unwrap();
        drop(taken);
        assert!(limits.try_take().unwrap().count_for(ip("192.0.2.1"), false).is_some());
        assert_eq!(limits.all.available_permits(), 8, "refused and returned permits are free again");
    }

    #[test]
    fn n1_one_ipv6_network_counts_as_one_address() {
        let limits = ConnectionLimits::new(9, 1);
        let _taken = limits.try_take().unwrap().count_for(ip("2001:db8:0:1::1"), false).unwrap();
        assert!(limits.try_take().unwrap().count_for(ip("2001:db8:0:1:ffff::2"), false).is_none());
        assert!(limits.try_take().unwrap().count_for(ip("2001:db8:0:2::1"), false).is_some());
    }

    #[test]
    fn n1_a_trusted_proxy_has_as_many_connections_as_there_are_in_all() {
        let limits = ConnectionLimits::new(3, 1);
        let proxy = |limits: &ConnectionLimits| limits.try_take().unwrap().count_for(ip("192.0.2.1"), true);
        let _taken = [proxy(&limits).unwrap(), proxy(&limits).unwrap()];
        assert!(
            limits.try_take().unwrap().count_for(ip("192.0.2.1"), false).is_some(),
            "what a proxy has is nobody's share"
        );
    }

    #[test]
    fn loopback_is_not_counted() {
        let limits = ConnectionLimits::new(9, 1);
        let _first = limits.try_take().unwrap().count_for(ip("127.0.0.1"), false).unwrap();
        assert!(limits.try_take().unwrap().count_for(ip("127.0.0.1"), false).is_some());
        let _first = limits.try_take().unwrap().count_for(ip("::1"), false).unwrap();
        assert!(limits.try_take().unwrap().count_for(ip("::1"), false).is_some());
    }
}
