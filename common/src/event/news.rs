//! What others changed, gathered for a screen: events come as they happen, and a screen is drawn anew twice a second at most, with how many
//! changes there were. No clock and no I/O: who asks brings the time.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{EventKind, parser::Event};
use crate::{
    id::{RecordId, UserId},
    name::CollectionName,
};

/// Milliseconds between two times that a screen is drawn anew for what others did.
pub const BETWEEN: u64 = 500;

/// What was changed in one collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// The records, each with who changed it last.
    pub records: BTreeMap<RecordId, Option<UserId>>,
    /// Those of them that are gone.
    pub gone: BTreeSet<RecordId>,
    /// How many changes there were.
    pub count: u64,
    /// The definition or the rules are others too.
    pub is_redefined: bool,
}

/// What was changed since it was taken last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct News {
    /// By collection.
    pub collections: BTreeMap<CollectionName, Changed>,
    /// Everything may be otherwise: roles changed, or something was missed.
    pub is_reset: bool,
}

/// Gathers news.
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    news: News,
    /// When news was taken last.
    taken: Option<u64>,
}

impl News {
    /// Adds what happened after this.
    pub fn merge(&mut self, later: Self) {
        for (collection, changed) in later.collections {
            self.collections.entry(collection).or_default().merge(changed);
        }
        self.is_reset |= later.is_reset;
    }

    /// Nothing happened.
    pub fn is_empty(&self) -> bool {
        self.collections.is_empty() && !self.is_reset
    }

    /// What happened in a collection; everything may have, after a reset.
    pub fn of(&self, collection: &CollectionName) -> Option<Changed> {
        match self.collections.get(collection) {
            Some(changed) => Some(changed.clone()),
            None => self.is_reset.then(Changed::default),
        }
    }
}

impl Changed {
    /// Adds what was changed after this.
    pub fn merge(&mut self, later: Self) {
        self.gone.retain(|id| !later.records.contains_key(id));
        self.gone.extend(later.gone);
        self.records.extend(later.records);
        self.count += later.count;
        self.is_redefined |= later.is_redefined;
    }

    /// How many changes there were by others than `me`, about: of a user's own among them each record counts once.
    pub fn count_by_others(&self, me: Option<UserId>) -> u64 {
        let others = self.records.keys().filter(|id| self.by_another(**id, me).is_some()).count();
        if others == self.records.len() { self.count } else { others as u64 }
    }

    /// Who changed a record or deleted it, where that was somebody else than `me`.
    pub fn by_another(&self, id: RecordId, me: Option<UserId>) -> Option<Option<UserId>> {
        self.records.get(&id).copied().filter(|by| by.is_none() || *by != me)
    }
}

impl Gathered {
    /// Takes an event. Each change counts once, however often its record is changed.
    pub fn note(&mut self, event: &Event) {
        let Some(collection) = &event.data.collection else {
            self.news.is_reset |= event.kind == EventKind::Reset;
            return;
        };
        let mut changed = |name: &CollectionName| {
            let changed = self.news.collections.entry(name.clone()).or_default();
            match (event.kind, event.data.id) {
                (EventKind::Reset | EventKind::Definition, _) => changed.is_redefined = true,
                (kind, Some(id)) => {
                    changed.records.insert(id, event.data.by);
                    changed.count += 1;
                    if matches!(kind, EventKind::Delete | EventKind::Gone) {
                        changed.gone.insert(id);
                    } else {
                        changed.gone.remove(&id);
                    }
                }
                _ => {}
            }
        };
        changed(collection);
        if let Some(was) = &event.data.was {
            changed(was);
        }
    }

    /// Something may have been missed: what is shown has to be read again.
    pub fn missed(&mut self) {
        self.news.is_reset = true;
    }

    /// How many milliseconds after `now` there is something to be shown; `None` where there is nothing.
    pub fn due(&self, now: u64) -> Option<u64> {
        if self.news.is_empty() {
            return None;
        }
        let since = self.taken.map_or(BETWEEN, |taken| now.saturating_sub(taken));
        Some(BETWEEN.saturating_sub(since))
    }

    /// Takes what there is to be shown.
    pub fn take(&mut self, now: u64) -> News {
        self.taken = Some(now);
        std::mem::take(&mut self.news)
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::parser::{Parser, Read},
        *,
    };

    fn events(text: &str) -> Vec<Event> {
        let read = Parser::default().push(text.as_bytes()).unwrap();
        read.into_iter().filter_map(|read| if let Read::Event(event) = read { Some(event) } else { None }).collect()
    }

    const IDS: [&str; 2] = ["01920000-0000-7000-8000-000000000001", "01920000-0000-7000-8000-000000000002"];

    fn event(kind: &str, collection: &str, id: &str) -> String {
        format!("event: {kind}\ndata: {{\"collection\":\"{collection}\",\"id\":\"{id}\",\"by\":\"{}\"}}\n\n", IDS[1])
    }

    #[test]
    fn a_burst_is_shown_at_once_and_then_twice_a_second_with_its_number() {
        let mut gathered = Gathered::default();
        assert_eq!(gathered.due(10_000), None);
        for event in events(&event("update", "snacks", IDS[0])) {
            gathered.note(&event);
        }
        assert_eq!(gathered.due(10_000), Some(0));
        gathered.take(10_000);
        for event in events(&event("update", "snacks", IDS[0]).repeat(30)) {
            gathered.note(&event);
        }
        assert_eq!(gathered.due(10_100), Some(400));
        let news = gathered.take(10_500);
        let changed = news.of(&"snacks".parse().unwrap()).unwrap();
        assert_eq!((changed.count, changed.records.len()), (30, 1));
        assert_eq!(news.of(&"words".parse().unwrap()), None);
        assert_eq!(gathered.due(20_000), None);
    }

    #[test]
    fn what_is_gone_and_comes_back_is_there_and_who_did_it_is_known() {
        let mut gathered = Gathered::default();
        let text =
            event("delete", "snacks", IDS[0]) + &event("create", "snacks", IDS[0]) + &event("gone", "snacks", IDS[1]);
        for event in events(&text) {
            gathered.note(&event);
        }
        let changed = gathered.take(0).of(&"snacks".parse().unwrap()).unwrap();
        let [first, second] = IDS.map(|id| id.parse::<RecordId>().unwrap());
        assert_eq!(changed.gone, BTreeSet::from([second]));
        let [me, another] = IDS.map(|id| id.parse::<UserId>().ok());
        assert_eq!(changed.by_another(first, me), Some(another));
        assert_eq!(changed.by_another(first, another), None, "one's own");
    }

    #[test]
    fn after_a_reset_everything_may_be_otherwise() {
        let mut gathered = Gathered::default();
        let text = "event: reset\ndata: {\"reason\":\"roles\"}\n\nevent: definition\ndata: {\"collection\":\"treats\",\"was\":\"snacks\"}\n\n";
        for event in events(text) {
            gathered.note(&event);
        }
        let news = gathered.take(0);
        assert!(news.is_reset && news.of(&"words".parse().unwrap()).is_some());
        assert!(["snacks", "treats"].iter().all(|name| news.of(&name.parse().unwrap()).unwrap().is_redefined));
        gathered.missed();
        assert_eq!(gathered.due(1), Some(BETWEEN - 1));
    }
}
