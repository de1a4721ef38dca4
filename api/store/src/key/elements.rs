//! Taking a key apart again, element by element.

use rust_decimal::Decimal;
use uuid::Uuid;

use super::{BYTES, DECIMAL, END, ESCAPE, FALSE, INT, LONG_INT, NULL, TEXT, TRUE, UUID, decimal};

/// The tags of integers.
const INT_FIRST: u8 = INT - 8;
const INT_LAST: u8 = INT + 8;

/// The key does not have the element that was asked for, or its bytes are not a key's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key does not have the expected form")]
pub struct KeyError;

/// One element of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// Nothing.
    Null,
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer in eight bytes: see [`Key::long_int`](super::Key::long_int).
    LongInt(i64),
    /// A decimal, with the smallest scale that holds it.
    Decimal(Decimal),
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A UUID.
    Uuid(Uuid),
    /// One that sorts the other way round.
    Descending(Box<Element>),
}

/// The elements of a key from the left: first [`Elements::space`], then the rest by type, or as an
/// iterator where the types are not known. A failed read takes nothing off.
#[derive(Debug, Clone)]
pub struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Elements<'a> {
        Elements { rest: bytes }
    }

    /// Takes off the name of the space; only the first element is one.
    pub fn space(&mut self) -> Result<&'a str, KeyError> {
        let end = self.rest.iter().position(|&byte| byte == END).ok_or(KeyError)?;
        let name = std::str::from_utf8(&self.rest[..end]).map_err(|_| KeyError)?;
        self.rest = &self.rest[end + 1..];
        Ok(name)
    }

    /// Takes off an integer, however many bytes it takes.
    pub fn int(&mut self) -> Result<i64, KeyError> {
        self.take(|element| match element {
            Element::Int(value) | Element::LongInt(value) => Some(value),
            _ => None,
        })
    }

    /// Takes off a text.
    pub fn text(&mut self) -> Result<String, KeyError> {
        self.take(|element| if let Element::Text(value) = element { Some(value) } else { None })
    }

    /// Takes off bytes.
    pub fn bytes(&mut self) -> Result<Vec<u8>, KeyError> {
        self.take(|element| if let Element::Bytes(value) = element { Some(value) } else { None })
    }

    /// Takes off a UUID.
    pub fn uuid(&mut self) -> Result<Uuid, KeyError> {
        self.take(|element| if let Element::Uuid(value) = element { Some(value) } else { None })
    }

    /// Takes off an element of any type.
    pub fn element(&mut self) -> Result<Element, KeyError> {
        self.take(Some)
    }

    /// The last element, without a look into the others.
    pub fn last(mut self) -> Result<Element, KeyError> {
        loop {
            let length = length(self.rest).ok_or(KeyError)?;
            match self.rest.get(length..) {
                Some([]) => return self.element(),
                Some(rest) => self.rest = rest,
                None => return Err(KeyError),
            }
        }
    }

    /// True when everything has been taken off.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    fn take<T>(&mut self, wanted: impl Fn(Element) -> Option<T>) -> Result<T, KeyError> {
        let (element, length) = decode(self.rest).ok_or(KeyError)?;
        let value = wanted(element).ok_or(KeyError)?;
        self.rest = &self.rest[length..];
        Ok(value)
    }
}

impl Iterator for Elements<'_> {
    type Item = Result<Element, KeyError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_empty() {
            return None;
        }
        let element = self.element();
        if element.is_err() {
            self.rest = &[];
        }
        Some(element)
    }
}

/// The bytes that the element at the front of `bytes` takes.
fn length(bytes: &[u8]) -> Option<usize> {
    let (&tag, body) = bytes.split_first()?;
    let length = match tag {
        NULL | FALSE | TRUE => 0,
        LONG_INT => 8,
        INT_FIRST..=INT_LAST => usize::from(tag.abs_diff(INT)),
        UUID => 16,
        TEXT | BYTES => {
            let mut at = 0;
            loop {
                at += body.get(at..)?.iter().position(|byte| *byte == END)? + 1;
                if body.get(at) != Some(&ESCAPE) {
                    break at;
                }
                at += 1;
            }
        }
        _ => return decode(bytes).map(|(_, length)| length),
    };
    Some(1 + length)
}

/// Reads one element from the front of `bytes`; returns it with the number of bytes it took.
fn decode(bytes: &[u8]) -> Option<(Element, usize)> {
    let (&tag, body) = bytes.split_first()?;
    let (element, length) = match tag {
        NULL => (Element::Null, 0),
        FALSE => (Element::Bool(false), 0),
        TRUE => (Element::Bool(true), 0),
        LONG_INT => {
            let bytes = body.first_chunk::<8>()?;
            (Element::LongInt(i64::from_be_bytes(*bytes) ^ i64::MIN), 8)
        }
        INT_FIRST..=INT_LAST => {
            let (value, length) = int(tag, body)?;
            (Element::Int(value), length)
        }
        DECIMAL => {
            let (value, length) = decimal::decode(body)?;
            (Element::Decimal(value), length)
        }
        TEXT => {
            let (bytes, length) = undelimit(body)?;
            (Element::Text(String::from_utf8(bytes).ok()?), length)
        }
        BYTES => {
            let (bytes, length) = undelimit(body)?;
            (Element::Bytes(bytes), length)
        }
        UUID => (Element::Uuid(Uuid::from_bytes(*body.first_chunk::<16>()?)), 16),
        0x80.. => {
            let turned: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
            let (element, length) = decode(&turned)?;
            return Some((Element::Descending(Box::new(element)), length));
        }
        _ => return None,
    };
    Some((element, 1 + length))
}

/// Reads what follows the tag of an integer. One that takes more bytes than it needs is none.
fn int(tag: u8, body: &[u8]) -> Option<(i64, usize)> {
    let length = usize::from(tag.abs_diff(INT));
    let flip = if tag < INT { 0xFF } else { 0 };
    let amount = body.get(..length)?.iter().fold(0_u64, |amount, byte| amount << 8 | u64::from(byte ^ flip));
    let value = if tag < INT { !i64::try_from(amount).ok()? } else { i64::try_from(amount).ok()? };
    let needed = (8 - amount.leading_zeros() as usize / 8).max(usize::from(tag < INT));
    (length == needed).then_some((value, length))
}

/// Undoes the escaping of zero bytes up to and including the end.
fn undelimit(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut value = Vec::new();
    let mut at = 0;
    loop {
        let byte = *bytes.get(at)?;
        if byte != END {
            value.push(byte);
            at += 1;
        } else if bytes.get(at + 1) == Some(&ESCAPE) {
            value.push(END);
            at += 2;
        } else {
            return Some((value, at + 1));
        }
    }
}
