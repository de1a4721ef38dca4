//! Other keys, as somebody has set them.

use std::collections::BTreeMap;

use clap::ValueEnum as _;
use crossterm::event::{KeyCode, KeyModifiers};

use super::{Action, Binding, KEYS, Key, name};

/// The table with other keys, by the name of what they do. A key that would mean two things in one place is refused.
pub(crate) fn with(set: &BTreeMap<String, Vec<String>>) -> Result<Vec<Binding>, String> {
    let mut changed = Vec::new();
    for (action, keys) in set {
        let action = Action::from_str(action, true).map_err(|_| format!("there is no action {action}"))?;
        let keys = keys.iter().map(|key| parse(key)).collect::<Result<Vec<Key>, _>>()?;
        changed.push((action, keys));
    }
    let mut taken = Vec::new();
    let rows = KEYS.iter().map(|row| {
        let is_text = row.contexts.iter().any(|context| context.is_text());
        let other = changed.iter().find(|(action, _)| *action == row.action);
        // Where letters are text the row keeps its own keys.
        let is_letter = |key: &Key| is_text && matches!(key, (KeyCode::Char(_), KeyModifiers::NONE));
        let keys = other.map(|(_, keys)| keys.iter().copied().filter(|key| !is_letter(key)).collect::<Vec<Key>>());
        let Some(keys) = keys.filter(|keys| !keys.is_empty()) else { return Binding { ..*row } };
        taken.push(row.action);
        Binding { keys: Box::leak(keys.into_boxed_slice()), ..*row }
    });
    let rows: Vec<Binding> = rows.collect();
    if let Some((action, _)) = changed.iter().find(|(action, _)| !taken.contains(action)) {
        let word = action.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        return Err(format!("{word} is needed where letters are text; give it a key with Ctrl"));
    }
    for (at, row) in rows.iter().enumerate() {
        for other in &rows[..at] {
            let is_beside = row.contexts.iter().any(|context| other.contexts.contains(context));
            let both = row.keys.iter().find(|key| is_beside && other.keys.contains(key));
            if let Some(both) = both.filter(|_| row.action != other.action) {
                let word = |action: Action| action.to_possible_value().map(|value| value.get_name().to_owned());
                let (one, two) = (word(row.action).unwrap_or_default(), word(other.action).unwrap_or_default());
                return Err(format!("{} would mean both {one} and {two}", name(*both)));
            }
        }
    }
    Ok(rows)
}

/// Reads a key as it is written in the settings: `x`, `ctrl-x`, `f5`, `page-down`.
fn parse(text: &str) -> Result<Key, String> {
    let (held, code) = match text.to_ascii_lowercase().strip_prefix("ctrl-") {
        Some(_) => (KeyModifiers::CONTROL, &text[5..]),
        None => (KeyModifiers::NONE, text),
    };
    let lower = code.to_ascii_lowercase();
    let mut letters = code.chars();
    let code = match (letters.next(), letters.next()) {
        (Some(letter), None) if held.is_empty() => KeyCode::Char(letter),
        (Some(letter), None) => KeyCode::Char(letter.to_ascii_lowercase()),
        _ => match lower.as_str() {
            "enter" => KeyCode::Enter,
            "esc" => KeyCode::Esc,
            "space" => KeyCode::Char(' '),
            "tab" => KeyCode::Tab,
            "backspace" => KeyCode::Backspace,
            "delete" => KeyCode::Delete,
            "up" => KeyCode::Up,
            "down" => KeyCode::Down,
            "left" => KeyCode::Left,
            "right" => KeyCode::Right,
            "home" => KeyCode::Home,
            "end" => KeyCode::End,
            "page-up" => KeyCode::PageUp,
            "page-down" => KeyCode::PageDown,
            other => match other.strip_prefix('f').and_then(|number| number.parse().ok()) {
                Some(number @ 1..=12) => KeyCode::F(number),
                _ => return Err(format!("there is no key {text}; write x, ctrl-x, f5, enter, page-down and the like")),
            },
        },
    };
    Ok((code, held))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_set_by_name_and_what_would_mean_two_things_is_refused() {
        let set = |action: &str, keys: &[&str]| {
            BTreeMap::from([(action.to_owned(), keys.iter().map(|key| (*key).to_owned()).collect())])
        };
        assert_eq!(parse("ctrl-K"), Ok((KeyCode::Char('k'), KeyModifiers::CONTROL)));
        assert_eq!(parse("G"), Ok((KeyCode::Char('G'), KeyModifiers::NONE)));
        assert_eq!(parse("f12"), Ok((KeyCode::F(12), KeyModifiers::NONE)));
        for bad in ["", "f13", "ctrl-", "hyper-x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        assert!(with(&set("nothing", &["x"])).unwrap_err().contains("nothing"));
        assert!(with(&set("sort", &["j"])).unwrap_err().contains("sort"));
        assert!(with(&set("save", &["x"])).unwrap_err().contains("save"));
        let rows = with(&set("sort", &["S", "f9"])).unwrap();
        let sort = rows.iter().find(|row| row.action == Action::Sort).unwrap();
        assert_eq!(sort.keys, [(KeyCode::Char('S'), KeyModifiers::NONE), (KeyCode::F(9), KeyModifiers::NONE)]);
        assert_eq!(rows.len(), KEYS.len());
    }
}
