//! The editor's state: `common`'s editor, and what only a screen has beside it (which cards are open, what has been said).

use common::{
    CallError,
    access::Action,
    collection::Definition,
    editor::{Editor, FieldDraft},
    text,
};

use super::field::Act;
use crate::{model::Change, words};

/// The state.
#[derive(Debug, Clone)]
pub struct Draft {
    pub editor: Editor,
    /// Tells cards apart, also while they move.
    pub ids: Vec<u32>,
    /// Which cards show all they have.
    pub open: Vec<bool>,
    /// Read out when a field has moved.
    pub said: String,
    /// Being sent.
    pub busy: bool,
    /// Something was typed.
    pub is_touched: bool,
    /// Sent and taken.
    pub is_done: bool,
    /// Somebody else changed the collection meanwhile.
    pub is_stale: bool,
    /// It was left unsent, and came back.
    pub is_kept: bool,
    /// Counts beginnings, so that inputs with a memory of their own begin anew too.
    pub number: u32,
    /// It was to be sent once already, so that also what is still empty is marked.
    tried: bool,
    /// The marks are the server's, and stay until something is changed.
    refused: bool,
    next_id: u32,
}

impl Draft {
    /// Begins. What exists begins folded up.
    pub fn new(editor: Editor) -> Self {
        let fields = editor.fields.len();
        let is_new = !editor.is_edit();
        let ids: Vec<u32> = (0..).take(fields).collect();
        Self {
            open: vec![is_new; fields],
            next_id: ids.last().map_or(0, |last| last + 1),
            ids,
            editor,
            said: String::new(),
            busy: false,
            is_touched: false,
            is_done: false,
            is_stale: false,
            is_kept: false,
            number: 0,
            tried: false,
            refused: false,
        }
    }

    /// Goes on with what was left unsent, where it is about the same collection.
    pub fn begin(editor: Editor, left: Option<Self>) -> Self {
        let fits = |left: &Self| {
            left.editor.is_edit() == editor.is_edit() && (!editor.is_edit() || left.editor.name == editor.name)
        };
        match left.filter(fits) {
            Some(left) => Self { busy: false, is_kept: true, ..left },
            None => Self::new(editor),
        }
    }

    /// Begins anew.
    pub fn restart(&mut self, editor: Editor) {
        *self = Self { number: self.number + 1, ..Self::new(editor) };
    }

    /// Changes something and reads it all again.
    pub fn edit(&mut self, change: impl FnOnce(&mut Editor)) {
        change(&mut self.editor);
        self.is_touched = true;
        self.refused = false;
        self.editor.definition();
    }

    /// Changes a field.
    pub fn edit_field(&mut self, index: usize, change: Change<FieldDraft>) {
        self.edit(|editor| {
            if let Some(field) = editor.fields.get_mut(index) {
                change(field);
            }
        });
    }

    /// Adds a field at the end, unfolded. The others fold up, so that what is being worked on is what is seen.
    pub fn add(&mut self) {
        self.edit(Editor::add_field);
        for index in 0..self.ids.len() {
            let is_named = self.editor.fields.get(index).is_some_and(|field| !field.name.is_empty());
            self.open[index] &= !is_named || !self.field_errors(index).is_empty();
        }
        self.ids.push(self.next_id);
        self.open.push(true);
        self.next_id += 1;
    }

    /// Does something with a whole field.
    pub fn act(&mut self, index: usize, act: Act) {
        if index >= self.ids.len() {
            return;
        }
        match act {
            Act::Fold => self.open[index] = !self.open[index],
            Act::Remove => {
                self.edit(|editor| editor.remove_field(index));
                self.ids.remove(index);
                self.open.remove(index);
            }
            Act::Up | Act::Down => {
                let mut to = index;
                self.edit(|editor| to = editor.move_field(index, act == Act::Down));
                self.ids.swap(index, to);
                self.open.swap(index, to);
                self.said = words::editor::moved(&self.title(to), to + 1, self.ids.len());
            }
        }
    }

    /// What a field is called on its card.
    fn title(&self, index: usize) -> String {
        let name = self.editor.fields.get(index).map_or("", |field| field.name.trim());
        if name.is_empty() { words::editor::UNNAMED.to_owned() } else { text::label(name) }
    }

    /// What to send, where nothing is wrong. Otherwise all marks show from now on, and cards that have one unfold.
    pub fn submit(&mut self) -> Option<Definition> {
        self.tried = true;
        self.refused = false;
        let definition = self.editor.definition();
        self.busy = definition.is_some();
        self.unfold();
        definition
    }

    /// Takes what the server said.
    pub fn refused(&mut self, error: &CallError) {
        self.busy = false;
        self.refused = true;
        self.is_stale = error.status() == 412;
        match error.problem() {
            // Sign-in stands over the page by now.
            Some(problem) if problem.status == 401 => self.refused = false,
            Some(problem) => self.editor.refuse(problem),
            None => self.editor.message = Some(error.to_string()),
        }
        self.unfold();
    }

