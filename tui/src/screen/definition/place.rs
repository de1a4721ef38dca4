//! The parts of the collection editor, each of which one input holds: where it is read and written, what it is called, how
//! it is filled in.

use common::{
    access::Action as Access,
    editor::{Editor, ON_DELETE_HELP, OptionKind, TYPE_HELP},
    field::{Field, FieldType, OnDelete},
};

use crate::words;

/// A part of the editor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Name,
    Description,
    Field(usize, Part),
    Access(usize),
}

/// A part of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Name,
    Type,
    Required,
    Nullable,
    Unique,
    Indexed,
    Default,
    Help,
    Option(&'static str, &'static str, OptionKind),
}

impl Part {
    /// The member of a field's definition.
    fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Type => "type",
            Self::Required => "required",
            Self::Nullable => "nullable",
            Self::Unique => "unique",
            Self::Indexed => "indexed",
            Self::Default => "default",
            Self::Help => "help",
            Self::Option(name, ..) => name,
        }
    }

    fn is_flag(self) -> bool {
        use Part::{Indexed, Nullable, Option, Required, Unique};
        matches!(self, Required | Nullable | Unique | Indexed | Option(_, _, OptionKind::Flag))
    }
}

impl Place {
    /// The name under which the server and the editor say what is wrong here.
    pub fn error_name(self) -> String {
        match self {
            Self::Name => "name".to_owned(),
            Self::Description => "description".to_owned(),
            Self::Field(index, part) => format!("fields.{index}.{}", part.name()),
            Self::Access(action) => format!("access.{}", Access::ALL[action].name()),
        }
    }

    /// What it is called.
    pub fn label(self) -> String {
        match self {
            Self::Name => words::COLLECTION_COLUMNS[0].to_owned(),
            Self::Description => words::COLLECTION_COLUMNS[2].to_owned(),
            Self::Access(action) => words::who_may(Access::ALL[action]).to_owned(),
            Self::Field(index, Part::Name) => words::field_number(index + 1),
            Self::Field(_, Part::Option(_, label, _)) => format!("  {label}"),
            Self::Field(_, part) => format!("  {}", words::part(part.name())),
        }
    }

    /// What it holds, as the text of an input.
    pub fn read(self, editor: &Editor) -> String {
        let (draft, part) = match self {
            Self::Name => return editor.name.clone(),
            Self::Description => return editor.description.clone(),
            Self::Access(action) => return editor.access[action].clone(),
            Self::Field(index, part) => (&editor.fields[index], part),
        };
        match part {
            Part::Name => draft.name.clone(),
            Part::Type => draft.kind.clone(),
            Part::Required => draft.required.to_string(),
            Part::Nullable => draft.nullable.to_string(),
            Part::Unique => draft.unique.to_string(),
            Part::Indexed => draft.indexed.to_string(),
            Part::Default => draft.default.clone(),
            Part::Help => draft.help.clone(),
            Part::Option(name, _, OptionKind::Flag) => (draft.option(name) == "true").to_string(),
            Part::Option(name, ..) => draft.option(name).to_owned(),
        }
    }

    /// Takes the text of an input.
    pub fn write(self, editor: &mut Editor, text: String) {
        let (index, part) = match self {
            Self::Name => return editor.name = text,
            Self::Description => return editor.description = text,
            Self::Access(action) => return editor.access[action] = text,
            Self::Field(index, part) => (index, part),
        };
        let Some(draft) = editor.fields.get_mut(index) else { return };
        let flag = text == "true";
        match part {
            Part::Name => draft.name = text,
            Part::Type => draft.kind = text,
            Part::Required => draft.required = flag,
            Part::Nullable => draft.nullable = flag,
            Part::Unique => draft.unique = flag,
            Part::Indexed => draft.indexed = flag,
            Part::Default => draft.default = text,
            Part::Help => draft.help = text,
            Part::Option(name, _, OptionKind::Flag) if !flag => draft.set_option(name, ""),
            Part::Option(name, ..) => draft.set_option(name, text),
        }
    }

    /// The field that its input fills; `collections` are those that a reference can point to.
    pub fn field(self, editor: &Editor, collections: &[String]) -> Option<Field> {
        let choice = |choices: Vec<String>| FieldType::Choice { choices, many: false };
        let words = |words: &[&str]| choice(words.iter().map(|word| (*word).to_owned()).collect());
        let text = |multiline| FieldType::Text { min_length: None, max_length: None, pattern: None, multiline };
        let (kind, help) = match self {
            Self::Name | Self::Field(_, Part::Name) => (text(false), words::NAME_HINT.to_owned()),
            Self::Access(_) => (text(false), words::ACCESS_HINT.to_owned()),
            Self::Field(_, part) if part.is_flag() => (FieldType::Boolean, String::new()),
            Self::Field(index, Part::Type) => {
                let word = &editor.fields[index].kind;
                let help = TYPE_HELP.iter().find(|(known, _)| known == word).map_or("", |(_, help)| help);
                (words(&FieldType::WORDS), help.to_owned())
            }
            Self::Field(_, Part::Default) => (text(false), words::DEFAULT_HINT.to_owned()),
            Self::Field(_, Part::Option(_, _, OptionKind::OnDelete)) => {
                let help = ON_DELETE_HELP.map(|(word, help)| format!("{word}: {help}."));
                (words(&OnDelete::WORDS), help.join(" "))
            }
            Self::Field(_, Part::Option(_, _, OptionKind::Collection)) => (choice(collections.to_vec()), String::new()),
            Self::Field(_, Part::Option(_, _, OptionKind::Lines)) => (text(true), String::new()),
            Self::Description | Self::Field(..) => (text(false), String::new()),
        };
        let mut field = Field::new("part".parse().ok()?, kind);
        field.required = matches!(self, Self::Name | Self::Field(_, Part::Name | Part::Type));
        field.help = help;
        Some(field)
    }
}
