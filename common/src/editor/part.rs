//! The parts of a definition, each of which one input holds: what it is called, how it is filled in, where errors about it stand.

use super::{
    options::{FieldOption, OptionKind, TYPE_HELP, options},
    steps::is_step,
};
use crate::{
    access::Action,
    field::{Field, FieldType},
};

/// A part of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The collection's name.
    Name,
    /// The sentence about it.
    Description,
    /// A part of the field at this index.
    Field(usize, FieldPart),
    /// The indexes over several fields, one a line.
    Indexes,
    /// The rules of one of [`Action::ALL`], with commas between them.
    Access(usize),
    /// How much of its records' history is kept.
    History,
    /// Whether its records' ids are numbers.
    Ids,
    /// Whether values may go that saving drops; a part only while that is asked.
    Drop,
}

/// A part of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // Each is the member of the same name; `IgnoreCase` is `unique` whatever the case.
pub enum FieldPart {
    Name,
    Type,
    Required,
    Nullable,
    Unique,
    IgnoreCase,
    Indexed,
    Searchable,
    Display,
    Default,
    Help,
    /// An option of the field's type, or a step of how the values that there are become what they are to be.
    Option(&'static FieldOption),
}

impl FieldPart {
    /// The flags that a field of this type has.
    pub fn flags(kind: &str) -> &'static [Self] {
        if FieldType::has_case(kind) {
            &[
                Self::Required,
                Self::Nullable,
                Self::Unique,
                Self::IgnoreCase,
                Self::Indexed,
                Self::Searchable,
                Self::Display,
            ]
        } else {
            &[Self::Required, Self::Nullable, Self::Unique, Self::Indexed, Self::Searchable, Self::Display]
        }
    }

    /// All parts of a field of this type, in the order in which they are shown.
    pub fn all(kind: &str) -> Vec<Self> {
        let mut parts = vec![Self::Name, Self::Type];
        parts.extend(options(kind).iter().map(Self::Option));
        parts.extend(Self::flags(kind));
        parts.extend([Self::Default, Self::Help]);
        parts
    }

    /// Its member in a field's definition.
    pub fn member(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Type => "type",
            Self::Required => "required",
            Self::Nullable => "nullable",
            Self::Unique => "unique",
            Self::IgnoreCase => "ignore_case",
            Self::Indexed => "indexed",
            Self::Searchable => "searchable",
            Self::Display => "display",
            Self::Default => "default",
            Self::Help => "help",
            Self::Option(option) => option.member,
        }
    }

    /// Its label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Type => "Type",
            Self::Required => "Required",
            Self::Nullable => "May be null",
            Self::Unique => "Unique",
            Self::IgnoreCase => "Unique in any case",
            Self::Indexed => "Indexed",
            Self::Searchable => "Searchable",
            Self::Display => "Title",
            Self::Default => "Default",
            Self::Help => "Help",
            Self::Option(option) => option.label,
        }
    }

    /// A short sentence on what it means.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Name => "Small letters a to z, digits and underscores; a letter comes first.",
            Self::Required => "Must be filled in.",
            Self::Nullable => "May have no value at all.",
            Self::Unique => "No two records have the same.",
            Self::IgnoreCase => "Nor the same in other letters: ADA is ada.",
            Self::Indexed => "Filters and sorting by it are fast.",
            Self::Searchable => "A search looks for words in it, and is fast.",
            Self::Display => "Records are called by it, where others refer to them. One field of a collection.",
            Self::Default => "What a new record has where nothing is filled in. Empty for none.",
            Self::Help => "A sentence for those who fill it in.",
            Self::Type => "",
            Self::Option(option) => option.hint,
        }
    }

    /// It says how the values that there are become what they are to be.
    pub(super) fn is_step(self) -> bool {
        matches!(self, Self::Option(option) if is_step(option))
    }

    /// It is yes or no.
    pub fn is_flag(self) -> bool {
        match self {
            Self::Required
            | Self::Nullable
            | Self::Unique
            | Self::IgnoreCase
            | Self::Indexed
            | Self::Searchable
            | Self::Display => true,
            Self::Option(option) => option.kind == OptionKind::Flag,
            Self::Name | Self::Type | Self::Default | Self::Help => false,
        }
    }
}

