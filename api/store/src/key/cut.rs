//! Places between values: where a range of one element's values begins or ends, whichever way the element sorts.

use super::{ESCAPE, Key};

/// Before the first byte of every element, and after the zero that a descending text may go on with.
const FIRST: u8 = 0x01;

/// A place among the values of one element of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The bytes of an element, or of its beginning.
    element: Vec<u8>,
    side: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
    /// After every text that begins with these bytes.
    AfterTexts,
}

impl Cut {
    /// Before every value.
    pub fn start() -> Cut {
        Cut { element: Vec::new(), side: Side::Before }
    }

    /// After every value.
    pub fn end() -> Cut {
        Cut { element: Vec::new(), side: Side::After }
    }

    /// Before a value: the element that `append` adds to a key.
    pub fn before(append: impl FnOnce(Key) -> Key) -> Cut {
        Cut { element: append(Key(Vec::new())).0, side: Side::Before }
    }

    /// After a value.
    pub fn after(append: impl FnOnce(Key) -> Key) -> Cut {
        Cut { side: Side::After, ..Cut::before(append) }
    }

    /// After every text that begins with this one.
    pub fn after_texts(beginning: &str) -> Cut {
        let mut cut = Cut::before(|key| key.text(beginning));
        cut.element.pop();
        Cut { side: Side::AfterTexts, ..cut }
    }

    /// After the value that comes after this cut, where [`Cut::before`] made it.
    #[must_use]
    pub fn end_of_value(&self) -> Cut {
        Cut { side: Side::After, ..self.clone() }
    }

    /// Whether nothing but one value lies between two cuts.
    pub fn is_value(from: &Cut, to: &Cut) -> bool {
        !from.element.is_empty() && from.element == to.element && (from.side, to.side) == (Side::Before, Side::After)
    }

    /// Appends the value that comes after this cut, where [`Cut::before`] made it.
    #[must_use]
    pub fn value(&self, mut key: Key, descending: bool) -> Key {
        key.0.extend(self.element.iter().map(|byte| if descending { !byte } else { *byte }));
        key
    }

    /// The place behind `key`, as a bound: nothing is kept there. In a descending element it is the other end of what an ascending one has
    /// there.
    #[must_use]
    pub fn place(&self, key: Key, descending: bool) -> Key {
        let mut place = self.value(key, descending);
        match (self.side, descending) {
            // Before a value is after it, seen from the other side.
            (Side::Before, true) | (Side::After | Side::AfterTexts, false) => place.0.push(ESCAPE),
            (Side::Before, false) if !self.element.is_empty() => {}
            // Behind a descending text comes one that goes on after a zero byte, which is before the text that ends there.
            (Side::Before, false) | (Side::After, true) => place.0.push(FIRST),
            (Side::AfterTexts, true) => place.0.push(!ESCAPE),
        }
        place
    }
}

impl PartialOrd for Cut {
    fn partial_cmp(&self, other: &Cut) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cut {
    fn cmp(&self, other: &Cut) -> std::cmp::Ordering {
        let place = |cut: &Cut| cut.place(Key(Vec::new()), false).0;
        place(self).cmp(&place(other))
    }
}
