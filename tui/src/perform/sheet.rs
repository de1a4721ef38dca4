//! What pages about the server and its tokens ask for.

use std::{collections::BTreeSet, time::Instant};

use coffer_client::Client;
use common::{
    Call, CallError, Problem,
    activity::Ask,
    change::ChangeQuery,
    endpoints::{changes, keys, log, records, sessions, settings, users},
    id::{RecordId, Revision, UserId},
    log::LogLevel,
    name::CollectionName,
    people::SessionsQuery,
    query::{ListQuery, OrderBy},
    table::called,
};

use super::{given_key, migrations, split};
use crate::{
    effect::SheetAsk,
    load::Ticket,
    message::{Answer, Failure, Message, Own, SheetTold},
};

/// Puts a version of a record back.
pub(super) async fn restore(
    client: &Client,
    ticket: Ticket,
    name: CollectionName,
    id: RecordId,
    revision: Revision,
) -> Message {
    let call = Call::<records::Restore>::new((name.clone(), id, revision), ());
    let (record, operation) = split(client.reply(&call).await);
    Message::Restored(ticket, record, operation, name)
}

/// Has the server's log tell more or less.
pub(super) async fn set_level(client: &Client, ticket: Ticket, level: LogLevel) -> Message {
    let call = Call::<log::Set>::new((), log::SetLevel { level });
    Message::LogLevel(ticket, client.send(&call).await)
}

/// Users whose names are asked for beside a stretch of changes.
const NAMES: usize = 8;

/// Asks.
pub(super) async fn ask(client: &Client, ticket: Ticket, ask: SheetAsk) -> Message {
    let by_itself = match &ask {
        SheetAsk::Log(pause, _) | SheetAsk::Migrations(pause, ..) => {
            tokio::time::sleep(*pause).await;
            !pause.is_zero()
        }
        _ => false,
    };
    let begun = Instant::now();
    let answer = told(client, ask).await;
    Message::Sheet { ticket, answer, took: begun.elapsed(), by_itself }
}

async fn invitations(client: &Client) -> Answer<Vec<users::OpenInvitation>> {
    Ok(client.send(&Call::<users::Invitations>::new((), ())).await?.results)
}

async fn told(client: &Client, ask: SheetAsk) -> Answer<SheetTold> {
    Ok(match ask {
        SheetAsk::Log(_, query) => SheetTold::Log(client.send(&Call::<log::Lines>::new((), ()).query(query)).await?),
        SheetAsk::Changes(ask, asks_names) => {
            let changes = match *ask {
                Ask::History(name, id, query) => {
                    client.send(&Call::<records::History>::new((name, id), ()).query(query)).await?
                }
                Ask::Trash(name, query) => client.send(&Call::<records::Trash>::new((name,), ()).query(query)).await?,
                Ask::Activity(query) => client.send(&Call::<changes::List>::new((), ()).query(query)).await?,
            };
            let mut known = Vec::new();
            let users: BTreeSet<UserId> = changes.results.iter().filter_map(|change| change.by).collect();
            for user in users.into_iter().take(if asks_names { NAMES } else { 0 }) {
                let name = client.send(&Call::<users::Get>::new((user,), ())).await.ok();
                known.push((user, name.map(|user| user.username.to_string())));
            }
            SheetTold::Changes(Box::new(changes), known)
        }
        SheetAsk::Server => {
            let settings = client.send(&Call::<settings::List>::new((), ())).await?;
            let keys = client.send(&Call::<keys::List>::new((), ())).await?;
            SheetTold::Server(Box::new((settings, keys)))
        }
        SheetAsk::Own(names) => SheetTold::Own(Box::new(own(client, names).await?)),
        SheetAsk::Token(token) => {
            let token = Some(token).filter(|token| !token.is_empty());
            SheetTold::Token(Box::new(client.inspect(token).await?))
        }
        SheetAsk::Given(token, key) => {
            let told = given_key::check(&token, &key)
                .map_err(|why| Failure::Call(CallError::Problem(Box::new(Problem::invalid(why)))))?;
            SheetTold::Token(Box::new(told))
        }
        SheetAsk::Migrations(_, dir, what) => {
            SheetTold::Migrations(Box::new(migrations::ask(client, &dir, what).await?))
        }
        SheetAsk::Invitations => SheetTold::Invitations(invitations(client).await?, None),
        SheetAsk::Invite => {
            let call = Call::<users::Invite>::new((), users::NewInvitation::default());
            let made = client.send(&call).await?;
            SheetTold::Invitations(invitations(client).await?, Some(Box::new(made)))
        }
        SheetAsk::TakeBack(id) => {
            client.send(&Call::<users::TakeBack>::new((id,), ())).await?;
            SheetTold::Invitations(invitations(client).await?, None)
        }
    })
}

/// Records of each collection that are asked for, and of all that are shown.
const NEWEST: (u64, usize) = (5, 12);

async fn own(client: &Client, names: Vec<CollectionName>) -> Answer<Own> {
    let user = client.send(&Call::<users::Me>::new((), ())).await?;
    let mine = ChangeQuery { by: Some(user.id), is_backward: true, page_size: Some(10), ..ChangeQuery::default() };
    let changes = client.send(&Call::<changes::List>::new((), ()).query(mine)).await?;
    let list = ListQuery { page_size: 1, ..ListQuery::default() };
    let query = SessionsQuery { user: None, list };
    let sessions = client.send(&Call::<sessions::List>::new((), ()).query(query)).await?.count;
    let mut newest = Vec::new();
    for name in names {
        let ordering = vec![OrderBy { field: "created_at".to_owned(), descending: true }];
        let query = ListQuery { ordering, page_size: NEWEST.0, count: false, named: true, ..ListQuery::default() };
        // A collection that cannot be read now is left out: the others say something too.
        let page = client.send(&Call::<records::List>::new((name.clone(),), ()).query(query)).await.ok();
        let Some(page) = page else { continue };
        for record in &page.results {
            let at = record.get("created_at").and_then(|at| at.as_str()).unwrap_or_default();
            newest.push((at.to_owned(), name.clone(), called(record, &page.names)));
        }
    }
    newest.sort_by(|a, b| b.cmp(a));
    newest.truncate(NEWEST.1);
    Ok(Own { user, sessions, changes, newest })
}
