//! How the values that there are become values of a field that is defined otherwise: the steps of a [`Conversion`], which of them there are
//! from one type to another, and what is typed for them as a definition has it. What loses nothing needs none.
//!
//! [`Conversion`]: crate::conversion::Conversion

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::options::{FieldOption, OptionKind};

/// How a type's values look: its word, and whether there are several in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape<'a> {
    pub(super) kind: &'a str,
    pub(super) many: bool,
}

/// What the members of steps begin with, which in a definition have one member, `convert`.
const PREFIX: &str = "convert_";

/// How texts are read as numbers.
const NUMBERS: &[(&str, &str)] = &[
    ("", "no"),
    ("number", "as all of them are written, where they tell"),
    ("point", "a point stands before the fraction: 1,234.50"),
    ("comma", "a comma stands before the fraction: 1.234,50"),
];

/// All steps, in the order in which they are gone through.
const STEPS: &[FieldOption] = &[
    FieldOption::new("convert_trim", "Trim spaces at the ends", OptionKind::Flag),
    FieldOption::new("convert_lower", "Put into small letters", OptionKind::Flag),
    FieldOption::new("convert_map", "Replace values", OptionKind::Lines)
        .hinted("One on a line: old = new. Without an old one: what is empty."),
    FieldOption::new("convert_first", "Keep the first of several", OptionKind::Flag),
    FieldOption::new("convert_text", "Write as text", OptionKind::Flag),
    FieldOption::new("convert_number", "Read as numbers", OptionKind::Words(NUMBERS)),
    FieldOption::new("convert_round", "Round", OptionKind::Flag),
    FieldOption::new("convert_date", "Leave out time of day and offset", OptionKind::Flag),
    FieldOption::new("convert_pattern", "Read as days written so", OptionKind::Text)
        .hinted("DD.MM.YYYY, in any order; moments have hh, mm and ss too."),
    FieldOption::new("convert_boolean", "Read as yes and no", OptionKind::Flag),
    FieldOption::new("convert_null", "Empty what does not fit", OptionKind::Flag),
    FieldOption::new("convert_default", "Put in place of what does not fit", OptionKind::Text),
];

/// What the records that exist get in a new field.
pub(super) const VALUE: FieldOption =
    FieldOption::new("value", "Value for the records that exist", OptionKind::Text).hinted("Empty: the default.");

impl Shape<'_> {
    fn has_texts(self) -> bool {
        matches!(self.kind, "text" | "email" | "url" | "choice" | "json")
    }

    /// The steps from values of one field to those of another, which may be null or not.
    pub(super) fn steps(self, to: Self, nullable: bool) -> impl Iterator<Item = &'static FieldOption> {
        let is_number = matches!(to.kind, "integer" | "decimal");
        let is_date = matches!(to.kind, "date" | "datetime");
        let is_offered = move |step: &&FieldOption| match word(step) {
            "trim" | "lower" => self.has_texts() && !matches!(to.kind, "json"),
            "first" => (self.many || self.kind == "json") && !to.many && to.kind != "json",
            "text" => {
                (self.many || self.kind == "json") && !to.many && matches!(to.kind, "text" | "email" | "url" | "choice")
            }
            "number" => self.has_texts() && is_number,
            "round" => is_number && (self.has_texts() || self.kind == "decimal"),
            "date" => is_date && (self.has_texts() || (self.kind == "datetime" && to.kind == "date")),
            "pattern" => is_date && self.has_texts(),
            "boolean" => to.kind == "boolean" && (self.has_texts() || matches!(self.kind, "integer" | "decimal")),
            "null" => nullable,
            _ => true,
        };
        STEPS.iter().filter(is_offered)
    }
}

/// A step's word in a definition; of what is no step its member.
pub(super) fn word(step: &FieldOption) -> &'static str {
    step.member.strip_prefix(PREFIX).unwrap_or(step.member)
}

/// Whether an option is a step.
pub(super) fn is_step(option: &FieldOption) -> bool {
    option.member.starts_with(PREFIX)
}

/// A step as a definition has it, with what is typed for it; `typed` reads a value of the field.
pub(super) fn to_json(step: &FieldOption, text: &str, typed: impl Fn(&str) -> Value) -> Option<Value> {
    let word = word(step);
    Some(match (word, text) {
        (_, "") => return None,
        ("number", "number") => word.into(),
        ("number", mark) => json!({ word: mark }),
        ("pattern", pattern) => json!({"date": pattern.trim()}),
        ("default", text) => json!({ word: typed(text) }),
        ("map", text) => {
            let pairs = text.lines().filter_map(|line| line.split_once('='));
            let map: BTreeMap<&str, Value> = pairs.map(|(old, new)| (old.trim(), typed(new.trim()))).collect();
            json!({ word: map })
        }
        _ => word.into(),
    })
}
