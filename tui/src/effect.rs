//! The side effects that an update asks for. They are performed in [`crate::perform`].

use std::{path::PathBuf, time::Duration};

use common::{
    Object, activity,
    change::ChangeQuery,
    collection::{Definition, DefinitionQuery},
    endpoints::{
        log::{LinesQuery, LogLevel},
        tokens, users,
    },
    id::{InvitationId, OperationId, RecordId, Revision, SessionId, UserId, ViewId},
    insight::Insight,
    name::CollectionName,
    people::SessionsQuery,
    query::ListQuery,
    record::Record,
    table::Referring,
    view::ViewDefinition,
};

use crate::{
    load::Ticket,
    many::{ExportTo, Incoming, ManyAct},
    message::{Deleted, Undo},
    migrating::Migrating,
};

/// Something to be done. No `Debug`: passwords are in here.
#[derive(Clone)]
pub enum Effect {
    /// Ask what the server is.
    Look(Ticket),
    /// Ask who is signed in.
    Me(Ticket),
    /// Sign in.
    SignIn(Ticket, tokens::Credentials),
    /// Make the first admin from this form's body, then sign in.
    SetUp(Ticket, Object),
    /// End the session.
    SignOut(Ticket),
    /// Ask what the dashboard shows, after a pause.
    Dashboard(Ticket, Box<Ask>),
    /// Ask for what a page about the server or a token shows.
    Sheet(Ticket, SheetAsk),
    /// Ask for the saved views of a collection, after what is to be done with one of them.
    Views(Ticket, CollectionName, ViewAsk),
    /// Ask for the data of a chart.
    Insight(Ticket, CollectionName, Box<(Insight, ListQuery)>),
    /// Write a text to a file.
    WriteText(Ticket, PathBuf, String),
    /// Put back what a change of a record left, or deleted.
    Restore(Ticket, CollectionName, RecordId, Revision),
    /// Have the server's log tell more or less.
    LogLevel(Ticket, LogLevel),
    /// Write a backup to a file.
    Backup(Ticket, PathBuf),
    /// Read the collections.
    Collections(Ticket),
    /// Read a page of records.
    Records(Ticket, CollectionName, ListQuery),
    /// Read one record.
    Record(Ticket, CollectionName, RecordId),
    /// Write a new record.
    Create(Ticket, CollectionName, Record),
    /// Write changes to a record.
    Update(Ticket, CollectionName, RecordId, Record),
    /// Read the version of a record that somebody else wrote.
    Fresh(Ticket, CollectionName, RecordId),
    /// Ask what records are called: those that this record refers to, and its owner; without one those that the query finds.
    Names(CollectionName, Option<RecordId>, Box<ListQuery>),
    /// Ask what refers to a record by these fields.
    Referrers(CollectionName, RecordId, Vec<Referring>),
    /// Read a record that somebody else changed, and what that user is called, where there is one.
    Changed(Ticket, CollectionName, RecordId, Option<UserId>),
    /// Ask what deleting a record would take along.
    WouldDelete(Ticket, Deleted),
    /// Delete a record, if it still has the revision.
    Delete(Ticket, Deleted),
    /// Undo what was done to a record.
    Revert(Ticket, Undo),
    /// Write a collection's definition: a new one, or that of the one with this name.
    Define(Ticket, Option<CollectionName>, Box<Definition>, DefinitionQuery),
    /// Look after a moment how far a change of a definition is.
    Progress(Ticket, OperationId),
    /// Stop a change of a definition.
    Stop(Ticket, OperationId),
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
    /// Delete a collection with its records, if it still has the revision.
    DeleteCollection(Ticket, CollectionName, Revision),
    /// Delete a user.
    DeleteUser(Ticket, UserId),
    /// Change or delete many records, or ask what that would do.
    Many(Ticket, Box<ManyAct>),
    /// Write rows to a file.
    Export(Ticket, Box<ExportTo>),
    /// Have the server read a file without writing what is in it.
    Check(Ticket, Box<Incoming>),
    /// Send a file.
    Import(Ticket, Box<Incoming>),
    /// Look after a moment how far an import is.
    ImportProgress(Ticket, OperationId),
    /// Stop an import.
    StopImport(Ticket, OperationId),
    /// Write the rows that an import left out to a file.
    Rejected(Ticket, OperationId, PathBuf),
    /// Keep where somebody is, as it is read at the next start.
    KeepPlace(Vec<u8>),
}

/// What a page about the server or a token asks for. No `Debug`: tokens are in here.
#[derive(Clone)]
pub enum SheetAsk {
    /// Lines of the log, after a pause.
    Log(Duration, LinesQuery),
    /// Changes, with the names of who made them where these are told.
    Changes(Box<activity::Ask>, bool),
    /// Settings and keys.
    Server,
    /// What one has oneself; the newest records are those of these collections.
    Own(Vec<CollectionName>),
    /// What a token says; the own one, where none is named.
    Token(String),
    /// What a token says, and whether a key signed it that somebody gave: nothing is sent.
    Given(String, String),
    /// The invitations that nobody has used yet.
    Invitations,
    /// Migrations, after a pause and what is to be done with one of them; files are those of this folder.
    Migrations(Duration, PathBuf, Migrating),
    /// Make one, and then these.
    Invite,
    /// Take one back, and then these.
    TakeBack(InvitationId),
}

/// What is to be done with saved views. The list is asked for in any case.
#[derive(Debug, Clone, PartialEq)]
pub enum ViewAsk {
    /// Nothing.
    List,
    /// A new one is kept.
    Keep(Box<ViewDefinition>),
    /// Members of one are changed.
    Change(ViewId, Object),
    /// One is deleted.
    Delete(ViewId),
}

/// What a dashboard asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// How long to wait before.
    pub pause: Duration,
    /// Only samples later than this moment.
    pub since: Option<String>,
    /// Which changes; `None` for those just before the newest commit.
    pub changes: Option<ChangeQuery>,
    /// Users whose names are wanted.
    pub users: Vec<UserId>,
}
