//! `/api/records/{collection}/`: the records, under the collection's access rules.

use serde_json::Value;

use super::endpoint;
use crate::{
    change::{Changes, HistoryQuery},
    endpoint::Empty,
    id::{RecordId, Revision},
    name::CollectionName,
    page::Page,
    query::ListQuery,
    record::{OneOrMany, Record},
};

endpoint! {
    /// A page of records: filter, order, choose fields, join.
    List: GET "/api/records/{collection}/", Rules, OK, params (CollectionName,), query ListQuery => Page<Record>
}

endpoint! {
    /// Create a record, or an array of up to 1,000, all or none.
    Create: POST "/api/records/{collection}/", Rules, CREATED, params (CollectionName,), request OneOrMany => OneOrMany
}

endpoint! {
    /// What a collection's records look like: fields, types, limits.
    Describe: OPTIONS "/api/records/{collection}/", Rules, OK, params (CollectionName,) => Value
}

endpoint! {
    /// One record.
    Get: GET "/api/records/{collection}/{id}/", Rules, OK, params (CollectionName, RecordId) => Record
}

endpoint! {
    /// Write a record anew.
    Replace: PUT "/api/records/{collection}/{id}/", Rules, OK, params (CollectionName, RecordId), request Record => Record
}

endpoint! {
    /// Change some fields of a record.
    Update: PATCH "/api/records/{collection}/{id}/", Rules, OK, params (CollectionName, RecordId), request Record => Record
}

endpoint! {
    /// Delete a record.
    Delete: DELETE "/api/records/{collection}/{id}/", Rules, NO_CONTENT, params (CollectionName, RecordId) => Empty
}

endpoint! {
    /// A record's versions, newest first, also after it was deleted.
    History: GET "/api/records/{collection}/{id}/history/", Rules, OK, params (CollectionName, RecordId), query HistoryQuery => Changes
}

endpoint! {
    /// Put a version of a record back, also after it was deleted.
    Restore: POST "/api/records/{collection}/{id}/history/{revision}/restore/", Rules, OK, params (CollectionName, RecordId, Revision) => Record
}
