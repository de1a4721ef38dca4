//! Secrets that follow a rule: alphabets, rows of keys, counts, dates, and what everyone can recite. They are long, and there are few of them.

use std::{collections::HashSet, sync::LazyLock};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use zeroize::Zeroizing;

/// Keys in the order in which they lie on keyboards, and letters in the order in which they are put elsewhere.
const ROWS: [&str; 9] = [
    "1234567890-=",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
];
/// Alphabets and sentences are told by so many of their steps in a hundred; of random letters and digits no third is one.
const MOST: usize = 75;
/// Texts that are known by heart, a line each: letters and digits alone, in lower case.
const FAMOUS: &str = include_str!("famous.txt");
/// Words of dates and times.
static DATE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "january february march april may june july august september october november december \
     jan feb mar apr jun jul aug sep sept oct nov dec \
     monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun \
     janvier février fevrier mars avril mai juin juillet août aout septembre octobre novembre décembre \
     lundi mardi mercredi jeudi vendredi samedi dimanche januar februar märz april mai juni juli oktober dezember \
     montag dienstag mittwoch donnerstag freitag samstag sonnabend sonntag enero febrero marzo abril mayo junio julio agosto \
     septiembre octubre noviembre diciembre lunes martes miércoles jueves viernes sábado domingo gennaio febbraio aprile maggio \
     giugno luglio settembre ottobre dicembre lunedì martedì mercoledì giovedì venerdì sabato domenica janeiro fevereiro março \
     maio junho julho setembro outubro novembro dezembro januari februari maart mei augustus maandag dinsdag woensdag donderdag \
     vrijdag zaterdag zondag января февраля марта апреля мая июня июля августа сентября октября ноября декабря \
     t z utc gmt cet cest eet eest wet west msk est edt cst cdt mst mdt pst pdt bst ist jst kst aest aedt nzst am pm st nd rd th w of"
        .split(' ')
        .collect()
});
/// Words that people put around dates.
static AROUND_DATES: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    "a à about after and around at before begin birthday born by clock created date dated day days de del den der die du el en end \
     evening for from generated greenwich hour hours h in is it key last le made main midnight min minutes mean month morning new \
     night noon o oclock of on past le quarter half s sec seconds since summer winter spring autumn standard daylight the this time \
     timestamp to today tomorrow until um uhr vom was week wedding written year years yesterday zone backup log version release v"
        .split(' ')
        .collect()
});

/// Which rule the secret follows, as its refusal says it.
pub(crate) fn rule(secret: &[u8]) -> Option<&'static str> {
    if secret.windows(3).count() > 0 && many(secret.windows(3), |w| w[1].wrapping_sub(w[0]) == w[2].wrapping_sub(w[1]))
    {
        return Some("counts in equal steps");
    }
    if is_famous(&hex(secret)) {
        return Some(FAMOUS_RULE);
    }
    let text = Zeroizing::new(str::from_utf8(secret).ok()?.trim().to_lowercase());
    let plain = Zeroizing::new(text.chars().filter(|c| c.is_alphanumeric()).collect::<String>());
    if [&text, &plain].into_iter().any(|text| is_alphabet(text)) {
        return Some("is an alphabet, or runs along the keyboard");
    }
    if is_famous(plain.strip_prefix("0x").unwrap_or(&plain)) {
        return Some(FAMOUS_RULE);
    }
    if plain.len() >= 8 && is_count(&plain) {
        return Some("counts upwards");
    }
    is_dates(&text).then_some("is made of dates")
}

const FAMOUS_RULE: &str = "is known by heart to many";

/// The bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> Zeroizing<String> {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    Zeroizing::new(digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect())
}

fn is_famous(plain: &str) -> bool {
    plain.len() >= 8 && FAMOUS.lines().any(|famous| famous.contains(plain) || plain.starts_with(famous))
}

