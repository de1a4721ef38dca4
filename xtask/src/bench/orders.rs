//! Orders of things from makers in countries: what is asked about in `cargo xtask bench queries`. Made up by a fixed rule, so that every run has the same.

use serde_json::{Value, json};

use super::data::Random;

pub(super) const COUNTRIES: usize = 50;
pub(super) const MAKERS: usize = 1_000;
/// Different values of `kind`.
pub(super) const KINDS: usize = 20;
/// Words of a note, of which each is drawn out of [`VOCABULARY`].
const NOTE_WORDS: usize = 60;
const VOCABULARY: u64 = 5_000;

/// One of them.
pub(super) struct Order {
    title: String,
    kind: usize,
    /// Up to 999.99.
    cents: u64,
    pub(super) placed: String,
    copies: u64,
    maker: usize,
    note: String,
}

/// So many.
pub(super) fn orders(count: usize) -> Vec<Order> {
    let mut random = Random(7);
    (0..count)
        .map(|n| Order {
            title: format!("{} {} {n}", random.name(), random.name()),
            kind: index(random.below(KINDS as u64)),
            cents: random.below(100_000),
            placed: format!("{}-{:02}-{:02}", 2020 + random.below(5), 1 + random.below(12), 1 + random.below(28)),
            copies: random.below(1_000),
            maker: index(random.below(MAKERS as u64)),
            note: (0..NOTE_WORDS).map(|_| word(random.below(VOCABULARY))).collect::<Vec<_>>().join(" "),
        })
        .collect()
}

/// A word of the notes. No word is the beginning of another.
pub(super) fn word(n: u64) -> String {
    const LETTERS: [char; 10] = ['b', 'd', 'f', 'g', 'k', 'l', 'm', 'n', 'r', 't'];
    const VOWELS: [char; 5] = ['a', 'e', 'i', 'o', 'u'];
    let letter = |n: u64| LETTERS[index(n % 10)];
    [letter(n), VOWELS[index(n / 1000)], letter(n / 10), 'o', letter(n / 100), 'u', 's'].iter().collect()
}

impl Order {
    pub(super) fn json(&self, makers: &[String]) -> Value {
        json!({
            "title": self.title, "kind": format!("kind-{}", self.kind), "price": self.price_text(), "placed": self.placed,
            "copies": self.copies, "maker": makers[self.maker], "note": self.note,
        })
    }

    fn price_text(&self) -> String {
        format!("{}.{:02}", self.cents / 100, self.cents % 100)
    }

    /// The price, as a number that is not exact.
    #[allow(clippy::cast_precision_loss)] // Cents are below 2^52.
    pub(super) fn price(&self) -> f64 {
        self.cents as f64 / 100.0
    }
}

fn index(n: u64) -> usize {
    usize::try_from(n).unwrap_or_default()
}
