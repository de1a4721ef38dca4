//! Keys: tuples of typed elements, encoded so that bytes sort like the values they stand for.
//!
//! Every element delimits itself and carries its type, so no name or value, whatever bytes are in
//! it, can reach into another space or be read as another element. Between types the order is
//! null < false < true < decimal < text < bytes < uuid < integer; within one it is the type's own.
//! Taking a key apart is in `key/elements.rs`; which spaces exist is up to the callers.

mod cut;
mod decimal;
mod elements;

use std::fmt;

use bytes::Bytes;
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use uuid::Uuid;

pub use self::{
    cut::Cut,
    elements::{Element, Elements, KeyError},
};

const NULL: u8 = 0x05;
const FALSE: u8 = 0x10;
const TRUE: u8 = 0x11;
const LONG_INT: u8 = 0x20;
const DECIMAL: u8 = 0x28;
const TEXT: u8 = 0x30;
const BYTES: u8 = 0x38;
const UUID: u8 = 0x40;

/// The integer 0. Above it are the tags of positive integers of 1 to 8 bytes, below it those of negative ones.
const INT: u8 = 0x58;

/// Ends a text or bytes element. A zero byte inside one is followed by [`ESCAPE`], which no
/// element begins with, so an end is never mistaken for a zero and shorter sorts first.
const END: u8 = 0x00;
const ESCAPE: u8 = 0xFF;

