//! The editor's state: `common`'s editor, and what only a screen has beside it (which cards are open, what has been said).

use common::{
    CallError,
    collection::{Definition, DryRun},
    conflict::Refusal,
    editor::Editor,
    operation::{Operation, OperationState},
    text,
};

use super::field::Act;
use crate::words;

/// The state.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) editor: Editor,
    /// Tells cards apart, also while they move.
    pub(crate) ids: Vec<u32>,
    /// Which cards show all they have.
    pub(crate) open: Vec<bool>,
    /// Read out when a field has moved.
    pub(crate) said: String,
    /// Being sent.
    pub(crate) busy: bool,
    /// A change that takes its time, as far as it is.
    pub(crate) changing: Option<Operation>,
    /// Sent and taken.
    pub(crate) is_done: bool,
    /// Somebody else changed the collection meanwhile.
    pub(crate) is_stale: bool,
    /// It was left unsent, and came back.
    pub(crate) is_kept: bool,
    /// Counts beginnings, so that inputs with a memory of their own begin anew too.
    pub(crate) number: u32,
    next_id: u32,
}

impl Draft {
    /// Begins. What exists begins folded up.
    pub(crate) fn new(editor: Editor) -> Self {
        let fields = editor.draft.fields.len();
        let is_new = !editor.is_edit();
        let ids: Vec<u32> = (0..).take(fields).collect();
        Self {
            open: vec![is_new; fields],
            next_id: ids.last().map_or(0, |last| last + 1),
            ids,
            editor,
            said: String::new(),
            busy: false,
            changing: None,
            is_done: false,
            is_stale: false,
            is_kept: false,
            number: 0,
        }
    }

    /// Goes on with what was left unsent, where it is about the same collection.
    pub(crate) fn begin(editor: Editor, left: Option<Self>) -> Self {
        let fits = |left: &Self| {
            let is_same = left.editor.draft.name == editor.draft.name;
            left.editor.is_edit() == editor.is_edit() && (!editor.is_edit() || is_same)
        };
        match left.filter(fits) {
            Some(left) => Self { busy: false, changing: None, is_kept: true, ..left },
            None => Self::new(editor),
        }
    }

    /// Begins anew.
    pub(crate) fn restart(&mut self, editor: Editor) {
        *self = Self { number: self.number + 1, ..Self::new(editor) };
    }

    /// Adds a field at the end, unfolded. The others fold up, so that what is being worked on is what is seen.
    pub(crate) fn add(&mut self) {
        self.editor.add_field();
        for index in 0..self.ids.len() {
            let is_named = self.editor.draft.fields.get(index).is_some_and(|field| !field.name.is_empty());
            self.open[index] &= !is_named || self.editor.has_errors(index);
        }
        self.ids.push(self.next_id);
        self.open.push(true);
        self.next_id += 1;
    }

    /// Does something with a whole field.
    pub(crate) fn act(&mut self, index: usize, act: Act) {
        if index >= self.ids.len() {
            return;
        }
        match act {
            Act::Fold => self.open[index] = !self.open[index],
            Act::Remove => {
                self.editor.remove_field(index);
                self.ids.remove(index);
                self.open.remove(index);
            }
            Act::Up | Act::Down => {
                let to = self.editor.move_field(index, act == Act::Down);
                self.ids.swap(index, to);
                self.open.swap(index, to);
                self.said = words::editor::moved(&self.title(to), to + 1, self.ids.len());
            }
        }
    }

    /// The title of a field's card.
    fn title(&self, index: usize) -> String {
        let name = self.editor.draft.fields.get(index).map_or("", |field| field.name.trim());
        if name.is_empty() { words::editor::UNNAMED.to_owned() } else { text::label(name) }
    }

    /// The body to send, where there are no errors. Otherwise all marks show from now on, and cards that have one unfold.
    pub(crate) fn submit(&mut self) -> Option<Definition> {
        let definition = self.editor.submit();
        self.busy = definition.is_some();
        self.unfold();
        definition
    }

    /// Takes what saving would do.
    pub(crate) fn told(&mut self, told: &DryRun) {
        self.busy = self.editor.preview(told);
        self.unfold();
    }

    /// Takes how a change ended that took its time.
    pub(crate) fn over(&mut self, operation: &Operation) {
        (self.busy, self.changing) = (false, None);
        if operation.state != OperationState::Done {
            self.editor.ended(operation);
            self.unfold();
        }
    }

    /// Takes what the server said.
    pub(crate) fn refused(&mut self, error: &CallError) {
        (self.busy, self.changing) = (false, None);
        self.is_stale = Refusal::of(error, true) == Refusal::Changed;
        self.editor.refuse(error);
        self.unfold();
    }

    fn unfold(&mut self) {
        for index in 0..self.ids.len() {
            self.open[index] |= self.editor.has_errors(index);
        }
    }

    /// What is wrong with the whole, or that there are marks.
    pub(crate) fn messages(&self) -> Vec<String> {
        let mut messages = self.editor.messages();
        if messages.is_empty() && self.editor.shows_errors() {
            messages.push(words::editor::ERRORS.to_owned());
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use common::{
        editor::{FieldPart, Part},
        problem::{FieldError, FieldErrors, Problem},
    };

    use super::*;

    #[test]
    fn what_was_to_be_sent_says_that_there_are_marks() {
        let mut draft = Draft::new(Editor::default());
        draft.editor.write(Part::Name, "Snacks".into());
        assert!(draft.messages().is_empty());
        assert_eq!(draft.submit(), None);
        assert!(draft.editor.has_errors(0));
        assert_eq!(draft.messages(), [words::editor::ERRORS]);
    }

    #[test]
    fn what_was_left_unsent_comes_back_to_its_own_page_only() {
        let mut draft = Draft::new(Editor::default());
        draft.editor.write(Part::Name, "snacks".into());
        let again = Draft::begin(Editor::default(), Some(draft.clone()));
        assert_eq!((again.editor.draft.name.as_str(), again.is_kept), ("snacks", true));
        assert!(!Draft::begin(Editor::default(), None).is_kept);
    }

    #[test]
    fn cards_keep_what_they_are_while_they_move() {
        let mut draft = Draft::new(Editor::default());
        draft.add();
        draft.editor.write(Part::Field(1, FieldPart::Name), "price".into());
        draft.act(0, Act::Fold);
        draft.act(1, Act::Up);
        assert_eq!((&draft.ids, &draft.open), (&vec![1, 0], &vec![true, false]));
        assert_eq!(draft.editor.draft.fields[0].name, "price");
        assert_eq!(draft.said, words::editor::moved("Price", 1, 2));
        draft.act(0, Act::Remove);
        assert_eq!((&draft.ids, draft.editor.draft.fields.len()), (&vec![0], 1));
        draft.add();
        assert_eq!(draft.ids, [0, 2]);
    }

    #[test]
    fn what_the_server_refuses_opens_the_card_that_it_is_about() {
        let mut draft = Draft::new(Editor::default());
        draft.act(0, Act::Fold);
        let errors = FieldErrors::of("fields.0.unique", FieldError::new("unique", "Two records have the same."));
        draft.refused(&CallError::Problem(Box::new(Problem::taken(errors))));
        assert!(draft.open[0]);
    }
}
