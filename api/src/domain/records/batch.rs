//! Changes of several records, in several collections, as one commit, which is judged by what there is after it. Items about one record are one change
//! of it; what is deleted goes when all else is done.
//!
//! - `again`: items about what earlier ones make or change
//! - `deleting`: what goes along with the records that are deleted

mod again;
mod deleting;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use common::{
    access::Action,
    batch::{Act, Batch, Item, REF, Which},
    clean::{Cleaned, Manner, Write, clean_all, sent_revision},
    field::{FieldType, Unique},
    id::{RecordId, Revision, UserId},
    name::CollectionName,
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::{invalid, required},
    record::Record,
    validate::{Ends, REQUEST_MATCH_WORK, check_exact, does_not_exist, within_work},
};
use serde_json::Value;
use store::{Expect, Key, Reserve, Snapshot};

use super::{
    brought::{NewIdentity, brought_id},
    change::{changed_values, is_user},
    checks::{BodyErrors, GivenUp, check_beside},
    deletion::Which as Place,
    find::{Target, find},
    number::{added, adds},
    stored::{Sent, new_record},
    unseen::Guess,
    visible::is_visible,
};
use crate::domain::{
    core::Core,
    error::{Error, Result},
    journal::{self, Actor},
    keyspace,
    quota::OverQuota,
    retry::Retry,
    schema::Schema,
    stage::{Stage, Stored, unique_holder},
    work,
};

/// What an item did.
pub struct Did {
    /// What.
    pub action: Act,
    /// Where.
    pub collection: CollectionName,
    /// To which record.
    pub id: RecordId,
    /// The record; `None` where it was deleted.
    pub sent: Option<Sent>,
}

/// A change that is decided.
struct Decided {
    item: usize,
    action: Act,
    schema: Arc<Schema>,
    id: RecordId,
    /// `None` where the record is not there afterwards.
    written: Option<Written>,
}

/// What is written, and at which version that was there before, where nothing changes.
type Written = (Vec<u8>, Option<store::Version>);

/// A record that is to be made or changed, before it is checked beside the others.
struct Waiting {
    /// The number of its item.
    item: usize,
    /// Those of later ones that are about it too.
    also: Vec<usize>,
    schema: Arc<Schema>,
    /// What is there.
    change: Change,
    record: Record,
}

enum Change {
    Make(NewIdentity, bool),
    Update(Stored),
}

impl Waiting {
    fn id(&self) -> RecordId {
        match &self.change {
            Change::Make(place, _) => place.id,
            Change::Update(stored) => stored.id,
        }
    }

    fn place(&self) -> Place {
        (self.schema.collection.name.clone(), self.id())
    }

    /// All items that are about it.
    fn items(&self) -> impl Iterator<Item = usize> {
        std::iter::once(self.item).chain(self.also.iter().copied())
    }
}

/// The attempt at a batch.
struct Attempt<'a> {
    core: &'a Core,
    by: Actor<'a>,
    manner: Manner<'a>,
    snapshot: Snapshot,
    stage: Stage<'a>,
    errors: BodyErrors,
    /// The records that were made, or found, by the items' numbers and names.
    named: HashMap<String, Place>,
    /// Which item is about a record.
    touched: BTreeMap<Place, usize>,
    made: BTreeSet<Place>,
    deleted: BTreeSet<Place>,
    /// What is made and changed, in the order of the items.
    waiting: Vec<Waiting>,
    /// The first record with a unique value of one that the caller may not see, and as it was. It is told last, so that nothing else depends on it.
    unseen: Option<(Arc<Schema>, Option<Record>, Record)>,
    left: u64,
}

