//! Words of texts, as the index of words has them and as a search looks for them: folded as comparisons are; of scripts that put no spaces
//! between words, each two neighbouring letters.

pub mod marks;
pub mod packed;
pub mod postings;

use std::{collections::BTreeMap, ops::Range};

use base::fold::{fold, without_accents};
use common::{collection::Collection, record::Record};
use serde_json::Value;

/// Bytes of a word that are told apart.
const MAX_WORD: usize = 64;
/// Different words of one record that are kept.
const MAX_WORDS: usize = 5000;
/// Stands before a word whose accents were left out.
const PLAIN: char = '\u{1}';

/// The words of a text, in their order.
pub fn of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_word(&fold(text), |word, _| words.push(word.to_owned()));
    words
}

/// Hands on each word of a folded text, and where it stands.
fn each_word(folded: &str, mut hand: impl FnMut(&str, Range<usize>)) {
    let mut hand = |from: usize, to: usize| {
        if from < to {
            let to = from + folded[from..to].floor_char_boundary(MAX_WORD);
            hand(&folded[from..to], from..to);
        }
    };
    let is_of_word = |c: char| c.is_alphanumeric() || is_mark(c);
    // Where the word begins that is gone through, and where the letter before this one does where both are of a dense script.
    let (mut begin, mut before) = (0, None);
    for (at, c) in folded.char_indices() {
        let (is_letter, behind) = (is_of_word(c), at + c.len_utf8());
        let is_dense = is_letter && is_dense(c);
        match before {
            // Each two neighbours; and the last one alone, so that every letter begins something.
            Some(before) if is_dense => hand(before, behind),
            Some(before) => hand(before, at),
            None if is_letter && !is_dense => continue,
            None => hand(begin, at),
        }
        (begin, before) = (if is_letter { at } else { behind }, is_dense.then_some(at));
    }
    hand(before.unwrap_or(begin), folded.len());
}

/// A letter of a script that puts no spaces between words.
fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{0e00}'..='\u{0eff}' | '\u{1780}'..='\u{17ff}' | '\u{20000}'..='\u{323af}')
}

/// A mark within a word: vowel signs, joined accents.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{903}' | '\u{93a}'..='\u{94f}' | '\u{200c}' | '\u{200d}')
}

/// The words of a search: what a text must have words that begin with. Of a dense script the last letter alone says nothing that the pair
/// before it does not.
pub fn sought(search: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for part in search.split_whitespace() {
        let mut of_part = of(part);
        if of_part.len() > 1
            && of_part.last().is_some_and(|last| last.chars().count() == 1 && last.chars().all(is_dense))
        {
            of_part.pop();
        }
        words.extend(of_part);
    }
    words.dedup();
    words
}

/// The texts of a record that are searched.
pub fn texts<'a>(collection: &'a Collection, record: &'a Record) -> impl Iterator<Item = &'a str> {
    let fields = collection.fields.iter().filter(|field| field.searchable);
    fields.filter_map(|field| record.get(field.name.as_str()).and_then(Value::as_str))
}

/// What the index of words has of a record: the words, and the weight of each.
pub fn indexed(collection: &Collection, record: &Record) -> BTreeMap<String, u8> {
    let mut words: BTreeMap<String, usize> = BTreeMap::new();
    let mut length = 0;
    for word in texts(collection, record).flat_map(of) {
        length += 1;
        if words.len() >= MAX_WORDS {
            break;
        }
        let plain = without_accents(&word);
        if plain != word {
            *words.entry(format!("{PLAIN}{plain}")).or_default() += 1;
        }
        *words.entry(word).or_default() += 1;
    }
    words.into_iter().map(|(word, times)| (word, postings::weight(times, length))).collect()
}

/// Whether a word of the index is all of a word of a search, and not only begins with it.
pub fn is_whole(indexed: &str, sought: &str, ignores_accents: bool) -> bool {
    if !ignores_accents {
        return indexed == sought;
    }
    indexed.strip_prefix(PLAIN).unwrap_or(indexed) == without_accents(sought)
}

/// What words in the index begin with where they are found by a word of a search.
pub fn beginnings(sought: &str, ignores_accents: bool) -> Vec<String> {
    if !ignores_accents {
        return vec![sought.to_owned()];
    }
    let plain = without_accents(sought).into_owned();
    vec![format!("{PLAIN}{plain}"), plain]
}

/// How well a record's texts fit a search: 0 where a word is missing. `rarity` is how much each word says.
pub fn score(
    collection: &Collection,
    record: &Record,
    sought: &[String],
    rarity: &[f64],
    ignores_accents: bool,
) -> f64 {
    let words: Vec<String> = texts(collection, record).flat_map(of).collect();
    let compared = |word: &str| if ignores_accents { without_accents(word).into_owned() } else { word.to_owned() };
    let words: Vec<String> = words.iter().map(|word| compared(word)).collect();
    let mut score = 0.0;
    for (sought, rarity) in sought.iter().zip(rarity) {
        let sought = compared(sought);
        let (mut whole, mut begun) = (0_u32, 0_u32);
        for word in &words {
            if *word == sought {
                whole += 1;
            } else if word.starts_with(&sought) {
                begun += 1;
            }
        }
        if whole + begun == 0 {
            return 0.0;
        }
        score += rarity * saturated(2 * whole + begun);
    }
    by_length(score, u32::try_from(words.len()).map_or(f64::MAX, f64::from))
}

/// What a word adds to a score: the more often the better, but less so each time. A whole word counts twice.
pub fn saturated(often: u32) -> f64 {
    let often = f64::from(often);
    often / (often + 1.5)
}

/// A score in a text of so many words.
pub fn by_length(score: f64, words: f64) -> f64 {
    score / (1.0 + 0.1 * words.ln_1p())
}

/// Whether a record's texts have all words of a search.
pub fn has_all(collection: &Collection, record: &Record, sought: &[String], ignores_accents: bool) -> bool {
    score(collection, record, sought, &vec![1.0; sought.len()], ignores_accents) > 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_words_in_many_scripts() {
        for (text, words) in [
            ("The Quick-brown fox's den", &["the", "quick", "brown", "fox", "s", "den"][..]),
            ("Straße ÉTÉ", &["strasse", "été"]),
            ("東京都", &["東京", "京都", "都"]),
            ("iPhone東京", &["iphone", "東京", "京"]),
            ("Привет, мир", &["привет", "мир"]),
            ("ﬁnal 12.50", &["final", "12", "50"]),
            ("!!! —", &[]),
        ] {
            assert_eq!(of(text), words, "{text}");
        }
        assert_eq!(sought("東京都"), ["東京", "京都"]);
        assert_eq!(sought("都"), ["都"]);
        assert_eq!(beginnings("été", true), ["\u{1}ete", "ete"]);
    }
}
