//! `/api/collections/`: the schema, defined by admins.

use super::endpoint;
use crate::{
    collection::{Collection, Definition, DefinitionPatch},
    endpoint::Empty,
    name::CollectionName,
    page::Page,
};

endpoint! {
    /// The collections that you may list.
    List: GET "/api/collections/", SignedIn, OK => Page<Collection>
}

endpoint! {
    /// Define a collection.
    Create: POST "/api/collections/", Admin, CREATED, request Definition => Collection
}

endpoint! {
    /// One collection.
    Get: GET "/api/collections/{collection}/", SignedIn, OK, params (CollectionName,) => Collection
}

endpoint! {
    /// Define a collection anew; its records are checked and carried over.
    Replace: PUT "/api/collections/{collection}/", Admin, OK, params (CollectionName,), request Definition => Collection
}

endpoint! {
    /// Change parts of a collection's definition.
    Update: PATCH "/api/collections/{collection}/", Admin, OK, params (CollectionName,), request DefinitionPatch => Collection
}

endpoint! {
    /// Delete a collection with all its records.
    Delete: DELETE "/api/collections/{collection}/", Admin, NO_CONTENT, params (CollectionName,) => Empty
}
