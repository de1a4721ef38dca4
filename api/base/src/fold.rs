//! The forms in which texts are compared: [`nfc`] where case counts, [`fold`] where it does not. They are for comparing only: a
//! text is kept and sent as it came.

use std::borrow::Cow;

use unicase::UniCase;
use unicode_normalization::{
    IsNormalized, UnicodeNormalization,
    char::{canonical_combining_class, is_combining_mark},
    is_nfc_quick,
};

/// The text in Normalization Form C: however an accent was typed, it is one text. Unique values, indexes and `exact` go by it.
pub fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.nfc().collect())
}

/// The text without what case, width, ligatures and the way of typing an accent make different: Unicode's compatibility caseless
/// match (Unicode Standard §3.13, D146) with full case folding, in Normalization Form KC. Folding twice is folding once.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // Decomposed first: of the iota below a letter, folding makes a letter of its own.
    let once: String = folded_case(&text.nfd().collect::<String>()).nfkd().collect();
    folded_case(&once).nfkc().collect()
}

fn folded_case(text: &str) -> String {
    UniCase::unicode(text).to_folded_case()
}

/// A folded text without accents, for a search that ignores them: "Łódź" is found by "lodz". Marks that make another letter or
/// vowel in their script (voiced sounds of Japanese, vowel signs of Devanagari) stay.
pub fn without_accents(folded: &str) -> Cow<'_, str> {
    if folded.is_ascii() {
        return Cow::Borrowed(folded);
    }
    let mut plain = String::with_capacity(folded.len());
    for c in folded.nfd().filter(|c| !is_accent(*c)) {
        match c {
            'ø' => plain.push('o'),
            'ł' => plain.push('l'),
            'đ' | 'ð' => plain.push('d'),
            'ħ' => plain.push('h'),
            'ŧ' => plain.push('t'),
            'ı' => plain.push('i'),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            'þ' => plain.push_str("th"),
            c => plain.push(c),
        }
    }
    Cow::Owned(plain.nfc().collect())
}

/// A folded text that knows where each part of it stands in the text itself.
#[derive(Debug)]
pub struct Placed {
    /// The text as [`fold`] makes it, and [`without_accents`] where accents are ignored.
    pub text: String,
    /// Where each letter with its marks begins: the byte in `text`, and the character in the text itself. The last is the end of both.
    places: Vec<(usize, usize)>,
}

impl Placed {
    /// Folds a text letter by letter. `None` where that makes another text than folding it as a whole.
    pub fn new(text: &str, ignores_accents: bool) -> Option<Self> {
        let compared = |text: &str| {
            let folded = fold(text);
            if ignores_accents { without_accents(&folded).into_owned() } else { folded }
        };
        let mut placed = Self { text: String::with_capacity(text.len()), places: Vec::with_capacity(text.len()) };
        let (mut left, mut at) = (text, 0);
        while let Some(first) = left.chars().next() {
            let more = left.char_indices().skip(1).find(|(_, c)| !joins(*c));
            let (letter, rest) = left.split_at(more.map_or(left.len(), |(end, _)| end));
            placed.places.push((placed.text.len(), at));
            if letter.len() == 1 {
                placed.text.push(first.to_ascii_lowercase());
            } else if letter.len() == first.len_utf8() && is_the_same_folded(first) {
                placed.text.push(first);
            } else {
                placed.text.push_str(&compared(letter));
            }
            at += letter.chars().count();
            left = rest;
        }
        placed.places.push((placed.text.len(), at));
        (text.is_ascii() || placed.text == compared(text)).then_some(placed)
    }

    /// The characters of the text itself that a stretch of the folded text comes from: from one to before another.
    pub fn stretch(&self, from: usize, to: usize) -> (usize, usize) {
        let first = self.places.partition_point(|(byte, _)| *byte <= from).saturating_sub(1);
        let behind = self.places.partition_point(|(byte, _)| *byte < to);
        let character = |place: usize| self.places.get(place).or(self.places.last()).map_or(0, |(_, at)| *at);
        (character(first), character(behind))
    }
}

