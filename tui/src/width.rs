//! Text in columns: measured, cut and wrapped by what a terminal shows, not by bytes or characters. The measure is
//! ratatui's own, so that what fits here fits on the screen. Input is safe text (see `common::text`).

use ratatui::buffer::CellWidth;
use unicode_segmentation::UnicodeSegmentation;

/// A cluster longer than this is somebody's joke (a letter under a pile of marks); it is shown as the replacement mark.
const MAX_CLUSTER_BYTES: usize = 64;

fn clusters(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.graphemes(true).map(|cluster| {
        let cluster = if cluster.len() > MAX_CLUSTER_BYTES { "\u{fffd}" } else { cluster };
        (cluster, if cluster.contains(char::is_control) { 0 } else { usize::from(cluster.cell_width()) })
    })
}

/// Printable ASCII, of which each byte fills a column: most text is, and need not be taken apart.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Columns that the text fills.
pub fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { clusters(text).map(|(_, width)| width).sum() }
}

/// The text within so many columns; where something is cut off, its last column is an ellipsis.
pub fn cut(text: &str, columns: usize) -> String {
    let mut out = String::new();
    let (mut used, mut keep) = (0, 0);
    for (cluster, width) in clusters(text) {
        if used + width > columns {
            out.truncate(keep);
            if columns > 0 {
                out.push('…');
            }
            return out;
        }
        used += width;
        out.push_str(cluster);
        if used < columns {
            keep = out.len();
        }
    }
    out
}

/// The part of the text that a window of so many columns shows when it begins at column `from`.
pub fn window(text: &str, from: usize, columns: usize) -> String {
    let mut out = String::new();
    let mut at = 0;
    for (cluster, width) in clusters(text) {
        if at >= from && at + width <= from + columns {
            out.push_str(cluster);
        } else if at < from && at + width > from && width <= columns {
            out.push(' ');
        }
        at += width;
    }
    out
}

/// The text on lines of at most so many columns, broken at spaces where there are any, its own line breaks kept.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_inclusive(' ') {
            // A word that no line can hold is broken where it stands.
            let needed = width(word.trim_end_matches(' '));
            if used > 0 && used + needed > columns && needed <= columns {
                lines.push(std::mem::take(&mut line).trim_end_matches(' ').to_owned());
                used = 0;
            }
            if word.len() <= MAX_CLUSTER_BYTES && used + needed <= columns {
                line.push_str(word);
                used += needed + (word.len() - word.trim_end_matches(' ').len());
                continue;
            }
            for (cluster, cluster_width) in clusters(word) {
                if cluster == " " && used >= columns {
                    continue;
                }
                if used > 0 && used + cluster_width > columns {
                    lines.push(std::mem::take(&mut line).trim_end_matches(' ').to_owned());
                    used = 0;
                }
                line.push_str(cluster);
                used += cluster_width;
            }
        }
        lines.push(line.trim_end_matches(' ').to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_is_cut_between_characters_never_inside_one() {
        assert_eq!(cut("日本語", 6), "日本語");
        assert_eq!(cut("日本語", 5), "日本…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("日本語", 1), "…");
        assert_eq!(cut("日本語", 0), "");
        assert!(width(&cut("👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 3)) <= 3);
    }

    #[test]
    fn a_pile_of_marks_is_one_replacement_mark() {
        let pile = format!("a{}", "\u{301}".repeat(10_000));
        assert_eq!(cut(&pile, 5), "\u{fffd}");
    }

    #[test]
    fn a_window_keeps_its_columns_where_a_wide_character_straddles_its_edge() {
        assert_eq!(window("日本語", 1, 4), " 本");
        assert_eq!(window("abcdef", 2, 3), "cde");
        assert_eq!(window("abc", 9, 3), "");
    }

    #[test]
    fn lines_are_wrapped_at_spaces_and_long_words_are_broken() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("use YYYY-MM-DD", 10), ["use", "YYYY-MM-DD"]);
        assert_eq!(wrap("ab 日本語です", 6), ["ab 日", "本語で", "す"]);
        assert_eq!(wrap("aaaaaaa", 3), ["aaa", "aaa", "a"]);
        assert_eq!(wrap("aaa bbbb", 3), ["aaa", "bbb", "b"]);
        for line in wrap("日本語 שלום עולם 👩‍👩‍👧 /etc/../passwd", 5) {
            assert!(width(&line) <= 5, "{line:?}");
        }
    }
}
