//! What goes along with the records that a batch deletes, judged by what its other items leave: what they move away is not concerned, and what they have
//! refer to a record that goes is treated as its field says.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use common::{
    batch::Act,
    field::FieldType,
    id::RecordId,
    problem::{FieldError, FieldErrors, NON_FIELD},
    reader::invalid,
};

use super::{Attempt, Change, Decided, Place, Waiting};
use crate::domain::{
    error::{Error, Result},
    records::deletion::{Beside, Emptied, Plan, Reached, Referrer, follow, let_go, referrers_of, restricted},
    stage::Stored,
};

impl Attempt<'_> {
    /// Finds what goes, and has what waits lose what it refers to there, or go along. Gives all that is left to be staged, and the records that are
    /// deleted themselves; `None` where there is nothing, or where something holds it back, which is noted.
    pub(super) async fn let_go(&mut self, decided: &[Decided]) -> Result<Option<(Plan, BTreeSet<Place>)>> {
        let mut deleting: BTreeMap<Place, usize> = BTreeMap::new();
        for one in decided.iter().filter(|one| one.action == Act::Delete) {
            let place = (one.schema.collection.name.clone(), one.id);
            // One that was made again is there.
            if !self.made.contains(&place) {
                deleting.entry(place).or_insert(one.item);
            }
        }
        if deleting.is_empty() {
            return Ok(None);
        }
        let mut roots: Vec<(usize, Place)> = deleting.iter().map(|(place, item)| (*item, place.clone())).collect();
        roots.sort_by(|a, b| b.cmp(a));
        let asked: BTreeSet<Place> = deleting.keys().cloned().collect();
        let reached = {
            let references = references(&self.waiting);
            let referring = |target: &Place| referring(&self.waiting, &references, target);
            let changed = self.waiting.iter().map(Waiting::place).collect();
            let beside = Beside { changed, referring: &referring };
            let roots = roots.into_iter().map(|(_, place)| place).collect();
            follow(self.core, &self.snapshot, roots, asked.clone(), &beside).await?
        };
        let Reached { mut plan, restricting, along } = reached.ok_or_else(|| {
            Error::Conflict(
                "More goes along with these records than one commit takes. Delete fewer at once.".to_owned(),
            )
        })?;
        // By which item a record goes.
        let item_of = |place: &Place| {
            let mut place = place;
            while let Some(with) = along.get(place) {
                place = with;
            }
            deleting.get(place).copied().unwrap_or_default()
        };
        self.hold_back(restricting, item_of).await?;
        for one in self.waiting.iter().filter(|one| along.contains_key(&one.place())) {
            let by = item_of(&one.place());
            if let Some(item) = one.items().find(|item| *item > by) {
                let is_new = item == one.item && matches!(one.change, Change::Make(..));
                let (place, message) = if is_new {
                    (NON_FIELD, "This record would go along with what item")
                } else {
                    ("id", "This record goes along with what item")
                };
                self.errors.invalid(item, FieldErrors::of(place, invalid(format!("{message} {by} deletes."))));
            }
        }
        if !self.errors.is_clean() {
            return Ok(None);
        }
        self.waiting.retain(|one| !along.contains_key(&one.place()));
        let places: HashMap<Place, usize> =
            self.waiting.iter().enumerate().map(|(at, one)| (one.place(), at)).collect();
        plan.emptied.retain(|(name, field, id, gone)| {
            let Some(one) = places.get(&(name.clone(), *id)).and_then(|at| self.waiting.get_mut(*at)) else {
                return true;
            };
            let_go(&mut one.record, field, *gone);
            if matches!(one.change, Change::Update(..)) {
                one.record.set("updated_at", self.core.timestamp());
            }
            false
        });
        // Those that are deleted themselves have given theirs up.
        for going in plan.going.iter().filter(|going| !asked.contains(&going.which())) {
            let record = going.schema.parse(going.id, &going.entry)?;
            let stored = Stored { id: going.id, entry: going.entry.clone(), record };
            self.stage.give_up(&going.schema, &stored, None).await?;
        }
        Ok(Some((plan, asked)))
    }

    /// Notes what holds a deletion back: at the item that has a record refer there, or else at the one that deletes.
    async fn hold_back(&mut self, restricting: Vec<Emptied>, item_of: impl Fn(&Place) -> usize) -> Result<()> {
        let mut stored: BTreeMap<usize, Vec<Emptied>> = BTreeMap::new();
        for reference in restricting {
            let (name, field, id, target) = &reference;
            let FieldType::Reference { collection: Some(collection), .. } = &field.kind else { continue };
            let by = item_of(&(collection.clone(), *target));
            let Some(one) = self.waiting.iter().find(|one| one.id() == *id && one.schema.collection.name == *name)
            else {
                stored.entry(by).or_default().push(reference);
                continue;
            };
            let error = FieldError::new("restricted", format!("Item {by} deletes what this refers to."));
            self.errors.taken_all(one.item, FieldErrors::of(field.name.as_str(), error));
        }
        for (item, references) in stored {
            match restricted(self.core, &self.snapshot, self.by.caller, &referrers_of(references)).await? {
                Error::Taken(errors) => self.errors.taken_all(item, errors),
                error => return Err(error),
            }
        }
        Ok(())
    }
}

/// Where records that wait refer to one with an id: their places, and the fields'.
fn references(waiting: &[Waiting]) -> HashMap<RecordId, Vec<(usize, usize)>> {
    let mut found: HashMap<RecordId, Vec<(usize, usize)>> = HashMap::new();
    for (at, one) in waiting.iter().enumerate() {
        for (nth, field) in one.schema.collection.fields.iter().enumerate() {
            if matches!(&field.kind, FieldType::Reference { collection: Some(_), .. })
                && let Some(value) = one.record.get(field.name.as_str())
            {
                for id in RecordId::all_in(value) {
                    found.entry(id).or_default().push((at, nth));
                }
            }
        }
    }
    found
}

/// Those of them that are to one record.
fn referring(
    waiting: &[Waiting],
    references: &HashMap<RecordId, Vec<(usize, usize)>>,
    (target, id): &Place,
) -> Vec<Referrer> {
    let of_id = references.get(id).into_iter().flatten();
    let of_target = of_id.filter_map(|(at, nth)| {
        let one = &waiting[*at];
        let field = &one.schema.collection.fields[*nth];
        match &field.kind {
            FieldType::Reference { collection, on_delete, .. } if collection.as_ref() == Some(target) => {
                Some((one.schema.collection.name.clone(), field.clone(), *on_delete, one.id()))
            }
            _ => None,
        }
    });
    of_target.collect()
}