/// Whether a character belongs to the one before it: marks, and what makes a syllable of Hangul whole.
fn joins(c: char) -> bool {
    !c.is_ascii() && (is_combining_mark(c) || matches!(c, '\u{1160}'..='\u{11ff}' | '\u{ff9e}' | '\u{ff9f}'))
}

/// Letters of which most texts in their scripts are made, and that are the same folded.
fn is_the_same_folded(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}')
}

/// A mark that stands above, below or across a letter, or a vowel point of Hebrew, Arabic or Syriac: by its combining class, of
/// which those below 10 and from 84 to 132 belong to letters.
fn is_accent(c: char) -> bool {
    matches!(canonical_combining_class(c), 10..=36 | 200..=240)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_case_width_or_typing_folds_to_one_text() {
        for (a, b) in [
            ("ADMIN", "admin"),
            ("ａｄｍｉｎ", "admin"),
            ("ΑΣΑ", "ασα"),
            ("ΚΏΣΤΑΣ", "κώστας"),
            ("ς", "Σ"),
            ("STRASSE", "straße"),
            ("ẞ", "ss"),
            ("ﬁn", "FIN"),
            ("ﬆ", "ST"),
            ("cafe\u{301}", "CAFÉ"),
            ("İ", "i\u{307}"),
            ("ᾳ\u{323}", "Α\u{323}Ι"),
            ("ŉ", "ʼN"),
            ("Å", "å"),
            ("①", "1"),
            ("ǆ", "Ǆ"),
        ] {
            assert_eq!(fold(a), fold(b), "{a} {b}");
        }
        for (a, b) in [("ı", "i"), ("café", "cafe"), ("admin1", "admin")] {
            assert_ne!(fold(a), fold(b), "{a} {b}");
        }
    }

    #[test]
    fn folding_twice_is_folding_once() {
        for c in '\0'..=char::MAX {
            for text in [c.to_string(), format!("a{c}\u{345}")] {
                let folded = fold(&text);
                assert_eq!(fold(&folded), folded, "{text:?}");
            }
        }
    }

    #[test]
    fn accents_are_told_from_letters() {
        for (text, plain) in [
            ("Łódź", "lodz"),
            ("smørrebrød", "smorrebrod"),
            ("Ἀθῆναι", "αθηναι"),
            ("Việt Nam", "viet nam"),
            ("שָׁלוֹם", "שלום"),
            ("plain", "plain"),
        ] {
            assert_eq!(without_accents(&fold(text)), plain, "{text}");
        }
        for text in ["が", "हिन्दी", "한국어", "ไทย"] {
            assert_eq!(without_accents(&fold(text)), fold(text), "{text}");
        }
    }

    #[test]
    fn a_folded_text_knows_where_it_came_from() {
        for (text, part, stretch) in [
            ("The Golden ring", "golden", (4, 10)),
            ("Eine STRAẞE hier", "strasse", (5, 11)),
            ("ein cafe\u{301} dort", "café", (4, 9)),
            ("ein cafe\u{301} dort", "dort", (10, 14)),
            ("ﬁnal ﬁsh", "fish", (5, 8)),
            ("한국어 \u{1112}\u{1161}\u{11ab}글", "한글", (4, 8)),
            ("ﾊﾟﾝ pan", "パン", (0, 3)),
            ("東京都の地図", "京都", (1, 3)),
        ] {
            let placed = Placed::new(text, false).unwrap();
            assert_eq!(placed.text, fold(text));
            let from = placed.text.find(part).unwrap();
            assert_eq!(placed.stretch(from, from + part.len()), stretch, "{text}");
        }
        let placed = Placed::new("Die Łódź", true).unwrap();
        assert_eq!((placed.text.as_str(), placed.stretch(4, 8)), ("die lodz", (4, 8)));
        for c in '\0'..='\u{3ffff}' {
            assert!(Placed::new(&format!("a{c}b"), false).is_some(), "{c:?}");
        }
    }

    #[test]
    fn both_ways_of_typing_an_accent_are_one_text_where_case_counts() {
        assert_eq!(nfc("cafe\u{301}"), "café");
        assert_ne!(nfc("CAFÉ"), nfc("café"));
        assert_ne!(nfc("ﬁ"), "fi");
        assert!(matches!(nfc("café"), Cow::Borrowed(_)));
    }
}
