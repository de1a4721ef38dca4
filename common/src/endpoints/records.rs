//! `/api/records/{collection}/`: the records, under the collection's access rules.

use super::endpoint;
use crate::{
    aggregate::{Aggregate as Groups, AggregateQuery},
    answer::NoContent,
    change::{Changes, HistoryQuery, TrashQuery},
    explain::Explained as How,
    id::{RecordId, Revision},
    import::{Import as Imported, ImportQuery},
    many::{Many, ManyQuery},
    metadata::Metadata,
    name::CollectionName,
    operation::Operation,
    page::Page,
    query::{ListQuery, RecordQuery},
    record::{Addresses, OneOrMany, Record},
    rows::{ExportQuery, Rows},
    undo::{DeleteQuery, Deletion, RestoreQuery},
};

endpoint! {
    /// The collections whose records you may list, by name, each with its address.
    Root: GET "/api/records/",
    access Rules(), cost Reads(User), errors Drf,
    params (),
    body () as NOTHING,
    answer Addresses as OK
}

endpoint! {
    /// A page of records: filter, order, choose fields, join.
    List: GET "/api/records/{collection}/",
    access Rules(List), cost Reads(User), errors Drf,
    params (CollectionName,), query ListQuery,
    body () as NOTHING,
    answer Page<Record> as OK
}

endpoint! {
    /// [`List`] with `explain=true`, of which only how the rows were found is read.
    Explained: GET "/api/records/{collection}/",
    access Rules(List), cost Reads(User), errors Drf,
    params (CollectionName,), query ListQuery,
    body () as NOTHING,
    answer How as OK
}

endpoint! {
    /// Counts, sums and other measures of the records that you may list, by what they have in common.
    Aggregate: GET "/api/records/{collection}/aggregate/",
    access Rules(List), cost Reads(User), errors Drf,
    params (CollectionName,), query AggregateQuery,
    body () as NOTHING,
    answer Groups as OK
}

endpoint! {
    /// All records that a list has, as a file: CSV, TSV, JSON or JSON lines.
    Export: GET "/api/records/{collection}/export/",
    access Rules(List), cost Reads(User), errors Drf,
    params (CollectionName,), query ExportQuery,
    body () as NOTHING,
    answer Rows as OK
}

endpoint! {
    /// Make records of a file: CSV, TSV, JSON or JSON lines. 202 where it goes on in the background.
    Import: POST "/api/records/{collection}/import/",
    access Rules(Create), cost Writes(User), errors Drf,
    params (CollectionName,), query ImportQuery,
    body () as ROWS,
    answer Imported as OK
}

endpoint! {
    /// Create a record, or an array of up to 1,000, all or none.
    Create: POST "/api/records/{collection}/",
    access Rules(Create), cost Writes(User), errors Drf,
    params (CollectionName,),
    body OneOrMany as LARGE_JSON_OR_FORM,
    answer OneOrMany as CREATED
}

endpoint! {
    /// Change some fields of all records that a filter finds, or of none; `max` says how many these may be.
    UpdateMany: PATCH "/api/records/{collection}/",
    access Rules(List, Update), cost Writes(User), errors Drf,
    params (CollectionName,), query ManyQuery,
    body Record as JSON_OR_FORM,
    answer Many as OK
}

endpoint! {
    /// Delete all records that a filter finds, or none; `max` says how many these may be.
    DeleteMany: DELETE "/api/records/{collection}/",
    access Rules(List, Delete), cost Writes(User), errors Drf,
    params (CollectionName,), query ManyQuery,
    body () as NOTHING,
    answer Many as OK
}

endpoint! {
    /// What a collection's records look like: fields, types, limits.
    Describe: OPTIONS "/api/records/{collection}/",
    access Rules(), cost Reads(User), errors Drf,
    params (CollectionName,),
    body () as NOTHING,
    answer Metadata as OK
}

endpoint! {
    /// What one record looks like, and what may be done to it.
    DescribeOne: OPTIONS "/api/records/{collection}/{id}/",
    access Rules(), cost Reads(User), errors Drf,
    params (CollectionName, RecordId),
    body () as NOTHING,
    answer Metadata as OK
}

endpoint! {
    /// One record, with the records that it refers to where that is asked for.
    Get: GET "/api/records/{collection}/{id}/",
    access Rules(View), cost Reads(User), errors Drf,
    params (CollectionName, RecordId), query RecordQuery,
    body () as NOTHING,
    answer Record as OK
}

endpoint! {
    /// Write a record anew; optional fields that are not sent stay as they are.
    Replace: PUT "/api/records/{collection}/{id}/",
    access Rules(View, Update), cost Writes(User), revision yes, errors Drf,
    params (CollectionName, RecordId),
    body Record as JSON_OR_FORM,
    answer Record as OK
}

endpoint! {
    /// Change some fields of a record.
    Update: PATCH "/api/records/{collection}/{id}/",
    access Rules(View, Update), cost Writes(User), revision yes, errors Drf,
    params (CollectionName, RecordId),
    body Record as JSON_OR_FORM,
    answer Record as OK
}

endpoint! {
    /// Delete a record, and what hangs on it; `dry_run=true` tells what would go.
    Delete: DELETE "/api/records/{collection}/{id}/",
    access Rules(View, Delete), cost Writes(User), revision yes, errors Drf,
    params (CollectionName, RecordId), query DeleteQuery,
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

endpoint! {
    /// [`Delete`] with `dry_run=true`, which has an answer of its own: what the deletion would do.
    DryDelete: DELETE "/api/records/{collection}/{id}/",
    access Rules(View, Delete), cost Writes(User), revision yes, errors Drf,
    params (CollectionName, RecordId), query DeleteQuery,
    body () as NOTHING,
    answer Deletion as OK
}

endpoint! {
    /// [`Delete`] of a record that takes along more than one commit can, children first: how far that is.
    Deleting: DELETE "/api/records/{collection}/{id}/",
    access Rules(View, Delete), cost Writes(User), errors Drf,
    params (CollectionName, RecordId), query DeleteQuery,
    body () as NOTHING,
    answer Operation as ACCEPTED
}

endpoint! {
    /// A record's versions, newest first, also after it was deleted.
    History: GET "/api/records/{collection}/{id}/history/",
    access Rules(View), cost Reads(User), errors Drf,
    params (CollectionName, RecordId), query HistoryQuery,
    body () as NOTHING,
    answer Changes as OK
}

endpoint! {
    /// The records that were deleted and are still gone, those that were deleted last first: each is the change that deleted it, whose revision puts
    /// it back.
    Trash: GET "/api/records/{collection}/trash/",
    access Rules(List), cost Reads(User), errors Drf,
    params (CollectionName,), query TrashQuery,
    body () as NOTHING,
    answer Changes as OK
}

endpoint! {
    /// Put a version of a record back, also after it was deleted.
    Restore: POST "/api/records/{collection}/{id}/history/{revision}/restore/",
    access Rules(View), cost Writes(User), revision yes, errors Drf,
    params (CollectionName, RecordId, Revision), query RestoreQuery,
    body () as NOTHING,
    answer Record as OK
}
