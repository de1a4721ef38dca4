//! The subscribers that are up to date, and how far they have been told. A subscriber joins at the very place that the hub is at, so nothing is
//! missed and nothing told twice.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use common::{
    event::EventId,
    id::{CollectionId, Revision, SessionId, UserId},
};
use store::{Version, journal::Position};
use tokio::sync::Notify;

use super::{
    frame::Frame,
    index::Index,
    scope::{Rule, Scope},
    subscriber::{Reason, Subscriber},
};
use crate::domain::numbers::CollectionNumber;

/// All subscribers.
#[derive(Default)]
pub(in crate::domain) struct Hub {
    state: Mutex<State>,
    /// Somebody joined.
    pub(super) joined: Notify,
    numbers: AtomicU64,
    /// Streams that are open, those that still catch up included.
    pub(in crate::domain) open: AtomicU64,
    /// Events that were handed to subscribers.
    pub(in crate::domain) delivered: AtomicU64,
    /// Subscribers that took less than happened.
    pub(in crate::domain) let_go: AtomicU64,
}

/// Under the hub's lock.
pub(super) struct State {
    members: HashMap<u64, Member>,
    by_session: HashMap<SessionId, HashSet<u64>>,
    by_user: HashMap<UserId, HashSet<u64>>,
    pub(super) index: Index,
    /// Everything up to here was told.
    pub(super) position: Position,
    /// The last commit that changed a definition, a user or a session, as far as it was told.
    pub(super) rules_changed: Version,
    /// Those whose frames are not released yet.
    waiting: HashMap<u64, Arc<Subscriber>>,
    is_stopping: bool,
}

struct Member {
    subscriber: Arc<Subscriber>,
    scope: Scope,
}

/// Why a subscriber cannot join now: what it was told, or by which rules, is older than the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Behind;

impl Default for State {
    fn default() -> Self {
        Self {
            members: HashMap::new(),
            by_session: HashMap::new(),
            by_user: HashMap::new(),
            index: Index::default(),
            position: Position { version: Version::ZERO, place: 0 },
            rules_changed: Version::ZERO,
            waiting: HashMap::new(),
            is_stopping: false,
        }
    }
}

impl Hub {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number for a new subscriber.
    pub(super) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed)
    }

    /// Lets a subscriber in that was told everything up to `version`, and whose scope is of that moment.
    pub(super) fn join(&self, subscriber: &Arc<Subscriber>, scope: &Scope, version: Version) -> Result<(), Behind> {
        let mut state = self.state();
        if state.is_stopping {
            subscriber.end(Reason::Stopping);
            return Ok(());
        }
        if state.members.is_empty() {
            // Nobody was told anything for a while.
            state.position = Position { version, place: u32::MAX };
        } else if state.position.version > version || state.rules_changed > version {
            return Err(Behind);
        }
        subscriber.begin_after(EventId::after(Revision(version.get())));
        state.add(subscriber, scope.clone());
        drop(state);
        self.joined.notify_one();
        Ok(())
    }

    /// A subscriber has left.
    pub(super) fn leave(&self, subscriber: &Subscriber) {
        self.state().remove(subscriber.number);
    }

    /// All streams end, and those that are to come.
    pub(in crate::domain) fn stop(&self) {
        let mut state = self.state();
        state.is_stopping = true;
        for member in state.members.values() {
            member.subscriber.end(Reason::Stopping);
        }
    }

    /// Whether the server stops.
    pub(in crate::domain) fn is_stopping(&self) -> bool {
        self.state().is_stopping
    }
}

impl State {
    fn add(&mut self, subscriber: &Arc<Subscriber>, scope: Scope) {
        let number = subscriber.number;
        for (collection, rule) in &scope {
            self.index.add(*collection, rule, subscriber);
        }
        self.by_session.entry(subscriber.session).or_default().insert(number);
        self.by_user.entry(subscriber.user).or_default().insert(number);
        self.members.insert(number, Member { subscriber: Arc::clone(subscriber), scope });
    }

    pub(super) fn remove(&mut self, number: u64) {
        let Some(Member { subscriber, scope }) = self.members.remove(&number) else { return };
        for (collection, rule) in &scope {
            self.index.remove(*collection, rule, number);
        }
        remove_from(&mut self.by_session, &subscriber.session, number);
        remove_from(&mut self.by_user, &subscriber.user, number);
        self.waiting.remove(&number);
    }

    /// Whether there is nobody to be told.
    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// All subscribers.
    pub(super) fn subscribers(&self) -> Vec<Arc<Subscriber>> {
        self.members.values().map(|member| Arc::clone(&member.subscriber)).collect()
    }

    /// Those of a session, and those of a user.
    pub(super) fn of(&self, session: Option<SessionId>, user: Option<UserId>) -> Vec<Arc<Subscriber>> {
        let sessions = session.and_then(|session| self.by_session.get(&session)).into_iter().flatten();
        let users = user.and_then(|user| self.by_user.get(&user)).into_iter().flatten();
        let numbers: HashSet<u64> = sessions.chain(users).copied().collect();
        numbers.iter().filter_map(|number| Some(Arc::clone(&self.members.get(number)?.subscriber))).collect()
    }

    /// What a subscriber follows in a collection.
    pub(super) fn rule(&self, number: u64, id: CollectionId) -> Option<(CollectionNumber, Rule)> {
        let scope = &self.members.get(&number)?.scope;
        scope.iter().find(|(_, rule)| rule.id == id).map(|(number, rule)| (*number, rule.clone()))
    }

    /// Gives a subscriber another rule for a collection.
    pub(super) fn set_rule(&mut self, number: u64, collection: CollectionNumber, rule: &Rule) {
        let Some(member) = self.members.get_mut(&number) else { return };
        if let Some(old) = member.scope.insert(collection, rule.clone()) {
            self.index.remove(collection, &old, number);
        }
        self.index.add(collection, rule, &member.subscriber);
    }

    /// Gives a subscriber another scope.
    pub(super) fn set_scope(&mut self, number: u64, scope: Scope) {
        let Some(Member { subscriber, .. }) = self.members.get(&number) else { return };
        let subscriber = Arc::clone(subscriber);
        self.remove(number);
        self.waiting.insert(number, Arc::clone(&subscriber));
        self.add(&subscriber, scope);
    }

    /// Who follows a collection.
    pub(super) fn followers(&self, collection: CollectionNumber) -> Vec<Arc<Subscriber>> {
        let follow = self.members.values().filter(|member| member.scope.contains_key(&collection));
        follow.map(|member| Arc::clone(&member.subscriber)).collect()
    }

    /// Hands a frame over. Who has to be let go is told so, and leaves when the stream is dropped.
    pub(super) fn hand(&mut self, subscriber: &Arc<Subscriber>, frame: Frame) -> bool {
        let is_taken = subscriber.push(frame);
        if is_taken {
            self.waiting.entry(subscriber.number).or_insert_with(|| Arc::clone(subscriber));
        }
        is_taken
    }

    /// Those whose frames can be released.
    pub(super) fn take_waiting(&mut self) -> Vec<Arc<Subscriber>> {
        mem::take(&mut self.waiting).into_values().collect()
    }

    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }
}

fn remove_from<K: std::hash::Hash + Eq>(map: &mut HashMap<K, HashSet<u64>>, key: &K, number: u64) {
    if let Some(numbers) = map.get_mut(key) {
        numbers.remove(&number);
        if numbers.is_empty() {
            map.remove(key);
        }
    }
}
