//! Does what updates want done: one call of the client for each effect, its answer a message.

mod files;
mod given_key;
mod migrations;
mod names;
mod sheet;
mod views;
mod zone;

use std::time::{Duration, Instant};

use common::{
    Call, Endpoint, Object, Reply,
    change::Changes,
    collection::{Definition, DefinitionAnswer, DefinitionQuery},
    dashboard::Feed,
    endpoints::{changes, collections, metrics, operations, records, root, sessions, setup, tokens, users},
    id::{OperationId, RecordId, UserId},
    insight::{Chart, ChartStep, Charting, Insight},
    metrics::MetricsQuery,
    name::CollectionName,
    operation::Operation,
    page::Page,
    query::{ListQuery, SessionQuery},
    reader::Body,
    record::{OneOrMany, Record},
    undo::DeleteQuery,
};
use serde::Serialize;
use serde_json::{Value, json};

use coffer_client::Client;

use crate::{
    effect::{Ask, Effect},
    load::Ticket,
    many::ManyAct,
    message::{Answer, Deleted, Failure, Message, Told},
};

/// How long to wait before it is looked again how far a change is.
const MOMENT: Duration = Duration::from_millis(500);

/// Does what an update wants, and gives the message that says how it went.
pub(crate) async fn perform(effect: Effect, client: &Client) -> Message {
    match effect {
        Effect::Look(ticket) => {
            let call = Call::<root::Get>::new((), ());
            Message::Root(ticket, client.send(&call).await)
        }
        Effect::Me(ticket) => Message::Me(ticket, me(client).await),
        Effect::SignIn(ticket, credentials) => Message::SignedIn(ticket, sign_in(client, credentials).await),
        Effect::SetUp(ticket, body) => Message::SignedIn(ticket, set_up(client, body).await),
        Effect::SignOut(ticket) => Message::SignedOut(ticket, client.sign_out().await),
        Effect::Dashboard(ticket, ask) => {
            tokio::time::sleep(ask.pause).await;
            Message::Dashboard(ticket, Box::new(dashboard(client, *ask).await))
        }
        Effect::Sheet(ticket, asked) => sheet::ask(client, ticket, asked).await,
        Effect::Views(ticket, name, ask) => views::ask(client, ticket, name, ask).await,
        Effect::Insight(ticket, name, what) => Message::Insight(ticket, chart(client, name, what.0, what.1).await),
        Effect::WriteText(ticket, file, text) => files::write_text(ticket, file, &text),
        Effect::Restore(ticket, name, id, revision) => sheet::restore(client, ticket, name, id, revision).await,
        Effect::LogLevel(ticket, level) => sheet::set_level(client, ticket, level).await,
        Effect::Backup(ticket, file) => files::back_up(client, ticket, file).await,
        Effect::Collections(ticket) => {
            let call = Call::<collections::List>::new((), ());
            Message::Collections(ticket, client.send(&call).await.map(|page| page.results))
        }
        Effect::Records(ticket, collection, query) => {
            let call = Call::<records::List>::new((collection,), ()).query(query);
            Message::Records(ticket, client.send(&call).await)
        }
        Effect::Record(ticket, collection, id) => Message::Record(ticket, get(client, collection, id).await),
        Effect::Referrers(collection, id, fields) => names::referrers(client, collection, id, fields).await,
        Effect::Names(collection, id, query) => names::names(client, collection, id, *query).await,
        Effect::Fresh(ticket, collection, id) => Message::Fresh(ticket, get(client, collection, id).await),
        Effect::Create(ticket, collection, body) => create(client, ticket, collection, body).await,
        Effect::Update(ticket, collection, id, body) => {
            let call = Call::<records::Update>::new((collection, id), body);
            let (saved, operation) = split(client.reply(&call).await);
            Message::Saved(ticket, saved, operation)
        }
        Effect::Changed(ticket, collection, id, by) => changed(client, ticket, collection, id, by).await,
        Effect::WouldDelete(ticket, deleted) => would_delete(client, ticket, deleted).await,
        Effect::Delete(ticket, deleted) => delete(client, ticket, deleted).await,
        Effect::Define(ticket, existing, definition, query) => {
            let (answer, operation) = split(define(client, existing, *definition, query).await);
            Message::Defined(ticket, answer.map(Box::new), operation)
        }
        Effect::Progress(ticket, id) => Message::Progress(ticket, after_a_moment(client, id).await),
        Effect::Stop(ticket, id) => Message::Progress(ticket, stop(client, id).await.map(Box::new)),
        Effect::Revert(ticket, undo) => {
            let answer = client.send(&Call::<changes::Revert>::new((undo.operation,), ())).await;
            Message::Undone(ticket, undo, answer)
        }
        Effect::Users(ticket, query) => {
            let call = Call::<users::List>::new((), ()).query(query);
            Message::Records(ticket, client.send(&call).await.map(as_records))
        }
        Effect::Sessions(ticket, query) => {
            let call = Call::<sessions::List>::new((), ()).query(query);
            Message::Records(ticket, client.send(&call).await.map(as_records))
        }
        Effect::EndSession(ticket, id) => {
            let call = Call::<sessions::End>::new((id,), ());
            Message::SessionsEnded(ticket, client.send(&call).await.map(drop))
        }
        Effect::EndOthers(ticket, user) => {
            let call = Call::<sessions::EndOthers>::new((), ()).query(SessionQuery { user });
            Message::SessionsEnded(ticket, client.send(&call).await.map(drop))
        }
        Effect::ChangePassword(ticket, change) => {
            account(client, ticket, Call::<users::ChangePassword>::new((), change)).await
        }
        Effect::CreateUser(ticket, user) => account(client, ticket, Call::<users::Create>::new((), user)).await,
        Effect::UpdateUser(ticket, id, patch) => {
            account(client, ticket, Call::<users::Update>::new((id,), patch)).await
        }
        Effect::DeleteCollection(ticket, name, revision) => {
            let call = Call::<collections::Delete>::new((name,), ()).if_match(Some(revision));
            Message::CollectionDeleted(ticket, client.reply(&call).await.map(|reply| reply.operation))
        }
        Effect::DeleteUser(ticket, id) => account(client, ticket, Call::<users::Delete>::new((id,), ())).await,
        Effect::Many(ticket, act) => many(client, ticket, act).await,
        Effect::Export(ticket, to) => files::export(client, ticket, *to).await,
        Effect::Rejected(ticket, id, file) => files::rejected(client, ticket, id, file).await,
        Effect::Check(ticket, incoming) => files::check(client, ticket, *incoming).await,
        Effect::Import(ticket, incoming) => files::import(client, ticket, *incoming).await,
        Effect::ImportProgress(ticket, id) => Message::ImportProgress(ticket, after_a_moment(client, id).await),
        Effect::StopImport(ticket, id) => Message::Stopping(ticket, stop(client, id).await.map(drop)),
        Effect::KeepPlace(place) => {
            // Without it the next start begins at the beginning.
            drop(client.keep_place(&place));
            Message::PlaceKept
        }
    }
}

