//! A form that is being filled in: `common`'s form, one input in focus, and the cursor in it.

use std::collections::BTreeMap;

use common::{
    form::{Form, Input, Widget},
    id::RecordId,
    table::{name_key, named},
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::{
    key::{Action, Context},
    text_input::TextInput,
    words,
};

/// Inputs that a leap goes over.
const LEAP: usize = 8;
/// Groups of inputs that a leap goes over, where there are groups: each has a heading, and indented labels below it.
const GROUPS: usize = 5;
const INDENT: &str = "  ";

/// A form that is being filled in.
pub struct FormState {
    /// The form.
    pub form: Form,
    /// The input in focus.
    pub focus: usize,
    /// The text in focus under its cursor.
    pub text_input: TextInput,
    /// The choice under the cursor, where several may be picked.
    pub choice: usize,
    /// Esc was pressed once over unsaved text.
    pub leaving: bool,
    /// Inputs that must be filled in are marked.
    pub has_marks: bool,
    /// What the records are called that inputs refer to.
    pub names: BTreeMap<String, String>,
}

impl FormState {
    /// Begins with the first input.
    pub fn new(form: Form) -> Self {
        let mut state = Self {
            form,
            focus: 0,
            text_input: TextInput::default(),
            choice: 0,
            leaving: false,
            has_marks: true,
            names: BTreeMap::new(),
        };
        state.go_to(0);
        state
    }

    /// The same, of inputs that always hold something: none is marked.
    pub fn unmarked(form: Form) -> Self {
        Self { has_marks: false, ..Self::new(form) }
    }

    /// What the record is called that an input refers to, where it is known.
    pub fn name_of(&self, input: &Input) -> Option<String> {
        let Widget::Reference(_) = &input.widget else { return None };
        let id = input.text.trim().parse::<RecordId>().ok()?;
        named(&self.names, input.name(), &id.to_value())
    }

    /// Takes a record into the input in focus.
    pub fn refer_to(&mut self, id: RecordId, title: String) {
        if let Some(input) = self.current() {
            self.names.insert(name_key(input.name(), &id.to_value()), title);
        }
        self.set(self.focus, id.to_string());
    }

    /// The input in focus.
    pub fn current(&self) -> Option<&Input> {
        self.form.inputs.get(self.focus)
    }

    /// Puts an input in focus, the cursor at its end.
    pub fn go_to(&mut self, index: usize) {
        self.focus = index.min(self.form.inputs.len().saturating_sub(1));
        let Some(input) = self.form.inputs.get(self.focus) else { return };
        let text = input.text.clone();
        self.text_input = if is_area(&input.widget) { TextInput::area(text) } else { TextInput::line(text) };
        self.choice = 0;
    }

    /// Goes to the next or previous input; at the edge it goes round.
    pub fn step(&mut self, forward: bool) {
        let count = self.form.inputs.len().max(1);
        self.go_to(if forward { (self.focus + 1) % count } else { (self.focus + count - 1) % count });
    }

    /// Goes on or back by several inputs, staying inside.
    pub fn leap(&mut self, forward: bool) {
        let is_heading = |index: &usize| !self.form.inputs[*index].label.starts_with(INDENT);
        let (count, last) = (self.form.inputs.len(), self.form.inputs.len().saturating_sub(1));
        let to = if (0..count).all(|index| is_heading(&index)) {
            if forward { self.focus + LEAP } else { self.focus.saturating_sub(LEAP) }
        } else if forward {
            (self.focus + 1..count).filter(is_heading).nth(GROUPS - 1).unwrap_or(last)
        } else {
            (0..self.focus).rev().filter(is_heading).nth(GROUPS - 1).unwrap_or(0)
        };
        self.go_to(to);
    }

    /// The last input is in focus.
    pub fn is_at_end(&self) -> bool {
        self.focus + 1 >= self.form.inputs.len()
    }

    /// Goes to the first input with something wrong.
    pub fn go_to_error(&mut self) {
        if let Some(index) = self.form.inputs.iter().position(|input| !input.errors.is_empty()) {
            self.go_to(index);
        }
    }

    /// Writes into an input, as if it had been typed.
    pub fn set(&mut self, index: usize, text: String) {
        self.form.set(index, text);
        if index == self.focus {
            self.go_to(index);
        }
    }

    /// Puts another text in place of the one in focus.
    pub fn replace(&mut self, text: &str) {
        if matches!(self.context(), Context::Line | Context::Area) {
            self.form.set(self.focus, text.to_owned());
            self.go_to(self.focus);
        }
    }

    /// How keys are read in focus.
    pub fn context(&self) -> Context {
        match self.current().map(|input| &input.widget) {
            Some(Widget::Toggle | Widget::Select(_)) => Context::Choice,
            Some(Widget::MultiSelect(_)) => Context::Choices,
            Some(widget) if is_area(widget) => Context::Area,
            _ => Context::Line,
        }
    }

    /// Takes a key that no action is bound to.
    pub fn key(&mut self, key: KeyEvent) {
        match self.context() {
            Context::Area if key.modifiers.is_empty() && key.code == KeyCode::Up => {
                if !self.text_input.up() {
                    self.step(false);
                }
            }
            Context::Area if key.modifiers.is_empty() && key.code == KeyCode::Down => {
                if !self.text_input.down() {
                    self.step(true);
                }
            }
            Context::Choice | Context::Choices => {
                if let KeyCode::Char(c) = key.code
                    && !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
                {
                    self.jump(c);
                }
            }
            _ => {
                if self.text_input.key(key) {
                    self.form.set(self.focus, self.text_input.text().to_owned());
                }
            }
        }
    }

    /// Takes a pasted text.
    pub fn paste(&mut self, text: &str) {
        if matches!(self.context(), Context::Line | Context::Area) {
            self.text_input.paste(text);
            self.form.set(self.focus, self.text_input.text().to_owned());
        }
    }

    /// What the input in focus offers.
    pub fn options(&self) -> Vec<String> {
        self.current().map(options).unwrap_or_default()
    }

    /// Chooses or picks.
    pub fn choose(&mut self, action: Action) {
        let options = self.options();
        let Some(input) = self.current() else { return };
        if options.is_empty() {
            return;
        }
        let several = matches!(input.widget, Widget::MultiSelect(_));
        let round = |at: usize, forward: bool| (at + if forward { 1 } else { options.len() - 1 }) % options.len();
        match action {
            Action::Pick if several => {
                let picked = &options[self.choice.min(options.len() - 1)];
                let chosen = |option: &&String| input.text.lines().any(|line| line == option.as_str());
                let text: Vec<&str> =
                    options.iter().filter(|option| chosen(option) != (option == &picked)).map(String::as_str).collect();
                self.form.set(self.focus, text.join("\n"));
            }
            Action::PreviousChoice | Action::NextChoice if several => {
                self.choice = round(self.choice, action == Action::NextChoice);
            }
            _ => {
                let forward = action != Action::PreviousChoice;
                let next = match options.iter().position(|option| *option == input.text) {
                    Some(at) => round(at, forward),
                    None if forward => 0,
                    None => options.len() - 1,
                };
                self.form.set(self.focus, options[next].clone());
            }
        }
    }

    /// Goes to the next option that begins with a letter.
    fn jump(&mut self, letter: char) {
        let options = self.options();
        let several = self.context() == Context::Choices;
        let here = if several {
            Some(self.choice)
        } else {
            self.current().and_then(|input| options.iter().position(|option| *option == input.text))
        };
        let start = here.map_or(0, |here| here + 1);
        let begins = |option: &str| option.chars().next().is_some_and(|c| c.to_lowercase().eq(letter.to_lowercase()));
        let found = (0..options.len())
            .map(|step| (start + step) % options.len())
            .find(|at| begins(&words::option(&options[*at])));
        match found {
            Some(at) if several => self.choice = at,
            Some(at) => self.form.set(self.focus, options[at].clone()),
            None => {}
        }
    }
}

/// Text on several lines.
pub(crate) fn is_area(widget: &Widget) -> bool {
    matches!(widget, Widget::Area | Widget::Json)
}

/// What an input offers to choose from; the empty text stands for nothing.
pub(crate) fn options(input: &Input) -> Vec<String> {
    let nothing = [String::new()].into_iter().filter(|_| input.field.nullable || !input.field.required);
    match &input.widget {
        Widget::Toggle => {
            let nothing = [String::new()].into_iter().filter(|_| input.field.nullable);
            nothing.chain(["false".to_owned(), "true".to_owned()]).collect()
        }
        Widget::Select(choices) => nothing.chain(choices.iter().cloned()).collect(),
        Widget::MultiSelect(choices) => choices.clone(),
        _ => Vec::new(),
    }
}
