//! A table of records, or of people, which reads like one: `common`'s table model with a cursor in it.

mod kept;
mod moves;
mod shape;

use std::collections::BTreeMap;

use common::{
    collection::Collection,
    event::news::Changed,
    id::{RecordId, UserId},
    page::Page,
    people::{self, SessionsQuery},
    record::Record,
    selection::Selection,
    table::{Column, TableState, columns, filter_line},
};
use serde_json::Value;

pub(crate) use self::kept::SavedTable;
use super::cursor::{Window, acts_on_row, moved};
use crate::{
    effect::Effect,
    key::Action,
    load::{Load, Ticket, Tickets},
    text_input::TextInput,
    words,
};

/// Rows on a page.
const PAGE_SIZE: u64 = 50;

/// Moments that a mark stays: about ten seconds.
const MARK_MOMENTS: usize = 83;

/// What a table's rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// Records of its collection.
    Records,
    /// All users.
    Users,
    /// Where somebody is signed in; `None` is oneself.
    Sessions(Option<UserId>),
}

impl Rows {
    /// How a filter line over such rows is written.
    pub fn filter_hint(self) -> &'static str {
        match self {
            Self::Records => words::FILTER_RECORDS,
            Self::Users => words::FILTER_USERS,
            Self::Sessions(_) => words::FILTER_SESSIONS,
        }
    }
}

/// A table of records.
pub struct Records {
    /// Where the rows come from.
    pub source: Rows,
    /// The collection of the records.
    pub collection: Collection,
    /// The columns that are shown.
    pub columns: Vec<Column>,
    /// The query, and how many rows match it.
    pub table: TableState,
    /// The rows that belong to [`Self::table`], once they are known.
    pub rows: Option<Vec<Record>>,
    /// Where the words of a search stand in them.
    pub highlights: BTreeMap<RecordId, Value>,
    /// What the records are called that they refer to.
    pub names: BTreeMap<String, String>,
    /// They belong to what was asked before, and stay until the answer comes.
    pub is_old: bool,
    /// The rows that the window shows.
    pub window: Window,
    /// The members that were asked for; all where it is empty.
    asked: Vec<String>,
    /// The column whose heading is held with the mouse.
    pub dragged: Option<usize>,
    /// What was typed in digits: the number of a row or a page.
    pub number: Option<u64>,
    /// The row under the cursor.
    pub selected: usize,
    /// How wide columns are that somebody has made narrower or wider, by name.
    pub widths: BTreeMap<String, u16>,
    /// The column under the cursor.
    pub column: usize,
    /// The filter line, while it is typed.
    pub filter: Option<FilterLine>,
    /// How loading goes.
    pub load: Load,
    /// A row is chosen for the form below.
    pub is_look_up: bool,
    /// The rows that something is to be done to.
    pub selection: Selection,
    /// The rows that others changed, each with the moments that its mark stays.
    pub marked: BTreeMap<RecordId, usize>,
    /// How many changes there were since the rows were read before.
    pub changes: u64,
    /// What others changed since the rows were read.
    pub changed: Changed,
    /// The record under the cursor, where it is no row of this page any more: its row stays until the cursor leaves it, so that no key meets
    /// another record than the one that was seen.
    pub left_over: Option<RecordId>,
    /// Where the cursor goes when rows come; where nothing is said, it stays on its record.
    land: Option<CursorTarget>,
}

/// The filter line, while it is typed.
#[derive(Default)]
pub struct FilterLine {
    /// The text as typed.
    pub text_input: TextInput,
    /// Why it cannot be used.
    pub error: Option<String>,
}

/// Where the cursor goes when rows come.
#[derive(Clone, Copy)]
enum CursorTarget {
    First,
    Last,
    On(RecordId, usize),
    Row(usize),
}

impl Records {
    /// The table of a collection, in its first state.
    pub fn new(collection: Collection) -> Self {
        Self::of(Rows::Records, collection)
    }

    /// The table of users or of sessions, in its first state.
    pub fn people(source: Rows) -> Self {
        Self::of(source, if source == Rows::Users { people::users() } else { people::sessions() })
    }

    fn of(source: Rows, collection: Collection) -> Self {
        let mut table = TableState::default();
        table.query.page_size = PAGE_SIZE;
        Self {
            columns: all_own(source, &collection),
            source,
            collection,
            table,
            rows: None,
            highlights: BTreeMap::new(),
            names: BTreeMap::new(),
            is_old: false,
            window: Window::default(),
            asked: Vec::new(),
            dragged: None,
            number: None,
            selected: 0,
            widths: BTreeMap::new(),
            column: 0,
            filter: None,
            load: Load::default(),
            is_look_up: false,
            selection: Selection::default(),
            marked: BTreeMap::new(),
            changes: 0,
            changed: Changed::default(),
            left_over: None,
            land: None,
        }
    }

