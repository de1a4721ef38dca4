//! Items about a record that an earlier item of their batch makes or changes: they go on from what it will be.

use std::sync::Arc;

use common::{
    access::Action,
    batch::{Act, Item, Which},
    clean::{Cleaned, Write, clean_all, sent_revision},
    id::{RecordId, Revision},
    problem::FieldErrors,
    reader::invalid,
    record::Record,
    validate::within_work,
};
use store::Key;

use super::{Attempt, Change, Decided, check_revision};
use crate::domain::{
    error::{Error, Result},
    records::{
        change::changed_values,
        number::{added, adds},
    },
    schema::Schema,
    work,
};

impl Attempt<'_> {
    /// The record that an item names.
    pub(super) async fn id_of(&self, item: &Item) -> Result<Option<RecordId>> {
        let earlier = match &item.id {
            None => return Ok(None),
            Some(Which::Id(id)) => return Ok(Some(*id)),
            Some(Which::Earlier { earlier }) => earlier,
        };
        let schema = self.core.schemas.find(&self.snapshot, &item.collection, self.by.caller).await?;
        let collection = &schema.collection.name;
        let message = match self.named.get(earlier) {
            Some((of, id)) if of == collection => return Ok(Some(*id)),
            Some((of, _)) => format!("This is a record of \"{of}\", and not of \"{collection}\"."),
            None => "No earlier item is called so, or has this number.".to_owned(),
        };
        Err(FieldErrors::of("id", invalid(message)).into())
    }

    /// The place of what an earlier item makes of a record.
    pub(super) fn waits(&self, schema: &Schema, id: RecordId) -> Option<usize> {
        // Where nothing waits for it, there is no need to look.
        self.touched.get(&(schema.collection.name.clone(), id))?;
        self.waiting.iter().position(|one| one.id() == id && one.schema.number() == schema.number())
    }

    /// The place of the one that has a unique value by then.
    pub(super) fn holder(&self, schema: &Schema, unique: &Key, key: impl Fn(&Record) -> Option<Key>) -> Option<usize> {
        let mut of = self.waiting.iter().enumerate().filter(|(_, one)| one.schema.number() == schema.number());
        of.find(|(_, one)| key(&one.record).as_ref() == Some(unique)).map(|(at, _)| at)
    }

    /// Whether no earlier item changes or deletes a record.
    pub(super) fn keeps(&self, schema: &Schema, id: RecordId) -> bool {
        self.waits(schema, id).is_none() && !self.deleted.contains(&(schema.collection.name.clone(), id))
    }

    /// Notes that an item is about a record. An earlier one may be too, unless it deletes it.
    pub(super) fn touch_again(&mut self, i: usize, schema: &Schema, id: RecordId) -> Result<()> {
        let place = (schema.collection.name.clone(), id);
        match self.touched.get(&place) {
            Some(_) if !self.deleted.contains(&place) => Ok(()),
            _ => self.touch(i, schema, id),
        }
    }

    /// Changes once more what an earlier item makes or changes.
    pub(super) async fn again(&mut self, i: usize, item: &Item, at: usize) -> Result<Decided> {
        let caller = self.by.caller;
        let (schema, id) = (Arc::clone(&self.waiting[at].schema), self.waiting[at].id());
        let old = self.waiting[at].record.clone();
        if !schema.authorize(Action::Update, caller)?.covers(old.owner()) {
            return Err(Error::Denied);
        }
        let body = self.body(&schema, item)?;
        let sent = sent_revision(&body)?;
        match &self.waiting[at].change {
            Change::Update(stored) => {
                check_revision(item, stored.entry.version)?;
                if sent.is_some_and(|read| read != Revision(stored.entry.version.get())) {
                    return Err(Error::Stale);
                }
            }
            Change::Make(..) if item.if_match.is_some() || sent.is_some() => return Err(Error::Stale),
            Change::Make(..) => {}
        }
        work::hold(2 * work::record_size(&old))?;
        let body = if adds(&schema.collection, &body) { added(&schema.collection, &body, &old)? } else { body };
        let (manner, left) = (self.manner, &mut self.left);
        let (Cleaned { values, owner }, faults) =
            within_work(left, || clean_all(&schema.collection, body, Write::Patch(&old), manner));
        faults.or(())?;
        self.check_user(owner.filter(|owner| Some(*owner) != old.owner())).await?;
        if let Some(record) = changed_values(self.core, &old, values, owner) {
            self.waiting[at].record = record;
        }
        self.waiting[at].also.push(i);
        Ok(Decided { item: i, action: Act::Update, schema, id, written: None })
    }

    /// Whether an item is about a record that an earlier one makes.
    pub(super) async fn is_made(&self, item: &Item, id: RecordId) -> Result<bool> {
        if self.made.is_empty() {
            return Ok(false);
        }
        let schema = self.core.schemas.find(&self.snapshot, &item.collection, self.by.caller).await?;
        Ok(self.made.contains(&(schema.collection.name.clone(), id)))
    }

    /// Has a record not be made after all.
    pub(super) async fn unmake(&mut self, i: usize, item: &Item, id: RecordId) -> Result<Decided> {
        let schema = self.core.schemas.find(&self.snapshot, &item.collection, self.by.caller).await?;
        let owner = self.waits(&schema, id).and_then(|at| self.waiting[at].record.owner());
        if !schema.authorize(Action::Delete, self.by.caller)?.covers(owner) {
            return Err(Error::Denied);
        }
        if item.if_match.is_some() {
            return Err(Error::Stale);
        }
        self.forget(&schema, id);
        Ok(Decided { item: i, action: Act::Delete, schema, id, written: None })
    }

    /// Forgets what earlier items make of a record, which is deleted.
    pub(super) fn forget(&mut self, schema: &Schema, id: RecordId) {
        let place = (schema.collection.name.clone(), id);
        if self.deleted.contains(&place) {
            return;
        }
        if let Some(at) = self.waits(schema, id) {
            self.waiting.remove(at);
        }
        self.named.retain(|_, named| *named != place);
        self.made.remove(&place);
        self.touched.remove(&place);
    }
}
