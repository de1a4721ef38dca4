//! What a change did to a record, field by field and word by word, as people read it.

use serde_json::Value;

use crate::{Object, text::multi_line};

/// Words on either side beyond which a text is told as a whole.
const MOST_WORDS: usize = 600;

/// What became of a piece of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It stayed.
    Same,
    /// It is gone.
    Gone,
    /// It is new.
    New,
}

/// A piece of a value; safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What became of it.
    pub fate: Fate,
    /// It.
    pub text: String,
}

/// What became of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldDiff {
    /// Its name.
    pub field: String,
    /// Its value, in pieces.
    pub pieces: Vec<Piece>,
}

/// Members that change with every change, and say nothing.
const OURS: [&str; 4] = ["id", "created_at", "updated_at", "revision"];

/// The fields that differ, in the order in which the record has them. Of what was made or deleted the owner says nothing new. `called` knows what
/// people read in place of a field's value, if that is an id.
pub fn fields(before: &Value, after: &Value, called: impl Fn(&str, &Value) -> Option<String>) -> Vec<FieldDiff> {
    let nothing = Object::new();
    let (old, new) = (before.as_object().unwrap_or(&nothing), after.as_object().unwrap_or(&nothing));
    let is_whole = old.is_empty() || new.is_empty();
    let is_told = |name: &&String| !(OURS.contains(&name.as_str()) || is_whole && name.as_str() == "owner");
    let names = new.keys().chain(old.keys().filter(|name| !new.contains_key(*name))).filter(is_told);
    let diff = |name: &String| {
        if old.get(name) == new.get(name) {
            return None;
        }
        let [by_name, by_value] = [true, false].map(|by_name| {
            [old.get(name), new.get(name)].map(|value| {
                let name = value.filter(|_| by_name).and_then(|value| called(name, value));
                name.unwrap_or_else(|| shown(value))
            })
        });
        // Two may be called alike.
        let [old, new] = if by_name[0] == by_name[1] { by_value } else { by_name };
        (old != new).then(|| FieldDiff { field: name.clone(), pieces: words(&old, &new) })
    };
    names.filter_map(diff).collect()
}

/// A value as text; nothing for null.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => multi_line(text).into_owned(),
        Some(other) => multi_line(&other.to_string()).into_owned(),
    }
}

/// What became of the words of a text.
pub fn words(old: &str, new: &str) -> Vec<Piece> {
    let (left, right) = (split(old), split(new));
    if left.len() > MOST_WORDS || right.len() > MOST_WORDS {
        return joined([(Fate::Gone, old), (Fate::New, new)].into_iter());
    }
    // Lengths of the longest common subsequences of what is left of both from each place on.
    let columns = right.len() + 1;
    let mut longest = vec![0_u16; (left.len() + 1) * columns];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            longest[i * columns + j] = if left[i] == right[j] {
                longest[(i + 1) * columns + j + 1] + 1
            } else {
                longest[(i + 1) * columns + j].max(longest[i * columns + j + 1])
            };
        }
    }
    let (mut i, mut j, mut pieces) = (0, 0, Vec::new());
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left[i] == right[j] {
            pieces.push((Fate::Same, left[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == right.len() || i < left.len() && longest[(i + 1) * columns + j] >= longest[i * columns + j + 1] {
            pieces.push((Fate::Gone, left[i]));
            i += 1;
        } else {
            pieces.push((Fate::New, right[j]));
            j += 1;
        }
    }
    joined(pieces.into_iter())
}

/// A text in words and what is between them.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    let mut was_word = None;
    for (at, c) in text.char_indices() {
        let is_word = c.is_alphanumeric();
        // Marks stand alone.
        if at > from && (was_word != Some(is_word) || !is_word) {
            parts.push(&text[from..at]);
            from = at;
        }
        was_word = Some(is_word);
    }
    if from < text.len() {
        parts.push(&text[from..]);
    }
    parts
}

/// Neighbours of the same fate as one piece.
fn joined<'a>(parts: impl Iterator<Item = (Fate, &'a str)>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (fate, text) in parts.filter(|(_, text)| !text.is_empty()) {
        match pieces.last_mut() {
            Some(last) if last.fate == fate => last.text.push_str(text),
            _ => pieces.push(Piece { fate, text: text.to_owned() }),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(old: &str, new: &str) -> String {
        words(old, new)
            .into_iter()
            .map(|Piece { fate, text }| match fate {
                Fate::Same => text,
                Fate::Gone => format!("[-{text}-]"),
                Fate::New => format!("{{+{text}+}}"),
            })
            .collect()
    }

    #[test]
    fn words_that_stayed_stay() {
        assert_eq!(told("the quick brown fox", "the slow brown fox!"), "the [-quick-]{+slow+} brown fox{+!+}");
        assert_eq!(told("", "new"), "{+new+}");
        assert_eq!(told("old", ""), "[-old-]");
        assert_eq!(told("Größe 12", "Größe 13"), "Größe [-12-]{+13+}");
        assert_eq!(told("a\nb", "a\nc"), "a\n[-b-]{+c+}");
        let long = "word ".repeat(MOST_WORDS);
        assert_eq!(words(&long, "x").len(), 2, "a long text is told as a whole");
    }

    #[test]
    fn fields_that_differ_are_told_and_no_others() {
        let before =
            json!({"id": "1", "title": "Pop\u{1b}corn", "price": 3, "tags": ["a"], "note": null, "revision": 1});
        let after = json!({"id": "1", "title": "Popcorn", "price": 4, "tags": ["a"], "note": "", "revision": 2});
        let none = |_: &str, _: &Value| None;
        let diffs = fields(&before, &after, none);
        assert_eq!(diffs.iter().map(|diff| diff.field.as_str()).collect::<Vec<_>>(), ["title", "price"]);
        assert!(diffs[0].pieces.iter().all(|piece| !piece.text.contains('\u{1b}')));
        assert_eq!(fields(&Value::Null, &after, none).len(), 3, "what is empty is not told");
        let owned = json!({"owner": "x", "title": "Popcorn"});
        assert_eq!(fields(&Value::Null, &owned, none).len(), 1);
        assert_eq!(fields(&after, &Value::Null, none)[0].pieces[0].fate, Fate::Gone);
    }
}
