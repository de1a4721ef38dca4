//! Sentences that everybody knows. Who is asked for a long password thinks of one of them first.

use std::{cmp::Reverse, sync::LazyLock};

use super::spelling::key;

/// So few letters beside sentences make no password of them.
const LITTLE: usize = 8;

/// The words of each, the longest first, so that no short one is found inside of it.
static PHRASES: LazyLock<Vec<Vec<String>>> = LazyLock::new(|| {
    let words = |phrase: &str| {
        let mut words: Vec<String> = phrase.split(' ').map(key).collect();
        words.sort_by_cached_key(|word| (Reverse(word.len()), word.clone()));
        words.dedup();
        words
    };
    include_str!("phrases.txt").lines().map(words).collect()
});

/// Whether a folded password is some of the sentences, their words in any order and spelling and however often, with little else.
pub(super) fn is_known(folded: &str) -> bool {
    let text = key(folded);
    let mut rest = text.clone();
    for words in PHRASES.iter() {
        rest = without(&rest, words).unwrap_or(rest);
    }
    let left = rest.chars().filter(|c| c.is_alphabetic()).count();
    rest.len() < text.len() && (left < LITTLE || left * 3 <= text.chars().count())
}

/// The text without the words, if all of them are in it.
fn without(text: &str, words: &[String]) -> Option<String> {
    words.iter().try_fold(text.to_owned(), |rest, word| {
        let shorter = rest.replace(word.as_str(), "");
        (shorter.len() < rest.len()).then_some(shorter)
    })
}
