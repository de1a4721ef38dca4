//! `/api/collections/`: the schema, defined by admins.

use super::endpoint;
use crate::{
    answer::NoContent,
    collection::{Collection, Definition, DefinitionAnswer, DefinitionPatch, DefinitionQuery, FieldPatch},
    field::Field,
    name::{CollectionName, FieldName},
    operation::Operation,
    page::Page,
    undo::{DeleteQuery, Deletion},
};

endpoint! {
    /// The collections that you may list.
    List: GET "/api/collections/",
    access SignedIn, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer Page<Collection> as OK
}

endpoint! {
    /// Define a collection.
    Create: POST "/api/collections/",
    access Admin, cost Writes(User), errors Drf,
    body Definition as JSON,
    answer Collection as CREATED
}

endpoint! {
    /// One collection.
    Get: GET "/api/collections/{collection}/",
    access SignedIn, cost Reads(User), errors Drf,
    params (CollectionName,),
    body () as NOTHING,
    answer Collection as OK
}

endpoint! {
    /// Define a collection anew; its records keep what they have in the fields that stay.
    Replace: PUT "/api/collections/{collection}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (CollectionName,), query DefinitionQuery,
    body Definition as JSON,
    answer DefinitionAnswer as OK
}

endpoint! {
    /// Change parts of a collection's definition.
    Update: PATCH "/api/collections/{collection}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (CollectionName,), query DefinitionQuery,
    body DefinitionPatch as JSON,
    answer DefinitionAnswer as OK
}

endpoint! {
    /// Add a field to a collection.
    AddField: POST "/api/collections/{collection}/fields/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (CollectionName,), query DefinitionQuery,
    body Field as JSON,
    answer DefinitionAnswer as OK
}

endpoint! {
    /// Change parts of one field: its name, its type, its limits.
    UpdateField: PATCH "/api/collections/{collection}/fields/{field}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (CollectionName, FieldName), query DefinitionQuery,
    body FieldPatch as JSON,
    answer DefinitionAnswer as OK
}

endpoint! {
    /// Drop a field with its values.
    DropField: DELETE "/api/collections/{collection}/fields/{field}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (CollectionName, FieldName), query DefinitionQuery,
    body () as NOTHING,
    answer DefinitionAnswer as OK
}

endpoint! {
    /// Delete a collection with all its records; `dry_run=true` tells what would go. 202 where it is gone and the records' bytes are still being removed.
    Delete: DELETE "/api/collections/{collection}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (CollectionName,), query DeleteQuery,
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

endpoint! {
    /// [`Delete`] with `dry_run=true`, which has an answer of its own: what the deletion would do.
    DryDelete: DELETE "/api/collections/{collection}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (CollectionName,), query DeleteQuery,
    body () as NOTHING,
    answer Deletion as OK
}

endpoint! {
    /// [`Delete`] of a collection that is gone and whose records are still being removed: how far that is.
    Deleting: DELETE "/api/collections/{collection}/",
    access Admin, cost Writes(User), errors Drf,
    params (CollectionName,), query DeleteQuery,
    body () as NOTHING,
    answer Operation as ACCEPTED
}
