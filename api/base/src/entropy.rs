//! The seam through which randomness enters the server: [`Entropy`].

use std::sync::{Arc, Mutex};

use crate::lock;

/// Gives random bytes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Entropy(Randomness);

#[derive(Debug, Clone)]
enum Randomness {
    System,
    /// `SplitMix64`; foretold on purpose.
    Seeded(Arc<Mutex<u64>>),
}

impl Entropy {
    /// The operating system's generator.
    pub fn system() -> Self {
        Self(Randomness::System)
    }

    /// The same bytes for the same seed. For tests, and for names that must differ and may be guessed.
    pub fn seeded(seed: u64) -> Self {
        Self(Randomness::Seeded(Arc::new(Mutex::new(seed))))
    }

    /// Fills `buffer`.
    ///
    /// # Panics
    /// Where the operating system has no randomness to give: nothing may go on with less.
    pub fn fill(&self, buffer: &mut [u8]) {
        match &self.0 {
            Randomness::System => getrandom::fill(buffer).expect("the operating system gives random bytes"),
            Randomness::Seeded(state) => {
                let mut state = lock(state);
                for chunk in buffer.chunks_mut(8) {
                    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mut word = *state;
                    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    word ^= word >> 31;
                    chunk.copy_from_slice(&word.to_le_bytes()[..chunk.len()]);
                }
            }
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeded_entropy_repeats_itself_and_system_entropy_does_not() {
        assert_eq!(Entropy::seeded(9).bytes::<20>(), Entropy::seeded(9).bytes::<20>());
        assert_ne!(Entropy::system().bytes::<16>(), Entropy::system().bytes::<16>());
    }
}
