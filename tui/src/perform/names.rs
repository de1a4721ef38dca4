//! What records are called, and what refers to them.

use coffer_client::Client;
use common::{
    Call,
    endpoints::records,
    id::RecordId,
    name::CollectionName,
    query::ListQuery,
    table::{Referrers, Referring},
};

use crate::message::Message;

/// What the records are called that a query finds, or that these refer to.
pub(super) async fn names(
    client: &Client,
    collection: CollectionName,
    id: Option<RecordId>,
    query: ListQuery,
) -> Message {
    let call = Call::<records::List>::new((collection.clone(),), ()).query(query);
    // Without them ids are shown.
    let names = client.send(&call).await.map(|page| page.names).unwrap_or_default();
    Message::Names(collection, id, names)
}

/// What refers to a record by these fields.
pub(super) async fn referrers(
    client: &Client,
    collection: CollectionName,
    id: RecordId,
    fields: Vec<Referring>,
) -> Message {
    let mut found = Vec::new();
    for by in fields {
        let call = Call::<records::List>::new((by.collection.clone(),), ()).query(Referrers::query(&by, id));
        // What somebody may not list is not told to them.
        found.extend(client.send(&call).await.ok().and_then(|page| Referrers::of(by, &page)));
    }
    Message::Referrers(collection, id, found)
}
