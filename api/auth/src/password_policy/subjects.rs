//! Names that belong together: of a story, a team, a family, the days of a week. Who takes several of them takes those that others take.

use std::{collections::HashSet, sync::LazyLock};

use super::{pattern::FILL_WORDS, spelling::unreplace};

/// The words of each subject, folded, without accents.
static SUBJECTS: LazyLock<Vec<HashSet<&str>>> =
    LazyLock::new(|| include_str!("subjects.txt").lines().map(|line| line.split(' ').collect()).collect());
/// The longest of them, in bytes.
static LONGEST: LazyLock<usize> =
    LazyLock::new(|| SUBJECTS.iter().flatten().map(|word| word.len()).max().unwrap_or_default());

/// Fewer letters say nothing.
const SHORTEST: usize = 6;
/// More letters than this are somebody's own, however they begin; and nobody waits for them to be looked through.
const LONGEST_TEXT: usize = 256;

/// Whether the letters of a folded text are words of one subject, as many as you like, and such as stand between.
pub(super) fn is_known(folded: &str) -> bool {
    let plain: String = folded.chars().filter(|c| c.is_alphabetic()).collect();
    let replaced: String = folded.chars().map(unreplace).filter(|c| c.is_alphabetic()).collect();
    [plain, replaced].iter().any(|letters| {
        (SHORTEST..=LONGEST_TEXT).contains(&letters.len()) && SUBJECTS.iter().any(|words| consists_of(letters, words))
    })
}

fn consists_of(letters: &str, words: &HashSet<&str>) -> bool {
    // Whether each beginning is made of such words, and whether one of them is of the subject.
    let mut made = vec![None; letters.len() + 1];
    made[0] = Some(false);
    for end in 1..=letters.len() {
        for start in end.saturating_sub(*LONGEST)..end {
            let (Some(is_told), Some(piece)) = (made[start], letters.get(start..end)) else { continue };
            if words.contains(piece) {
                made[end] = Some(true);
                break;
            }
            if FILL_WORDS.contains(piece) {
                made[end] = Some(made[end].unwrap_or(false) || is_told);
            }
        }
    }
    made[letters.len()] == Some(true)
}
