//! What filters and orderings name: a member of a record, a part of it, or a member of a record that it refers to.

use std::sync::Arc;

use common::{
    access::{Action, Caller, Decision},
    collection::{Collection, Ids},
    field::{Field, FieldType},
    query::{Lookup, Named, Part, own_ids},
};
use store::Snapshot;

use crate::domain::{
    core::Core,
    error::{Error, Result},
    schema::Schema,
};

/// References that one name follows at most.
const MAX_STEPS: usize = 4;

/// The way from a record to a value.
#[derive(Clone)]
pub(crate) struct Path {
    /// The references that lead there, the record's own first.
    pub steps: Vec<Step>,
    /// The member of the last record.
    pub member: String,
    /// How its values compare.
    pub field: Field,
    /// What of the member is meant.
    pub part: Option<Part>,
    /// Which bound of it is meant, by its name: `price_min`.
    pub bound: Option<Lookup>,
    /// What the ids are that the member holds, where that is known.
    pub ids: Option<Ids>,
}

/// What stands for a member of a collection that is hidden from the caller. A text, since that takes every lookup and value.
fn unseen() -> Result<Field> {
    let name = "unseen".parse().map_err(|_| Error::internal("a name of a field is refused"))?;
    Ok(Field::new(name, FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: true }))
}

/// One reference.
#[derive(Clone)]
pub(crate) struct Step {
    /// The field that refers.
    pub field: String,
    /// It refers to several.
    pub is_of_many: bool,
    /// The collection of the record that it refers to.
    pub target: Arc<Schema>,
    /// Which of those records the caller may view. The others are as good as none.
    pub may: Decision,
}

impl Path {
    /// To a member of the collection's own records, or a part of it.
    pub(crate) fn own(collection: &Collection, name: &str) -> Option<Self> {
        match Named::find(collection, name)? {
            Named::Field { part: Some(Part::Username), .. } | Named::Reference { .. } => None,
            Named::Field { member, field, part, bound } => {
                let ids = own_ids(member);
                Some(Self { steps: Vec::new(), member: member.to_owned(), field, part, bound, ids })
            }
        }
    }

    /// To what each of `names` says, in their order: see [`Path::find`].
    pub(crate) async fn find_all(
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        schema: &Arc<Schema>,
        names: impl ExactSizeIterator<Item = &str>,
    ) -> Result<Vec<Option<Self>>> {
        let mut paths = Vec::with_capacity(names.len());
        for name in names {
            paths.push(Self::find(core, snapshot, caller, schema, name).await?);
        }
        Ok(paths)
    }

    /// To what `name` says; `None` where it leads nowhere. Where it leads into a collection that is hidden from the caller it is null there,
    /// whatever its end is called: a name that is refused would tell of those that are not.
    pub(crate) async fn find(
        core: &Core,
        snapshot: &Snapshot,
        caller: &Caller,
        schema: &Arc<Schema>,
        name: &str,
    ) -> Result<Option<Self>> {
        let (mut at, mut rest, mut steps) = (Arc::clone(schema), name.to_owned(), Vec::new());
        loop {
            let (step, tail) = match Named::find(&at.collection, &rest) {
                None => return Ok(None),
                Some(Named::Field { member, field, part, bound }) => {
                    let ids = match (own_ids(member), &field.kind) {
                        (None, FieldType::Reference { collection: Some(name), .. }) => {
                            let target = core.schemas.load(snapshot, name).await?;
                            target.filter(|target| target.is_visible(caller)).map(|target| target.collection.ids)
                        }
                        (ids, _) => ids,
                    };
                    return Ok(Some(Self { steps, member: member.to_owned(), field, part, bound, ids }));
                }
                Some(Named::Reference { field, collection, rest }) => {
                    let is_of_many = at.collection.field(field).is_some_and(|field| field.kind.refers_to_many());
                    let target = core.schemas.load(snapshot, collection).await?;
                    let target = target.filter(|_| steps.len() < MAX_STEPS);
                    let Some(target) = target else { return Ok(None) };
                    let may = target.collection.access.decide(Action::View, caller);
                    if !target.is_visible(caller) {
                        let (member, hidden) = (rest.to_owned(), unseen()?);
                        steps.push(Step { field: field.to_owned(), is_of_many, target, may: Decision::Denied });
                        return Ok(Some(Self { steps, member, field: hidden, part: None, bound: None, ids: None }));
                    }
                    (Step { field: field.to_owned(), is_of_many, target, may }, rest.to_owned())
                }
            };
            (at, rest) = (Arc::clone(&step.target), tail);
            steps.push(step);
        }
    }

    /// The member of the record itself, where all of it is meant.
    pub(crate) fn own_member(&self) -> Option<&str> {
        (self.steps.is_empty() && self.part.is_none()).then_some(&*self.member)
    }

    /// The member of the record itself where the way begins.
    pub(crate) fn begins_at(&self) -> &str {
        self.steps.first().map_or(&self.member, |step| &step.field)
    }

    /// Whether its value is in the record itself.
    pub(crate) fn is_own(&self) -> bool {
        self.steps.is_empty() && !self.is_name()
    }

    /// Whether it leads to several values.
    pub(crate) fn is_of_many(&self) -> bool {
        self.steps.iter().any(|step| step.is_of_many)
    }

    /// Whether it is the name of the user whose id the member is.
    pub(crate) fn is_name(&self) -> bool {
        self.part == Some(Part::Username)
    }
}
