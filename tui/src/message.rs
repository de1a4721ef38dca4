//! Everything that can happen: keys, the window, and answers from the server.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

pub use coffer_client::{Answer, Failure};
use common::{
    CallError,
    change::Changes,
    collection::{Collection, DefinitionAnswer},
    endpoints::{
        keys::Keys,
        log::{LogLines, LogSettings},
        root::Root,
        settings::Settings,
        users::{Invitation, OpenInvitation},
    },
    event::news::News,
    id::{OperationId, RecordId, Revision, UserId, ViewId},
    import::Import,
    insight::Chart,
    inspection::Inspection,
    many::Many,
    metrics::Metrics,
    name::CollectionName,
    operation::Operation,
    page::Page,
    record::Record,
    table::Referrers,
    undo::{Deletion, Reverted},
    user::User,
    view::View,
};
use crossterm::event::{KeyEvent, MouseEvent};

use crate::{
    load::Ticket,
    many::{Checked, FileFault, ManyAct},
    migrating::MigrationsTold,
};

/// A record that is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The collection that it was in.
    pub collection: CollectionName,
    /// Which record.
    pub id: RecordId,
    /// Its last version.
    pub revision: Revision,
    /// The title, as people know it.
    pub title: String,
}

/// What was done to a record or a collection, so that it can be undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undo {
    /// The operation that it was.
    pub operation: OperationId,
    /// The record, and its collection; `None` where a collection itself was made, changed or deleted.
    pub record: Option<(CollectionName, RecordId)>,
    /// The title of the record, or the name of the collection, as people know it.
    pub title: String,
}

/// What is known of others' changes.
#[derive(Debug, Clone)]
pub enum Live {
    /// Others changed something.
    News(News),
    /// Nothing comes any more, and why; `None` where it comes again.
    Away(Option<Away>),
}

/// Why no changes come.
#[derive(Debug, Clone)]
pub enum Away {
    /// They could not be asked for.
    Failed(Failure),
    /// They were, and something on the way keeps them back.
    KeptBack,
}

/// What a page about the server or a token was told.
#[derive(Debug, Clone)]
pub enum SheetTold {
    /// Lines of the log.
    Log(LogLines),
    /// Changes, and what users are called.
    Changes(Box<Changes>, Vec<(UserId, Option<String>)>),
    /// Settings and keys.
    Server(Box<(Settings, Keys)>),
    /// What one has oneself.
    Own(Box<Own>),
    /// What a token says.
    Token(Box<Inspection>),
    /// Migrations.
    Migrations(Box<MigrationsTold>),
    /// The invitations that nobody has used yet, and the one that was made just now.
    Invitations(Vec<OpenInvitation>, Option<Box<Invitation>>),
}

/// The saved views of a collection.
pub type SavedViews = Vec<View>;

/// What one has oneself.
#[derive(Debug, Clone)]
pub struct Own {
    /// Oneself, with what one may have.
    pub user: User,
    /// In how many places one is signed in.
    pub sessions: u64,
    /// What one changed, the newest first.
    pub changes: Changes,
    /// The newest records: when each was made, its collection, what it is called.
    pub newest: Vec<(String, CollectionName, String)>,
}

/// What a dashboard asked for.
#[derive(Debug, Clone)]
pub struct Told {
    /// The newer samples.
    pub metrics: Answer<Metrics>,
    /// The newer changes.
    pub changes: Answer<Changes>,
    /// What users are called; `None` for those who are not there any more.
    pub users: Vec<(UserId, Option<String>)>,
    /// How long the answers took.
    pub took: Duration,
    /// Nobody pressed a key for it.
    pub by_itself: bool,
}

