//! What keeps an operation from being undone: rules, and what was done since.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use common::{
    access::{Action, Caller},
    field::{FieldType, OnDelete},
    id::RecordId,
    record::Record,
    undo::Changed,
};
use store::{Entry, Snapshot, Version, counter};

use super::item::{Item, Key};
use crate::domain::{
    core::Core,
    error::{ChangedSince, Error, Obstacle, Result},
    indexes::IndexKind,
    journal::Actor,
    keyspace,
    records::{Guess, fit, is_visible, may_see, may_view, referring},
    schema::Schema,
    stage,
};

/// How many obstacles are told one by one.
pub(super) const TOLD: usize = 10;

/// Says of items whether they may and can go back.
pub(super) struct Judge<'a> {
    core: &'a Core,
    snapshot: &'a Snapshot,
    by: Actor<'a>,
    caller: &'a Caller,
    changed: Changed,
    /// There are more items than are judged together: all commits of what goes back. What one of these wrote last goes back as well, whatever that
    /// makes of it.
    pub part_of: Option<BTreeSet<Version>>,
    /// What cannot go back stays as it is, also where the caller wants to overwrite.
    pub is_leaving_out: bool,
}

/// An item that goes back.
pub(super) struct Returning {
    pub schema: Arc<Schema>,
    pub item: Item,
    /// As it is to be.
    pub target: Option<Record>,
    pub is_visible: bool,
    /// How often it is referred to, as that is stored, where it is to go.
    pub referrers: Option<Entry>,
}

/// What may and can go back.
pub(super) struct Judged {
    pub returning: Vec<Returning>,
    /// How many stay as they are, of those that the caller may view.
    pub skipped: u64,
}

