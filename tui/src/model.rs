//! The state of the whole client. Screens lie on each other; signing in lies above them all, so that what was being typed
//! below is still there afterwards.

mod permissions;
mod place;
mod screen;

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    time::Duration,
};

use coffer_client::migrations;
use common::{id::OperationId, name::CollectionName, operation::Operation, user::User};
use crossterm::event::KeyEvent;

pub use self::{place::LastLocation, screen::Screen};
use crate::{
    config,
    effect::Effect,
    key::Context,
    load::{Load, Ticket, Tickets},
    many::ManyAct,
    message::{Away, Deleted, Message, Undo},
    screen::{Collections, Editing, Palette, SavedTable, SheetKind, SignIn},
    style::Theme,
};

/// Everything that the view shows and the update changes.
pub struct Model {
    /// The server's address.
    pub server: String,
    /// The way to the server can be listened to.
    pub in_the_clear: bool,
    /// The signed-in user, once known.
    pub user: Option<User>,
    /// The least length of a new password, once the server has said it.
    pub min_password_length: Option<u64>,
    /// How asking for that goes, where nobody has to sign in.
    pub look: Load,
    /// How asking who is signed in goes.
    pub me: Load,
    /// The session is being ended from here.
    pub signing_out: bool,
    /// Signing in, above everything else.
    pub sign_in: Option<SignIn>,
    /// The screens, the lowest first; never empty.
    pub screens: Vec<Screen>,
    /// The help page, and how far it is scrolled.
    pub help: Option<usize>,
    /// The command palette, while it is open.
    pub palette: Option<Palette>,
    /// Nothing may be written.
    pub is_read_only: bool,
    /// The text that is to be edited in another program.
    pub edit_outside: Option<String>,
    /// The sentence above the footer.
    pub toast: Option<Toast>,
    /// What can be undone, the latest last.
    pub undo: Vec<Undo>,
    /// The record of which it was asked whether it is to be deleted with all that hangs on it.
    pub to_delete: Option<Deleted>,
    /// What was asked of deleting the chosen rows, and answered.
    pub to_delete_chosen: Option<ManyAct>,
    /// The imports that go on in the background.
    pub imports: Vec<Import>,
    /// The backup that is being written.
    pub backing_up: Option<Ticket>,
    /// The folder of the files of migrations.
    pub migrations: PathBuf,
    /// How often a dashboard asks; `None` for when a key says so.
    pub refresh: Option<Duration>,
    /// The write that is under way. Until its answer comes, keys wait in [`Self::ahead`].
    pub writing: Option<Ticket>,
    /// A change of a definition that takes its time, and what was asked last of it.
    pub changing: Option<(Ticket, OperationId)>,
    /// Keys and pastes that wait.
    pub ahead: VecDeque<Typed>,
    /// Ctrl-C was pressed once over unsaved text.
    pub quitting: bool,
    /// A key was pressed since somebody signed in, or since the start: no other screen opens by itself any more.
    pub has_acted: bool,
    /// The client should end.
    pub quit: bool,
    /// A text that the terminal is to take into the clipboard.
    pub copy: Option<String>,
    /// The client should stop for a while.
    pub suspend: bool,
    /// Where somebody was, the last time, until it is opened again.
    pub reopen: Option<LastLocation>,
    /// The tables that were left, as they were.
    pub kept: BTreeMap<CollectionName, SavedTable>,
    /// Counts moments, for the spinner.
    pub tick: usize,
    /// Columns and rows of the window.
    pub size: (u16, u16),
    /// How things look.
    pub theme: Theme,
    /// Why others' changes do not come, while they do not.
    pub away: Option<Away>,
    /// Makes the tickets of requests.
    pub tickets: Tickets,
}

/// An import that goes on in the background.
#[derive(Debug, Clone)]
pub struct Import {
    /// Where the records go.
    pub collection: CollectionName,
    /// Which operation it is.
    pub operation: OperationId,
    /// The answer that is waited for.
    pub ticket: Ticket,
    /// How far it was when that was asked last.
    pub last: Option<Box<Operation>>,
}

/// Input from the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// A key.
    Key(KeyEvent),
    /// A pasted text.
    Paste(String),
}

