//! Cursors as clients see them: a text that only this server can have made, for this caller, this collection and this query.

use auth::seal::Sealer;
use common::{
    access::Caller,
    name::CollectionName,
    problem::{FieldError, FieldErrors},
    query::{ListQuery, Query, encode},
};

use crate::domain::{Error, Result, records::Cursor};

/// Characters of a cursor at most: addresses have 64 KiB.
const MAX_LENGTH: usize = 32 * 1024;

/// What a cursor holds for.
pub(super) struct Context<'a> {
    sealer: &'a Sealer,
    caller: String,
    collection: &'a str,
    query: String,
}

impl<'a> Context<'a> {
    /// For what a caller asks of a collection. A page may have another size, and its rows other members.
    pub(super) fn new(sealer: &'a Sealer, caller: &Caller, collection: &'a CollectionName, query: &ListQuery) -> Self {
        let rows = ListQuery {
            filters: query.filters.clone(),
            filter: query.filter.clone(),
            search: query.search.clone(),
            ordering: query.ordering.clone(),
            ..ListQuery::default()
        };
        let caller = caller.user_id().map_or_else(String::new, |user| user.to_string());
        Self { sealer, caller, collection: collection.as_str(), query: encode(&rows.to_pairs()) }
    }

    fn parts(&self) -> [&[u8]; 4] {
        [b"cursor", self.caller.as_bytes(), self.collection.as_bytes(), self.query.as_bytes()]
    }

    /// The text of a place; an error where it would be too long for an address.
    pub(super) fn seal(&self, cursor: &Cursor) -> Result<String> {
        let text = self.sealer.seal(&self.parts(), &serde_json::to_vec(cursor)?);
        if text.len() > MAX_LENGTH {
            let message = "The texts that this list is ordered by are too long for a cursor. Order it by less, or use limit and offset.";
            return Err(FieldErrors::of("ordering", FieldError::new("too_much", message)).into());
        }
        Ok(text)
    }

    /// The place that a query names; `None` at the beginning.
    pub(super) fn open(&self, query: &ListQuery) -> Result<Option<Cursor>> {
        let Some(text) = query.cursor.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
        let content = self.sealer.open(&self.parts(), text);
        let cursor = content.and_then(|content| serde_json::from_slice(&content).ok());
        cursor.map(Some).ok_or(Error::InvalidCursor)
    }
}