impl Part {
    /// The path under which the server and the editor say what is wrong with it.
    pub fn path(self) -> String {
        match self {
            Self::Name => "name".to_owned(),
            Self::Description => "description".to_owned(),
            Self::Field(index, part) => format!("fields.{index}.{}", part.member()),
            Self::Indexes => "indexes".to_owned(),
            Self::Access(action) => format!("access.{}", Action::ALL[action].name()),
            Self::History => "history".to_owned(),
            Self::Ids => "ids".to_owned(),
            Self::Drop => "drop".to_owned(),
        }
    }

    /// Its label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Description => "Description",
            Self::Field(_, part) => part.label(),
            Self::Indexes => "Indexes",
            Self::Access(action) => match Action::ALL[action] {
                Action::List => "Who may list",
                Action::View => "Who may view",
                Action::Create => "Who may create",
                Action::Update => "Who may update",
                Action::Delete => "Who may delete",
            },
            Self::History => "History",
            Self::Ids => "Records have numbers",
            Self::Drop => "The values may go",
        }
    }

    /// A short sentence on what it means.
    pub fn hint(self) -> &'static str {
        match self {
            Self::Name => "As in addresses and the API: a to z, 0 to 9 and _. It cannot be changed later.",
            Self::Description => "A sentence for those who use it.",
            Self::Field(_, part) => part.hint(),
            Self::Indexes => {
                "Over several fields, one a line: kind, -price makes lists of a kind by price fast; unique owner, slug keeps both together unique."
            }
            Self::Access(_) => {
                "anyone, signed_in, owner, role:<name> or nobody; several with commas. Admins may always."
            }
            Self::History => {
                "all, none, or how many changes of a record are kept and for how long: 1000 versions, 365d. A day is always kept."
            }
            Self::Ids => "Ids are 1, 2, 3 and so on, and not long codes. It can be chosen while there are no records.",
            Self::Drop => "They come back where this is undone, as long as the records' history is kept.",
        }
    }

    /// The field that its input fills, where all parts are inputs of one form: `kind` is the word of its field's type,
    /// `collections` are those that a reference can point to.
    pub fn as_field(self, kind: &str, collections: &[String]) -> Option<Field> {
        let choice = |choices: Vec<String>| FieldType::Choice { choices, many: false };
        let words = |words: &[&str]| choice(words.iter().map(|word| (*word).to_owned()).collect());
        let text = |multiline| FieldType::Text { min_length: None, max_length: None, pattern: None, multiline };
        let mut help = self.hint().to_owned();
        let field_type = match self {
            Self::Drop | Self::Ids => FieldType::Boolean,
            Self::Field(_, part) if part.is_flag() => FieldType::Boolean,
            Self::Field(_, FieldPart::Type) => {
                TYPE_HELP.iter().find(|(known, _)| *known == kind).map_or("", |(_, help)| help).clone_into(&mut help);
                words(&FieldType::WORDS)
            }
            Self::Field(_, FieldPart::Option(option)) => match option.kind {
                OptionKind::Words(known) => {
                    let known: Vec<_> = known.iter().filter(|(word, _)| !word.is_empty()).collect();
                    let told: Vec<_> = known.iter().map(|(word, help)| format!("{word}: {help}.")).collect();
                    help = told.join(" ");
                    choice(known.iter().map(|(word, _)| (*word).to_owned()).collect())
                }
                OptionKind::Collection => choice(collections.to_vec()),
                kind => text(kind == OptionKind::Lines),
            },
            Self::Indexes => text(true),
            Self::Name | Self::Description | Self::Field(..) | Self::Access(_) | Self::History => text(false),
        };
        let required = matches!(self, Self::Name | Self::Field(_, FieldPart::Name | FieldPart::Type));
        Some(Field { required, help, ..Field::new("part".parse().ok()?, field_type) })
    }
}
