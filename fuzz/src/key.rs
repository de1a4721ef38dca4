//! Keys of the store.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use store::{Element, Key};
use uuid::Uuid;

/// Two keys compare as the values that they are made of, come apart into them again, and can be had back from their bytes. Bytes that are
/// taken for a key are in order and come apart.
pub fn key(bytes: &[u8]) {
    if let Ok(key) = Key::from_bytes(bytes) {
        assert_eq!(key.as_bytes(), bytes);
        let mut elements = key.elements();
        elements.space().expect("a key has a space");
        assert!(elements.all(|element| element.is_ok()), "{key:?} comes apart");
    }
    let mut source = Source(bytes);
    let (a, b) = (source.elements(), source.elements());
    let (key_a, key_b) = (build(&a), build(&b));
    assert_eq!(key_a.cmp(&key_b), compare_all(&a, &b), "{a:?} and {b:?}");
    assert_eq!(key_a.starts_with(&key_b), a.len() >= b.len() && compare_all(&a[..b.len()], &b).is_eq());
    for (key, elements) in [(&key_a, &a), (&key_b, &b)] {
        let mut read = key.elements();
        assert_eq!(read.space(), Ok("fuzz"));
        let read: Vec<_> = read.collect::<Result<_, _>>().expect("a key that was made comes apart");
        assert!(compare_all(&read, elements).is_eq(), "{read:?} is not {elements:?}");
        assert!(key.as_bytes().len() > Key::MAX_BYTES || Key::from_bytes(key.as_bytes()).as_ref() == Ok(key));
    }
}

/// Makes values of bytes.
struct Source<'a>(&'a [u8]);

impl Source<'_> {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let taken = self.0.len().min(N);
        out[..taken].copy_from_slice(&self.0[..taken]);
        self.0 = &self.0[taken..];
        out
    }

    fn run(&mut self) -> Vec<u8> {
        let [length] = self.bytes();
        let (run, rest) = self.0.split_at(usize::from(length % 16).min(self.0.len()));
        self.0 = rest;
        run.to_vec()
    }

    fn elements(&mut self) -> Vec<Element> {
        let [count] = self.bytes();
        (0..count % 4).map(|_| self.element()).collect()
    }

    fn element(&mut self) -> Element {
        let [kind] = self.bytes();
        match kind % 8 {
            0 => Element::Null,
            1 => Element::Bool(kind > 127),
            // Neighbours, which random numbers rarely are.
            2 => Element::Int(i64::from(i16::from_be_bytes(self.bytes()))),
            3 if kind > 127 => Element::Int(i64::from_be_bytes(self.bytes())),
            3 => Element::LongInt(i64::from_be_bytes(self.bytes())),
            4 => {
                let mantissa = i128::from_be_bytes(self.bytes()) >> (kind >> 3);
                let [scale] = self.bytes();
                let decimal = Decimal::try_from_i128_with_scale(mantissa, u32::from(scale % 29));
                decimal.map_or(Element::Null, Element::Decimal)
            }
            5 => Element::Text(String::from_utf8_lossy(&self.run()).into_owned()),
            6 => Element::Bytes(self.run()),
            _ => Element::Uuid(Uuid::from_bytes(self.bytes())),
        }
    }
}

fn build(elements: &[Element]) -> Key {
    elements.iter().fold(Key::space("fuzz"), Key::element)
}

fn compare_all(a: &[Element], b: &[Element]) -> Ordering {
    let differing = a.iter().zip(b).map(|(a, b)| compare(a, b)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| a.len().cmp(&b.len()))
}

fn compare(a: &Element, b: &Element) -> Ordering {
    match (a, b) {
        (Element::Bool(a), Element::Bool(b)) => a.cmp(b),
        (Element::Int(a), Element::Int(b)) | (Element::LongInt(a), Element::LongInt(b)) => a.cmp(b),
        (Element::Decimal(a), Element::Decimal(b)) => a.cmp(b),
        (Element::Text(a), Element::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
        (Element::Bytes(a), Element::Bytes(b)) => a.cmp(b),
        (Element::Uuid(a), Element::Uuid(b)) => a.cmp(b),
        _ => place(a).cmp(&place(b)),
    }
}

fn place(element: &Element) -> u8 {
    match element {
        Element::Null => 0,
        Element::Bool(_) => 1,
        Element::LongInt(_) => 2,
        Element::Decimal(_) => 3,
        Element::Text(_) => 4,
        Element::Bytes(_) => 5,
        Element::Uuid(_) => 6,
        Element::Int(_) => 7,
        Element::Descending(_) => 8,
    }
}
