//! Saved views: what is done with one, and which there are then.

use coffer_client::Client;
use common::{
    Call,
    endpoints::views,
    id::ViewId,
    name::CollectionName,
    view::{View, ViewPatch, ViewQuery},
};

use crate::{
    effect::ViewAsk,
    load::Ticket,
    message::{Answer, Message},
};

/// Does what is to be done, and asks for the list.
pub(super) async fn ask(client: &Client, ticket: Ticket, name: CollectionName, ask: ViewAsk) -> Message {
    let (answer, made) = match done(client, ask).await {
        Ok(made) => (list(client, name).await, made),
        Err(failure) => (Err(failure), None),
    };
    Message::Views(ticket, answer, made)
}

async fn done(client: &Client, ask: ViewAsk) -> Answer<Option<ViewId>> {
    match ask {
        ViewAsk::List => {}
        ViewAsk::Keep(view) => return Ok(Some(client.send(&Call::<views::Create>::new((), *view)).await?.id)),
        ViewAsk::Change(id, members) => {
            client.send(&Call::<views::Update>::new((id,), ViewPatch(members))).await?;
        }
        ViewAsk::Delete(id) => {
            client.send(&Call::<views::Delete>::new((id,), ())).await?;
        }
    }
    Ok(None)
}

async fn list(client: &Client, name: CollectionName) -> Answer<Vec<View>> {
    let call = Call::<views::List>::new((), ()).query(ViewQuery { collection: Some(name) });
    Ok(client.send(&call).await?.results)
}