/// Something happened.
#[derive(Debug, Clone)]
pub enum Message {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// A text was pasted.
    Paste(String),
    /// A text was edited in another program.
    Edited(String),
    /// It was not, and why.
    NotEdited(String),
    /// The window has this many columns and rows now.
    Resize(u16, u16),
    /// A moment has passed; see [`crate::Model::animates`].
    Tick,
    /// The server's root document.
    Root(Ticket, Answer<Root>),
    /// The signed-in user, after a sign-in.
    SignedIn(Ticket, Answer<User>),
    /// The signed-in user, at the start.
    Me(Ticket, Answer<User>),
    /// The session was ended, here in any case. An error says why the server does not know.
    SignedOut(Ticket, Result<(), CallError>),
    /// What a dashboard asked for.
    Dashboard(Ticket, Box<Told>),
    /// What a page about the server or a token asked for.
    Sheet {
        /// Which request it was.
        ticket: Ticket,
        /// What it was told.
        answer: Answer<SheetTold>,
        /// How long that took.
        took: Duration,
        /// Nobody pressed a key for it.
        by_itself: bool,
    },
    /// The saved views of a collection, and the one that was just made.
    Views(Ticket, Answer<SavedViews>, Option<ViewId>),
    /// A chart; `None` where no record has a value.
    Insight(Ticket, Answer<Option<Chart>>),
    /// A version of a record was put back, by this operation.
    Restored(Ticket, Answer<Record>, Option<OperationId>, CollectionName),
    /// What the server's log tells now.
    LogLevel(Ticket, Answer<LogSettings>),
    /// So many bytes of a backup went into a file.
    BackedUp(Ticket, PathBuf, Result<u64, FileFault>),
    /// The collections.
    Collections(Ticket, Answer<Vec<Collection>>),
    /// A page of records, users or sessions.
    Records(Ticket, Answer<Page<Record>>),
    /// One record.
    Record(Ticket, Answer<Record>),
    /// A record was written, by this operation.
    Saved(Ticket, Answer<Record>, Option<OperationId>),
    /// The version of a record that somebody else wrote.
    Fresh(Ticket, Answer<Record>),
    /// What deleting a record would take along.
    WouldDelete(Ticket, Deleted, Answer<Deletion>),
    /// A record was deleted, by this operation.
    Deleted(Ticket, Deleted, Answer<Option<OperationId>>),
    /// Something was undone.
    Undone(Ticket, Undo, Answer<Reverted>),
    /// A collection was written, by this operation, or it was told what that would do.
    Defined(Ticket, Answer<Box<DefinitionAnswer>>, Option<OperationId>),
    /// A collection was deleted, by this operation.
    CollectionDeleted(Ticket, Answer<Option<OperationId>>),
    /// How far a change of a definition is.
    Progress(Ticket, Answer<Box<Operation>>),
    /// A password was changed, or a user made, changed or deleted.
    Account(Ticket, Answer<()>),
    /// Sessions were ended.
    SessionsEnded(Ticket, Answer<()>),
    /// What records are called: those that a record refers to, or those of this collection.
    Names(CollectionName, Option<RecordId>, BTreeMap<String, String>),
    /// What refers to a record.
    Referrers(CollectionName, RecordId, Vec<Referrers>),
    /// A record that somebody else changed, and what that user is called, where that was asked.
    Changed(Ticket, Answer<Record>, Option<String>),
    /// About others' changes.
    Live(Live),
    /// The session could not be written to its file.
    NotKept,
    /// Many records were changed or deleted, by this operation, or it was told what that would do.
    Many(Ticket, Box<ManyAct>, Answer<Many>, Option<OperationId>),
    /// So many bytes went into a file.
    Exported(Ticket, PathBuf, Result<u64, FileFault>),
    /// A file was read by the server, and nothing of it written.
    Checked(Ticket, Box<Checked>),
    /// A file is in that collection, or goes in; or it was imported before.
    Imported(Ticket, CollectionName, Box<Result<(Import, bool), FileFault>>),
    /// How far an import is.
    ImportProgress(Ticket, Answer<Box<Operation>>),
    /// An import is to stop, or that could not be said.
    Stopping(Ticket, Answer<()>),
    /// Where somebody is was kept, or not.
    PlaceKept,
}