    /// Loads the page anew. The rows stay where they are until then, and so does the cursor.
    pub fn load(&mut self, tickets: &Tickets) -> Effect {
        let ticket = self.load.begin(tickets);
        self.ask(ticket)
    }

    /// The same because others changed something: nobody is told that it is being loaded.
    pub fn load_quietly(&mut self, tickets: &Tickets) -> Effect {
        let ticket = self.load.begin_quietly(tickets);
        self.ask(ticket)
    }

    fn ask(&mut self, ticket: Ticket) -> Effect {
        let mut list = self.table.query.clone();
        if self.source == Rows::Records {
            self.asked = self.wanted();
            list.fields.clone_from(&self.asked);
            list.highlight = !list.search.is_empty();
            list.named = true;
        }
        match self.source {
            Rows::Records => Effect::Records(ticket, self.collection.name.clone(), list),
            Rows::Users => Effect::Users(ticket, list),
            Rows::Sessions(user) => Effect::Sessions(ticket, SessionsQuery { user, list }),
        }
    }

    /// Loads other rows. Those that are shown do not belong to the query any more, and stay until the others come.
    fn load_other(&mut self, tickets: &Tickets, land: CursorTarget) -> Effect {
        self.is_old = self.rows.is_some();
        self.left_over = None;
        self.land = Some(land);
        self.load(tickets)
    }

    /// Takes a page that was asked for because others changed something: their rows get a mark.
    pub fn show_changed(&mut self, page: Page<Record>, tickets: &Tickets, me: Option<UserId>) -> Option<Effect> {
        let changed = std::mem::take(&mut self.changed);
        let others = changed.records.keys().filter(|id| changed.by_another(**id, me).is_some());
        self.marked.extend(others.map(|id| (*id, MARK_MOMENTS)));
        self.changes = changed.count_by_others(me);
        let here = self.current().cloned().map(|record| (record, self.selected));
        let again = self.show(page, tickets);
        if let (None, Some((record, near)), Some(rows)) = (&again, here, &mut self.rows)
            && !rows.iter().any(|row| row.id() == record.id())
            && !rows.is_empty()
        {
            self.selected = near.min(rows.len());
            self.left_over = record.id();
            rows.insert(self.selected, record);
        }
        again
    }

    /// A moment passes. Whether a mark goes with it.
    pub fn pass(&mut self) -> bool {
        let before = self.marked.len();
        self.marked.retain(|_, moments| {
            *moments -= 1;
            *moments > 0
        });
        if self.marked.is_empty() {
            self.changes = 0;
        }
        self.marked.len() < before
    }

    /// The definition is another.
    pub fn redefine(&mut self, collection: &Collection, tickets: &Tickets) -> Option<Effect> {
        if self.collection.id != collection.id || self.collection.revision == collection.revision {
            return None;
        }
        self.collection = collection.clone();
        self.columns = self.all_columns();
        self.column = moved(self.column, 0, self.columns.len());
        Some(self.load_quietly(tickets))
    }

    /// Takes a page. The cursor stays on its record. An empty page beyond the last one (rows were deleted) asks for the last one instead.
    pub fn show(&mut self, page: Page<Record>, tickets: &Tickets) -> Option<Effect> {
        self.table.count = page.count;
        self.left_over = None;
        if std::mem::take(&mut self.is_old) {
            self.window.top();
        }
        if page.results.is_empty() && self.table.turn(0) {
            return Some(self.load_other(tickets, CursorTarget::Last));
        }
        let last = page.results.len().saturating_sub(1);
        let here = self.current().and_then(Record::id).map(|id| CursorTarget::On(id, self.selected));
        self.selected = match self.land.take().or(here) {
            None | Some(CursorTarget::First) => 0,
            Some(CursorTarget::Last) => last,
            Some(CursorTarget::Row(row)) => row.min(last),
            Some(CursorTarget::On(id, near)) => {
                page.results.iter().position(|record| record.id() == Some(id)).unwrap_or(near.min(last))
            }
        };
        let ids = page.results.iter().map(Record::id);
        let highlights = page.highlights.as_array().into_iter().flatten();
        self.highlights = ids.zip(highlights).filter_map(|(id, found)| Some((id?, found.clone()))).collect();
        self.names = page.names;
        self.rows = Some(page.results);
        None
    }

    /// Takes a record that was just written: its row shows it at once, and the cursor goes there when rows come.
    pub fn show_written(&mut self, record: &Record) {
        let Some(id) = record.id() else { return };
        self.land = Some(CursorTarget::On(id, self.selected));
        let row = self.rows.iter_mut().flatten().find(|row| row.id() == Some(id));
        // Of one that was put back only the id is known yet.
        if let Some(row) = row.filter(|_| record.revision().is_some()) {
            row.clone_from(record);
        }
    }