/// Runs a batch: all of it or nothing.
pub async fn run(core: &Core, by: Actor<'_>, batch: &Batch, manner: Manner<'_>) -> Result<Vec<Did>> {
    let (mut retry, mut has_made_room) = (Retry::new(core), false);
    // In one order, so that two batches do not wait for each other.
    let adding: BTreeSet<RecordId> = batch
        .items
        .iter()
        .filter(|item| item.record.as_ref().is_some_and(|record| record.as_object().values().any(Value::is_object)))
        .filter_map(|item| match item.id {
            Some(Which::Id(id)) => Some(id),
            _ => None,
        })
        .collect();
    let _waited = core.adding.wait_for_all(&adding).await;
    loop {
        let mut attempt = Attempt {
            core,
            by,
            manner,
            snapshot: core.store.snapshot().await?,
            stage: Stage::new(core, by.caller, store::Batch::new()).bounded(),
            errors: BodyErrors::new(Some(batch.items.len())),
            named: HashMap::new(),
            touched: BTreeMap::new(),
            made: BTreeSet::new(),
            deleted: BTreeSet::new(),
            waiting: Vec::new(),
            unseen: None,
            left: REQUEST_MATCH_WORK,
        };
        if has_made_room {
            attempt.stage.has_made_room();
        }
        let mut decided = Vec::with_capacity(batch.items.len());
        for (i, item) in batch.items.iter().enumerate() {
            tokio::task::yield_now().await;
            let outcome = attempt.item(i, item).await;
            match outcome {
                Ok(one) => decided.push(one),
                Err(error) => attempt.fault(i, error)?,
            }
        }
        let is_clean = attempt.errors.is_clean();
        let going = if is_clean { attempt.let_go(&decided).await? } else { None };
        // Beside what is wrong with an item is told what is wrong with others; what is held back is all that is wrong.
        if !is_clean || attempt.errors.is_clean() {
            attempt.stage_waiting(&mut decided).await?;
        }
        if attempt.errors.is_clean()
            && let Some((going, asked)) = going
        {
            going.stage_many(core, &attempt.snapshot, &mut attempt.stage, &asked).await?;
        }
        let Attempt { stage, errors, touched, unseen, .. } = attempt;
        errors.result()?;
        if let Some((schema, old, record)) = unseen {
            let guess = Guess::admit(core, by, &schema, old.as_ref(), &[&record])?;
            guess.tell(Err(Error::TakenUnseen)).await?;
        }
        let mut staged = stage.finish();
        let nothing = staged.is_empty();
        let deletes = decided.iter().any(|one| one.action == Act::Delete);
        if deletes {
            staged.use_reserve(Reserve::Much);
        }
        let version = if nothing {
            None
        } else {
            {
                retry
                    .commit_for(by.caller, staged)
                    .await
                    .map(|version| Some(Committed::from(version)))
                    .or_else(quota)?
            }
        };
        match version {
            Some(Committed::Over) if !has_made_room => {
                for one in &decided {
                    if touched.contains_key(&(one.schema.collection.name.clone(), one.id)) {
                        journal::make_room(core, one.schema.number(), one.id).await?;
                    }
                }
                has_made_room = true;
            }
            Some(Committed::Over) => return Err(Error::OverQuota(OverQuota::History)),
            Some(Committed::Conflict) => {}
            Some(Committed::At(version)) => return decided.into_iter().map(|one| one.told(version)).collect(),
            None => return decided.into_iter().map(|one| one.told(store::Version::ZERO)).collect(),
        }
    }
}

/// What became of a commit.
enum Committed {
    At(store::Version),
    Conflict,
    Over,
}

impl From<Option<store::Version>> for Committed {
    fn from(version: Option<store::Version>) -> Self {
        version.map_or(Self::Conflict, Self::At)
    }
}

fn quota(error: Error) -> Result<Option<Committed>> {
    match error {
        Error::OverQuota(OverQuota::History) => Ok(Some(Committed::Over)),
        error => Err(error),
    }
}

impl Decided {
    fn told(self, version: store::Version) -> Result<Did> {
        let Self { action, schema, id, written, .. } = self;
        let collection = schema.collection.name.clone();
        let sent = match written {
            Some((value, before)) => Some(Sent::new(&schema, id, &value, before.unwrap_or(version))?),
            None => None,
        };
        Ok(Did { action, collection, id, sent })
    }
}

