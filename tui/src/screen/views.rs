//! The saved views of a collection: one is chosen for the table below, the table is kept as another, and those that one keeps are renamed, shared
//! and deleted.

use common::{
    Object,
    collection::Collection,
    id::{UserId, ViewId},
    query::ListQuery,
    view::{View, ViewColumn, ViewDefinition},
};

use super::cursor::moved;
use crate::{
    effect::{Effect, ViewAsk},
    key::Action,
    load::{Load, Ticket, Tickets},
    message::Answer,
    text_input::TextInput,
    words,
};

/// The views of a collection.
pub struct Views {
    /// The collection of the table below.
    pub collection: Collection,
    /// How the table below is shown.
    pub now: ViewDefinition,
    /// The views, once they are known.
    pub rows: Option<Vec<View>>,
    /// The view under the cursor.
    pub selected: usize,
    /// A name that is typed: of a view that there is, or of a new one.
    pub naming: Option<(Option<ViewId>, TextInput)>,
    /// The view of which it was asked whether it is to be deleted.
    pub to_delete: Option<ViewId>,
    /// How asking goes.
    pub load: Load,
}

impl Views {
    /// The views of a collection whose table is shown like this.
    pub fn new(collection: Collection, query: &ListQuery, columns: Vec<ViewColumn>) -> Self {
        let now = ViewDefinition::of(String::new(), collection.name.clone(), query, columns);
        Self { collection, now, rows: None, selected: 0, naming: None, to_delete: None, load: Load::default() }
    }

    /// Asks which there are.
    pub fn ask(&mut self, tickets: &Tickets) -> Effect {
        Effect::Views(self.load.begin(tickets), self.collection.name.clone(), ViewAsk::List)
    }

    /// The view under the cursor.
    pub fn current(&self) -> Option<&View> {
        self.rows.as_ref()?.get(self.selected)
    }

    /// Moves the cursor.
    pub fn go(&mut self, action: Action) {
        let rows = self.rows.as_ref().map_or(0, Vec::len);
        self.selected = match action {
            Action::Up => moved(self.selected, -1, rows),
            Action::Down => moved(self.selected, 1, rows),
            Action::First => 0,
            Action::Last => rows.saturating_sub(1),
            _ => self.selected,
        };
    }

    /// Begins to type a name: of the view under the cursor, or of a new one.
    pub fn name(&mut self, is_new: bool) {
        let view = self.current().filter(|_| !is_new);
        let text = view.map_or_else(String::new, |view| view.definition.name.clone());
        self.naming = Some((view.map(|view| view.id), TextInput::line(text)));
    }

    /// What is to be asked with the name that was typed; nothing where there is none.
    pub fn named(&mut self) -> Option<ViewAsk> {
        let (id, text) = self.naming.as_ref()?;
        let name = text.text().trim().to_owned();
        if name.is_empty() {
            return None;
        }
        let ask = match id {
            Some(id) => ViewAsk::Change(*id, member("name", name.into())),
            None => ViewAsk::Keep(Box::new(ViewDefinition { name, ..self.now.clone() })),
        };
        self.naming = None;
        Some(ask)
    }

    /// What shares the view under the cursor, or keeps it for oneself again.
    pub fn share(&self) -> Option<ViewAsk> {
        let view = self.current()?;
        Some(ViewAsk::Change(view.id, member("shared", (!view.definition.shared).into())))
    }

    /// What has the view under the cursor show what the table shows now.
    pub fn overwrite(&self) -> Option<ViewAsk> {
        let view = self.current()?;
        let ViewDefinition { filter, search, ordering, columns, .. } = self.now.clone();
        let members = [
            ("filter", filter.into()),
            ("search", search.into()),
            ("ordering", ordering.into()),
            ("columns", serde_json::json!(columns)),
        ];
        Some(ViewAsk::Change(view.id, members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    }

    /// Whether a user may change the view under the cursor.
    pub fn may_change(&self, user: Option<UserId>, is_admin: bool) -> bool {
        self.current().is_some_and(|view| is_admin || Some(view.owner) == user)
    }

    /// Takes what was told. The cursor stays on its view, or goes to the one that was just made.
    pub fn take(&mut self, ticket: Ticket, answer: Answer<Vec<View>>, made: Option<ViewId>) -> bool {
        if !self.load.finish(ticket) {
            return false;
        }
        match answer {
            Ok(rows) => {
                let on = made.or_else(|| self.current().map(|view| view.id));
                let place = rows.iter().position(|view| Some(view.id) == on);
                self.selected = place.unwrap_or(self.selected).min(rows.len().saturating_sub(1));
                self.rows = Some(rows);
            }
            Err(failure) => self.load.error = Some(words::failure(&failure)),
        }
        true
    }
}

fn member(name: &str, value: serde_json::Value) -> Object {
    [(name.to_owned(), value)].into_iter().collect()
}