/// A sentence that goes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Toast {
    /// The sentence.
    pub text: String,
    /// Something did not work.
    pub is_error: bool,
    /// Moments until it goes; an error stays until the next key.
    pub moments: usize,
}

/// Moments for which a toast stays: about eight seconds.
const TOAST_MOMENTS: usize = 66;

impl Model {
    /// The model at the start, and what to do first. With a kept session the collections are opened at once.
    pub fn new(server: String, in_the_clear: bool, has_session: bool, size: (u16, u16)) -> (Self, Vec<Effect>) {
        let mut model = Self {
            server,
            in_the_clear,
            user: None,
            sign_in: None,
            screens: vec![Screen::Collections(Collections::default())],
            help: None,
            palette: None,
            is_read_only: false,
            edit_outside: None,
            toast: None,
            undo: Vec::new(),
            to_delete: None,
            to_delete_chosen: None,
            imports: Vec::new(),
            backing_up: None,
            migrations: migrations::DIR.into(),
            refresh: Some(config::REFRESH),
            writing: None,
            changing: None,
            ahead: VecDeque::new(),
            quitting: false,
            has_acted: false,
            quit: false,
            copy: None,
            suspend: false,
            reopen: None,
            kept: BTreeMap::new(),
            tick: 0,
            size,
            theme: Theme { colour: true, is_light: false, ascii: false },
            away: None,
            tickets: Tickets::default(),
            min_password_length: None,
            look: Load::default(),
            me: Load::default(),
            signing_out: false,
        };
        let effects = if has_session { model.reload() } else { model.ask_to_sign_in(None) };
        (model, effects)
    }

    /// Begins a write. Until its answer comes, keys wait.
    pub fn begin_write(&mut self) -> Ticket {
        let ticket = self.tickets.next();
        self.writing = Some(ticket);
        ticket
    }

    /// Begins to sign out.
    pub fn sign_out(&mut self) -> Effect {
        self.signing_out = true;
        Effect::SignOut(self.begin_write())
    }

    /// The screen that is seen, signing in and help aside.
    pub fn top(&mut self) -> &mut Screen {
        if self.screens.is_empty() {
            self.screens.push(Screen::Collections(Collections::default()));
        }
        let last = self.screens.len() - 1;
        &mut self.screens[last]
    }

    /// Where the next key is pressed.
    pub fn context(&self) -> Context {
        if self.help.is_some() { Context::Help } else { self.context_below_help() }
    }

    /// Where the next key is pressed once the help page is closed.
    pub fn context_below_help(&self) -> Context {
        if self.sign_in.is_some() {
            return Context::SignIn;
        }
        if self.palette.is_some() {
            return Context::Palette;
        }
        match self.screens.last() {
            Some(screen) if screen.table().is_some_and(|table| table.filter.is_some()) => Context::Filter,
            Some(Screen::Records(table)) if !table.selection.is_empty() => Context::Chosen,
            Some(Screen::Records(_)) => Context::Records,
            Some(Screen::Record(_)) => Context::Record,
            Some(Screen::Form(form)) => form.state.context(),
            Some(Screen::Definition(form)) => form.state.context(),
            Some(Screen::Account(form)) => form.state.context(),
            Some(Screen::Change(form)) => form.state.context(),
            Some(Screen::Export(form)) => form.state.context(),
            Some(Screen::Join(form)) => form.state.context(),
            Some(Screen::Import(screen)) if screen.is_form() => screen.state.context(),
            Some(Screen::Import(_)) => Context::Import,
            Some(Screen::Users(_)) => Context::Users,
            Some(Screen::Sessions(_)) => Context::Sessions,
            Some(Screen::Dashboard(_)) => Context::Dashboard,
            Some(Screen::Sheet(sheet)) => sheet.context(),
            Some(Screen::Changes(_)) => Context::Changes,
            Some(Screen::Views(views)) if views.naming.is_some() => Context::Filter,
            Some(Screen::Views(_)) => Context::Views,
            Some(Screen::Insights(_)) => Context::Insights,
            Some(Screen::Collections(_)) | None => Context::Collections,
        }
    }

    /// Something is going on that the view shows moving.
    pub fn animates(&self) -> bool {
        let has_marks = self.screens.iter().filter_map(Screen::table).any(|table| !table.marked.is_empty());
        self.is_busy() || has_marks || self.toast.as_ref().is_some_and(|toast| !toast.is_error)
    }

