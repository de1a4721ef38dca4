//! Pages about the server and its tokens: its log, what failed and what was slow, its settings and keys, and a token explained. They are read,
//! and scroll.

use std::time::Duration;

use common::{
    collection::Collection,
    dashboard::LogTail,
    endpoints::{
        keys::Keys,
        settings::Settings,
        users::{Invitation, OpenInvitation},
    },
    id::InvitationId,
    inspection::Inspection,
    name::CollectionName,
};

use super::{migrations::Migrations, scrolled};
use crate::{
    effect::{Effect, SheetAsk},
    key::{Action, Context},
    load::{Load, Tickets},
    message::{Answer, Own, SheetTold},
    migrating::Migrating,
    text_input::TextInput,
    words,
};

/// How long an answer about the log is shown before the next is asked for, over a fast line.
const REFRESH: Duration = Duration::from_secs(2);
/// How much longer than the last answer took that is at least.
const REST: u32 = 4;

/// A page.
pub struct Sheet {
    /// What it is about.
    pub kind: SheetKind,
    /// How asking goes.
    pub load: Load,
    /// Lines that are scrolled away.
    pub scroll: usize,
    /// It stays at its end, where the newest lines are.
    pub follows: bool,
    /// Why there is nothing newer.
    pub silent: Option<String>,
    /// What is to be said of the last answer, and whether it is bad.
    pub said: Option<(String, bool)>,
}

/// What a page is about.
pub enum SheetKind {
    /// The server's log.
    Log(LogTail),
    /// Requests that failed and lists that took long; the dashboard below knows them.
    Failures,
    /// The server's settings and keys, once they are known.
    Server(Option<Box<(Settings, Keys)>>),
    /// A token.
    Token(Box<Token>),
    /// How a collection's records are asked for, and with which program's requests.
    Api(Box<Collection>, usize),
    /// Who may do what in all collections; the list below knows them.
    Access,
    /// What one has oneself, in these collections, once it is known.
    Own(Vec<CollectionName>, Option<Box<Own>>),
    /// Invitations that nobody has used yet.
    Invitations(Invitations),
    /// Migrations.
    Migrations(Box<Migrations>),
}

/// Invitations that nobody has used yet.
#[derive(Default)]
pub struct Invitations {
    /// They, the newest first, once they are known.
    pub open: Option<Vec<OpenInvitation>>,
    /// The one that was made last, whose link is not told again.
    pub made: Option<Box<Invitation>>,
    /// Which of them the cursor is on.
    pub cursor: usize,
    /// It was asked whether that one shall be taken back.
    pub asked: bool,
}

impl Invitations {
    /// The one under the cursor.
    pub fn current(&self) -> Option<InvitationId> {
        Some(self.open.as_ref()?.get(self.cursor)?.id)
    }
}

/// A token that is explained.
#[derive(Default)]
pub struct Token {
    /// Where it is pasted.
    pub text_input: TextInput,
    /// Where the key is pasted, of who does not ask the server.
    pub key_input: TextInput,
    /// That has the cursor.
    pub is_at_key: bool,
    /// The one that was asked about; empty for one's own.
    pub asked: String,
    /// What is known of it.
    pub found: Option<Inspection>,
}

impl Sheet {
    /// A page that nothing is known of yet.
    pub fn new(kind: SheetKind) -> Self {
        let follows = matches!(kind, SheetKind::Log(_));
        Self { kind, load: Load::default(), scroll: 0, follows, silent: None, said: None }
    }

    /// Where keys are pressed on it.
    pub fn context(&self) -> Context {
        match self.kind {
            SheetKind::Log(_) => Context::Log,
            SheetKind::Token(_) => Context::Token,
            SheetKind::Api(..) => Context::Api,
            SheetKind::Invitations(_) => Context::Invitations,
            SheetKind::Migrations(_) => Context::Migrations,
            SheetKind::Failures | SheetKind::Server(_) | SheetKind::Access | SheetKind::Own(..) => Context::Sheet,
        }
    }

    /// Asks for what it shows, after a pause.
    pub fn ask(&mut self, tickets: &Tickets, pause: Duration) -> Option<Effect> {
        let ask = self.wanted(pause)?;
        let ticket = if pause.is_zero() { self.load.begin(tickets) } else { self.load.begin_quietly(tickets) };
        Some(Effect::Sheet(ticket, ask))
    }

    /// The same because others changed something: nobody is told that it is being asked.
    pub fn ask_quietly(&mut self, tickets: &Tickets) -> Option<Effect> {
        let ask = self.wanted(Duration::ZERO)?;
        Some(Effect::Sheet(self.load.begin_quietly(tickets), ask))
    }

