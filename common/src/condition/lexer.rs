//! A condition's words and signs.

use super::ConditionError;

/// One word or sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A word that stands bare.
    Word(String),
    /// A text in quotation marks.
    Quoted(String),
    /// `(`, `)`, `,` or an operator.
    Sign(&'static str),
}

/// Every sign, the longer ones first.
const SIGNS: [&str; 10] = [">=", "<=", "!=", ">", "<", "=", "~", "(", ")", ","];

/// The words and signs of a text, each with its place: characters from the beginning.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, ConditionError> {
    let mut tokens = Vec::new();
    let (mut rest, mut at) = (text, 0);
    while let Some(c) = rest.chars().next() {
        let length = if c.is_whitespace() {
            c.len_utf8()
        } else if matches!(c, '"' | '\'') {
            let (token, length) = quoted(rest, c, at)?;
            tokens.push((at, token));
            length
        } else if let Some(sign) = sign(rest) {
            tokens.push((at, Token::Sign(sign)));
            sign.len()
        } else {
            let length = word(rest);
            tokens.push((at, Token::Word(rest[..length].to_owned())));
            length
        };
        at += rest[..length].chars().count();
        rest = &rest[length..];
    }
    Ok(tokens)
}

fn sign(text: &str) -> Option<&'static str> {
    SIGNS.into_iter().find(|sign| text.starts_with(sign))
}

/// How many bytes of a word there are at the beginning.
fn word(text: &str) -> usize {
    let ends = |(i, c): (usize, char)| i > 0 && (c.is_whitespace() || c == '"' || sign(&text[i..]).is_some());
    let length = text.char_indices().find(|place| ends(*place)).map_or(text.len(), |(i, _)| i);
    // `now()` is one word.
    let is_now = text[..length].eq_ignore_ascii_case("now") && text[length..].starts_with("()");
    if is_now { length + 2 } else { length }
}

/// A text in quotation marks; `\"` and `\\` stand for themselves in it.
fn quoted(text: &str, mark: char, at: usize) -> Result<(Token, usize), ConditionError> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((i, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, c @ ('\\' | '"' | '\''))) => value.push(c),
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, c)) => value.extend(['\\', c]),
                None => break,
            },
            c if c == mark => return Ok((Token::Quoted(value), i + c.len_utf8())),
            c => value.push(c),
        }
    }
    let message = format!("This quotation mark has no other one. Close it with {mark}.");
    Err(ConditionError { at, message })
}