    fn unfold(&mut self) {
        for index in 0..self.ids.len() {
            self.open[index] |= !self.field_errors(index).is_empty();
        }
    }

    /// The message at a place, if it is time to show it: what is still empty is not wrong before it was to be sent.
    pub fn error(&self, place: &str) -> Option<String> {
        let is_empty = match place {
            "name" => self.editor.name.is_empty(),
            _ => false,
        };
        let message = self.editor.error(place)?;
        (self.tried || self.refused || !is_empty).then(|| message.to_owned())
    }

    /// The messages of a field, by member.
    pub fn field_errors(&self, index: usize) -> Vec<(String, String)> {
        let prefix = format!("fields.{index}.");
        let Some(field) = self.editor.fields.get(index) else { return Vec::new() };
        let errors = self.editor.errors.0.iter().filter_map(|(place, errors)| {
            let member = place.strip_prefix(&prefix)?;
            let is_empty = match member {
                "name" => field.name.is_empty(),
                "choices" | "collection" => field.option(member).is_empty(),
                _ => false,
            };
            let message = errors.first()?.message.clone();
            (self.tried || self.refused || !is_empty).then(|| (member.to_owned(), message))
        });
        errors.collect()
    }

    /// Which of the five actions has rules that cannot be read.
    pub fn access_errors(&self) -> [bool; 5] {
        Action::ALL.map(|action| self.editor.error(&format!("access.{}", action.name())).is_some())
    }

    /// What is wrong with the whole: what the server said, what has no place of its own, or that there are marks.
    pub fn messages(&self) -> Vec<String> {
        let mut messages: Vec<String> = self.editor.message.iter().cloned().collect();
        let has_place = |place: &str| {
            place == "name"
                || place
                    .strip_prefix("access.")
                    .is_some_and(|action| Action::ALL.iter().any(|known| known.name() == action))
                || place.strip_prefix("fields.").is_some_and(|rest| {
                    rest.split_once('.')
                        .is_some_and(|(index, _)| index.parse().is_ok_and(|n: usize| n < self.ids.len()))
                })
        };
        let homeless = self.editor.errors.0.iter().filter(|(place, _)| !has_place(place));
        messages.extend(homeless.flat_map(|(place, errors)| {
            // What is wrong with the records stands under a field's name.
            errors.iter().map(move |error| format!("{}: {}", text::label(place), error.message))
        }));
        if messages.is_empty() && self.tried && !self.editor.errors.is_empty() {
            messages.push(words::editor::FAULTS.to_owned());
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use common::problem::{FieldError, FieldErrors, Problem};

    use super::*;

    #[test]
    fn what_is_still_empty_is_not_wrong_before_it_was_to_be_sent() {
        let mut draft = Draft::new(Editor::default());
        draft.edit(|editor| editor.description = "d".into());
        assert_eq!((draft.error("name"), draft.field_errors(0), draft.messages()), (None, vec![], vec![]));
        draft.edit(|editor| editor.name = "Snacks".into());
        assert!(draft.error("name").is_some());
        assert_eq!(draft.submit(), None);
        assert_eq!(draft.field_errors(0)[0].0, "name");
        assert_eq!(draft.messages(), [words::editor::FAULTS]);
    }

    #[test]
    fn what_was_left_unsent_comes_back_to_its_own_page_only() {
        let mut draft = Draft::new(Editor::default());
        draft.edit(|editor| editor.name = "snacks".into());
        let again = Draft::begin(Editor::default(), Some(draft.clone()));
        assert_eq!((again.editor.name.as_str(), again.is_kept), ("snacks", true));
        assert!(!Draft::begin(Editor::default(), None).is_kept);
    }

    #[test]
    fn cards_keep_what_they_are_while_they_move() {
        let mut draft = Draft::new(Editor::default());
        draft.add();
        draft.edit_field(1, Box::new(|field| field.name = "price".into()));
        draft.act(0, Act::Fold);
        draft.act(1, Act::Up);
        assert_eq!((&draft.ids, &draft.open), (&vec![1, 0], &vec![true, false]));
        assert_eq!(draft.editor.fields[0].name, "price");
        assert_eq!(draft.said, words::editor::moved("Price", 1, 2));
        draft.act(0, Act::Remove);
        assert_eq!((&draft.ids, draft.editor.fields.len()), (&vec![0], 1));
        draft.add();
        assert_eq!(draft.ids, [0, 2]);
    }

    #[test]
    fn what_the_server_refuses_is_shown_where_it_belongs_and_folded_cards_open() {
        let mut draft = Draft::new(Editor::default());
        draft.act(0, Act::Fold);
        let mut errors = FieldErrors::of("fields.0.unique", FieldError::new("unique", "Two records have the same."));
        errors.push("zzz", FieldError::new("unknown", "There is no field of this name."));
        draft.refused(&CallError::Problem(Box::new(Problem::taken(errors))));
        assert_eq!(draft.field_errors(0), [("unique".to_owned(), "Two records have the same.".to_owned())]);
        assert!(draft.open[0]);
        assert_eq!(draft.messages()[1], "Zzz: There is no field of this name.");
    }
}