/// The form and the number of the bytes that a text stands for, where all of it is digits in hexadecimal or base64.
pub(super) fn encoded_length(secret: &[u8]) -> Option<(&'static str, usize)> {
    let text = str::from_utf8(secret).ok()?.trim();
    let is_between = |c: char| c.is_ascii_whitespace() || ":-,{}".contains(c);
    let digits: String = text.replace("0x", "").chars().filter(|c| !is_between(*c)).collect();
    if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(("hexadecimal", digits.len() / 2));
    }
    let digits: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    let digits = digits.trim_end_matches('=');
    let is_one = text.split_whitespace().all(|line| line.len() >= 16);
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_".contains(&byte);
    // Words joined by hyphens or underscores are none.
    let is_mixed =
        digits.bytes().any(|byte| byte.is_ascii_digit()) && digits.bytes().any(|byte| byte.is_ascii_uppercase());
    (is_one && is_mixed && digits.bytes().all(is_digit)).then_some(("base64", digits.len() * 3 / 4))
}

/// The bytes that a text stands for, where it is hexadecimal or base64: they may follow a rule that the text hides.
pub(crate) fn decoded(secret: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = str::from_utf8(secret).ok()?.trim();
    if text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let pairs = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok());
        return pairs.collect::<Option<Vec<u8>>>().map(Zeroizing::new);
    }
    let text = text.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(text).or_else(|_| URL_SAFE_NO_PAD.decode(text));
    bytes.ok().map(Zeroizing::new)
}

fn many<T>(all: impl Iterator<Item = T> + Clone, holds: impl Fn(T) -> bool) -> bool {
    let count = all.clone().count();
    count > 0 && all.filter_map(|one| holds(one).then_some(())).count() * 100 >= count * MOST
}

/// Whether most letters come next to the one before them, or to that two, three or four before, in the alphabet or on a keyboard.
fn is_alphabet(text: &str) -> bool {
    let letters = Zeroizing::new(text.chars().collect::<Vec<char>>());
    // Of random digits many are next to one of two others, and of the letters of words to one of three or four.
    let is_mixed = |stride| stride < 3 && letters.iter().filter(|c| c.is_ascii_digit()).count() * 2 < letters.len();
    (1..=4).any(|stride| {
        let steps = letters.windows(stride + 1);
        let is_step = |w: &[char]| is_next(w[0], w[stride]) || is_mixed(stride) && is_next(w[stride - 1], w[stride]);
        letters.len() > stride + 4 && many(steps, is_step)
    })
}

fn is_next(a: char, b: char) -> bool {
    u32::from(a).abs_diff(u32::from(b)) <= 1
        || ROWS.iter().any(|row| row.find(a).zip(row.find(b)).is_some_and(|(a, b)| a.abs_diff(b) == 1))
}

/// Whether it is the members of a sequence that everyone can write down, one behind the other, from one of its first.
fn is_count(text: &str) -> bool {
    type Sequence = fn(u128) -> Option<u128>;
    const SEQUENCES: [Sequence; 7] = [
        |n| n.checked_add(0),
        |n| n.checked_mul(n),
        |n| n.checked_pow(3),
        |n| 1_u128.checked_shl(u32::try_from(n).ok()?).filter(|power| *power > 0),
        |n| (1..=n).try_fold(1_u128, u128::checked_mul),
        |n| n.checked_mul(n + 1).map(|double| double / 2),
        |n| n.checked_mul(10),
    ];
    let steps = |step: u128| move |n: u128| n.checked_mul(step);
    let fibonacci = |second: u128| {
        std::iter::successors(Some((1_u128, second)), |(a, b)| Some((*b, a.checked_add(*b)?))).map(|(number, _)| number)
    };
    let primes = || (2_u128..).filter(|n| (2..*n).take_while(|d| d * d <= *n).all(|d| !n.is_multiple_of(d)));
    (0..=2).any(|first| {
        SEQUENCES.iter().any(|sequence| is_made_of(text, (first..).map_while(sequence)))
            || (2..=9).any(|step| is_made_of(text, (first..).map_while(steps(step))))
            || is_made_of(text, (first..).map(|n| 2 * n + 1))
    }) || [1, 2].into_iter().any(|second| is_made_of(text, fibonacci(second)))
        || is_made_of(text, std::iter::once(0).chain(fibonacci(1)))
        || is_made_of(text, primes())
        || is_made_of(text, std::iter::once(1).chain(primes()))
}

