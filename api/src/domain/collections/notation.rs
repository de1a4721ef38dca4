//! How the numbers in a field's texts are written. That is one thing for all of them, so they are looked at before the field becomes one of
//! numbers. Where they do not agree nothing is decided, and each that could be read in two ways is one that does not fit.

use common::{conversion::Notation, field::Field, id::FieldId};
use store::{Scan, Snapshot};

use super::{carry_over, plan::Plan};
use crate::domain::{core::Core, error::Result, keyspace, schema::Schema, steps::FieldStep};

/// Decides how texts are read that a plan makes numbers of, by what all records have.
pub(super) async fn decide(core: &Core, snapshot: &Snapshot, before: &Schema, plan: &mut Plan) -> Result<()> {
    let version = plan.after.keys.version;
    let Some(step) = plan.after.keys.steps.last_mut().filter(|step| step.version == version) else { return Ok(()) };
    let was = |id: Option<FieldId>| -> Option<&Field> { before.collection.fields.iter().find(|field| field.id == id) };
    let mut asking = Vec::new();
    for step in &mut step.fields {
        if let FieldStep::Converted { to, convert, .. } = step
            && convert.asks_for_mark()
            && let Some(field) = was(to.id)
        {
            asking.push((field, to, convert, Notation::default()));
        }
    }
    if asking.is_empty() {
        return Ok(());
    }
    let deadline = core.deadline();
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::records(before.number())));
    while let Some(page) = pages.next().await? {
        for (key, entry) in page {
            let record = before.decode(carry_over::id_of(&key)?, &entry.value)?;
            for (field, to, convert, notation) in &mut asking {
                if let Some(value) = record.get(field.name.as_str()) {
                    convert.note(&to.kind, value, notation);
                }
            }
        }
        deadline.pause().await?;
    }
    for (_, _, convert, notation) in asking {
        if let Some(mark) = notation.mark() {
            *convert = std::mem::take(convert).with_mark(mark);
        }
    }
    Ok(())
}
