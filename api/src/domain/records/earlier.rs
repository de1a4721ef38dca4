//! An earlier version of a record under the definition of today.

use crate::domain::record::assemble;
use common::{
    access::Caller,
    clean::{Manner, Write, clean},
    problem::FieldErrors,
    record::Record,
};

use crate::domain::schema::Schema;

/// An earlier version as it can be put back.
pub(in crate::domain) fn fit(schema: &Schema, caller: &Caller, then: &Record) -> Result<Record, FieldErrors> {
    let mut fields = then.clone();
    fields.retain(|name| schema.collection.field(name).is_some());
    let values = clean(&schema.collection, fields, Write::Create, Manner::stored(caller))?.values;
    Ok(assemble(then, values))
}