/// Whether a text is these numbers, the last of which may be cut off.
fn is_made_of(text: &str, numbers: impl Iterator<Item = u128>) -> bool {
    let mut rest = text;
    // More numbers than letters there cannot be.
    for number in numbers.take(text.len() + 2) {
        let number = number.to_string();
        match rest.strip_prefix(&number) {
            Some("") => return true,
            Some(after) => rest = after,
            None => return number.starts_with(rest),
        }
    }
    false
}

/// Whether a text is nothing but dates and times, one or more.
fn is_dates(text: &str) -> bool {
    let mut has_year = false;
    let (mut digits, mut words, mut others) = (0, 0, 0);
    let mut rest = text;
    let mut before = ' ';
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = if is_digit {
            rest.find(|c: char| !c.is_ascii_digit())
        } else if first.is_alphabetic() {
            rest.find(|c: char| !c.is_alphabetic())
        } else {
            Some(first.len_utf8())
        };
        let (part, after) = rest.split_at(end.unwrap_or(rest.len()));
        if is_digit {
            digits += part.len();
            match number(part, before) {
                Some(names_year) => has_year |= names_year,
                None => return false,
            }
        } else if first.is_alphabetic() {
            let is_of_dates = DATE_WORDS.contains(part);
            if !is_of_dates && !AROUND_DATES.contains(part) {
                return false;
            }
            words += usize::from(is_of_dates);
            others += usize::from(!is_of_dates);
        } else if !first.is_ascii() {
            return false;
        }
        before = first;
        rest = after;
    }
    // Names of days and months alone are some that everyone can recite.
    has_year && (digits >= 8 || digits >= 5 && words > 0)
        || digits == 0 && others == 0 && text.chars().filter(|c| c.is_alphabetic()).count() >= 20
}

