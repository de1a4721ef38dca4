//! What definitions say of values: what they put in place of others, and what records had that were there before a field.

use std::collections::BTreeMap;

use common::{
    conversion::{Conversion, ConversionStep, With, Word},
    field::Field,
    id::FieldId,
    json::Exact,
};
use store::{Expect, Snapshot};
use uuid::Uuid;

use super::{Erase, EraseTarget, FieldNames};
use crate::domain::{
    error::Result,
    gone, keyspace,
    operations::piece::Piece,
    schema,
    steps::{FieldStep, Step},
};

impl Erase {
    /// Has definitions forget what they made of a field's values. No record needs it any more: all are as the definition in force has them.
    pub(super) async fn in_definitions(&mut self, snapshot: &Snapshot, names: &FieldNames) -> Result<Piece> {
        let mut piece = Piece::default();
        self.conversions = false;
        let EraseTarget::Field(collections, _) = &self.what else { return Ok(piece) };
        for number in collections {
            let fields = names.ids(*number);
            if let Some(mut definition) = schema::stored(snapshot, *number).await? {
                let version = definition.keys.version;
                let fields_now = &definition.collection.fields;
                let initial = |id| fields_now.iter().find(|field| field.id == Some(id)).map(Field::initial);
                let mut count = forget(&mut definition.keys.steps, fields, initial);
                if let Some(coming) = &mut definition.coming {
                    // What is its own is still to be done.
                    let own = coming.keys.steps.iter().take_while(|step| step.version <= version).count();
                    count += forget(&mut coming.keys.steps[..own], fields, |_| None);
                }
                if count > 0 {
                    let key = keyspace::collection(&definition.collection.name);
                    definition.shown = Some(definition.collection.revision);
                    piece.batch.expect(key.clone(), Expect::Version(definition.version));
                    piece.batch.put(key, serde_json::to_vec(&definition)?);
                    piece.done += count;
                }
            } else if let Some((version, mut gone)) = gone::load(snapshot, *number).await? {
                let count = forget(&mut gone.gone.definition.keys.steps, fields, |_| None);
                if count > 0 {
                    gone.stage(&mut piece.batch, version)?;
                    piece.done += count;
                }
            }
        }
        Ok(piece)
    }
}

/// Takes out of steps what they say of the values of `fields`. Gives how many said something.
fn forget(steps: &mut [Step], fields: &[Uuid], initial: impl Fn(FieldId) -> Option<Exact>) -> u64 {
    let is_of = |id: Option<FieldId>| id.is_some_and(|id| fields.contains(&id.uuid()));
    let mut count = 0;
    for step in steps.iter_mut().flat_map(|step| &mut step.fields) {
        match step {
            FieldStep::Added { field, value } | FieldStep::Filled { field, value } if is_of(Some(*field)) => {
                let nothing = initial(*field).unwrap_or_default();
                count += u64::from(*value != nothing);
                *value = nothing;
            }
            FieldStep::Converted { to, convert, .. } | FieldStep::Restored { to, convert, .. } if is_of(to.id) => {
                let forgotten = without_values(convert);
                count += u64::from(*convert != forgotten);
                *convert = forgotten;
            }
            _ => {}
        }
    }
    count
}

/// The same conversion without the values that it names. It goes on being one that may lose something.
fn without_values(convert: &Conversion) -> Conversion {
    let step = |step: &ConversionStep| match step {
        ConversionStep::With(With::Map(_)) => With::Map(BTreeMap::new()).into(),
        ConversionStep::With(With::Default(_)) => Word::Null.into(),
        step => step.clone(),
    };
    Conversion(convert.0.iter().map(step).collect())
}
