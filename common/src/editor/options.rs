//! The options that each field type has, as the editor offers them, and what types and words mean.

use crate::field::{FieldType, OnDelete};

/// How an option of a field type is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionKind {
    /// A whole number.
    Number,
    /// A text.
    Text,
    /// `true` or empty.
    Flag,
    /// Several texts, a line each.
    Lines,
    /// The name of a collection.
    Collection,
    /// One of these words, each with what it means. Nothing stands for the first.
    Words(&'static [(&'static str, &'static str)]),
}

/// One option of a field type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldOption {
    /// Its member in the definition.
    pub member: &'static str,
    /// Its label.
    pub label: &'static str,
    /// How it is typed.
    pub kind: OptionKind,
    /// A short sentence on what it means, where its label does not say it.
    pub hint: &'static str,
}

impl FieldOption {
    pub(super) const fn new(member: &'static str, label: &'static str, kind: OptionKind) -> Self {
        Self { member, label, kind, hint: "" }
    }

    pub(super) const fn hinted(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }
}

const TEXT: &[FieldOption] = &[
    FieldOption::new("min_length", "Shortest", OptionKind::Number),
    FieldOption::new("max_length", "Longest", OptionKind::Number),
    FieldOption::new("pattern", "Pattern", OptionKind::Text),
    FieldOption::new("multiline", "Several lines", OptionKind::Flag),
];
const INTEGER: &[FieldOption] =
    &[FieldOption::new("min", "At least", OptionKind::Number), FieldOption::new("max", "At most", OptionKind::Number)];
const DECIMAL: &[FieldOption] = &[
    FieldOption::new("min", "At least", OptionKind::Text),
    FieldOption::new("max", "At most", OptionKind::Text),
    FieldOption::new("places", "Digits after the point", OptionKind::Number),
];
const CHOICE: &[FieldOption] = &[
    FieldOption::new("choices", "Choices, one on a line", OptionKind::Lines),
    FieldOption::new("many", "Several at once", OptionKind::Flag),
];
const REFERENCE: &[FieldOption] = &[
    FieldOption::new("collection", "Collection", OptionKind::Collection),
    FieldOption::new("many", "Several at once", OptionKind::Flag),
    FieldOption::new("on_delete", "When that is deleted", OptionKind::Words(&ON_DELETE_HELP)),
];
const JSON: &[FieldOption] = &[FieldOption::new("max_bytes", "At most so many bytes", OptionKind::Number)];

/// The options that fields of a type have, by its word.
pub fn options(word: &str) -> &'static [FieldOption] {
    match word {
        "text" => TEXT,
        "integer" => INTEGER,
        "decimal" => DECIMAL,
        "choice" => CHOICE,
        "reference" => REFERENCE,
        "json" => JSON,
        _ => &[],
    }
}

/// The words for `on_delete`, and what they mean.
const ON_DELETE_HELP: [(&str, &str); 3] = [
    (OnDelete::WORDS[0], "refuse the deletion"),
    (OnDelete::WORDS[1], "delete this record too, also for those who may not see it"),
    (OnDelete::WORDS[2], "make this empty, also for those who may not change it"),
];

/// Every type's word with what it is for.
pub const TYPE_HELP: [(&str, &str); 11] = [
    (FieldType::WORDS[0], "Text"),
    (FieldType::WORDS[1], "Whole number"),
    (FieldType::WORDS[2], "Exact decimal number"),
    (FieldType::WORDS[3], "Yes or no"),
    (FieldType::WORDS[4], "Day"),
    (FieldType::WORDS[5], "Moment"),
    (FieldType::WORDS[6], "E-mail address"),
    (FieldType::WORDS[7], "Web address"),
    (FieldType::WORDS[8], "Choice from a list"),
    (FieldType::WORDS[9], "Record of another collection"),
    (FieldType::WORDS[10], "Any JSON"),
];
