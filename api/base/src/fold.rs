//! The forms in which texts are compared: [`nfc`] where case counts, [`fold`] where it does not. They are for comparing only: a
//! text is kept and sent as it came.

use std::borrow::Cow;

use unicase::UniCase;
use unicode_normalization::{IsNormalized, UnicodeNormalization, char::canonical_combining_class, is_nfc_quick};

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
    fn both_ways_of_typing_an_accent_are_one_text_where_case_counts() {
        assert_eq!(nfc("cafe\u{301}"), "café");
        assert_ne!(nfc("CAFÉ"), nfc("café"));
        assert_ne!(nfc("ﬁ"), "fi");
        assert!(matches!(nfc("café"), Cow::Borrowed(_)));
    }
}
