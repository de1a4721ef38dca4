//! Rows as they are sent: as they are stored, or joined, expanded and cut to the members that are asked for.

use std::collections::BTreeSet;

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    field::FieldType,
    id::Revision,
    problem::{FieldError, FieldErrors},
    record::Record,
};

use super::{
    results::{self, Results},
    rows::{Row, Rows},
    view::View,
};
use crate::domain::{
    error::{Error, Result},
    records::{expand::Expansion, join::join, members::Members, stored::parse_some},
    work::{self, MAX_PAGE_BYTES},
};

/// 400: a numbered page cannot have fewer rows than it says.
pub(super) fn too_large(fitting: usize) -> Error {
    let mib = MAX_PAGE_BYTES / (1024 * 1024);
    let message = format!(
        "These rows take more than the {mib} MiB that one answer may have. Ask for page_size={}, or use limit or cursor, which give fewer rows.",
        fitting.max(1)
    );
    FieldErrors::of("page_size", FieldError::new("too_much", message)).into()
}

/// Rows as they are sent.
pub(super) struct Rendered {
    pub results: Results,
    pub versions: Option<Vec<u8>>,
    /// How many rows these are.
    pub shown: usize,
}

/// The JSON of rows, joined, expanded and cut to the members that are asked for. `reversed`: the last row comes first. It takes the rows.
pub(super) async fn render(
    view: &View<'_>,
    expansion: &Expansion,
    rows: &mut Rows,
    reversed: bool,
    flexible: bool,
) -> Result<Rendered> {
    let query = view.query;
    if query.fields.is_empty() && query.left_join.is_empty() && expansion.is_empty() {
        if reversed {
            rows.found.reverse();
        }
        return as_stored(view, rows);
    }
    let found = std::mem::take(&mut rows.found);
    let in_order = |rows: &[Row]| {
        let mut rows = rows.to_vec();
        if reversed {
            rows.reverse();
        }
        rows
    };
    let mut fitting = found.len();
    loop {
        match shaped(view, expansion, in_order(&found[..fitting])).await {
            Ok(rows) if flexible || fitting == found.len() => {
                return Ok(Rendered { results: Results::written(rows), versions: None, shown: fitting });
            }
            Ok(_) => return Err(too_large(fitting)),
            Err(Error::TooLargeTogether) if fitting > 1 => fitting /= 2,
            Err(Error::TooLargeTogether) => {
                let parameter = if query.left_join.is_empty() { "expand" } else { "left_join" };
                let message = "So many records belong to one row that they do not fit into one answer. Ask for them in their own list.";
                return Err(FieldErrors::of(parameter, FieldError::new("too_much", message)).into());
            }
            Err(error) => return Err(error),
        }
    }
}

/// Rows as they are.
fn as_stored(view: &View<'_>, rows: &mut Rows) -> Result<Rendered> {
    /// What tells a version of a record from all others.
    const VERSION: usize = 16 + 8 + 4;
    let found = std::mem::take(&mut rows.found);
    let shown = found.len();
    let mut versions = Vec::with_capacity(shown * VERSION);
    for (id, entry) in &found {
        versions.put_slice(id.bits().as_bytes());
        versions.put_u64(entry.version.get());
        versions.put_u32(view.schema.look_since(&entry.value)?.unwrap_or(0));
    }
    let versions = Some(versions);
    if rows.bytes > results::LARGE {
        return Ok(Rendered { results: Results::stored(&view.schema, found, rows.bytes), versions, shown });
    }
    let mut json = BytesMut::with_capacity(rows.bytes + shown + 64);
    json.put_u8(b'[');
    for (i, (id, entry)) in found.iter().enumerate() {
        if i > 0 {
            json.put_u8(b',');
        }
        view.schema.put_json(&mut json, *id, &entry.value, Some(Revision(entry.version.get())))?;
    }
    json.put_u8(b']');
    Ok(Rendered { results: Results::Whole(json.freeze()), versions, shown })
}

/// The members that have to be read of records; `None` for all.
fn wanted<'a>(view: &'a View<'_>, expansion: &Expansion) -> Option<BTreeSet<&'a str>> {
    let (query, collection) = (view.query, &view.schema.collection);
    if query.fields.is_empty() || !query.left_join.is_empty() || !expansion.is_empty() {
        return None;
    }
    let name = |asked: &'a String| match collection.field(asked) {
        // Numbers in it may have more digits than a parsed value keeps.
        Some(field) if matches!(field.kind, FieldType::Json { .. }) => None,
        Some(field) => Some(field.name.as_str()),
        None => Some(asked.as_str()),
    };
    query.fields.iter().map(name).collect()
}

/// The rows with what is joined to them and only the members that were asked for; [`Error::TooLargeTogether`] where they do not
/// fit into one answer.
pub(super) async fn shaped(view: &View<'_>, expansion: &Expansion, page: Vec<Row>) -> Result<Vec<Bytes>> {
    let View { core, snapshot, caller, schema, query, deadline, .. } = view;
    let wanted = wanted(view, expansion);
    let parsed = |(_, entry): &Row| {
        if wanted.is_some() { entry.value.len() } else { work::parsed_size(&entry.value) }
    };
    let held: usize = page.iter().map(parsed).sum();
    if held > MAX_PAGE_BYTES && page.len() > 1 {
        return Err(Error::TooLargeTogether);
    }
    work::hold(held)?;
    let mut rows = page
        .iter()
        .map(|(id, entry)| parse_some(schema, *id, entry, wanted.as_ref()))
        .collect::<Result<Vec<Record>>>()?;
    for with in &query.left_join {
        rows = join(core, snapshot, caller, schema, rows, with, deadline).await?;
    }
    expansion.apply(snapshot, deadline, &mut rows).await?;
    let members = Members::new(&schema.collection, &query.fields);
    let joined = |name: &str| query.left_join.iter().any(|with| with.collection.as_str() == name);
    let (mut json, mut bytes) = (Vec::with_capacity(rows.len()), 0);
    for mut row in rows {
        members.choose(&mut row, |name| joined(name) || expansion.has(name));
        let row = serde_json::to_vec(&row)?;
        bytes += row.len();
        if bytes > MAX_PAGE_BYTES {
            return Err(Error::TooLargeTogether);
        }
        json.push(Bytes::from(row));
    }
    Ok(json)
}
