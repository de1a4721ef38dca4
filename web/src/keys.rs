//! The one table of keyboard shortcuts. The help shows it, and the listener acts by it: a key presses or focuses the element
//! of the page that carries its name in `data-key`, so a page offers a key by drawing one attribute.

use wasm_bindgen::{JsCast, prelude::Closure};
use web_sys::{Document, Element, HtmlElement, HtmlInputElement, KeyboardEvent};
use yew::Callback;

use crate::words;

/// One shortcut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shortcut {
    /// The key, as the browser names it.
    pub(crate) name: &'static str,
    /// What the shortcut does, as the help says it.
    pub(crate) help: &'static str,
    /// The action.
    act: Act,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Presses or focuses the element of the focused row with this `data-row-key`, or else of the page with this
    /// `data-key`; what the frame around the page offers comes last.
    Element,
    /// Goes to the next row, or the one before.
    Row { down: bool },
    /// Shows the help.
    Help,
}

/// Goes to the filter.
pub(crate) const FILTER: Shortcut = Shortcut { name: "/", help: words::keys::FILTER, act: Act::Element };
/// Makes something new.
pub(crate) const NEW: Shortcut = Shortcut { name: "n", help: words::keys::NEW, act: Act::Element };
/// Changes the collection, or the user of a row.
pub(crate) const EDIT: Shortcut = Shortcut { name: "e", help: words::keys::EDIT, act: Act::Element };
/// The next row.
pub(crate) const DOWN: Shortcut = Shortcut { name: "j", help: words::keys::DOWN, act: Act::Row { down: true } };
/// The row before.
pub(crate) const UP: Shortcut = Shortcut { name: "k", help: words::keys::UP, act: Act::Row { down: false } };
/// The page before.
pub(crate) const PREVIOUS: Shortcut = Shortcut { name: "[", help: words::keys::PREVIOUS, act: Act::Element };
/// The next page.
pub(crate) const NEXT: Shortcut = Shortcut { name: "]", help: words::keys::NEXT, act: Act::Element };
/// Deletes what is open, or ends the session of a row.
pub(crate) const DELETE: Shortcut = Shortcut { name: "d", help: words::keys::DELETE, act: Act::Element };
/// Ends all other sessions.
pub(crate) const END_OTHERS: Shortcut = Shortcut { name: "a", help: words::keys::END_OTHERS, act: Act::Element };
/// Chooses a row.
pub(crate) const CHOOSE: Shortcut = Shortcut { name: "x", help: words::keys::CHOOSE, act: Act::Element };
/// Chooses the rows from the one that was chosen last to this one.
pub(crate) const RANGE: Shortcut = Shortcut { name: "X", help: words::keys::RANGE, act: Act::Element };
/// Goes to the import.
pub(crate) const IMPORT: Shortcut = Shortcut { name: "m", help: words::keys::IMPORT, act: Act::Element };
/// Puts back what was deleted.
pub(crate) const UNDO: Shortcut = Shortcut { name: "u", help: words::keys::UNDO, act: Act::Element };
/// Back to where this came from.
pub(crate) const BACK: Shortcut = Shortcut { name: "b", help: words::keys::BACK, act: Act::Element };
/// Goes to the dashboard.
pub(crate) const DASHBOARD: Shortcut = Shortcut { name: "D", help: words::keys::DASHBOARD, act: Act::Element };
/// Goes to the collections.
pub(crate) const COLLECTIONS: Shortcut = Shortcut { name: "c", help: words::keys::COLLECTIONS, act: Act::Element };
/// Goes to the users.
pub(crate) const USERS: Shortcut = Shortcut { name: "U", help: words::keys::USERS, act: Act::Element };
/// Goes to the server.
pub(crate) const SERVER: Shortcut = Shortcut { name: "S", help: words::keys::SERVER, act: Act::Element };
/// Goes to sessions.
pub(crate) const SESSIONS: Shortcut = Shortcut { name: "i", help: words::keys::SESSIONS, act: Act::Element };
/// Goes to the password.
pub(crate) const PASSWORD: Shortcut = Shortcut { name: "p", help: words::keys::PASSWORD, act: Act::Element };
/// Shows this table.
pub(crate) const HELP: Shortcut = Shortcut { name: "?", help: words::keys::HELP, act: Act::Help };

/// All of them, in the order in which they are shown.
pub(crate) const SHORTCUTS: [Shortcut; 21] = [
    FILTER,
    NEW,
    EDIT,
    DOWN,
    UP,
    PREVIOUS,
    NEXT,
    DELETE,
    END_OTHERS,
    CHOOSE,
    RANGE,
    IMPORT,
    UNDO,
    BACK,
    DASHBOARD,
    COLLECTIONS,
    USERS,
    SERVER,
    SESSIONS,
    PASSWORD,
    HELP,
];

/// Keys that work while typing; forms and dialogs see to them themselves.
pub(crate) const TYPING_KEYS: [(&str, &str); 4] = [
    ("Ctrl + K", words::keys::PALETTE),
    ("Enter", words::keys::ENTER),
    ("Ctrl + S", words::keys::SAVE),
    ("Esc", words::keys::ESCAPE),
];

