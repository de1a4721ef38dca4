//! Changes to look through: a record's versions, what was deleted, the journal. One is under the cursor, and what it did is shown below.

use common::{
    activity::{Ask, ChangeList, Source},
    change::{ChangeQuery, Changes, Verb},
};

use crate::{
    effect::{Effect, SheetAsk},
    key::Action,
    load::{Load, Tickets},
    message::Answer,
    words,
};

/// What the journal is narrowed to, one after the other.
const KINDS: [Option<Verb>; 6] =
    [None, Some(Verb::Create), Some(Verb::Update), Some(Verb::Delete), Some(Verb::Restore), Some(Verb::SignInRefused)];

/// A list of changes.
pub struct ChangesScreen {
    /// What was read.
    pub list: ChangeList,
    /// The change under the cursor.
    pub selected: usize,
    /// How asking goes.
    pub load: Load,
}

impl ChangesScreen {
    /// A list that nothing is known of yet.
    pub fn new(source: Source) -> Self {
        Self { list: ChangeList::new(source), selected: 0, load: Load::default() }
    }

    /// Asks for what comes next, and for names where `asks_names`.
    pub fn ask(&mut self, tickets: &Tickets, asks_names: bool) -> Option<Effect> {
        let ask: Ask = self.list.ask()?;
        if self.load.is_under_way() {
            return None;
        }
        Some(Effect::Sheet(self.load.begin(tickets), SheetAsk::Changes(Box::new(ask), asks_names)))
    }

    /// Begins anew.
    pub fn reload(&mut self, tickets: &Tickets, asks_names: bool) -> Option<Effect> {
        self.list.restart();
        self.load = Load::default();
        self.ask(tickets, asks_names)
    }

    /// Takes what was told.
    pub fn take(&mut self, answer: Answer<Changes>) {
        match answer {
            Ok(changes) => {
                self.list.take(changes);
                self.selected = self.selected.min(self.list.rows.len().saturating_sub(1));
            }
            Err(failure) => self.load.error = Some(words::failure(&failure)),
        }
    }

    /// Moves the cursor; at the end more is asked for.
    pub fn go(&mut self, action: Action, page: usize, tickets: &Tickets, asks_names: bool) -> Option<Effect> {
        let last = self.list.rows.len().saturating_sub(1);
        self.selected = match action {
            Action::Up => self.selected.saturating_sub(1),
            Action::Down => self.selected + 1,
            Action::WindowUp => self.selected.saturating_sub(page),
            Action::WindowDown => self.selected + page,
            Action::First => 0,
            Action::Last => last,
            _ => self.selected,
        };
        let is_at_end = self.selected >= last;
        self.selected = self.selected.min(last);
        if is_at_end { self.ask(tickets, asks_names) } else { None }
    }

    /// Narrows the journal to the next kind of changes.
    pub fn narrow(&mut self, tickets: &Tickets, asks_names: bool) -> Option<Effect> {
        let Source::Activity(query) = &self.list.source else { return None };
        let at = KINDS.iter().position(|kind| *kind == query.action).unwrap_or_default();
        let action = KINDS[(at + 1) % KINDS.len()];
        self.list.source = Source::Activity(ChangeQuery { action, ..query.clone() });
        self.selected = 0;
        self.reload(tickets, asks_names)
    }
}
