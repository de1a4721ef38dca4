//! `/api/paths/`: addresses of one's own, published by admins.

use super::endpoint;
use crate::{
    answer::NoContent,
    id::PathId,
    page::Page,
    published::{PathDefinition, PathPatch, PublishedPath},
};

endpoint! {
    /// The published paths.
    List: GET "/api/paths/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer Page<PublishedPath> as OK
}

endpoint! {
    /// Publish a collection, or an own route, under a path.
    Create: POST "/api/paths/",
    access Admin, cost Writes(User), errors Drf,
    body PathDefinition as JSON,
    answer PublishedPath as CREATED
}

endpoint! {
    /// One published path.
    Get: GET "/api/paths/{id}/",
    access Admin, cost Reads(User), errors Drf,
    params (PathId,),
    body () as NOTHING,
    answer PublishedPath as OK
}

endpoint! {
    /// Define a published path anew.
    Replace: PUT "/api/paths/{id}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (PathId,),
    body PathDefinition as JSON,
    answer PublishedPath as OK
}

endpoint! {
    /// Change parts of a published path.
    Update: PATCH "/api/paths/{id}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (PathId,),
    body PathPatch as JSON,
    answer PublishedPath as OK
}

endpoint! {
    /// Take a published path back.
    Delete: DELETE "/api/paths/{id}/",
    access Admin, cost Writes(User), revision yes, errors Drf,
    params (PathId,),
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}