async fn dashboard(client: &Client, ask: Ask) -> Told {
    let (begun, by_itself) = (Instant::now(), !ask.pause.is_zero());
    let query = MetricsQuery { since: ask.since };
    let metrics = client.send(&Call::<metrics::Recent>::new((), ()).query(query)).await;
    let first = || {
        let mut feed = Feed::default();
        feed.begin(metrics.as_ref().ok()?.revision);
        feed.next().cloned()
    };
    let nothing = || Ok(Changes { next: None, results: Vec::new() });
    let changes = match (ask.changes.or_else(first), &metrics) {
        // What was read up to the newest commit says nothing new.
        (Some(query), Ok(metrics)) if query.place.is_none() && query.after >= Some(metrics.revision) => nothing(),
        (Some(query), _) => client.send(&Call::<changes::List>::new((), ()).query(query)).await,
        (None, Err(failure)) => Err(failure.clone()),
        (None, Ok(_)) => nothing(),
    };
    let mut found = Vec::new();
    for id in ask.users {
        match client.send(&Call::<users::Get>::new((id,), ())).await {
            Ok(user) => found.push((id, Some(user.username.to_string()))),
            Err(Failure::Call(error)) if error.status() == 404 => found.push((id, None)),
            Err(_) => {}
        }
    }
    Told { metrics, changes, users: found, took: begun.elapsed(), by_itself }
}

/// The data of a chart.
async fn chart(client: &Client, name: CollectionName, insight: Insight, shown: ListQuery) -> Answer<Option<Chart>> {
    let (mut charting, mut query) = Charting::begin(insight, shown, zone::here());
    loop {
        let answer = client.send(&Call::<records::Aggregate>::new((name.clone(),), ()).query(query)).await?;
        match charting.take(&answer) {
            ChartStep::Ask(next) => query = *next,
            ChartStep::Done(chart) => return Ok(chart),
        }
    }
}

async fn changed(
    client: &Client,
    ticket: Ticket,
    collection: CollectionName,
    id: RecordId,
    by: Option<UserId>,
) -> Message {
    let answer = get(client, collection, id).await;
    let user = match by {
        Some(user) => client.send(&Call::<users::Get>::new((user,), ())).await.ok(),
        None => None,
    };
    Message::Changed(ticket, answer, user.map(|user| user.username.to_string()))
}

