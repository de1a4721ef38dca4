//! Names that could be taken for another's: those that mix scripts, and those that look like the name of another user (Unicode
//! Technical Standard 39). Asked where a name is given; who has such a name keeps it, and keeps signing in.

use std::collections::BTreeSet;

use common::{
    id::UserId,
    name::{Username, is_mark},
    problem::{FieldError, FieldErrors},
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_script::{Script, UnicodeScript};
use unicode_security::{confusable_detection::skeleton, mixed_script::AugmentedScriptSet};

use super::{list::all, stored::folded};
use crate::domain::{
    core::Core,
    error::{Error, Result},
};

/// The zeros of the systems of digits (general category Nd); nine digits follow each.
#[rustfmt::skip]
const ZEROS: [char; 70] = [
    '\u{30}', '\u{660}', '\u{6f0}', '\u{7c0}', '\u{966}', '\u{9e6}', '\u{a66}', '\u{ae6}', '\u{b66}', '\u{be6}',
    '\u{c66}', '\u{ce6}', '\u{d66}', '\u{de6}', '\u{e50}', '\u{ed0}', '\u{f20}', '\u{1040}', '\u{1090}', '\u{17e0}',
    '\u{1810}', '\u{1946}', '\u{19d0}', '\u{1a80}', '\u{1a90}', '\u{1b50}', '\u{1bb0}', '\u{1c40}', '\u{1c50}', '\u{a620}',
    '\u{a8d0}', '\u{a900}', '\u{a9d0}', '\u{a9f0}', '\u{aa50}', '\u{abf0}', '\u{104a0}', '\u{10d30}', '\u{10d40}', '\u{11066}',
    '\u{110f0}', '\u{11136}', '\u{111d0}', '\u{112f0}', '\u{11450}', '\u{114d0}', '\u{11650}', '\u{116c0}', '\u{116d0}', '\u{116da}',
    '\u{11730}', '\u{118e0}', '\u{11950}', '\u{11bf0}', '\u{11c50}', '\u{11d50}', '\u{11da0}', '\u{11f50}', '\u{16130}', '\u{16a60}',
    '\u{16ac0}', '\u{16b50}', '\u{16d70}', '\u{1ccf0}', '\u{1e140}', '\u{1e2f0}', '\u{1e4f0}', '\u{1e5f1}', '\u{1e950}', '\u{1fbf0}',
];
/// Marks in a row at most (§5.4, "optional detection").
const MAX_MARKS: usize = 4;

/// Refuses a name that mixes scripts, or whose marks could hide or pile up.
pub fn check(name: &Username) -> Result<()> {
    let refuse = |code, message| Err(FieldErrors::of("username", FieldError::new(code, message)).into());
    if !is_highly_restrictive(name.as_str()) {
        let message = "Write this name in one script. It mixes several, whose letters can look alike.";
        return refuse("mixed_scripts", message);
    }
    if digit_systems(name.as_str()) > 1 {
        let message = "Write the digits of this name in one system. It mixes several, whose digits can look alike.";
        return refuse("mixed_digits", message);
    }
    let is_many = |marks: &[char]| marks.len() > MAX_MARKS && marks.iter().all(|c| is_mark(*c));
    let chars: Vec<char> = name.as_str().nfd().collect();
    // The same mark twice shows once, and one without a letter stands on what is beside it, or on nothing.
    let is_twice = |pair: &[char]| pair[0] == pair[1] && is_combining_mark(pair[0]);
    let is_lone = |at: usize| {
        let bases = chars[..at].iter().rev().filter(|c| !is_combining_mark(**c) && !is_joiner(**c));
        is_combining_mark(chars[at]) && !bases.take(1).any(|base| base.is_alphanumeric())
    };
    if chars.windows(MAX_MARKS + 1).any(is_many)
        || chars.windows(2).any(is_twice)
        || (0..chars.len()).any(is_lone)
        || chars.iter().any(|c| is_unseen(*c))
    {
        return refuse("invalid", "Enter a valid username. Its marks cannot be told apart.");
    }
    Ok(())
}

/// One script, or Latin with those of Chinese, Japanese or Korean (UTS 39 §5.2). Digits and signs belong to every script.
fn is_highly_restrictive(name: &str) -> bool {
    if !AugmentedScriptSet::for_str(name).is_empty() {
        return true;
    }
    let rest: String = name.chars().filter(|c| c.script() != Script::Latin).collect();
    let rest = AugmentedScriptSet::for_str(&rest);
    rest.hanb || rest.jpan || rest.kore
}

/// How many systems of digits are in a name (§5.3).
fn digit_systems(name: &str) -> usize {
    let zero = |c: char| ZEROS.into_iter().find(|zero| (0..10).contains(&u32::from(c).wrapping_sub(u32::from(*zero))));
    name.nfkc().filter_map(zero).collect::<BTreeSet<char>>().len()
}

/// Fillers that show nothing, joiners, selectors of variants and marks around a letter: with them a name looks as it does without them, or like a picture.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{ffa0}' | '\u{180b}'..='\u{180f}' | '\u{20d0}'..='\u{20f0}' | '\u{2d7f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Letters that look like others, which the library's table does not have or gives looks of their own: of Unicode's confusables.txt (UTS 39
/// §4) those that stood in earlier versions of it, and a mark that looks like another.
const MORE_CONFUSABLES: [(char, char); 9] = [
    ('\u{1051c}', 'C'),
    ('\u{118c4}', 'z'),
    ('\u{37a}', 'i'),
    ('\u{90de}', '\u{90ce}'),
    ('\u{fa2e}', '\u{90ce}'),
    ('\u{f92c}', '\u{90ce}'),
    // Ő and Ö.
    ('\u{30b}', '\u{308}'),
    ('\u{13ef}', '\u{1ff6}'),
    ('\u{abbf}', '\u{1ff6}'),
];
/// Letters with a dot of their own (`Soft_Dotted`), or without the one that others have there: one more does not show.
const DOTTED: [char; 16] = ['i', 'j', 'ı', 'ȷ', 'ɨ', 'ɉ', 'ʝ', 'ϳ', 'і', 'ј', 'ᵢ', 'ⱼ', 'ⁱ', 'ʲ', 'ᶖ', 'ᴉ'];

/// A text, decomposed, without what the library's skeletons tell apart and nobody sees.
fn told_apart(text: &str) -> String {
    let mut base = ' ';
    let mut plain = String::with_capacity(text.len());
    for c in text.nfd() {
        let c = MORE_CONFUSABLES.iter().find(|(from, _)| *from == c).map_or(c, |(_, to)| *to);
        if c == '\u{307}' && DOTTED.contains(&base) {
            continue;
        }
        if !is_combining_mark(c) {
            base = c;
        }
        plain.push(c);
    }
    plain
}

/// Refuses a name that looks like another user's.
pub(super) async fn refuse_alike(core: &Core, name: &Username, own: Option<UserId>) -> Result<()> {
    let looks = looks(name.as_str());
    let others = all(core).await?;
    if others.iter().any(|user| {
        Some(user.id) != own && self::looks(user.username.as_str()).iter().any(|other| looks.contains(other))
    }) {
        let message = "This name looks like that of another user. Choose a different one.";
        return Err(Error::Taken(FieldErrors::of("username", FieldError::new("look_alike", message))));
    }
    Ok(())
}

/// What a name looks like as it is written, and in lower case: `l` looks like `I` and not like `i`. And before the normal form KC, which
/// takes letters for others that look different, such as ϲ for σ. Joiners show little.
fn looks(name: &str) -> [String; 4] {
    let name: String = name.chars().filter(|c| !is_joiner(*c)).collect();
    let look = |text: &str| folded(&skeleton(&told_apart(text)).collect::<String>());
    [look(&folded(&name)), look(&name.nfkc().collect::<String>()), look(&name), look(&name.to_lowercase())]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(name: &str) -> String {
        // Some are no names at all.
        let Ok(name) = name.parse() else { return "invalid".to_owned() };
        match check(&name) {
            Ok(()) => String::new(),
            Err(Error::Invalid(errors)) => errors.0["username"][0].code.to_string(),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn p7_names_of_one_script_are_let_in_and_mixed_ones_refused() {
        for one in [
            "ada",
            "zoë@example.org",
            "हिन्दी",
            "தமிழ்",
            "عربى١",
            "κλέος",
            "кириллица7",
            "日本語ひらがなカタカナabc",
            "한국어abc",
            "漢字abc",
            "བོད་ཡིག",
            "نمی\u{200c}خواهم۱۲",
            "क्\u{200d}ष१२",
            "हिन्दी12",
            "ไม่มี",
            "ᏣᎳᎩ",
            "עִבְרִית",
            "Việt",
            "user.name+x-y_1",
            "123",
            "ａｄｍｉｎ",
        ] {
            assert_eq!(code(one), "", "{one}");
        }
        for mixed in
            ["rоot1", "аdmin", "abcкир", "pаypal", "abc١", "ΑBC", "кирλ", "ひらがなкир", "हिन्दीabc", "google.соm"]
        {
            assert_eq!(code(mixed), "mixed_scripts", "{mixed}");
        }
        for mixed in ["١٢۳", "12३", "0๐", "हिन्दी1२", "１٢"] {
            assert!(["mixed_digits", "mixed_scripts"].contains(&code(mixed).as_str()), "{mixed}");
        }
        for odd in [
            "ㅤ",
            "\u{ffa0}",
            "한\u{115f}",
            "a\u{34f}da",
            "ada\u{fe0f}",
            "a\u{20dd}",
            "z\u{301}\u{302}\u{303}\u{304}\u{305}o",
            "\u{e9}\u{301}",
            "e\u{323}\u{301}\u{323}",
            "ก\u{e31}\u{e31}",
            "\u{93e}",
            "\u{e31}",
            "\u{301}ada",
            "a.\u{301}b",
            "ⵜ\u{2d7f}ⵜ",
        ] {
            assert_eq!(code(odd), "invalid", "{odd}");
        }
    }

    #[test]
    fn p7_names_that_look_alike_have_a_look_in_common() {
        let alike = |a: &str, b: &str| looks(a).iter().any(|look| looks(b).contains(look));
        for (a, b) in [
            ("root1", "rootl"),
            ("ADMIN", "ADMlN"),
            ("user0", "userO"),
            ("mike", "rnike"),
            ("аре", "ape"),
            ("paypal", "рауРаӏ"),
            ("COO", "ϹΟΟ"),
            ("coo", "ϲοο"),
            ("f", "ſ"),
            ("نمیخواهم", "نمی\u{200c}خواهم"),
            ("im", "i\u{307}m"),
            ("mia", "mi\u{307}a"),
            ("jm", "j\u{307}m"),
            ("ibrahim", "İbrahim"),
            ("i\u{323}m", "i\u{323}\u{307}m"),
            ("太郎", "太郞"),
            ("太郎", "太\u{fa2e}"),
            ("Ödön", "Ődön"),
            ("Ꮿ", "ῶ"),
            ("COO", "\u{1051c}OO"),
            ("zoe", "\u{118c4}oe"),
        ] {
            assert!(alike(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("ada", "ben"),
            ("admin", "admln"),
            ("root1", "root2"),
            ("anna", "anne"),
            ("zoe", "z\u{307}oe"),
            ("太郎", "太朗"),
        ] {
            assert!(!alike(a, b), "{a} {b}");
        }
    }

    /// The list in `common`, which is there so that the web app needs no crate for it.
    #[test]
    fn marks_are_those_that_the_crate_knows() {
        use unicode_normalization::char::is_combining_mark;
        let wrong = |c: &char| is_mark(*c) != (is_combining_mark(*c) && !c.is_alphanumeric());
        assert_eq!(('\0'..=char::MAX).filter(wrong).collect::<String>(), "");
    }
}