/// Listens for as long as the app runs.
pub(crate) fn listen(on_help: Callback<()>, on_palette: Callback<()>) {
    let listener = Closure::<dyn Fn(KeyboardEvent)>::new(move |event: KeyboardEvent| {
        let is_palette = (event.ctrl_key() || event.meta_key()) && !event.alt_key() && event.key() == "k";
        let has_dialog = || {
            let document = web_sys::window().and_then(|window| window.document());
            document.is_some_and(|document| document.query_selector("dialog[open]").ok().flatten().is_some())
        };
        if is_palette && !has_dialog() {
            event.prevent_default();
            return on_palette.emit(());
        }
        // On many keyboards brackets are typed with AltGr, which some browsers report as Ctrl and Alt.
        let is_held = (event.ctrl_key() || event.alt_key()) && !event.get_modifier_state("AltGraph");
        if is_held || event.meta_key() || event.is_composing() || event.default_prevented() {
            return;
        }
        let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        if target.as_ref().is_some_and(is_typing) {
            return;
        }
        let in_dialog = document.query_selector("dialog[open]").ok().flatten().is_some();
        let pressed = event.key();
        let Some(shortcut) = SHORTCUTS.iter().find(|shortcut| shortcut.name == pressed).filter(|_| !in_dialog) else {
            return;
        };
        let acted = match shortcut.act {
            Act::Element => press(&document, shortcut.name),
            Act::Row { down } => step(&document, down),
            Act::Help => {
                on_help.emit(());
                true
            }
        };
        if acted {
            event.prevent_default();
        }
    });
    if let Some(window) = web_sys::window() {
        let _ = window.add_event_listener_with_callback("keydown", listener.as_ref().unchecked_ref());
    }
    listener.forget();
}

fn is_typing(element: &Element) -> bool {
    let is_text_input = element
        .dyn_ref::<HtmlInputElement>()
        .is_some_and(|input| !matches!(input.type_().as_str(), "checkbox" | "radio" | "button" | "submit"));
    is_text_input || matches!(element.tag_name().as_str(), "TEXTAREA" | "SELECT")
}

fn press(document: &Document, key: &str) -> bool {
    let find = |within: &Element, attribute: &str| {
        within.query_selector(&format!("[{attribute}=\"{key}\"]:not([disabled])")).ok().flatten()
    };
    let row = document.active_element().and_then(|active| active.closest("tr").ok().flatten());
    let found = row.and_then(|row| find(&row, "data-row-key"));
    let found = found.or_else(|| document.get_element_by_id("main").and_then(|main| find(&main, "data-key")));
    let found = found.or_else(|| document.body().and_then(|body| find(&body, "data-key")));
    let Some(element) = found.and_then(|found| found.dyn_into::<HtmlElement>().ok()) else { return false };
    if let Some(input) = element.dyn_ref::<HtmlInputElement>().filter(|input| input.type_() != "checkbox") {
        let _ = input.focus();
        input.select();
    } else {
        element.click();
    }
    true
}

fn step(document: &Document, down: bool) -> bool {
    let (rows, at) = rows(document);
    let Some(next) = next_row(at, rows.len(), down) else { return false };
    let _ = rows[next].focus();
    true
}

/// The rows' links, and which row has the focus.
fn rows(document: &Document) -> (Vec<HtmlElement>, Option<usize>) {
    let Ok(rows) = document.query_selector_all("[data-row]") else { return (Vec::new(), None) };
    let rows: Vec<HtmlElement> = (0..rows.length()).filter_map(|i| rows.get(i)?.dyn_into().ok()).collect();
    let active = document.active_element();
    let in_row = |row: &HtmlElement| {
        let row = row.closest("tr").ok().flatten().unwrap_or_else(|| row.clone().into());
        active.as_ref().is_some_and(|active| row.contains(Some(active)))
    };
    let at = rows.iter().position(in_row);
    (rows, at)
}

/// Which row of the page has the focus.
pub(crate) fn focused_row() -> Option<usize> {
    rows(&web_sys::window()?.document()?).1
}

/// Puts the focus on a row, or on the last where there are not so many.
pub(crate) fn focus_row(row: usize) {
    let document = web_sys::window().and_then(|window| window.document());
    let rows = document.map(|document| rows(&document).0).unwrap_or_default();
    if let Some(row) = rows.get(row).or(rows.last()) {
        let _ = row.focus();
    }
}

/// The row to go to from row `at`; from none it is the first, or the last.
fn next_row(at: Option<usize>, rows: usize, down: bool) -> Option<usize> {
    let last = rows.checked_sub(1)?;
    Some(match (at, down) {
        (None, true) => 0,
        (None, false) => last,
        (Some(at), true) => (at + 1).min(last),
        (Some(at), false) => at.saturating_sub(1),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_shortcut_means_two_things_and_each_is_explained() {
        let distinct: HashSet<_> = SHORTCUTS.iter().map(|shortcut| shortcut.name).collect();
        assert_eq!(distinct.len(), SHORTCUTS.len());
        assert!(SHORTCUTS.iter().all(|shortcut| !shortcut.help.is_empty()));
    }

    #[test]
    fn rows_are_walked_and_never_left() {
        assert_eq!(next_row(None, 0, true), None);
        assert_eq!(next_row(None, 3, true), Some(0));
        assert_eq!(next_row(None, 3, false), Some(2));
        assert_eq!(next_row(Some(2), 3, true), Some(2));
        assert_eq!(next_row(Some(0), 3, false), Some(0));
    }
}