/// Makes a collection, or changes the one that there is.
async fn define(
    client: &Client,
    existing: Option<CollectionName>,
    definition: Definition,
    query: DefinitionQuery,
) -> Answer<Reply<DefinitionAnswer>> {
    let Some(name) = existing else {
        let made = client.reply(&Call::<collections::Create>::new((), definition)).await?;
        let Reply { body, etag, operation, is_again } = made;
        return Ok(Reply { body: DefinitionAnswer::Changed(Box::new(body)), etag, operation, is_again });
    };
    client.reply(&Call::<collections::Replace>::new((name,), definition).query(query)).await
}

async fn create(client: &Client, ticket: Ticket, collection: CollectionName, body: Record) -> Message {
    let call = Call::<records::Create>::new((collection,), OneOrMany::One(body));
    let (created, operation) = split(client.reply(&call).await);
    let created = created.map(|created| match created {
        OneOrMany::One(record) => record,
        OneOrMany::Many(records) => records.into_iter().next().unwrap_or_default(),
    });
    Message::Saved(ticket, created, operation)
}

async fn would_delete(client: &Client, ticket: Ticket, deleted: Deleted) -> Message {
    let params = (deleted.collection.clone(), deleted.id);
    let call = Call::<records::DryDelete>::new(params, ()).if_match(Some(deleted.revision));
    let answer = client.send(&call.query(DeleteQuery { dry_run: true })).await;
    Message::WouldDelete(ticket, deleted, answer)
}

async fn delete(client: &Client, ticket: Ticket, deleted: Deleted) -> Message {
    let params = (deleted.collection.clone(), deleted.id);
    let call = Call::<records::Delete>::new(params, ()).if_match(Some(deleted.revision));
    let answer = client.reply(&call).await.map(|reply| reply.operation);
    Message::Deleted(ticket, deleted, answer)
}

async fn many(client: &Client, ticket: Ticket, act: Box<ManyAct>) -> Message {
    let ManyAct { collection, query, change } = (*act).clone();
    let answer = match change {
        Some(body) => client.reply(&Call::<records::UpdateMany>::new((collection,), body).query(query)).await,
        None => client.reply(&Call::<records::DeleteMany>::new((collection,), ()).query(query)).await,
    };
    let (answer, operation) = split(answer);
    Message::Many(ticket, act, answer, operation)
}

async fn account<E: Endpoint>(client: &Client, ticket: Ticket, call: Call<E>) -> Message {
    Message::Account(ticket, client.send(&call).await.map(drop))
}

async fn after_a_moment(client: &Client, id: OperationId) -> Answer<Box<Operation>> {
    tokio::time::sleep(MOMENT).await;
    client.send(&Call::<operations::Get>::new((id,), ())).await.map(Box::new)
}

async fn stop(client: &Client, id: OperationId) -> Answer<Operation> {
    client.send(&Call::<operations::Stop>::new((id,), ())).await?;
    client.send(&Call::<operations::Get>::new((id,), ())).await
}

/// The body of an answer, and the operation that the request was.
fn split<T>(answer: Answer<Reply<T>>) -> (Answer<T>, Option<OperationId>) {
    let operation = answer.as_ref().ok().and_then(|reply| reply.operation);
    (answer.map(|reply| reply.body), operation)
}

/// People as rows of a table. What came as JSON goes back into it.
pub(crate) fn as_records<T: Serialize>(page: Page<T>) -> Page<Record> {
    let row = |row: &T| match json!(row) {
        Value::Object(members) => Record::from_object(members),
        _ => Record::default(),
    };
    let results = page.results.iter().map(row).collect();
    Page {
        count: page.count,
        next: page.next,
        previous: page.previous,
        results,
        highlights: page.highlights,
        names: page.names,
    }
}

async fn me(client: &Client) -> Answer<common::user::User> {
    client.send(&Call::<users::Me>::new((), ())).await
}

async fn get(client: &Client, collection: CollectionName, id: RecordId) -> Answer<Record> {
    client.send(&Call::<records::Get>::new((collection, id), ())).await
}

async fn sign_in(client: &Client, credentials: tokens::Credentials) -> Answer<common::user::User> {
    client.sign_in(credentials).await.map_err(Failure::Call)?;
    me(client).await
}

async fn set_up(client: &Client, body: Object) -> Answer<common::user::User> {
    let request = setup::SetUp::from_json(body.into()).map_err(|errors| {
        let problem = common::Problem::validation(errors);
        Failure::Call(common::CallError::Problem(Box::new(problem)))
    })?;
    let credentials =
        tokens::Credentials { username: request.username.to_string(), password: request.password.clone() };
    client.send(&Call::<setup::Create>::new((), request)).await?;
    sign_in(client, credentials).await
}
