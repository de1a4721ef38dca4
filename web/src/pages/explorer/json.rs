//! JSON as it came, laid out for people: no number is read and written again. What is an address of this server is a link.

use common::endpoint::behind_api;
use yew::prelude::*;

/// A piece of the text.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    /// Spaces, brackets, commas.
    Between(String),
    /// The name of a member.
    Name(String),
    /// A text, and where it leads to.
    Text(String, Option<String>),
    /// A number, `true`, `false`, `null`.
    Word(String),
}

/// Where the rows of a list lead to: behind this path, by what this member says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rows {
    pub(super) path: String,
    pub(super) member: String,
}

/// More is not laid out, which would hold the page up.
const MOST: usize = 300_000;

/// Draws a text, which need not be JSON. `onvisit` is told of links that are followed here.
pub(super) fn draw(text: &str, origin: &str, rows: Option<&Rows>, onvisit: &Callback<MouseEvent>) -> Html {
    let pieces = if text.len() > MOST { None } else { lay_out(text, origin, rows) };
    let Some(pieces) = pieces else { return html! { <pre dir="auto" tabindex="0">{ text }</pre> } };
    let drawn = pieces.into_iter().map(|piece| match piece {
        Piece::Between(text) => html! { { text } },
        Piece::Name(text) => html! { <span class="json-name">{ text }</span> },
        Piece::Text(text, Some(to)) => html! { <a href={to} onclick={onvisit}>{ text }</a> },
        Piece::Text(text, None) => html! { <span class="json-text">{ text }</span> },
        Piece::Word(text) => html! { <span class="json-word">{ text }</span> },
    });
    html! { <pre dir="ltr" tabindex="0">{ for drawn }</pre> }
}

/// The pieces of a text that is JSON.
fn lay_out(text: &str, origin: &str, rows: Option<&Rows>) -> Option<Vec<Piece>> {
    serde_json::from_str::<&serde_json::value::RawValue>(text).ok()?;
    let (mut pieces, mut depth, mut name) = (Vec::new(), 0_usize, String::new());
    // The brackets that are open, and whether what is read next is a name.
    let mut open: Vec<char> = Vec::new();
    let mut is_name = false;
    let mut rest = text.trim();
    while let Some(first) = rest.chars().next() {
        match first {
            '{' | '[' => {
                let inner = rest[1..].trim_start();
                let closing = if first == '{' { '}' } else { ']' };
                if inner.starts_with(closing) {
                    pieces.push(Piece::Between(format!("{first}{closing}")));
                    rest = inner[1..].trim_start();
                    continue;
                }
                open.push(first);
                depth += 1;
                is_name = first == '{';
                pieces.push(Piece::Between(format!("{first}\n{}", "  ".repeat(depth))));
            }
            '}' | ']' => {
                open.pop();
                depth = depth.saturating_sub(1);
                pieces.push(Piece::Between(format!("\n{}{first}", "  ".repeat(depth))));
            }
            ',' => {
                is_name = open.last() == Some(&'{');
                pieces.push(Piece::Between(format!(",\n{}", "  ".repeat(depth))));
            }
            ':' => {
                is_name = false;
                pieces.push(Piece::Between(": ".to_owned()));
            }
            '"' => {
                let end = end_of_text(rest);
                let raw = &rest[..end];
                if is_name {
                    name = serde_json::from_str(raw).unwrap_or_default();
                    pieces.push(Piece::Name(raw.to_owned()));
                } else {
                    let text: String = serde_json::from_str(raw).unwrap_or_default();
                    pieces.push(Piece::Text(raw.to_owned(), leads_to(&text, &name, &open, origin, rows)));
                }
                rest = rest[end..].trim_start();
                continue;
            }
            _ => {
                let end = rest.find([',', '}', ']', ' ', '\n', '\r', '\t']).unwrap_or(rest.len());
                let word = &rest[..end];
                let is_number = word.starts_with(|c: char| c.is_ascii_digit());
                let to = if is_name || !is_number { None } else { leads_to(word, &name, &open, "", rows) };
                pieces.push(match to {
                    Some(to) => Piece::Text(word.to_owned(), Some(to)),
                    None => Piece::Word(word.to_owned()),
                });
                rest = rest[end..].trim_start();
                continue;
            }
        }
        rest = rest[1..].trim_start();
    }
    Some(pieces)
}

