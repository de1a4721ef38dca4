//! Who follows what: by collection, by owner where the rule says owner, by a field's value where the filter asks for one. So a change is looked up,
//! and not shown to each subscriber.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use common::{access::Decision, id::UserId, record::Record};

use super::{
    happened::{Happened, Outcome},
    scope::{Filter, Rule, value_key},
    subscriber::Subscriber,
};
use crate::domain::numbers::CollectionNumber;

/// Subscribers by their numbers.
type Subscribers = HashMap<u64, Arc<Subscriber>>;

/// What everybody follows.
#[derive(Default)]
pub(super) struct Index(HashMap<CollectionNumber, Followers>);

/// Those who follow a collection.
#[derive(Default)]
struct Followers {
    /// All records.
    all: Subscribers,
    /// Their own.
    own: HashMap<UserId, Subscribers>,
    /// Those that match a filter, by the filter's key.
    filtered: HashMap<String, Group>,
    /// Filters that ask for a field's value: by field and value, their keys.
    by_value: HashMap<String, HashMap<String, HashSet<String>>>,
    /// The keys of the other filters.
    others: HashSet<String>,
}

/// Those who follow a collection by one filter.
struct Group {
    filter: Arc<Filter>,
    subscribers: HashMap<u64, (Decision, Arc<Subscriber>)>,
}

/// What has to be read of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing: nobody follows the collection.
    Nothing,
    /// The record as it is told.
    Json,
    /// The record on both sides, for filters.
    Sides,
}

impl Index {
    /// What has to be read of a collection's changes.
    pub(super) fn needs(&self, collection: CollectionNumber) -> Needs {
        match self.0.get(&collection) {
            None => Needs::Nothing,
            Some(followers) if followers.filtered.is_empty() => Needs::Json,
            Some(_) => Needs::Sides,
        }
    }

    /// Adds what a subscriber follows in a collection.
    pub(super) fn add(&mut self, collection: CollectionNumber, rule: &Rule, subscriber: &Arc<Subscriber>) {
        let (number, subscriber) = (subscriber.number, Arc::clone(subscriber));
        if rule.may == Decision::Denied {
            return;
        }
        let followers = self.0.entry(collection).or_default();
        match (&rule.filter, rule.may) {
            (Some(filter), may) => followers.add_filtered(filter, may, subscriber),
            (None, Decision::Own(user)) => drop(followers.own.entry(user).or_default().insert(number, subscriber)),
            (None, _) => drop(followers.all.insert(number, subscriber)),
        }
    }

    /// Removes what [`Self::add`] added.
    pub(super) fn remove(&mut self, collection: CollectionNumber, rule: &Rule, number: u64) {
        let Some(followers) = self.0.get_mut(&collection) else { return };
        match (&rule.filter, rule.may) {
            (Some(filter), _) => followers.remove_filtered(filter, number),
            (None, Decision::Own(user)) => {
                if let Some(own) = followers.own.get_mut(&user) {
                    own.remove(&number);
                    if own.is_empty() {
                        followers.own.remove(&user);
                    }
                }
            }
            (None, _) => drop(followers.all.remove(&number)),
        }
        if followers.all.is_empty() && followers.own.is_empty() && followers.filtered.is_empty() {
            self.0.remove(&collection);
        }
    }

    /// Calls `tell` for everybody to whom a change is something. `false` where filters need sides that were not read.
    pub(super) fn each(&self, happened: &Happened, mut tell: impl FnMut(&Arc<Subscriber>, Outcome)) -> bool {
        let Some(followers) = self.0.get(&happened.change.collection) else { return true };
        if !followers.filtered.is_empty() && happened.sides.is_none() {
            return false;
        }
        if let Some(outcome) = happened.outcome_by_owner(Decision::All) {
            for subscriber in followers.all.values() {
                tell(subscriber, outcome);
            }
        }
        let (before, after) = (happened.change.owner_before, happened.change.owner_after);
        let owners = [before, after.filter(|after| Some(*after) != before)];
        for owner in owners.into_iter().flatten() {
            if let Some(own) = followers.own.get(&owner)
                && let Some(outcome) = happened.outcome_by_owner(Decision::Own(owner))
            {
                for subscriber in own.values() {
                    tell(subscriber, outcome);
                }
            }
        }
        followers.each_filtered(happened, tell);
        true
    }
}

impl Followers {
    fn add_filtered(&mut self, filter: &Arc<Filter>, may: Decision, subscriber: Arc<Subscriber>) {
        let key = &filter.key;
        match &filter.must {
            Some((field, value)) => {
                let values = self.by_value.entry(field.clone()).or_default();
                values.entry(value.clone()).or_default().insert(key.clone());
            }
            None => drop(self.others.insert(key.clone())),
        }
        let group = self
            .filtered
            .entry(key.clone())
            .or_insert_with(|| Group { filter: Arc::clone(filter), subscribers: HashMap::new() });
        group.subscribers.insert(subscriber.number, (may, subscriber));
    }

    fn remove_filtered(&mut self, filter: &Filter, number: u64) {
        let Some(group) = self.filtered.get_mut(&filter.key) else { return };
        group.subscribers.remove(&number);
        if !group.subscribers.is_empty() {
            return;
        }
        self.filtered.remove(&filter.key);
        self.others.remove(&filter.key);
        if let Some((field, value)) = &filter.must
            && let Some(values) = self.by_value.get_mut(field)
            && let Some(keys) = values.get_mut(value)
        {
            keys.remove(&filter.key);
            if keys.is_empty() {
                values.remove(value);
            }
            if values.is_empty() {
                self.by_value.remove(field);
            }
        }
    }

    fn each_filtered(&self, happened: &Happened, mut tell: impl FnMut(&Arc<Subscriber>, Outcome)) {
        let Some(sides) = &happened.sides else { return };
        let mut keys: HashSet<&String> = self.others.iter().collect();
        for (field, values) in &self.by_value {
            let of = |record: &Record| record.get(field).and_then(value_key);
            for record in [&sides.before, &sides.after].into_iter().flatten() {
                keys.extend(of(record).and_then(|value| values.get(&value)).into_iter().flatten());
            }
            if happened.before_is_unknown() {
                keys.extend(values.values().flatten());
            }
        }
        for group in keys.into_iter().filter_map(|key| self.filtered.get(key)) {
            let holds = |record: &Option<Record>| record.as_ref().map(|record| group.filter.holds(record));
            let (before, after) = (holds(&sides.before).unwrap_or(true), holds(&sides.after).unwrap_or(false));
            for (may, subscriber) in group.subscribers.values() {
                let covered = happened.covered(*may);
                if let Some(outcome) = happened.outcome_of(covered.0 && before, covered.1 && after) {
                    tell(subscriber, outcome);
                }
            }
        }
    }
}