impl Attempt<'_> {
    /// What is wrong with an item stands under its number; what is wrong with the server is no item's fault.
    fn fault(&mut self, i: usize, error: Error) -> Result<()> {
        let told =
            |code: &'static str, error: &Error| FieldErrors::of(NON_FIELD, FieldError::new(code, error.to_string()));
        let errors = match error {
            Error::Invalid(errors) | Error::Taken(errors) => errors,
            error @ Error::NotFound => told("not_found", &error),
            error @ (Error::Denied | Error::NobodyMay(_)) => told("permission_denied", &error),
            error @ Error::Stale => told("stale", &error),
            error => return Err(error),
        };
        self.errors.invalid(i, errors);
        Ok(())
    }

    async fn item(&mut self, i: usize, item: &Item) -> Result<Decided> {
        let caller = self.by.caller;
        let id = self.id_of(item).await?;
        let decided = match (item.action, id) {
            (Act::Create, _) => {
                let schema = self.core.schemas.find(&self.snapshot, &item.collection, caller).await?;
                self.create(i, &schema, item).await?
            }
            (Act::Update, Some(id)) => self.update(i, item, id).await?,
            (Act::Delete, Some(id)) if self.is_made(item, id).await? => self.unmake(i, item, id).await?,
            (Act::Delete, Some(id)) => {
                let Target { schema, stored } =
                    find(self.core, &self.snapshot, caller, Action::Delete, &item.collection, id).await?;
                check_revision(item, stored.entry.version)?;
                self.forget(&schema, id);
                self.touch(i, &schema, id)?;
                self.deleted.insert((schema.collection.name.clone(), id));
                self.stage.give_up(&schema, &stored, None).await?;
                Decided { item: i, action: Act::Delete, schema, id, written: None }
            }
            (Act::Upsert, _) => self.upsert(i, item).await?,
            (Act::Update | Act::Delete, None) => return Err(FieldErrors::of("id", required()).into()),
        };
        if decided.action != Act::Delete {
            let place = (decided.schema.collection.name.clone(), decided.id);
            self.named.insert(i.to_string(), place.clone());
            if let Some(name) = &item.name
                && self.named.insert(name.clone(), place).is_some()
            {
                return Err(FieldErrors::of("as", invalid("An earlier item is called so already.")).into());
            }
        }
        Ok(decided)
    }

    /// What is deleted is not changed any more, and not before.
    fn touch(&mut self, i: usize, schema: &Schema, id: RecordId) -> Result<()> {
        match self.touched.insert((schema.collection.name.clone(), id), i) {
            None => Ok(()),
            Some(other) => {
                let message = format!("Item {other} deletes this record.");
                Err(FieldErrors::of("id", invalid(message)).into())
            }
        }
    }

    /// The members of an item, with ids in place of what names earlier items.
    fn body(&self, schema: &Schema, item: &Item) -> Result<Record> {
        let mut body = item.record.clone().unwrap_or_default();
        let mut errors = FieldErrors::new();
        for field in &schema.collection.fields {
            let FieldType::Reference { collection: Some(target), .. } = &field.kind else { continue };
            let name = field.name.as_str();
            let read = match body.get(name) {
                Some(Value::Array(items)) => {
                    let items = items.iter().map(|item| self.earlier(target, item));
                    items.collect::<std::result::Result<Value, _>>()
                }
                Some(value @ Value::Object(_)) => self.earlier(target, value),
                Some(value) => Ok(value.clone()),
                None => continue,
            };
            match read {
                Ok(value) => {
                    let is_deleted = |id: &RecordId| self.deleted.contains(&(target.clone(), *id));
                    if let Some(id) = RecordId::all_in(&value).find(is_deleted) {
                        errors.push(name, does_not_exist(&id.to_string()));
                    } else if body.get(name) != Some(&value) {
                        body.set(name, value);
                    }
                }
                Err(message) => errors.push(name, invalid(message)),
            }
        }
        Ok(errors.or(body)?)
    }

    /// The id in place of what names an earlier item; anything else as it is.
    fn earlier(&self, target: &CollectionName, value: &Value) -> std::result::Result<Value, String> {
        let Some(asked) = value.as_object().and_then(|value| value.get(REF)) else { return Ok(value.clone()) };
        let asked = asked.as_str().map_or_else(|| asked.to_string(), str::to_owned);
        match self.named.get(&asked) {
            Some((collection, id)) if collection == target => Ok(id.to_value()),
            Some((collection, _)) => Err(format!("This is a record of \"{collection}\", and not of \"{target}\".")),
            None => Err("No earlier item is called so, or has this number.".to_owned()),
        }
    }

    async fn create(&mut self, i: usize, schema: &Arc<Schema>, item: &Item) -> Result<Decided> {
        let (core, by) = (self.core, self.by);
        schema.authorize(Action::Create, by.caller)?;
        if item.if_match.is_some() {
            return Err(Error::Stale);
        }
        let body = self.body(schema, item)?;
        let brought = brought_id(by.caller, schema, &body);
        let (manner, left) = (self.manner, &mut self.left);
        let (Cleaned { values, owner }, mut faults) =
            within_work(left, || clean_all(&schema.collection, body, Write::Create, manner));
        let brought = brought.map_err(|wrong| faults.push("id", wrong)).unwrap_or_default();
        faults.or(())?;
        self.check_user(owner.filter(|owner| Some(*owner) != by.caller.user_id())).await?;
        let place = NewIdentity::of(core, &self.snapshot, schema, brought).await?;
        let id = place.id;
        let record = new_record(id, owner.or(by.caller.user_id()), &place.at, values);
        let is_taken = place.is_taken || !self.made.insert((schema.collection.name.clone(), id));
        self.touched.insert((schema.collection.name.clone(), id), i);
        let change = Change::Make(place, is_taken);
        self.waiting.push(Waiting { item: i, also: Vec::new(), schema: Arc::clone(schema), change, record });
        Ok(Decided { item: i, action: Act::Create, schema: Arc::clone(schema), id, written: None })
    }

    async fn update(&mut self, i: usize, item: &Item, id: RecordId) -> Result<Decided> {
        let caller = self.by.caller;
        let schema = self.core.schemas.find(&self.snapshot, &item.collection, caller).await?;
        if let Some(at) = self.waits(&schema, id) {
            return self.again(i, item, at).await;
        }
        let Target { schema, stored } =
            find(self.core, &self.snapshot, caller, Action::Update, &item.collection, id).await?;
        check_revision(item, stored.entry.version)?;
        let body = self.body(&schema, item)?;
        if sent_revision(&body)?.is_some_and(|read| read != Revision(stored.entry.version.get())) {
            return Err(Error::Stale);
        }
        self.touch_again(i, &schema, id)?;
        let old = &stored.record;
        work::hold(2 * work::parsed_size(&stored.entry.value))?;
        let body = if adds(&schema.collection, &body) { added(&schema.collection, &body, old)? } else { body };
        let (manner, left) = (self.manner, &mut self.left);
        let (Cleaned { values, owner }, faults) =
            within_work(left, || clean_all(&schema.collection, body, Write::Patch(old), manner));
        faults.or(())?;
        self.check_user(owner.filter(|owner| Some(*owner) != old.owner())).await?;
        let record = changed_values(self.core, old, values, owner).unwrap_or_else(|| old.clone());
        let change = Change::Update(stored);
        self.waiting.push(Waiting { item: i, also: Vec::new(), schema: Arc::clone(&schema), change, record });
        Ok(Decided { item: i, action: Act::Update, schema, id, written: None })
    }

    /// Checks and stages what is made and changed, beside each other: one may take the unique value that another gives up.
    async fn stage_waiting(&mut self, decided: &mut [Decided]) -> Result<()> {
        for Waiting { schema, change, record, .. } in &self.waiting {
            if let Change::Update(stored) = change {
                self.stage.give_up(schema, stored, Some(record)).await?;
            }
        }
        let given_up = self.stage.given_up().clone();
        for one in std::mem::take(&mut self.waiting) {
            tokio::task::yield_now().await;
            let items: Vec<usize> = one.items().collect();
            let Some(written) = self.stage_one(one, &given_up).await? else { continue };
            for item in items {
                if let Ok(at) = decided.binary_search_by_key(&item, |one| one.item) {
                    decided[at].written = Some(written.clone());
                }
            }
        }
        Ok(())
    }

    /// Checks and stages one; `None` where it does not fit, which is noted.
    async fn stage_one(&mut self, one: Waiting, given_up: &BTreeSet<Key>) -> Result<Option<Written>> {
        let Waiting { item, schema, change, record, .. } = one;
        let old = match &change {
            Change::Make(..) => None,
            Change::Update(Stored { id, entry, record: old }) if *old == record => {
                // What was asked of it holds for what other items do as well.
                self.stage.expect(keyspace::record(schema.number(), *id), Expect::Version(entry.version));
                return Ok(Some((entry.value.to_vec(), Some(entry.version))));
            }
            Change::Update(stored) => Some(&stored.record),
        };
        match self.check(item, &schema, given_up, old, &record).await {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => return self.fault(item, error).map(|()| None),
        }
        let staged = match change {
            Change::Make(place, is_taken) => {
                let made = self.stage.make(&schema, place.id, &record, place.tombstone.as_ref()).await;
                made.map(|(written, taken)| {
                    (written, taken.into_iter().chain(is_taken.then(|| "id".to_owned())).collect())
                })
            }
            Change::Update(stored) => self.stage.replace(&schema, &stored, &record).await,
        };
        let (written, taken): (_, Vec<String>) = match staged {
            Ok(staged) => staged,
            Err(error) => return self.fault(item, error).map(|()| None),
        };
        for field in taken {
            self.errors.taken(item, &field);
        }
        Ok(Some((written, None)))
    }

    async fn upsert(&mut self, i: usize, item: &Item) -> Result<Decided> {
        let caller = self.by.caller;
        let schema = self.core.schemas.find(&self.snapshot, &item.collection, caller).await?;
        // Before anything is said of its fields: it may not even be known to be there.
        if schema.authorize(Action::Update, caller).is_err() {
            schema.authorize(Action::Create, caller)?;
        }
        let key = item.key.as_deref().unwrap_or_default();
        // Under the name that it has now, or one that it had.
        let key_field = schema.collection.field(key).map(|field| &field.name);
        let found = schema.fields().find(|(field, _)| Some(&field.name) == key_field && field.unique != Unique::No);
        let Some((field, Some(rule))) = found.map(|(field, indexes)| (field, indexes.unique)) else {
            return Err(FieldErrors::of("key", invalid("This is the name of a unique field.")).into());
        };
        let body = self.body(&schema, item)?;
        let all_names = std::iter::once(&field.name).chain(&field.aliases);
        let mut sent = all_names.filter_map(|name| body.member(name.as_str()));
        let Some(member) = sent.find(|member| !member.value.is_null()) else {
            return Err(FieldErrors::of(key, required()).into());
        };
        let value = check_exact(field, &member.into(), Ends::Trimmed).map_err(|wrong| {
            let mut errors = FieldErrors::new();
            errors.add(key.to_owned(), wrong);
            errors
        })?;
        let unique = keyspace::unique(schema.number(), rule, field, &value);
        // One that an earlier item makes or changes has the value, or has given it up.
        if let Some(at) = self.holder(&schema, &unique, |record| {
            Some(keyspace::unique(
                schema.number(),
                rule,
                field,
                record.get(field.name.as_str()).filter(|value| !value.is_null())?,
            ))
        }) {
            return self.again(i, item, at).await;
        }
        let holder = self.snapshot.get(&unique).await?.as_ref().and_then(unique_holder);
        if let Some(id) = holder.filter(|id| self.keeps(&schema, *id))
            && is_visible(&self.snapshot, caller, &schema, id).await?
        {
            return self.update(i, item, id).await;
        }
        self.create(i, &schema, item).await
    }

    async fn check_user(&self, owner: Option<UserId>) -> Result<()> {
        match owner {
            Some(owner) if !is_user(&self.snapshot, owner).await? => {
                Err(FieldErrors::of("owner", does_not_exist(&owner.to_string())).into())
            }
            _ => Ok(()),
        }
    }

    /// What the store has against a record; whether that is nothing. What earlier items make is there.
    async fn check(
        &mut self,
        i: usize,
        schema: &Arc<Schema>,
        given_up: &BTreeSet<Key>,
        old: Option<&Record>,
        record: &Record,
    ) -> Result<bool> {
        let mut looked = record.clone();
        for field in &schema.collection.fields {
            let name = field.name.as_str();
            let FieldType::Reference { collection: Some(target), .. } = &field.kind else { continue };
            let is_made =
                |value: &Value| RecordId::from_value(value).is_some_and(|id| self.made.contains(&(target.clone(), id)));
            let left = match looked.get(name) {
                Some(Value::Array(items)) => items.iter().filter(|item| !is_made(item)).cloned().collect(),
                Some(value) if is_made(value) => Value::Null,
                _ => continue,
            };
            looked.set(name, left);
        }
        let given_up = |key: &Key| given_up.contains(key);
        let given_up: &GivenUp<'_> = &given_up;
        let checked = check_beside(self.core, &self.snapshot, self.by.caller, schema, given_up, old, &looked).await?;
        let mut errors = BodyErrors::new(None);
        errors.merge(i, checked);
        drop(Guess::admit(self.core, self.by, schema, old, &[record])?);
        match errors.result() {
            // It is told as of one record: with the others of its item.
            Err(Error::Taken(taken)) => {
                self.errors.taken_all(i, taken);
                Ok(false)
            }
            Err(Error::TakenUnseen) => {
                self.unseen.get_or_insert_with(|| (Arc::clone(schema), old.cloned(), record.clone()));
                Ok(false)
            }
            outcome => outcome.map(|()| true),
        }
    }
}

fn check_revision(item: &Item, version: store::Version) -> Result<()> {
    match item.if_match {
        Some(revision) if revision != Revision(version.get()) => Err(Error::Stale),
        _ => Ok(()),
    }
}
