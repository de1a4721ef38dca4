//! Sentences that everybody knows. Who is asked for a long password thinks of one of them first.

use std::{cmp::Reverse, sync::LazyLock};

use base::fold::without_accents;

use super::spelling::{fold, forms, key};

/// So few letters beside sentences make no password of them.
const LITTLE: usize = 8;

/// So many letters of a sentence are known as all of it.
const PART: usize = 12;

/// In so many letters there may be one mistake.
const LETTERS_A_MISTAKE: usize = 8;
const MOST_MISTAKES: usize = 3;

/// Stands before a sentence that counts only where it is all that there is: its words are too short to be looked for one by one.
const WHOLE: char = '=';

/// A sentence.
struct Phrase {
    /// All of it, without spaces.
    whole: Vec<char>,
    /// Its words, the longest first; none where they are so short that they are in every text.
    words: Vec<String>,
}

/// The longest first, so that no short one is found inside of it.
static PHRASES: LazyLock<Vec<Phrase>> = LazyLock::new(|| {
    let phrase = |line: &str| {
        let phrase = line.trim_start_matches(WHOLE);
        let mut words: Vec<String> = without_accents(&fold(phrase)).split(' ').map(key).collect();
        let whole = words.concat().chars().collect();
        words.sort_by_cached_key(|word| (Reverse(word.len()), word.clone()));
        words.dedup();
        words.retain(|_| !line.starts_with(WHOLE));
        Phrase { whole, words }
    };
    let mut phrases: Vec<Phrase> = include_str!("phrases.txt").lines().map(phrase).collect();
    phrases.sort_by_key(|phrase| Reverse(phrase.whole.len()));
    phrases
});

/// The sentences as they are written.
pub(super) fn sentences() -> impl Iterator<Item = &'static str> {
    include_str!("phrases.txt").lines().map(|line| line.trim_start_matches(WHOLE))
}

/// Whether a folded password is some of the sentences, their words in any order and spelling and however often, with little else; or one of
/// them with few mistakes.
pub(super) fn is_known(folded: &str) -> bool {
    let text = key(folded);
    let mut rest = text.clone();
    for phrase in PHRASES.iter() {
        rest = without(&rest, &phrase.words).unwrap_or(rest);
    }
    let left = rest.chars().filter(|c| c.is_alphabetic()).count();
    if rest.len() < text.len() && (left < LITTLE || left * 3 <= text.chars().count()) {
        return true;
    }
    // Without what stands around it, without what stands between, and once where it stands there twice.
    let mut forms = forms(folded);
    forms.insert(text);
    forms.iter().any(|form| {
        let letters: Vec<char> = form.chars().filter(|c| c.is_alphabetic()).collect();
        PHRASES.iter().any(|phrase| is_part(&letters, &phrase.whole) || is_misspelt(&letters, &phrase.whole))
    })
}

/// Whether it is a good part of a sentence: where one breaks off is what everyone tries next.
fn is_part(text: &[char], phrase: &[char]) -> bool {
    text.len() >= PART && phrase.windows(text.len()).any(|part| part == text)
}

/// Whether one becomes the other by changing, adding, dropping or exchanging few letters.
fn is_misspelt(text: &[char], phrase: &[char]) -> bool {
    let most = (phrase.len() / LETTERS_A_MISTAKE).min(MOST_MISTAKES);
    if most == 0 {
        return text == phrase;
    }
    if text.len().abs_diff(phrase.len()) > most {
        return false;
    }
    // Rows of the usual table (Wagner and Fischer), of which only what lies near the diagonal can be little enough.
    let mut row: Vec<usize> = (0..=phrase.len()).collect();
    let mut before = row.clone();
    for (at, letter) in text.iter().enumerate() {
        let mut next = vec![usize::MAX / 2; phrase.len() + 1];
        next[0] = at + 1;
        let near = (at + 1).saturating_sub(most).max(1)..=(at + 1 + most).min(phrase.len());
        for to in near {
            let other = phrase[to - 1];
            next[to] = (row[to - 1] + usize::from(*letter != other)).min(row[to] + 1).min(next[to - 1] + 1);
            if at > 0 && to > 1 && *letter == phrase[to - 2] && text[at - 1] == other {
                next[to] = next[to].min(before[to - 2] + 1);
            }
        }
        if next.iter().min().is_none_or(|least| *least > most) {
            return false;
        }
        before = std::mem::replace(&mut row, next);
    }
    row[phrase.len()] <= most
}

/// The text without the words, if all of them are in it.
fn without(text: &str, words: &[String]) -> Option<String> {
    words.iter().all(|word| text.contains(word.as_str())).then_some(())?;
    words.iter().try_fold(text.to_owned(), |rest, word| {
        let shorter = rest.replace(word.as_str(), "");
        (shorter.len() < rest.len()).then_some(shorter)
    })
}