/// Where a text ends that begins here, its quotation marks included.
fn end_of_text(from: &str) -> usize {
    let mut is_escaped = false;
    for (at, c) in from.char_indices().skip(1) {
        match c {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    from.len()
}

/// An address of this server, or that of a row of a list. Whatever a text says, no link leads to another server.
fn leads_to(text: &str, name: &str, open: &[char], origin: &str, rows: Option<&Rows>) -> Option<String> {
    let is_path = |path: &str| {
        path.starts_with('/')
            && !path.starts_with("//")
            && !path.contains(['\\', '{'])
            && !path.contains(|c: char| c.is_whitespace() || c.is_control())
    };
    if !origin.is_empty() {
        if let Some(path) = text.strip_prefix(origin).filter(|path| is_path(path)) {
            return Some(path.to_owned());
        }
        if behind_api(text).is_some() && is_path(text) {
            return Some(text.to_owned());
        }
    }
    let is_row = open == ['[', '{'] || open == ['{', '[', '{'];
    let is_plain = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let rows = rows.filter(|rows| is_row && is_plain && rows.member == name)?;
    Some(format!("{}{text}/", rows.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid_out(text: &str) -> Option<String> {
        let pieces = lay_out(text, "http://h", None)?;
        let text = |piece: Piece| match piece {
            Piece::Between(text) | Piece::Name(text) | Piece::Text(text, _) | Piece::Word(text) => text,
        };
        Some(pieces.into_iter().map(text).collect())
    }

    fn links(text: &str, rows: Option<&Rows>) -> Vec<String> {
        let pieces = lay_out(text, "http://h", rows).unwrap();
        pieces.into_iter().filter_map(|piece| if let Piece::Text(_, to) = piece { to } else { None }).collect()
    }

    #[test]
    fn what_is_laid_out_says_what_came() {
        let text = r#"{"a":[1.10,-2e400,{}],"b":{"c":"x\"{,","d":null},"e":[],"ü":"\u00fc"}"#;
        let shown = laid_out(text).unwrap();
        let packed: String = shown.lines().map(str::trim_start).collect::<String>().replace("\": ", "\":");
        assert_eq!(packed, text);
        assert!(shown.contains("\n    1.10,\n    -2e400,\n    {}\n  ],\n"), "{shown}");
        assert_eq!(laid_out("[]").unwrap(), "[]");
        assert_eq!(laid_out("  3 ").unwrap(), "3");
        assert_eq!(laid_out("{\"a\": 1"), None);
        assert_eq!(laid_out("<html>"), None);
    }

    #[test]
    fn addresses_of_this_server_and_ids_of_a_list_are_links() {
        let page = r#"{"next": "http://h/api/records/a/?page=2", "previous": null, "x": "http://hx/", "y": "https://h/",
            "results": [{"id": "0a-1", "next": "b", "in": {"id": "2"}}, {"id": 7}]}"#;
        let rows = Rows { path: "/api/records/a/".to_owned(), member: "id".to_owned() };
        let expected = ["/api/records/a/?page=2", "/api/records/a/0a-1/", "/api/records/a/7/"];
        assert_eq!(links(page, Some(&rows)), expected);
        assert_eq!(
            links(r#"[{"id": "1"}, {"id": "../x"}, {"id": "javascript:alert(1)"}, {"id": null}]"#, Some(&rows)),
            ["/api/records/a/1/"]
        );
    }

    #[test]
    fn no_text_leads_to_another_server() {
        let text = r#"["http://h//evil/", "http://h/\\evil", "http://h.evil/", "http://h@evil/", "//evil/", "/\\evil", "/api/{id}/", "/api/\u0009/x",
            "javascript:alert(1)", "data:text/html,x", " http://h/", "/api//evil/", "/api/x/"]"#;
        assert_eq!(links(text, None), ["/api//evil/", "/api/x/"]);
    }
}
