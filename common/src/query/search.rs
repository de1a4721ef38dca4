//! What a search asks for: terms, as Django REST Framework's search filter splits them.

/// The terms of a search, all of which must occur in a record's texts: words between spaces and commas, and phrases in quotation marks (`"`,
/// `'`), in which a backslash stands before a mark that belongs to the phrase. A mark that nothing closes is a part of its word.
pub fn search_terms(search: &str) -> Vec<String> {
    let mut terms = Vec::new();
    let mut rest = search.trim_start();
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(piece_end(rest));
        rest = after.trim_start();
        let piece = piece.trim_matches(',');
        match phrase(piece) {
            Some(phrase) => terms.push(phrase),
            None => terms.extend(piece.split(',').map(str::to_owned)),
        }
    }
    terms.retain(|term| !term.trim().is_empty());
    terms
}

/// Where the first piece of a text ends: at a space outside of quotation marks. Where a mark is not closed, at the first space.
fn piece_end(text: &str) -> usize {
    let first_space = || text.find(char::is_whitespace).unwrap_or(text.len());
    let mut at = 0;
    loop {
        let left = &text[at..];
        at += match left.find(|c: char| c.is_whitespace() || c == '"' || c == '\'') {
            None => return text.len(),
            Some(end) if left[end..].starts_with(char::is_whitespace) => return at + end,
            Some(open) => match closing(&left[open..]) {
                Some(length) => open + length,
                None => return first_space(),
            },
        };
    }
}

/// The length of a text in quotation marks, with both of them; `None` where the second is missing.
fn closing(text: &str) -> Option<usize> {
    let mark = text.chars().next()?;
    let mut is_escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            c if c == mark => return Some(at + c.len_utf8()),
            _ => {}
        }
    }
    None
}

/// What stands between two quotation marks that are alike.
fn phrase(piece: &str) -> Option<String> {
    let mark = piece.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = piece.strip_prefix(mark)?.strip_suffix(mark)?;
    Some(inner.replace(&format!("\\{mark}"), &mark.to_string()).replace("\\\\", "\\"))
}

#[cfg(test)]
mod tests {
    use super::search_terms;

    #[test]
    fn a_search_is_split_as_in_django_rest_framework() {
        for (search, terms) in [
            ("sweet corn", &["sweet", "corn"][..]),
            (" item,01 ", &["item", "01"]),
            ("a, b,,c ,", &["a", "b", "c"]),
            ("\"Thing, 3\"", &["Thing, 3"]),
            ("'two words' more", &["two words", "more"]),
            ("x \"a b\",y", &["x", "\"a b\"", "y"]),
            (r#""say \"hi\" now""#, &["say \"hi\" now"]),
            (r"'a\\b'", &[r"a\b"]),
            ("5\" pipe", &["5\"", "pipe"]),
            ("don't stop", &["don't", "stop"]),
            ("\"open end", &["\"open", "end"]),
            ("ß\u{a0}é", &["ß", "é"]),
            ("\"", &["\""]),
            ("\"\" '' ,", &[]),
            ("", &[]),
        ] {
            assert_eq!(search_terms(search), terms, "{search:?}");
        }
    }
}