    /// Takes a row out at once, ahead of loading.
    pub fn remove(&mut self, id: RecordId) {
        if let Some(rows) = &mut self.rows {
            let before = rows.len();
            rows.retain(|record| record.id() != Some(id));
            self.table.count = self.table.count.saturating_sub((before - rows.len()) as u64);
            self.selected = moved(self.selected, 0, rows.len());
        }
    }

    /// Takes a digit of the number of a row or a page.
    pub fn digit(&mut self, digit: char) {
        let digit = digit.to_digit(10).map_or(0, u64::from);
        self.number = Some(self.number.unwrap_or(0).saturating_mul(10).saturating_add(digit));
    }

    /// The record under the cursor.
    pub fn current(&self) -> Option<&Record> {
        self.rows.as_ref()?.get(self.selected)
    }

    /// The filter as a line; empty for none.
    pub fn filter_line(&self) -> String {
        filter_line(&self.table.query)
    }

    /// Keys that act on a row wait until the rows that belong to the query are there: nobody should delete a row that
    /// they have not seen.
    pub fn must_wait(&self, action: Option<Action>) -> bool {
        let is_about_rows = acts_on_row(action) || action == Some(Action::Sessions);
        (self.rows.is_none() || self.is_old) && self.load.is_under_way() && is_about_rows
    }

    /// The rows could not be loaded. Those of another query are shown no more.
    pub fn fail(&mut self, error: String) {
        if std::mem::take(&mut self.is_old) {
            self.rows = None;
        }
        self.load.error = Some(error);
    }

    /// Takes a key that is about the filter line; what there is to do then. `None` for every other key.
    pub fn filter_key(&mut self, action: Action, tickets: &Tickets) -> Option<Vec<Effect>> {
        let effect = match action {
            Action::Submit if self.filter.is_some() => self.use_filter(tickets),
            Action::Back if self.filter.is_some() => {
                self.filter = None;
                None
            }
            _ if self.filter.is_some() => None,
            Action::Filter => {
                self.open_filter();
                None
            }
            Action::AllRows if !self.filter_line().is_empty() => Some(self.clear_filter(tickets)),
            _ => return None,
        };
        Some(effect.into_iter().collect())
    }

    /// Moves the cursor, by rows, columns or pages; orders the rows.
    pub fn go(&mut self, action: Action, tickets: &Tickets) -> Option<Effect> {
        let effect = self.go_on(action, tickets);
        if self.left_over.is_some() && self.current().and_then(Record::id) != self.left_over {
            let (here, left_over) = (self.current().and_then(Record::id), self.left_over.take());
            let rows = self.rows.get_or_insert_default();
            rows.retain(|row| row.id() != left_over);
            self.selected = rows.iter().position(|row| row.id() == here).unwrap_or(0);
        }
        effect
    }

    /// Chooses rows, or takes them out: the one under the cursor, those up to it, or all that the filter finds.
    pub fn choose(&mut self, action: Action) {
        if action == Action::ChooseAll {
            if self.selection.is_all() {
                self.selection.clear();
            } else if self.table.count > 0 {
                self.selection.choose_all(self.table.count);
            }
            return;
        }
        let ids: Vec<RecordId> = self.rows.iter().flatten().filter_map(Record::id).collect();
        let Some(id) = self.current().and_then(Record::id).filter(|id| self.left_over != Some(*id)) else { return };
        if action == Action::ChooseRange {
            self.selection.range(&ids, id);
        } else {
            self.selection.toggle(&ids, id);
        }
    }

    /// Opens the filter line with what it says now.
    fn open_filter(&mut self) {
        self.filter = Some(FilterLine { text_input: TextInput::line(self.filter_line()), error: None });
    }

    /// Uses what was typed into the filter line; where it cannot be used, the line stays and says why.
    fn use_filter(&mut self, tickets: &Tickets) -> Option<Effect> {
        let line = self.filter.as_mut()?;
        match self.table.filter(&self.collection, line.text_input.text()) {
            Ok(()) => {
                self.filter = None;
                // Under another filter other rows are meant.
                self.selection.clear();
                Some(self.load_other(tickets, CursorTarget::First))
            }
            Err(error) => {
                line.error = Some(error);
                None
            }
        }
    }

    /// Looks for words.
    pub fn search(&mut self, words: String, tickets: &Tickets) -> Effect {
        self.table.query.search = words;
        self.selection.clear();
        self.table.query.page = 1;
        self.load_other(tickets, CursorTarget::First)
    }

    /// Shows all rows again.
    fn clear_filter(&mut self, tickets: &Tickets) -> Effect {
        self.selection.clear();
        self.table.query.filters.clear();
        self.table.query.filter = None;
        self.table.query.search.clear();
        self.table.query.page = 1;
        self.load_other(tickets, CursorTarget::First)
    }
}

/// The columns of the rows themselves.
fn all_own(source: Rows, collection: &Collection) -> Vec<Column> {
    match source {
        Rows::Records => columns(collection),
        Rows::Users => people::user_columns(),
        Rows::Sessions(_) => people::session_columns(),
    }
}
