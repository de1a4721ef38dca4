//! The format of a store.

/// The newest format of a store: how keys and values are written, and what those who use the store keep in it. A program refuses
/// newer ones, and so does not write into a store without keeping what it does not know of.
///
/// - 1: the first
/// - 2: what every owner has is counted
/// - 3: numbers in keys, the journal in blocks: see ARCHITECTURE.md, "The format on disk"
pub const FORMAT: u32 = 3;
