//! Where the words of a search stand in a text, so that they can be marked.

use std::ops::Range;

use base::fold::{Placed, fold, without_accents};

use super::each_word;

/// Bytes of a text that are looked at.
const LOOKED_AT: usize = 32 * 1024;
/// Stretches of one text that are told.
const MAX_STRETCHES: usize = 100;

/// Characters of a text, from one to before another.
pub type Stretch = (usize, usize);

/// Where words begin with one of those that are sought.
pub fn of_words(text: &str, sought: &[String], ignores_accents: bool) -> Vec<Stretch> {
    let sought: Vec<String> = sought.iter().map(|word| compared(word, ignores_accents)).collect();
    stretches(text, ignores_accents, |folded, found| {
        each_word(folded, |word, place| {
            let longest = sought.iter().filter(|sought| word.starts_with(sought.as_str())).map(String::len).max();
            found.extend(longest.map(|length| place.start..place.start + length));
        });
    })
}

/// Where one of several folded terms stands.
pub fn of_terms(text: &str, terms: &[String], ignores_accents: bool) -> Vec<Stretch> {
    stretches(text, ignores_accents, |folded, found| {
        for term in terms {
            found.extend(folded.match_indices(term.as_str()).map(|(at, part)| at..at + part.len()));
        }
    })
}

fn compared(word: &str, ignores_accents: bool) -> String {
    let word = fold(word);
    if ignores_accents { without_accents(&word).into_owned() } else { word }
}

/// The stretches that `find` finds in the folded text, in order, those that touch as one.
fn stretches(text: &str, ignores_accents: bool, find: impl FnOnce(&str, &mut Vec<Range<usize>>)) -> Vec<Stretch> {
    let beginning = &text[..text.floor_char_boundary(LOOKED_AT)];
    let Some(placed) = Placed::new(beginning, ignores_accents) else { return Vec::new() };
    let mut found = Vec::new();
    find(&placed.text, &mut found);
    found.sort_unstable_by_key(|range| range.start);
    let mut stretches: Vec<Stretch> = Vec::new();
    for range in found {
        let (from, to) = placed.stretch(range.start, range.end);
        if let Some(last) = stretches.last_mut().filter(|last| from <= last.1) {
            last.1 = last.1.max(to);
        } else if stretches.len() < MAX_STRETCHES {
            stretches.push((from, to));
        } else {
            break;
        }
    }
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::search::sought;

    #[test]
    fn words_are_marked_where_they_begin_as_a_search_says() {
        for (text, search, wanted) in [
            ("A golden ring, all Gold", "gold", &[(2, 6), (19, 23)][..]),
            ("A golden ring", "ring GOLDEN", &[(2, 8), (9, 13)]),
            ("marigold", "gold", &[]),
            ("東京都の地図", "東京都", &[(0, 3)]),
            ("東京都の地図", "都", &[(2, 3)]),
            ("Die Straße", "STRASSE", &[(4, 10)]),
            ("cafe\u{301}s", "café", &[(0, 5)]),
            ("don't", "don't", &[(0, 3), (4, 5)]),
        ] {
            assert_eq!(of_words(text, &sought(search), false), wanted, "{text} {search}");
        }
        assert_eq!(of_words("Łódź", &sought("lodz"), true), [(0, 4)]);
        assert_eq!(of_words("cafe", &sought("café"), true), [(0, 4)]);
        assert_eq!(of_words(&"gold ".repeat(1000), &sought("gold"), false).len(), MAX_STRETCHES);
    }

    #[test]
    fn terms_are_marked_wherever_they_stand() {
        let terms = |terms: &[&str]| terms.iter().map(|term| fold(term)).collect::<Vec<_>>();
        for (text, sought, wanted) in [
            ("marigold, Gold", terms(&["GOLD"]), &[(4, 8), (10, 14)][..]),
            ("sweet corn", terms(&["eet c", "t co"]), &[(2, 8)]),
            ("ﬁsh", terms(&["f"]), &[(0, 1)]),
            ("corn", terms(&["x"]), &[]),
        ] {
            assert_eq!(of_terms(text, &sought, false), wanted, "{text}");
        }
    }
}