    fn wanted(&self, pause: Duration) -> Option<SheetAsk> {
        Some(match &self.kind {
            SheetKind::Log(tail) => SheetAsk::Log(pause, tail.next()),
            SheetKind::Server(_) => SheetAsk::Server,
            SheetKind::Own(names, _) => SheetAsk::Own(names.clone()),
            SheetKind::Invitations(_) => SheetAsk::Invitations,
            SheetKind::Migrations(known) => SheetAsk::Migrations(pause, known.dir.clone(), Migrating::List),
            SheetKind::Failures | SheetKind::Token(_) | SheetKind::Api(..) | SheetKind::Access => return None,
        })
    }

    /// Makes or takes back what it lists.
    pub fn write(&mut self, tickets: &Tickets, ask: SheetAsk) -> Effect {
        Effect::Sheet(self.load.begin(tickets), ask)
    }

    /// Asks about the token that was pasted, or the own one.
    pub fn inspect(&mut self, tickets: &Tickets, is_own: bool) -> Option<Effect> {
        let SheetKind::Token(token) = &mut self.kind else { return None };
        let text = if is_own { String::new() } else { token.text_input.text().trim().to_owned() };
        if !is_own && text.is_empty() {
            return None;
        }
        token.asked.clone_from(&text);
        self.scroll = 0;
        let key = token.key_input.text().trim().to_owned();
        if !is_own && !key.is_empty() {
            return Some(Effect::Sheet(self.load.begin(tickets), SheetAsk::Given(text, key)));
        }
        Some(Effect::Sheet(self.load.begin(tickets), SheetAsk::Token(text)))
    }

    /// Takes an answer; says how long to wait before the next is asked for, where one is.
    pub fn take(&mut self, answer: Answer<SheetTold>, took: Duration) -> Option<Duration> {
        let told = match answer {
            Ok(told) => told,
            Err(failure) => {
                let why = words::failure(&failure);
                match &mut self.kind {
                    SheetKind::Log(tail) if !tail.is_empty() => self.silent = Some(why),
                    SheetKind::Own(_, Some(_)) => self.silent = Some(why),
                    SheetKind::Token(token) => {
                        token.found = None;
                        self.load.error = Some(why);
                    }
                    _ => self.load.error = Some(why),
                }
                return matches!(self.kind, SheetKind::Log(_)).then_some((took * REST).max(REFRESH * REST));
            }
        };
        self.silent = None;
        match (&mut self.kind, told) {
            (SheetKind::Log(tail), SheetTold::Log(lines)) => {
                tail.take(lines);
                return Some((took * REST).max(REFRESH));
            }
            (SheetKind::Server(known), SheetTold::Server(told)) => *known = Some(told),
            (SheetKind::Own(_, known), SheetTold::Own(told)) => *known = Some(told),
            (SheetKind::Token(token), SheetTold::Token(found)) => {
                // What a key was given for is tried with others.
                if !found.is_by_given_key {
                    token.text_input = TextInput::default();
                }
                token.found = Some(*found);
            }
            (SheetKind::Migrations(known), SheetTold::Migrations(told)) => {
                self.said = known.take(*told);
                return known.under_way.is_some().then_some(REFRESH);
            }
            (SheetKind::Invitations(known), SheetTold::Invitations(open, made)) => {
                known.cursor = known.cursor.min(open.len().saturating_sub(1));
                known.open = Some(open);
                known.made = made.or_else(|| known.made.take());
            }
            _ => {}
        }
        None
    }

    /// Moves the cursor of a list, which stands at the end of its `lines`, or at their beginning, and keeps it in sight.
    pub fn move_cursor(&mut self, is_down: bool, lines: usize, height: usize) {
        let known = match &mut self.kind {
            SheetKind::Invitations(known) => known,
            SheetKind::Migrations(known) => {
                known.go(is_down);
                let at = known.cursor;
                self.scroll = self.scroll.clamp((at + 1).saturating_sub(height), at);
                return;
            }
            _ => return,
        };
        let count = known.open.as_ref().map_or(0, Vec::len);
        known.cursor =
            if is_down { (known.cursor + 1).min(count.saturating_sub(1)) } else { known.cursor.saturating_sub(1) };
        let at = lines.saturating_sub(count) + known.cursor;
        self.scroll = if known.cursor == 0 { 0 } else { self.scroll.clamp((at + 1).saturating_sub(height), at) };
    }

    /// Scrolls, where `lines` stand in a window of `height`.
    pub fn go(&mut self, action: Action, lines: usize, height: usize) {
        let last = lines.saturating_sub(height);
        let from = if self.follows { last } else { self.scroll.min(last) };
        self.scroll = scrolled(from, action, lines, height);
        self.follows = matches!(self.kind, SheetKind::Log(_)) && self.scroll == last;
    }
}
