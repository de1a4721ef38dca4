//! How many streams of events are open, for each user and each client's network. A stream lasts, so what is counted is how many there are and not
//! how many are begun.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base::ClientNetwork;
use uuid::Uuid;

/// The limits, and who has how many. Clones are the same ones. [`StreamLimits::default`] limits nothing.
#[derive(Debug, Clone, Default)]
pub struct StreamLimits(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    per_user: Option<u64>,
    per_address: Option<u64>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    users: HashMap<Uuid, u64>,
    networks: HashMap<ClientNetwork, u64>,
}

/// One stream that is open. It counts until it is dropped.
#[derive(Debug)]
pub struct StreamPermit {
    limits: StreamLimits,
    user: Uuid,
    network: ClientNetwork,
}

/// Why there is no other one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamsTaken {
    /// The user has so many.
    User(u64),
    /// There are so many from the address.
    Address(u64),
}

impl StreamLimits {
    /// At most so many; `None` for any number.
    pub fn new(per_user: Option<u64>, per_address: Option<u64>) -> Self {
        Self(Arc::new(Inner { per_user, per_address, open: Mutex::default() }))
    }

    /// Counts one more, if there may be.
    pub fn take(&self, user: Uuid, address: IpAddr) -> Result<StreamPermit, StreamsTaken> {
        let network = ClientNetwork::of(address);
        let mut open = self.open();
        let is_full =
            |limit: Option<u64>, count: Option<&u64>| limit.filter(|limit| count.copied().unwrap_or(0) >= *limit);
        if let Some(limit) = is_full(self.0.per_user, open.users.get(&user)) {
            return Err(StreamsTaken::User(limit));
        }
        if let Some(limit) = is_full(self.0.per_address, open.networks.get(&network)) {
            return Err(StreamsTaken::Address(limit));
        }
        *open.users.entry(user).or_default() += 1;
        *open.networks.entry(network).or_default() += 1;
        drop(open);
        Ok(StreamPermit { limits: self.clone(), user, network })
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.limits.open();
        give_back(&mut open.users, &self.user);
        give_back(&mut open.networks, &self.network);
    }
}

fn give_back<K: Hash + Eq>(counts: &mut HashMap<K, u64>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_user_and_an_address_have_so_many_and_get_back_what_ends() {
        let limits = StreamLimits::new(Some(2), Some(3));
        let [ada, bob] = [1, 2].map(Uuid::from_u128);
        let [here, there] = [1, 2].map(|last| IpAddr::from(Ipv4Addr::new(192, 0, 2, last)));
        let first = limits.take(ada, here).unwrap();
        let _second = limits.take(ada, here).unwrap();
        assert_eq!(limits.take(ada, there).unwrap_err(), StreamsTaken::User(2));
        let _third = limits.take(bob, here).unwrap();
        assert_eq!(limits.take(bob, here).unwrap_err(), StreamsTaken::Address(3));
        drop(first);
        assert!(limits.take(bob, here).is_ok());
        assert!((0..1000).all(|_| StreamLimits::default().take(ada, here).is_ok()));
    }
}
