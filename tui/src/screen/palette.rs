//! The command palette: every action of the screen, every collection, and records by words, found by typing.

use common::{
    name::CollectionName,
    text::{has_words, single_line},
};

use crate::{key::Action, text_input::TextInput, words};

/// What an entry does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// What a key would do.
    Act(Action),
    /// Opens a collection's table.
    Open(CollectionName),
    /// Looks for words in the table that is open.
    Search(String),
    /// Goes to a page of the table that is open.
    Page(u64),
    /// Goes to a row of it.
    Row(u64),
}

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it says.
    pub label: String,
    /// The key that does the same, where there is one.
    pub key: String,
    /// What it does.
    pub choice: Choice,
}

/// The command palette.
pub struct Palette {
    /// What was typed.
    pub text_input: TextInput,
    /// The entry under the cursor, among those that match.
    pub selected: usize,
    /// All entries.
    entries: Vec<Entry>,
    /// The table that is open, where one is.
    table: Option<String>,
}

impl Palette {
    /// Offers these.
    pub fn new(entries: Vec<Entry>, table: Option<String>) -> Self {
        Self { text_input: TextInput::default(), selected: 0, entries, table }
    }

    /// Offers these collections, and no others.
    pub fn know<'a>(&mut self, names: impl Iterator<Item = &'a CollectionName>) {
        self.entries.retain(|entry| !matches!(entry.choice, Choice::Open(_)));
        self.entries.extend(names.map(|name| Entry {
            label: words::open_collection(name),
            key: String::new(),
            choice: Choice::Open(name.clone()),
        }));
    }

    /// The entries that match what was typed: all of its words stand in them.
    pub fn matches(&self) -> Vec<Entry> {
        let typed = self.text_input.text().trim();
        let fits = |entry: &&Entry| has_words(&entry.label, typed);
        let mut found: Vec<Entry> = self.entries.iter().filter(fits).cloned().collect();
        let Some(table) = self.table.as_ref().filter(|_| !typed.is_empty()) else { return found };
        let entry = |label: String, choice: Choice| Entry { label, key: String::new(), choice };
        if let Ok(number) = typed.parse() {
            found.push(entry(words::go_to_page(number), Choice::Page(number)));
            found.push(entry(words::go_to_row(number), Choice::Row(number)));
        }
        found.push(entry(words::search_in(table, &single_line(typed)), Choice::Search(typed.to_owned())));
        found
    }

    /// Moves the cursor.
    pub fn step(&mut self, is_down: bool) {
        let count = self.matches().len().max(1);
        self.selected = (self.selected.min(count - 1) + if is_down { 1 } else { count - 1 }) % count;
    }

    /// What is under the cursor.
    pub fn choice(&self) -> Option<Choice> {
        let mut found = self.matches();
        (self.selected < found.len()).then(|| found.swap_remove(self.selected).choice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_find_entries_wherever_they_stand() {
        let entry = |label: &str, choice| Entry { label: label.to_owned(), key: String::new(), choice };
        let entries = vec![
            entry("Sort by the column", Choice::Act(Action::Sort)),
            entry("Open snacks", Choice::Open("snacks".parse().unwrap())),
        ];
        let mut palette = Palette::new(entries.clone(), None);
        assert_eq!(palette.matches().len(), 2);
        palette.text_input = TextInput::line("COLUMN so");
        assert_eq!(palette.choice(), Some(Choice::Act(Action::Sort)));
        palette.text_input = TextInput::line("nothing");
        assert_eq!(palette.choice(), None);
        palette.step(true);
        let mut palette = Palette::new(entries, Some("snacks".to_owned()));
        palette.text_input = TextInput::line("200");
        assert_eq!(palette.choice(), Some(Choice::Page(200)));
        palette.step(false);
        assert_eq!(palette.choice(), Some(Choice::Search("200".to_owned())));
    }
}
