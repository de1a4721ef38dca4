//! An earlier version of a record under the definition of today.

use crate::domain::record::assemble;
use common::{
    access::Caller,
    clean::{Manner, Write, clean},
    problem::FieldErrors,
    record::Record,
};

use crate::domain::schema::Schema;

/// An earlier version as it can be put back, and the fields that it has a value for and the collection no more.
pub(in crate::domain) fn fit(
    schema: &Schema,
    caller: &Caller,
    then: &Record,
) -> Result<(Record, Vec<String>), FieldErrors> {
    let is_frame = |name: &str| matches!(name, "id" | "owner" | "created_at" | "updated_at" | "revision");
    let is_field = |name: &str| schema.collection.field(name).is_some();
    let is_lost = |name: &str| !is_frame(name) && !is_field(name);
    let lost = then.as_object().iter().filter(|(name, value)| is_lost(name) && !value.is_null());
    let lost = lost.map(|(name, _)| name.clone()).collect();
    let mut fields = then.clone();
    fields.retain(is_field);
    let values = clean(&schema.collection, fields, Write::Create, Manner::stored(caller))?.values;
    Ok((assemble(then, values), lost))
}