    /// How many rows have a mark.
    pub fn marks(&self) -> usize {
        self.screens.last().and_then(Screen::table).map_or(0, |table| table.marked.len())
    }

    /// An answer is waited for.
    pub fn is_busy(&self) -> bool {
        let loads = match self.screens.last() {
            Some(Screen::Collections(collections)) => collections.load.is_waited_for(),
            Some(Screen::Records(table) | Screen::Users(table)) => table.load.is_waited_for(),
            Some(Screen::Record(detail)) => detail.load.is_waited_for(),
            Some(Screen::Sessions(sessions)) => sessions.list.load.is_waited_for(),
            // A dashboard asks all the time, which is nothing to be told.
            Some(
                Screen::Dashboard(_)
                | Screen::Form(_)
                | Screen::Definition(_)
                | Screen::Account(_)
                | Screen::Change(_)
                | Screen::Join(_),
            )
            | None => false,
            Some(Screen::Export(form)) => form.is_under_way(),
            Some(Screen::Import(screen)) => screen.is_waiting(),
            Some(Screen::Sheet(sheet)) => sheet.load.is_waited_for(),
            Some(Screen::Changes(screen)) => screen.load.is_waited_for(),
            Some(Screen::Views(views)) => views.load.is_waited_for(),
            Some(Screen::Insights(screen)) => screen.panels.iter().any(|panel| panel.load.is_waited_for()),
        };
        let looks = self.sign_in.as_ref().is_some_and(|sign_in| sign_in.look.is_under_way());
        self.backing_up.is_some()
            || self.writing.is_some()
            || self.changing.is_some()
            || looks
            || (loads && self.sign_in.is_none())
    }

    /// Something was typed that is not saved.
    pub fn has_unsaved_text(&self) -> bool {
        self.screens.iter().filter_map(Screen::editing).any(Editing::is_changed)
    }

    /// Shows a sentence for a while.
    pub fn say(&mut self, text: impl Into<String>) {
        self.toast = Some(Toast { text: text.into(), is_error: false, moments: TOAST_MOMENTS });
    }

    /// Shows what did not work, until the next key.
    pub fn complain(&mut self, text: impl Into<String>) {
        self.toast = Some(Toast { text: text.into(), is_error: true, moments: 0 });
    }

    /// Opens a form. What was said before goes: the keys that it may speak of are text now.
    pub fn open_form(&mut self, form: Screen) {
        self.toast = None;
        self.screens.push(form);
        self.say_min_password_length();
    }

    /// Takes the least length of a new password.
    pub fn know_min_password_length(&mut self, length: u64) {
        self.min_password_length = Some(length);
        self.say_min_password_length();
    }

    /// Asks the server how long a new password must be, unless it has said so before.
    pub fn ask_min_password_length(&mut self) -> Vec<Effect> {
        if self.min_password_length.is_some() {
            return Vec::new();
        }
        vec![Effect::Look(self.look.begin(&self.tickets))]
    }

    /// Says how long a new password must be, in all forms where one is typed.
    pub fn say_min_password_length(&mut self) {
        let Some(length) = self.min_password_length else { return };
        if let Some(sign_in) = &mut self.sign_in {
            sign_in.state.form.set_min_password_length(length);
        }
        for form in self.screens.iter_mut().filter_map(Screen::editing_mut) {
            form.state_mut().form.set_min_password_length(length);
        }
    }

    /// Puts signing in above the screens, and asks the server whether anybody can sign in yet.
    pub fn ask_to_sign_in(&mut self, reason: Option<String>) -> Vec<Effect> {
        if self.sign_in.is_some() {
            return Vec::new();
        }
        (self.help, self.palette) = (None, None);
        let mut sign_in = SignIn::new(reason);
        let ticket = sign_in.look.begin(&self.tickets);
        self.sign_in = Some(sign_in);
        vec![Effect::Look(ticket)]
    }

    /// Asks who is signed in.
    pub fn ask_who(&mut self) -> Effect {
        Effect::Me(self.me.begin(&self.tickets))
    }

