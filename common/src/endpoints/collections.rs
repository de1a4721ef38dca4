//! `/api/collections/`: the schema, defined by admins.

use super::endpoint;
use crate::{
    answer::NoContent,
    collection::{Collection, Definition, DefinitionPatch},
    name::CollectionName,
    page::Page,
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
    /// Define a collection anew; its records are checked and carried over.
    Replace: PUT "/api/collections/{collection}/",
    access Admin, cost Writes(User), errors Drf,
    params (CollectionName,),
    body Definition as JSON,
    answer Collection as OK
}

endpoint! {
    /// Change parts of a collection's definition.
    Update: PATCH "/api/collections/{collection}/",
    access Admin, cost Writes(User), errors Drf,
    params (CollectionName,),
    body DefinitionPatch as JSON,
    answer Collection as OK
}

endpoint! {
    /// Delete a collection with all its records.
    Delete: DELETE "/api/collections/{collection}/",
    access Admin, cost Writes(User), errors Drf,
    params (CollectionName,),
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}
