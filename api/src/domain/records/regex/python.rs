//! Python's patterns in the words of the `regex` crate. Where both read the same characters they stay; where they read them otherwise, what Python means is written
//! out (<https://docs.python.org/3/library/re.html>). What Python refuses and `regex` takes is taken.

use std::{fmt::Write as _, iter::Peekable, str::Chars};

/// Letters, digits and `_`: here marks of letters would be among them.
const WORD: &str = r"\p{L}\p{N}_";
/// White space, with the separators that `str.isspace` counts as such.
const SPACE: &str = r"\s\x1C-\x1F";

/// The same pattern, as `regex` reads it.
pub(super) fn translate(pattern: &str) -> String {
    // Where lines have ends of their own, `$` is one of them.
    let has_lines = pattern
        .split("(?")
        .skip(1)
        .any(|flags| flags.chars().take_while(char::is_ascii_alphabetic).any(|flag| flag == 'm'));
    let mut written = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut chars, &mut written, false),
            '[' => class(&mut chars, &mut written),
            // At the end, or before the line break that ends a text.
            '$' if !has_lines => written.push_str(r"(?:\n?\z)"),
            '{' => braces(&mut chars, &mut written),
            '(' if is_comment(&chars) => while chars.next().is_some_and(|c| c != ')') {},
            c => written.push(c),
        }
    }
    written
}

fn is_comment(chars: &Peekable<Chars>) -> bool {
    let mut ahead = chars.clone();
    ahead.next() == Some('?') && ahead.next() == Some('#')
}

/// What stands behind a backslash.
fn escape(chars: &mut Peekable<Chars>, written: &mut String, in_class: bool) {
    let Some(c) = chars.next() else {
        written.push('\\');
        return;
    };
    let digits = digits(chars, c);
    match c {
        'Z' if !in_class => written.push_str(r"\z"),
        'b' if in_class => written.push_str(r"\x08"),
        'w' | 's' => {
            let members = if c == 'w' { WORD } else { SPACE };
            let _ = if in_class { write!(written, "{members}") } else { write!(written, "[{members}]") };
        }
        'W' => _ = write!(written, "[^{WORD}]"),
        'S' => _ = write!(written, "[^{SPACE}]"),
        '<' | '>' => written.push(c),
        // Octal: with a zero before it, or three digits, or where nothing can be referred to.
        '0'..='7' if c == '0' || in_class || digits.len() == 3 => {
            let digits = &digits[..];
            for _ in 1..digits.len() {
                chars.next();
            }
            let _ = write!(written, r"\x{{{:X}}}", u32::from_str_radix(digits, 8).unwrap_or_default());
        }
        c => written.extend(['\\', c]),
    }
}

/// Up to three octal digits, the first of which has been read.
fn digits(chars: &Peekable<Chars>, first: char) -> String {
    std::iter::once(first).chain(chars.clone()).take(3).take_while(|c| ('0'..='7').contains(c)).collect()
}

/// A class, behind its bracket. In Python nothing in it is a class of its own, and no two signs are an operator.
fn class(chars: &mut Peekable<Chars>, written: &mut String) {
    written.push('[');
    written.extend(chars.next_if_eq(&'^'));
    // A bracket that comes first is a member.
    if chars.next_if_eq(&']').is_some() {
        written.push_str(r"\]");
    }
    let mut before = '[';
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(chars, written, true),
            ']' => {
                written.push(']');
                return;
            }
            '[' | '&' | '~' => written.extend(['\\', c]),
            '-' if before == '-' => written.push_str(r"\-"),
            c => written.push(c),
        }
        before = c;
    }
}

/// A number of repetitions, or a brace that is one.
fn braces(chars: &mut Peekable<Chars>, written: &mut String) {
    let inner: String = chars.clone().take_while(|c| c.is_ascii_digit() || *c == ',').collect();
    let ends = chars.clone().nth(inner.len()) == Some('}');
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let counts = match inner.split_once(',') {
        Some((from, to)) => is_number(from) && is_number(to),
        None => !inner.is_empty(),
    };
    if !ends || !counts || written.is_empty() {
        written.push_str(r"\{");
        return;
    }
    written.push('{');
    if inner.starts_with(',') {
        written.push('0');
    }
    written.push_str(&inner);
    written.push('}');
    for _ in 0..=inner.len() {
        chars.next();
    }
}