    /// Loads what the topmost screen shows anew.
    pub fn reload(&mut self) -> Vec<Effect> {
        let tickets = self.tickets.clone();
        let is_admin = self.is_admin();
        let (is_unknown, columns) = (self.user.is_none(), usize::from(self.size.0));
        match self.top() {
            Screen::Collections(collections) => {
                let collections = collections.load(&tickets);
                if is_unknown { vec![self.ask_who(), collections] } else { vec![collections] }
            }
            Screen::Records(table) | Screen::Users(table) => {
                table.window.set_columns(columns);
                vec![table.load(&tickets)]
            }
            Screen::Record(detail) => detail.load(&tickets).into_iter().collect(),
            Screen::Sessions(sessions) => vec![sessions.list.load(&tickets)],
            Screen::Sheet(sheet) => sheet.ask(&tickets, Duration::ZERO).into_iter().collect(),
            Screen::Changes(screen) => screen.reload(&tickets, is_admin).into_iter().collect(),
            Screen::Views(views) => vec![views.ask(&tickets)],
            Screen::Insights(screen) => screen.ask(&tickets),
            Screen::Dashboard(dashboard) => {
                let effect = dashboard.ask(&tickets, Duration::ZERO);
                let collections = self.load_collections();
                collections.into_iter().chain([effect]).collect()
            }
            Screen::Form(_)
            | Screen::Definition(_)
            | Screen::Account(_)
            | Screen::Change(_)
            | Screen::Export(_)
            | Screen::Join(_)
            | Screen::Import(_) => Vec::new(),
        }
    }

    /// Loads the collections below whatever is open, unless that is under way.
    pub fn load_collections(&mut self) -> Option<Effect> {
        match self.screens.first_mut() {
            Some(Screen::Collections(collections)) if !collections.load.is_under_way() => {
                Some(collections.load(&self.tickets))
            }
            _ => None,
        }
    }

    /// Whether a message is an answer that a dashboard asked for by itself, and no key.
    pub fn comes_by_itself(&self, message: &Message) -> bool {
        match message {
            Message::Dashboard(_, told) => told.by_itself,
            Message::Sheet { by_itself, .. } => *by_itself,
            Message::ImportProgress(..) => !matches!(self.screens.last(), Some(Screen::Import(_))),
            Message::PlaceKept => true,
            Message::Collections(..) => matches!(self.screens.last(), Some(Screen::Dashboard(_))),
            _ => false,
        }
    }

    /// Whether a message is about what others changed: it waits while somebody types.
    pub fn is_live(&self, message: &Message) -> bool {
        let is_quiet = |load: &Load, ticket| load.is_quiet(ticket);
        match message {
            Message::Live(_) | Message::Changed(..) => true,
            Message::Records(ticket, _) => {
                self.screens.iter().filter_map(Screen::table).any(|table| is_quiet(&table.load, *ticket))
            }
            Message::Collections(ticket, _) => {
                matches!(self.screens.first(), Some(Screen::Collections(collections)) if is_quiet(&collections.load, *ticket))
            }
            _ => false,
        }
    }

    /// Opens the dashboard.
    pub fn open_dashboard(&mut self) -> Vec<Effect> {
        self.screens.push(Screen::Dashboard(Box::default()));
        self.reload()
    }

    /// A dashboard is seen, or a page that shows what it knows.
    pub fn watches(&self) -> bool {
        let is_below = |screen: &Screen| matches!(screen, Screen::Dashboard(_));
        let is_of_it = |screen: &Screen| match screen {
            Screen::Dashboard(_) => true,
            Screen::Sheet(sheet) => matches!(sheet.kind, SheetKind::Failures) && self.screens.iter().any(is_below),
            _ => false,
        };
        self.sign_in.is_none() && self.screens.last().is_some_and(is_of_it)
    }

    /// Somebody has done something, or is still to sign in.
    pub fn has_begun(&self) -> bool {
        self.has_acted || self.screens.len() > 1 || self.sign_in.is_some()
    }

    /// Opens the dashboard for an admin who has just come, and has not begun with something else.
    pub fn begin_with_dashboard(&mut self) -> Option<Vec<Effect>> {
        let is_admin = self.user.as_ref().is_some_and(|user| user.is_admin);
        (is_admin && !self.has_begun() && !self.waits_to_reopen()).then(|| self.open_dashboard())
    }
}