/// A key of the store. Build one with [`Key::space`] and an element after another:
/// `Key::space("records").uuid(collection).uuid(record)`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// The longest key that can be written, in encoded bytes. Pages of the backend on disk hold
    /// hundreds of keys; longer values belong into a value, with their hash in the key.
    pub const MAX_BYTES: usize = 768;

    /// Begins a key in the space `name`: the first word of every key, fixed in the program.
    pub fn space(name: &'static str) -> Key {
        debug_assert!(!name.is_empty(), "the empty space is the store's own");
        let mut key = Key(Vec::with_capacity(48));
        key.push_delimited(name.as_bytes());
        key
    }

    /// Appends a null, which sorts before everything.
    #[must_use]
    pub fn null(mut self) -> Key {
        self.0.push(NULL);
        self
    }

    /// Appends a truth value.
    #[must_use]
    pub fn bool(mut self, value: bool) -> Key {
        self.0.push(if value { TRUE } else { FALSE });
        self
    }

    /// Appends an integer, in as few bytes as it needs.
    #[must_use]
    pub fn int(mut self, value: i64) -> Key {
        // Of a negative one, the amount below -1: the further down, the larger; with all bits turned over it sorts before.
        let flip = if value < 0 { 0xFF } else { 0 };
        let amount = if value < 0 { !value } else { value }.cast_unsigned();
        let length = if value == 0 { 0 } else { (8 - amount.leading_zeros() as usize / 8).max(1) };
        let tag = u8::try_from(length).unwrap_or(8);
        self.0.push(if value < 0 { INT - tag } else { INT + tag });
        self.0.extend(amount.to_be_bytes()[8 - length..].iter().map(|byte| byte ^ flip));
        self
    }

    /// Appends an integer in eight bytes, as stores before format 3 had them and backups have.
    #[must_use]
    pub fn long_int(mut self, value: i64) -> Key {
        self.0.push(LONG_INT);
        // With the sign bit turned over, negative numbers sort before positive ones.
        self.0.extend_from_slice(&(value ^ i64::MIN).to_be_bytes());
        self
    }

    /// Appends a decimal by its value: `1.0` and `1.00` make the same key.
    #[must_use]
    pub fn decimal(mut self, value: Decimal) -> Key {
        self.0.push(DECIMAL);
        decimal::encode(value, &mut self.0);
        self
    }

    /// Appends a text, which sorts by its UTF-8 bytes.
    #[must_use]
    pub fn text(mut self, value: &str) -> Key {
        self.0.push(TEXT);
        self.push_delimited(value.as_bytes());
        self
    }

    /// Appends a text of any length: one of more than 255 bytes by its beginning and a hash of the
    /// whole, as text. Different texts make different keys, in order as far as the beginnings tell
    /// them apart; but the text cannot be had back from the key.
    #[must_use]
    pub fn long_text(self, value: &str) -> Key {
        if value.len() <= 255 {
            return self.text(value);
        }
        // Longer than any text that is kept whole, so it is not mistaken for one.
        let beginning = &value[..value.floor_char_boundary(200)];
        let hash = Bytes::copy_from_slice(&Sha256::digest(value));
        self.text(&format!("{beginning}{hash:x}"))
    }

    /// The same for a text of more than `max_bytes`: one byte more than that are left of it, the last 32 of them half of the hash.
    #[must_use]
    pub fn text_within(self, value: &str, max_bytes: usize) -> Key {
        if value.len() <= max_bytes {
            return self.text(value);
        }
        let beginning = &value[..value.floor_char_boundary(max_bytes.saturating_sub(31))];
        let hash = Bytes::copy_from_slice(&Sha256::digest(value)[..16]);
        self.text(&format!("{beginning}{hash:x}"))
    }

    /// Appends bytes.
    #[must_use]
    pub fn bytes(mut self, value: &[u8]) -> Key {
        self.0.push(BYTES);
        self.push_delimited(value);
        self
    }

    /// Appends a UUID.
    #[must_use]
    pub fn uuid(mut self, value: Uuid) -> Key {
        self.0.push(UUID);
        self.0.extend_from_slice(value.as_bytes());
        self
    }

    /// Appends an element of another key, or one that was kept.
    #[must_use]
    pub fn element(self, element: &Element) -> Key {
        match element {
            Element::Null => self.null(),
            Element::Bool(value) => self.bool(*value),
            Element::Int(value) => self.int(*value),
            Element::LongInt(value) => self.long_int(*value),
            Element::Decimal(value) => self.decimal(*value),
            Element::Text(value) => self.text(value),
            Element::Bytes(value) => self.bytes(value),
            Element::Uuid(value) => self.uuid(*value),
            Element::Descending(value) => self.descending(|key| key.element(value)),
        }
    }

    /// Appends elements that sort the other way round: all their bytes are complemented.
    #[must_use]
    pub fn descending(self, append: impl FnOnce(Key) -> Key) -> Key {
        let from = self.0.len();
        let mut key = append(self);
        key.0[from..].iter_mut().for_each(|byte| *byte = !*byte);
        key
    }

    /// The elements, to be taken off from the left.
    pub fn elements(&self) -> Elements<'_> {
        Elements::new(&self.0)
    }

    /// True if this key begins with all elements of `prefix`.
    pub fn starts_with(&self, prefix: &Key) -> bool {
        self.0.starts_with(&prefix.0) && *self < prefix.after_children()
    }

    /// The encoded key.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes [`as_bytes`](Key::as_bytes) back, from where it was kept; it must be a key that could be written.
    pub fn from_bytes(bytes: &[u8]) -> Result<Key, KeyError> {
        let mut elements = Elements::new(bytes);
        if elements.space()?.is_empty() || bytes.len() > Key::MAX_BYTES {
            return Err(KeyError);
        }
        elements.try_for_each(|element| element.map(drop))?;
        Ok(Key(bytes.to_vec()))
    }

    /// The key as the backend gives it back.
    pub(super) fn from_encoded(bytes: Vec<u8>) -> Key {
        Key(bytes)
    }

    /// The smallest key after this one and all that begin with it. It is a bound, not a place.
    #[must_use]
    pub fn after_children(&self) -> Key {
        let mut bound = self.clone();
        bound.0.push(ESCAPE);
        bound
    }

    fn push_delimited(&mut self, bytes: &[u8]) {
        for (n, piece) in bytes.split(|byte| *byte == END).enumerate() {
            if n > 0 {
                self.0.extend_from_slice(&[END, ESCAPE]);
            }
            self.0.extend_from_slice(piece);
        }
        self.0.push(END);
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// For test output and logs of programming errors: space, ids and numbers as they are, of the
/// rest the kind only, because those values are users' data and stay out of logs.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut elements = self.elements();
        let Ok(space) = elements.space() else {
            return write!(f, "Key({} bytes)", self.0.len());
        };
        write!(f, "{space}")?;
        for element in elements {
            match element {
                Ok(Element::Uuid(id)) => write!(f, "/{id}")?,
                Ok(Element::Int(number) | Element::LongInt(number)) => write!(f, "/{number}")?,
                Ok(Element::Null) => f.write_str("/null")?,
                Ok(Element::Bool(_)) => f.write_str("/bool")?,
                Ok(Element::Decimal(_)) => f.write_str("/decimal")?,
                Ok(Element::Text(_)) => f.write_str("/text")?,
                Ok(Element::Bytes(_)) => f.write_str("/bytes")?,
                Ok(Element::Descending(_)) => f.write_str("/descending")?,
                Err(_) => f.write_str("/?")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
