//! Text for people, and text in columns.

use coffer_tui::width::{cut, width, window, wrap};
use common::text::{is_unsafe, multi_line, single_line};

/// Whatever somebody typed, nothing that is shown of it can drive a terminal, cleaning it twice changes nothing, and it fits the columns that
/// it is given.
pub fn text(bytes: &[u8]) {
    let (columns, bytes) = bytes.split_first().map_or((7, bytes), |(first, rest)| (usize::from(*first), rest));
    let text = String::from_utf8_lossy(bytes);
    let line = single_line(&text);
    assert!(!line.chars().any(is_unsafe), "{line:?}");
    assert_eq!(line.chars().count(), text.chars().count());
    assert_eq!(single_line(&line), line);
    let lines = multi_line(&text);
    assert!(!lines.chars().any(|c| c != '\n' && is_unsafe(c)), "{lines:?}");
    assert_eq!(multi_line(&lines), lines);

    assert!(width(&cut(&line, columns)) <= columns, "{line:?} cut to {columns}");
    assert!(width(&window(&line, columns / 3, columns)) <= columns, "a window of {columns} on {line:?}");
    for part in wrap(&lines, columns) {
        // A character of two columns has no place in one.
        assert!(width(&part) <= columns.max(2), "{part:?} is wider than {columns}");
    }
}
