//! Text for people: what others typed, made safe to show. Control characters (ESC among them) and the marks that turn the
//! direction of what follows would let a record rewrite the screen that shows it (CWE-150).

use std::borrow::Cow;

/// Whether a character could do something to the screen or the line that shows it.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || is_line_break(c)
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}')
}

/// The line and paragraph separators, which some terminals take for line breaks and others for a character.
fn is_line_break(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

/// The text on one line: line breaks and tabs become spaces, other control and direction characters the replacement mark.
pub fn single_line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let shown = |c| match c {
        '\n' | '\r' | '\t' => ' ',
        c if is_line_break(c) => ' ',
        c if is_unsafe(c) => '\u{fffd}',
        c => c,
    };
    Cow::Owned(text.chars().map(shown).collect())
}

/// As [`single_line`], with line breaks kept.
pub fn multi_line(text: &str) -> Cow<'_, str> {
    let breaks = |c| c == '\n' || is_line_break(c);
    if !text.contains(breaks) {
        return single_line(text);
    }
    Cow::Owned(text.split(breaks).map(|line| single_line(line.trim_end_matches('\r'))).collect::<Vec<_>>().join("\n"))
}

/// The text without the spaces at its ends, as Python's `strip` takes them off: the separators U+001C to U+001F too.
pub fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{1c}'..='\u{1f}'))
}

/// `snake_case` as a label: `release_date` is shown as "Release date".
pub fn label(name: &str) -> String {
    let mut label = name.replace('_', " ");
    if let Some(first) = label.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    label
}

/// "1 record", "2 records", "10 412 records": a number with its noun, thousands apart by a thin space.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", thousands(number))
}

/// The number with a narrow no-break space between its thousands.
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

/// "812 B", "3.1 kB", "100 MB": bytes in the unit that leaves the fewest digits, of a thousand each; cut off, not rounded up.
pub fn bytes(bytes: u64) -> String {
    let (mut unit, mut size) = (0, 1);
    while unit < BYTES.len() - 1 && bytes >= size * 1000 {
        (unit, size) = (unit + 1, size * 1000);
    }
    let (whole, tenth) = (bytes / size, bytes % size * 10 / size);
    let tenth = if tenth == 0 { String::new() } else { format!(".{tenth}") };
    format!("{whole}{tenth} {}", BYTES[unit])
}

const BYTES: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];

/// Whether all words of what was typed stand in a text, in whatever order and case.
pub fn has_words(text: &str, typed: &str) -> bool {
    let text = text.to_lowercase();
    typed.split_whitespace().all(|word| text.contains(&word.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_cannot_drive_the_terminal() {
        let shown = single_line("a\x1b]52;c;aGk=\x07\u{202e}b\nc");
        assert_eq!(shown, "a\u{fffd}]52;c;aGk=\u{fffd}\u{fffd}b c");
    }

    #[test]
    fn right_to_left_text_itself_is_kept() {
        assert_eq!(single_line("שלום عالم"), "שלום عالم");
    }

    #[test]
    fn numbers_and_labels_read_well() {
        assert_eq!(count(1, "record"), "1 record");
        assert_eq!(thousands(1_234_567), "1\u{202f}234\u{202f}567");
        let sizes = [0, 999, 1_000, 3_149_999, 100_000_000, 999_999_999, 5_000_000_000_000_000].map(bytes);
        assert_eq!(sizes, ["0 B", "999 B", "1 kB", "3.1 MB", "100 MB", "999.9 MB", "5000 TB"]);
        assert_eq!(label("release_date"), "Release date");
    }
}
