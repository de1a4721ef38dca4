//! What an update wants done in the world, and how it is done: one call of the client each, its answer a message.

use common::{
    Call, Object,
    collection::Definition,
    endpoints::{collections, records, root, sessions, setup, tokens, users},
    id::{RecordId, Revision, SessionId, UserId},
    name::CollectionName,
    page::Page,
    people::SessionsQuery,
    query::{ListQuery, SessionQuery},
    reader::Body,
    record::{OneOrMany, Record},
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    client::Client,
    message::{Answer, Deleted, Failure, Message, Ticket},
};

/// Something to be done. No `Debug`: passwords are in here.
#[derive(Clone, PartialEq)]
pub enum Effect {
    /// Ask what the server is.
    Look(Ticket),
    /// Ask who is signed in.
    Me,
    /// Sign in.
    SignIn(Ticket, tokens::Credentials),
    /// Make the first admin from this form's body, then sign in.
    SetUp(Ticket, Object),
    /// End the session.
    SignOut,
    /// Read the collections.
    Collections(Ticket),
    /// Read a page of records.
    Records(Ticket, CollectionName, ListQuery),
    /// Read one record.
    Record(Ticket, CollectionName, RecordId),
    /// Write a new record.
    Create(Ticket, CollectionName, Object),
    /// Write changes to a record.
    Update(Ticket, CollectionName, RecordId, Object),
    /// Read the version of a record that somebody else wrote.
    Fresh(Ticket, CollectionName, RecordId),
    /// Delete a record, if it still has the revision.
    Delete(Ticket, Deleted),
    /// Put a record back.
    Restore(Ticket, Deleted),
    /// Write a collection's definition: a new one, or that of the one with this name.
    Define(Ticket, Option<CollectionName>, Box<Definition>),
    /// Read a page of users.
    Users(Ticket, ListQuery),
    /// Read a page of where somebody is signed in.
    Sessions(Ticket, SessionsQuery),
    /// End a session.
    EndSession(Ticket, SessionId),
    /// End all other sessions of one's own, or all of somebody else's.
    EndOthers(Ticket, Option<UserId>),
    /// Change the own password.
    ChangePassword(Ticket, users::PasswordChange),
    /// Make a user.
    CreateUser(Ticket, users::NewUser),
    /// Change a user.
    UpdateUser(Ticket, UserId, users::UserPatch),
    /// Delete a user.
    DeleteUser(Ticket, UserId),
}

impl Effect {
    /// Does it.
    pub async fn perform(self, client: &Client) -> Message {
        match self {
            Self::Look(ticket) => {
                let call = Call::<root::Get>::new((), ());
                Message::Root(ticket, client.send(&call).await)
            }
            Self::Me => Message::Me(me(client).await),
            Self::SignIn(ticket, credentials) => Message::SignedIn(ticket, sign_in(client, credentials).await),
            Self::SetUp(ticket, body) => Message::SignedIn(ticket, set_up(client, body).await),
            Self::SignOut => Message::SignedOut(client.sign_out().await),
            Self::Collections(ticket) => {
                let call = Call::<collections::List>::new((), ());
                Message::Collections(ticket, client.send(&call).await.map(|page| page.results))
            }
            Self::Records(ticket, collection, query) => {
                let call = Call::<records::List>::new((collection,), ()).query(query);
                Message::Records(ticket, client.send(&call).await)
            }
            Self::Record(ticket, collection, id) => Message::Record(ticket, get(client, collection, id).await),
            Self::Fresh(ticket, collection, id) => Message::Fresh(ticket, get(client, collection, id).await),
            Self::Create(ticket, collection, body) => {
                let body = OneOrMany::One(Record::from_object(body));
                let call = Call::<records::Create>::new((collection,), body);
                let created = client.send(&call).await.map(|created| match created {
                    OneOrMany::One(record) => record,
                    OneOrMany::Many(records) => records.into_iter().next().unwrap_or_default(),
                });
                Message::Saved(ticket, created)
            }
            Self::Update(ticket, collection, id, body) => {
                let call = Call::<records::Update>::new((collection, id), Record::from_object(body));
                Message::Saved(ticket, client.send(&call).await)
            }
            Self::Delete(ticket, deleted) => {
                let params = (deleted.collection.clone(), deleted.id);
                let call = Call::<records::Delete>::new(params, ()).if_match(Some(deleted.revision));
                let answer = client.send(&call).await.map(|_| ());
                Message::Deleted(ticket, deleted, answer)
            }
            Self::Define(ticket, existing, definition) => {
                let answer = match existing {
                    None => client.send(&Call::<collections::Create>::new((), *definition)).await,
                    Some(name) => client.send(&Call::<collections::Replace>::new((name,), *definition)).await,
                };
                Message::Defined(ticket, answer.map(Box::new))
            }
            Self::Restore(ticket, deleted) => {
                let params: (_, _, Revision) = (deleted.collection.clone(), deleted.id, deleted.revision);
                let call = Call::<records::Restore>::new(params, ());
                let answer = client.send(&call).await;
                Message::Restored(ticket, deleted, answer)
            }
            Self::Users(ticket, query) => {
                let call = Call::<users::List>::new((), ()).query(query);
                Message::Records(ticket, client.send(&call).await.map(as_records))
            }
            Self::Sessions(ticket, query) => {
                let call = Call::<sessions::List>::new((), ()).query(query);
                Message::Records(ticket, client.send(&call).await.map(as_records))
            }
            Self::EndSession(ticket, id) => {
                let call = Call::<sessions::End>::new((id,), ());
                Message::SessionsEnded(ticket, client.send(&call).await.map(drop))
            }
            Self::EndOthers(ticket, user) => {
                let call = Call::<sessions::EndOthers>::new((), ()).query(SessionQuery { user });
                Message::SessionsEnded(ticket, client.send(&call).await.map(drop))
            }
            Self::ChangePassword(ticket, change) => {
                let call = Call::<users::ChangePassword>::new((), change);
                Message::Account(ticket, client.send(&call).await.map(drop))
            }
            Self::CreateUser(ticket, user) => {
                let call = Call::<users::Create>::new((), user);
                Message::Account(ticket, client.send(&call).await.map(drop))
            }
            Self::UpdateUser(ticket, id, patch) => {
                let call = Call::<users::Update>::new((id,), patch);
                Message::Account(ticket, client.send(&call).await.map(drop))
            }
            Self::DeleteUser(ticket, id) => {
                let call = Call::<users::Delete>::new((id,), ());
                Message::Account(ticket, client.send(&call).await.map(drop))
            }
        }
    }
}

/// People as rows of a table. What came as JSON goes back into it.
pub fn as_records<T: Serialize>(page: Page<T>) -> Page<Record> {
    let row = |row: &T| match json!(row) {
        Value::Object(members) => Record::from_object(members),
        _ => Record::default(),
    };
    let results = page.results.iter().map(row).collect();
    Page { count: page.count, next: page.next, previous: page.previous, results }
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
