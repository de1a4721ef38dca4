//! `/api/views/`: saved views of collections, kept for oneself or shared.

use super::endpoint;
use crate::{
    answer::NoContent,
    id::ViewId,
    page::Page,
    view::{View, ViewDefinition, ViewPatch, ViewQuery},
};

endpoint! {
    /// Your saved views; of one collection (`?collection=`) also those that others share.
    List: GET "/api/views/",
    access SignedIn, cost Reads(User), errors Drf,
    query ViewQuery,
    body () as NOTHING,
    answer Page<View> as OK
}

endpoint! {
    /// Keep a view of a collection: its filter, order, columns and plot.
    Create: POST "/api/views/",
    access SignedIn, cost Writes(User), errors Drf,
    body ViewDefinition as SMALL_JSON,
    answer View as CREATED
}

endpoint! {
    /// One saved view.
    Get: GET "/api/views/{id}/",
    access SignedIn, cost Reads(User), errors Drf,
    params (ViewId,),
    body () as NOTHING,
    answer View as OK
}

endpoint! {
    /// Define a view of yours anew.
    Replace: PUT "/api/views/{id}/",
    access SignedIn, cost Writes(User), revision yes, errors Drf,
    params (ViewId,),
    body ViewDefinition as SMALL_JSON,
    answer View as OK
}

endpoint! {
    /// Change parts of a view of yours: its name, whether it is shared.
    Update: PATCH "/api/views/{id}/",
    access SignedIn, cost Writes(User), revision yes, errors Drf,
    params (ViewId,),
    body ViewPatch as SMALL_JSON,
    answer View as OK
}

endpoint! {
    /// Delete a view of yours.
    Delete: DELETE "/api/views/{id}/",
    access SignedIn, cost Writes(User), revision yes, errors Drf,
    params (ViewId,),
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}