/// Whether digits can stand in a date or time, and then whether they say the year. `before`: what stands before them.
fn number(digits: &str, before: char) -> Option<bool> {
    // One date behind the other without anything between them.
    for length in [14, 12, 8, 10] {
        if digits.len() > length && digits.len().is_multiple_of(length) {
            let parts = (0..digits.len()).step_by(length).map(|at| &digits[at..at + length]);
            if parts.clone().all(|part| number(part, ' ') == Some(true)) {
                return Some(true);
            }
        }
    }
    let at = |from: usize, to: usize| digits[from..to].parse::<u32>().unwrap_or(u32::MAX);
    let is_year = |from| (1900..2100).contains(&at(from, from + 4));
    let is_day = |from| (1..=31).contains(&at(from, from + 2));
    let is_month = |from| (1..=12).contains(&at(from, from + 2));
    let is_time = |from: usize| {
        at(from, from + 2) < 24
            && (from + 2..digits.len()).step_by(2).all(|at_| at_ + 2 > digits.len() || at(at_, at_ + 2) < 60)
    };
    if before == '.' && matches!(digits.len(), 3 | 6 | 9) {
        return Some(false);
    }
    match digits.len() {
        1 | 2 => Some(false),
        4 if is_year(0) => Some(true),
        4 | 6 if is_time(0) => Some(false),
        6 if is_month(2) && (is_day(0) || is_day(4)) => Some(false),
        8 | 17 if is_year(0) && is_month(4) && is_day(6) => Some(true),
        8 if is_year(4) && (is_month(0) && is_day(2) || is_day(0) && is_month(2)) => Some(true),
        // Seconds and milliseconds since 1970.
        10 | 13 if digits.starts_with('1') => Some(true),
        12 | 14 if is_year(0) && is_month(4) && is_day(6) && is_time(8) => Some(true),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t9_alphabets_rows_of_keys_counts_and_what_is_known_by_heart_follow_a_rule() {
        for text in [
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
            "zyxwvutsrqponmlkjihgfedcba9876543210",
            "aAbBcCdDeEfFgGhHiIjJkKlLmMnNoOpP",
            "a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v",
            "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8",
            "azbycxdwevfugthsirjqkplomn0123456789",
            "acegikmoqsuwyacegikmoqsuwyacegikmoqs",
            "qwertyuiopasdfghjklzxcvbnm1234567890",
            "1234567890qwertyuiopasdfghjklzxcvbnm",
            "абвгдежзийклмнопрстуфхцчшщъыьэюя",
            "!\"#$%&'()*+,-./0123456789:;<=>?@",
            "1234567891011121314151617181920212223",
            "112358132134558914423337761098715972584",
            "0 1 1 2 3 5 8 13 21 34 55 89 144 233 377 610",
            "2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41",
            "1 2 4 8 16 32 64 128 256 512 1024 2048 4096",
            "1 4 9 16 25 36 49 64 81 100 121 144 169 196",
            "2 4 6 8 10 12 14 16 18 20 22 24 26 28 30 32",
            "Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune",
            "monday-tuesday-wednesday-thursday-friday",
            "January, February, March, April, May, June",
            "Hydrogen Helium Lithium Beryllium Boron Carbon",
            "alpha beta gamma delta epsilon zeta eta theta",
            "one two three four five six seven eight nine ten",
            "I II III IV V VI VII VIII IX X XI XII XIII",
            "01020304050607080910111213141516",
            "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
            "The quick brown fox jumps over the lazy dog.",
            "3.1415926535897932384626433832795",
            "Lorem ipsum dolor sit amet, consectetur adipiscing elit",
        ] {
            assert!(rule(text.as_bytes()).is_some(), "{text}");
        }
        let steps: Vec<u8> = (0..64_u8).map(|n| n.wrapping_mul(7)).collect();
        assert!(rule(&steps).is_some());
    }

    #[test]
    fn t9_dates_follow_a_rule() {
        for text in [
            "2026-11-28T09:48:26.123456+00:00",
            "Saturday, 28 November 2026 09:48:26 UTC",
            "2026-11-28 09:48:26 2026-11-29 10:00:00",
            "2026112809482620261129094826",
            "20260101202601022026010320260104",
            "28.11.2026 29.11.2026 30.11.2026",
            "Sat Nov 28 09:48:26 UTC 2026 - Sat Nov 28 2026",
            "176432330617643233071764323308",
            "born on 17 October 1961 in the morning",
            "Thursday, 02 October 1986 at 22:42:54 o clock",
            "June 05, 1960, 12:10 AM Greenwich time",
            "Donnerstag, 3. März 2022 um 14:05 Uhr",
            "le 14 juillet 1989 à 10 h 30, dimanche",
            "backup-2024-05-06-07-08-09-202405060708",
        ] {
            assert_eq!(rule(text.as_bytes()), Some("is made of dates"), "{text}");
        }
    }

    #[test]
    fn t9_random_texts_of_every_usual_kind_follow_none() {
        for text in [
            "5f8e0c9a7d3b41268e90f1c2d3a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6",
            "Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pA+eU/iO==",
            "7b3e9c1f-52a8-4d06-b1e7-90c4f8a2d35b",
            "83920174652839104756102938475610",
            "four owls hoot at 20 past 7 under the old oak",
            "marble-74-otter-2026-lantern-velvet-11",
            "12 45 03 99 71 30 28 64 55 81 07 92",
        ] {
            assert_eq!(rule(text.as_bytes()), None, "{text}");
        }
    }
}
