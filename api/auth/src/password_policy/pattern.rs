//! The shapes of passwords that are tried first. Works on folded text; says why, or nothing.

use std::{collections::HashSet, sync::LazyLock};

use unicode_normalization::UnicodeNormalization as _;

use super::spelling::unreplace;

/// The words that common passwords are made of, folded.
static COMMON_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| include_str!("common_words.txt").lines().collect());
/// The longest of them, in bytes.
static LONGEST_WORD: LazyLock<usize> = LazyLock::new(|| COMMON_WORDS.iter().map(|word| word.len()).max().unwrap_or(0));
/// Words that stand between others: a sentence of one word and these is that word.
pub(super) static FILL_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "a all am an and are at be best big but can do easy first for from good has have here how i in is it its just last like little long \
     me my new no not now of off old on or our please safe simple so strong that the there these this those to too up use very was we what \
     will with yes you your for by welcome com net org www http https"
        .split(' ')
        .collect()
});
/// Two different ones joined are common up to this many letters; beyond that somebody has chosen them.
const TWO_WORDS: usize = 12;

/// Neighbours on keyboards and in alphabets: whoever follows one of these lines, forwards or backwards, is not choosing. Decomposed, since
/// the letters of one line of Korean keys put together are others.
static WALKS: LazyLock<Vec<Vec<char>>> =
    LazyLock::new(|| include_str!("walks.txt").lines().map(|walk| walk.nfkd().collect()).collect());
/// What is written over and over is no longer than this; a word, without what stands between, may be longer.
const LONGEST_UNIT: usize = 7;
const LONGEST_WORD_TWICE: usize = 10;
/// A step along a walk counts from this many characters on.
const WALK_LENGTH: usize = 3;
/// So much besides a walk makes it a choice after all.
const OWN_PART: usize = 6;

/// The words that common passwords are made of.
pub(super) fn common_words() -> impl Iterator<Item = &'static str> {
    COMMON_WORDS.iter().copied()
}

/// Why `folded` is common.
pub(super) fn commonness(folded: &str) -> Option<&'static str> {
    let chars: Vec<char> = folded.chars().collect();
    if chars.is_empty() {
        return None;
    }
    let plain: Vec<char> = chars.iter().copied().filter(|c| c.is_alphanumeric()).collect();
    if repeats(&chars, LONGEST_UNIT) || repeats(&plain, LONGEST_WORD_TWICE) {
        return Some("it is one short text over and over");
    }
    let decomposed: Vec<char> = folded.nfkd().collect();
    if off_the_walks(&decomposed) < OWN_PART.min(chars.len()) {
        return Some("it follows the keyboard or counts");
    }
    if chars.len() < 12 && chars.iter().all(char::is_ascii_digit) {
        return Some("it is a number");
    }
    let plain: String = chars.iter().collect();
    let replaced: String = chars.iter().map(|c| unreplace(*c)).collect();
    let is_common = [plain, replaced].iter().any(|text| is_common_words(text));
    is_common.then_some("it is made of words that everyone tries, with digits or signs around them")
}

/// Whether it is a unit of at most half its length and at most so many characters, again and again.
fn repeats(chars: &[char], longest: usize) -> bool {
    (1..=(chars.len() / 2).min(longest))
        .any(|unit| chars.iter().skip(unit).zip(chars).all(|(later, earlier)| later == earlier))
}

/// How many characters are not part of a walk, nor of one letter over and over.
fn off_the_walks(chars: &[char]) -> usize {
    let mut off = 0;
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let same = rest.iter().take_while(|c| **c == rest[0]).count();
        let longest = WALKS.iter().map(|walk| walk_from(rest, walk)).max().unwrap_or(0).max(same);
        if longest >= WALK_LENGTH {
            at += longest;
        } else {
            off += 1;
            at += 1;
        }
    }
    off
}

/// How far `chars` goes along `walk`, in one direction.
fn walk_from(chars: &[char], walk: &[char]) -> usize {
    let follow = |at: usize| {
        let common = |(on_walk, typed): &(&char, &char)| on_walk == typed;
        let forwards = walk[at..].iter().zip(chars).take_while(common).count();
        forwards.max(walk[..=at].iter().rev().zip(chars).take_while(common).count())
    };
    let starts = walk.iter().enumerate().filter(|(_, start)| chars.first() == Some(*start));
    starts.map(|(at, _)| follow(at)).max().unwrap_or(0)
}

/// Whether its letters are one common word, as often as you like, or two short ones. Everything else is decoration.
fn is_common_words(text: &str) -> bool {
    let letters: String = text.chars().filter(|c| c.is_alphabetic()).collect();
    if letters.chars().count() < 4 {
        return false;
    }
    // The fewest different words that each prefix can be put together from.
    let mut fewest: Vec<Option<Vec<&str>>> = vec![None; letters.len() + 1];
    fewest[0] = Some(Vec::new());
    for end in 1..=letters.len() {
        for start in end.saturating_sub(*LONGEST_WORD)..end {
            let (Some(before), Some(piece)) = (&fewest[start], letters.get(start..end)) else { continue };
            let is_fill = FILL_WORDS.contains(piece);
            let Some(word) = COMMON_WORDS.get(piece).or_else(|| FILL_WORDS.get(piece)) else { continue };
            let mut used = before.clone();
            if !is_fill && !used.contains(word) {
                used.push(word);
            }
            if fewest[end].as_ref().is_none_or(|known| used.len() < known.len()) {
                fewest[end] = Some(used);
            }
        }
    }
    match &fewest[letters.len()] {
        Some(used) => used.len() < 2 || used.len() == 2 && letters.chars().count() < TWO_WORDS,
        None => false,
    }
}