/// Why one cannot.
struct Reason(&'static str, String);

impl<'a> Judge<'a> {
    pub(super) fn new(core: &'a Core, snapshot: &'a Snapshot, by: Actor<'a>, changed: Changed) -> Self {
        Self { core, snapshot, by, caller: by.caller, changed, part_of: None, is_leaving_out: false }
    }

    /// All items, unless one may not or cannot go back and is not to be skipped.
    pub(super) async fn judge(&self, items: Vec<Item>) -> Result<Judged> {
        let (mut since, mut skipped) = (ChangedSince::default(), 0);
        let mut returning: HashMap<Key, Returning> = HashMap::with_capacity(items.len());
        let mut order = Vec::with_capacity(items.len());
        let (mut may_do_all, mut sees_any) = (true, false);
        for item in items {
            let is_visible = item
                .schema
                .as_ref()
                .map_or(self.caller.is_admin(), |schema| may_view(schema, self.caller, item.owner()));
            sees_any |= is_visible;
            may_do_all &= self.may(&item, is_visible);
            let (item, reason) = if let Some(schema) = item.schema.clone() {
                match self.returning(&schema, item, is_visible) {
                    Ok(returns) => {
                        order.push(returns.item.key);
                        returning.insert(returns.item.key, returns);
                        continue;
                    }
                    Err(refused) => *refused,
                }
            } else {
                (item, Reason("collection_gone", "Its collection is gone.".to_owned()))
            };
            self.refuse(&mut since, &mut skipped, &item, is_visible, reason);
        }
        if !may_do_all {
            return Err(if sees_any { Error::Denied } else { Error::NotFound });
        }
        if since.is_any() {
            return Err(Error::ChangedSince(Box::new(since)));
        }
        let schemas: HashMap<_, _> =
            returning.values().map(|returns| (returns.schema.number(), Arc::clone(&returns.schema))).collect();
        let mut guesses = HashMap::new();
        for (number, schema) in schemas.iter().filter(|_| !self.is_leaving_out) {
            let targets = returning.iter().filter(|(key, _)| key.0 == *number);
            let targets: Vec<_> = targets.filter_map(|(_, returns)| returns.target.as_ref()).collect();
            guesses.insert(*number, Guess::admit(self.core, self.by, schema, None, &targets)?);
        }
        // What is left out may be what another needs.
        loop {
            let mut refused = Vec::new();
            for key in &order {
                let Some(returns) = returning.get(key) else { continue };
                let found = match self.stands_in_the_way(returns, &returning).await {
                    // Nothing is told of it.
                    Err(Error::TakenUnseen)
                        if self.is_leaving_out || self.is_silent(&returns.item, returns.is_visible) =>
                    {
                        Some(Reason("taken", String::new()))
                    }
                    Err(Error::TakenUnseen) => match guesses.remove(&key.0) {
                        Some(guess) => guess.tell(Err(Error::TakenUnseen)).await?,
                        None => return Err(Error::TakenUnseen),
                    },
                    found => found?,
                };
                refused.extend(found.map(|reason| (*key, reason)));
                tokio::task::yield_now().await;
            }
            if refused.is_empty() {
                break;
            }
            for (key, reason) in refused {
                if let Some(Returning { item, is_visible, .. }) = returning.remove(&key) {
                    self.refuse(&mut since, &mut skipped, &item, is_visible, reason);
                }
            }
            if since.is_any() {
                return Err(Error::ChangedSince(Box::new(since)));
            }
        }
        let mut judged = Vec::with_capacity(order.len());
        for key in order {
            let Some(mut returns) = returning.remove(&key) else { continue };
            if returns.target.is_none() {
                let (collection, id) = key;
                returns.referrers = self.snapshot.get(&keyspace::referrers(collection, id)).await?;
            }
            judged.push(returns);
        }
        Ok(Judged { returning: judged, skipped })
    }

    fn refuse(&self, since: &mut ChangedSince, skipped: &mut u64, item: &Item, is_visible: bool, reason: Reason) {
        if self.changed == Changed::Skip || self.is_leaving_out || self.is_silent(item, is_visible) {
            *skipped += u64::from(is_visible);
            return;
        }
        if !is_visible {
            since.hidden = true;
            return;
        }
        since.count += 1;
        if since.examples.len() < TOLD {
            let Reason(reason, why) = reason;
            let (_, id) = item.key;
            let detail = format!("{} {id}: {why}", item.collection);
            let (collection, id) = (item.collection.clone(), Some(id.to_string()));
            since.examples.push(Obstacle { collection, id, part: None, reason, detail });
        }
    }

    /// Whether an item goes back where it can, and stays as it is otherwise, without a word: it followed from a change of the caller's own,
    /// and they may not see it.
    fn is_silent(&self, item: &Item, is_visible: bool) -> bool {
        !is_visible && self.is_own(item)
    }

    /// Whether it followed from a change of the caller's own.
    fn is_own(&self, item: &Item) -> bool {
        item.is_consequence && item.by.is_some() && item.by == self.caller.user_id()
    }

    /// Whether the caller may do to an item what undoing is. What followed from a change of their own, and is as it left it, goes back
    /// with that change, as it went with it.
    fn may(&self, item: &Item, is_visible: bool) -> bool {
        if self.caller.is_admin() {
            return true;
        }
        if self.is_own(item) && (!is_visible || item.is_unchanged() || self.changed == Changed::Skip) {
            return true;
        }
        let Some(schema) = &item.schema else { return false };
        let action = match (&item.was, &item.now) {
            (None, None) => return is_visible,
            (Some(_), Some(_)) => Action::Update,
            _ => Action::Delete,
        };
        let is_given = match (&item.was, &item.now) {
            (Some(was), Some(now)) => was.owner() != now.record.owner(),
            _ => false,
        };
        let decision = schema.collection.access.decide(action, self.caller);
        is_visible && !is_given && decision.covers(item.owner())
    }

    /// The item as it is to be, by itself.
    fn returning(
        &self,
        schema: &Arc<Schema>,
        item: Item,
        is_visible: bool,
    ) -> std::result::Result<Returning, Box<(Item, Reason)>> {
        if !item.is_unchanged() && (self.changed != Changed::Overwrite || self.is_silent(&item, is_visible)) {
            let reason = match (&item.left, &item.now) {
                (Some(_), None) => Reason("deleted", "It was deleted since.".to_owned()),
                (None, Some(_)) => Reason("restored", "It is back already.".to_owned()),
                _ => Reason("changed", "It was changed since.".to_owned()),
            };
            return Err(Box::new((item, reason)));
        }
        let fits = if item.unfit.is_empty() { Ok(()) } else { Err(item.unfit.clone()) };
        let fitted = fits.and_then(|()| item.was.as_ref().map(|was| fit(schema, self.caller, was)).transpose());
        let target = match fitted {
            Ok(target) => target,
            Err(errors) => {
                let why = format!("As it was it does not fit the definition of today: {}", errors.in_words());
                return Err(Box::new((item, Reason("does_not_fit", why))));
            }
        };
        if target.is_some() && !schema.collection.ids.fit(item.key.1) {
            let reason = Reason("does_not_fit", "The ids of its collection are others since.".to_owned());
            return Err(Box::new((item, reason)));
        }
        if target.is_some() && item.now.is_none() && item.tombstone.is_none() {
            let reason = Reason("trimmed", "The note of its deletion was removed.".to_owned());
            return Err(Box::new((item, reason)));
        }
        Ok(Returning { schema: Arc::clone(schema), item, target, is_visible, referrers: None })
    }

    /// Unique values that others have now, references that lead nowhere now, and records that refer to what is to go.
    async fn stands_in_the_way(&self, returns: &Returning, all: &HashMap<Key, Returning>) -> Result<Option<Reason>> {
        let Returning { schema, item, target, .. } = returns;
        let now = item.now.as_ref().map(|now| &now.record);
        let Some(target) = target else { return self.referred(schema, item.key.1, all).await };
        // It is not the caller who refers by it: it is as it was, and nothing is told of it.
        let is_hidden = self.is_silent(item, returns.is_visible);
        for (field, indexes) in schema.fields() {
            let name = field.name.as_str();
            let Some(value) = target.get(name).filter(|value| !value.is_null()) else { continue };
            if now.is_some_and(|now| now.get(name) == Some(value)) {
                continue;
            }
            if let Some(rule) = indexes.unique
                && let Some(holder) = self.snapshot.get(&keyspace::unique(schema.number(), rule, field, value)).await?
            {
                let holder = stage::unique_holder(&holder);
                let other = holder.and_then(|id| all.get(&(schema.number(), id)));
                let gives_up = other
                    .is_some_and(|other| other.target.as_ref().is_none_or(|target| target.get(name) != Some(value)));
                if !gives_up {
                    let message = format!("Another record has its \"{name}\" now.");
                    return self.taken(schema, holder, message).await.map(Some);
                }
            }
            if let FieldType::Reference { collection: Some(collection), .. } = &field.kind
                && let Some(number) = schema.targets.get(collection)
            {
                for id in RecordId::all_in(value) {
                    let is_there = match all.get(&(*number, id)) {
                        // Nobody refers to what they may not see, as with any other change: whether that went with the operation is not told either.
                        Some(other) => {
                            other.target.is_some()
                                && (is_hidden
                                    || self.part_of.is_some()
                                    || may_see(&other.schema, self.caller, other.item.owner()))
                        }
                        None if self.goes_back(&keyspace::tombstone(*number, id)).await? => true,
                        None => match self.core.schemas.load(self.snapshot, collection).await? {
                            Some(schema) if is_hidden => {
                                self.snapshot.get(&keyspace::record(schema.number(), id)).await?.is_some()
                            }
                            Some(schema) => is_visible(self.snapshot, self.caller, &schema, id).await?,
                            None => false,
                        },
                    };
                    if !is_there {
                        let message = format!("What its \"{name}\" refers to is not there.");
                        return Ok(Some(Reason("missing_reference", message)));
                    }
                }
            }
        }
        let owner = match target.owner() {
            Some(user) => self.core.owners.number(self.snapshot, user).await?,
            None => None,
        };
        for index in schema.read_by.iter().filter(|index| index.is_several && index.kind == IndexKind::Unique) {
            let Some(key) = index.key(target, owner) else { continue };
            let Some(holder) = self.snapshot.get(&key).await? else { continue };
            // Whoever gives it up goes back by the same operation.
            let holder = stage::unique_holder(&holder).filter(|id| *id != item.key.1);
            if holder.is_some_and(|id| !all.contains_key(&(schema.number(), id))) {
                let message = format!("Another record has the same {} now.", index.names());
                return self.taken(schema, holder, message).await.map(Some);
            }
        }
        Ok(None)
    }

    /// A unique value that is another record's. Of one that the caller may not see no more is told than that.
    async fn taken(&self, schema: &Schema, holder: Option<RecordId>, message: String) -> Result<Reason> {
        match holder {
            Some(holder) if is_visible(self.snapshot, self.caller, schema, holder).await? => {
                Ok(Reason("taken", message))
            }
            _ => Err(Error::TakenUnseen),
        }
    }

    /// Whether what is under a key was written by another commit of what goes back.
    async fn goes_back(&self, key: &store::Key) -> Result<bool> {
        let Some(commits) = &self.part_of else { return Ok(false) };
        Ok(self.snapshot.get(key).await?.is_some_and(|entry| commits.contains(&entry.version)))
    }

    async fn referred(&self, schema: &Schema, id: RecordId, all: &HashMap<Key, Returning>) -> Result<Option<Reason>> {
        let found = self.snapshot.get(&keyspace::referrers(schema.number(), id)).await?;
        if found.as_ref().and_then(counter).unwrap_or(0) == 0 {
            return Ok(None);
        }
        for (name, field, on_delete, referrer) in referring(self.snapshot, schema, id).await? {
            let Some(other) = self.core.schemas.load(self.snapshot, &name).await? else { continue };
            // What the caller may not see goes with it, as with a deletion.
            let follows =
                on_delete != OnDelete::Restrict && !is_visible(self.snapshot, self.caller, &other, referrer).await?;
            if follows {
                continue;
            }
            let lets_go = match all.get(&(other.number(), referrer)) {
                Some(other) => {
                    let refers = |target: &Record| {
                        target.get(field.name.as_str()).is_some_and(|value| RecordId::all_in(value).any(|to| to == id))
                    };
                    !other.target.as_ref().is_some_and(refers)
                }
                None => self.goes_back(&keyspace::record(other.number(), referrer)).await?,
            };
            if !lets_go {
                return Ok(Some(Reason("referred", "Something else refers to it now.".to_owned())));
            }
        }
        Ok(None)
    }
}
