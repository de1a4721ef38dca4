//! The journal: what batches append, in the order of the commits, in blocks. The entries of a group of commits are one block,
//! compressed; a block that would be larger than [`BLOCK_BYTES`] is divided, so that one entry can be read without all of a
//! large commit. A block is kept under the position of its first entry when it was written, and every entry in it carries its
//! own position. So entries can be taken out of a block, and neighbouring blocks joined: the block for a position is the last
//! one at or before it. What an entry says is the business of those who append it.

mod blocks;
mod read;

pub use self::{
    blocks::{Appended, BLOCK_BYTES, Packer, Position, SPACE, blocks, key, pack, position, unpack},
    read::{Block, Blocks, block_of, blocks_before, blocks_from},
};
