//! The spellings of one password: letter case, separators, digits around and between, letters exchanged for digits and signs.
//! Texts that differ in nothing else have a form in common.

use std::collections::BTreeSet;

use base::fold::without_accents;
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// A form shorter than this says nothing about a password.
pub(super) const SHORTEST: usize = 8;

/// Lower case, in normal form KC. Case says little: it is the first thing that a guesser varies.
pub(super) fn fold(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// How a password can be read, folded: as it is, without accents, and with letters of other scripts as those of ours that they look like
/// (UTS 39).
pub(super) fn readings(text: &str) -> BTreeSet<String> {
    let folded = fold(text);
    if text.is_ascii() {
        return [folded].into();
    }
    let alike = |text: &str| {
        let letter =
            |c: char| if c.is_ascii() { c.to_string() } else { skeleton(c.encode_utf8(&mut [0; 4])).collect() };
        let letters: String = without_accents(text).chars().map(letter).collect();
        without_accents(&fold(&letters)).into_owned()
    };
    let as_written: String = text.nfkc().collect();
    [without_accents(&folded).into_owned(), alike(&folded), alike(&as_written), folded].into()
}

/// The forms of a folded text that are long enough to be compared.
pub(super) fn forms(folded: &str) -> BTreeSet<String> {
    let trimmed = folded.trim_matches(|c: char| !c.is_alphabetic());
    let letters: String = folded.chars().filter(|c| c.is_alphabetic()).collect();
    let mut forms: BTreeSet<String> = [folded, trimmed, &letters].map(key).into();
    let units: Vec<String> = forms.iter().map(|form| unit(form).to_owned()).collect();
    forms.extend(units);
    forms.retain(|form| form.chars().count() >= SHORTEST);
    forms
}

/// Letters and digits alone, with the letter that each sign or digit usually stands for. `l` and `i` are written alike.
pub(super) fn key(folded: &str) -> String {
    folded
        .chars()
        .map(|c| match unreplace(c) {
            'l' => 'i',
            other => other,
        })
        .filter(|c| c.is_alphanumeric())
        .collect()
}

/// The letter that a digit or sign usually stands for.
pub(super) fn unreplace(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' | '|' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        other => other,
    }
}

/// What a text repeats, or all of it.
fn unit(text: &str) -> &str {
    let lengths = (1..=text.len() / 2).filter(|length| text.len().is_multiple_of(*length));
    let shortest =
        lengths.into_iter().find(|length| text.as_bytes()[*length..] == text.as_bytes()[..text.len() - length]);
    shortest.and_then(|length| text.get(..length)).unwrap_or(text)
}
