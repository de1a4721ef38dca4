//! What sled 0.34 writes of a page: a node of its tree, and changes of that. Bytes that make no sense are `None`.

use super::super::mend::varint;

/// A leaf or an inner node.
#[derive(Debug, PartialEq)]
pub(super) struct Node {
    /// The node behind it.
    pub next: Option<u64>,
    /// A node that is becoming a part of it.
    pub merging: Option<u64>,
    /// Its keys are not less than this.
    pub lo: Vec<u8>,
    /// They are less than this; `None` where there is no end.
    pub hi: Option<Vec<u8>>,
    /// What every key of it begins with, and is not written.
    prefix: usize,
    pub data: Data,
}

/// Keys and values.
pub(super) type Entries = Vec<(Vec<u8>, Vec<u8>)>;

#[derive(Debug, PartialEq)]
pub(super) enum Data {
    /// Entries, in the order of their keys.
    Leaf(Entries),
    /// The pages below.
    Index(Vec<u64>),
}

/// Bytes from which values are taken.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        let (number, length) = varint(self.0)?;
        self.0 = self.0.get(length..)?;
        Some(number)
    }

    fn count(&mut self) -> Option<usize> {
        // Each of what is counted takes a byte at least.
        self.number()?.try_into().ok().filter(|count| *count <= self.0.len())
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number()?).ok()?;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }
}

impl Node {
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut from = Reader(bytes);
        let (next, merging, _is_merged) = (from.number()?, from.number()?, from.byte()?);
        // No node is behind or below page 0.
        let [next, merging] = [next, merging].map(|page| (page != 0).then_some(page));
        let prefix = usize::from(from.byte()?);
        let (lo, hi) = (from.bytes()?.to_vec(), from.bytes()?);
        let common = lo.get(..prefix)?;
        let is_index = from.byte()?;
        let count = from.count()?;
        let keys = (0..count).map(|_| Some([common, from.bytes()?].concat())).collect::<Option<Vec<_>>>()?;
        let data = match is_index {
            0 => Data::Leaf(keys.into_iter().map(|key| Some((key, from.bytes()?.to_vec()))).collect::<Option<_>>()?),
            1 => Data::Index((0..count).map(|_| from.number()).collect::<Option<_>>()?),
            _ => return None,
        };
        let hi = (!hi.is_empty()).then(|| hi.to_vec());
        from.0.is_empty().then_some(Self { next, merging, lo, hi, prefix, data })
    }

    /// Applies a change that was written behind it.
    pub(super) fn change(&mut self, bytes: &[u8]) -> Option<()> {
        const SET: u8 = 0;
        const DELETE: u8 = 1;
        const MERGES: u8 = 2;
        const ENDS: [u8; 2] = [3, 4];
        let mut from = Reader(bytes);
        match (from.byte()?, &mut self.data) {
            (set @ (SET | DELETE), Data::Leaf(entries)) => {
                let key = [&self.lo[..self.prefix], from.bytes()?].concat();
                let found = entries.binary_search_by(|(known, _)| known.cmp(&key));
                match (found, set == SET) {
                    (Ok(at), true) => entries[at].1 = from.bytes()?.to_vec(),
                    (Err(at), true) => entries.insert(at, (key, from.bytes()?.to_vec())),
                    (Ok(at), false) => drop(entries.remove(at)),
                    (Err(_), false) => {}
                }
            }
            (MERGES, _) => self.merging = Some(from.number()?),
            // A page that is gone is free, and so known to be.
            (end, _) if ENDS.contains(&end) => {}
            _ => return None,
        }
        from.0.is_empty().then_some(())
    }

    /// The pages that it names.
    pub(super) fn named(&self) -> impl Iterator<Item = u64> {
        let below = match &self.data {
            Data::Index(pages) => pages.as_slice(),
            Data::Leaf(_) => &[],
        };
        below.iter().copied().chain(self.next).chain(self.merging)
    }
}

/// The page at the top of the tree of a name, by the page that says so.
pub(super) fn root(bytes: &[u8], tree: &[u8]) -> Option<u64> {
    let mut from = Reader(bytes);
    while !from.0.is_empty() {
        let (name, page) = (from.bytes()?, from.number()?);
        if name == tree {
            return Some(page);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_is_read_with_its_changes() {
        // next 7, nothing merging, two bytes of prefix, from "abc" to "abf", a leaf of two entries.
        let bytes =
            [&[7, 0, 0, 2][..], &[3], b"abc", &[3], b"abf", &[0, 2, 1], b"c", &[1], b"d", &[1, 10, 2, 11, 12]].concat();
        let mut node = Node::read(&bytes).unwrap();
        assert_eq!((node.next, node.hi.as_deref()), (Some(7), Some(&b"abf"[..])));
        assert_eq!(node.data, Data::Leaf(vec![(b"abc".to_vec(), vec![10]), (b"abd".to_vec(), vec![11, 12])]));
        assert!(node.change(&[0, 1, b'd', 1, 13]).is_some() && node.change(&[0, 1, b'e', 0]).is_some());
        assert!(node.change(&[1, 1, b'c']).is_some() && node.change(&[1, 1, b'x']).is_some());
        assert_eq!(node.data, Data::Leaf(vec![(b"abd".to_vec(), vec![13]), (b"abe".to_vec(), vec![])]));
        assert_eq!(node.named().collect::<Vec<_>>(), [7]);
        for cut in 0..bytes.len() {
            assert_eq!(Node::read(&bytes[..cut]), None, "{cut}");
        }
        assert_eq!((Node::read(&[0xff; 64]), node.change(&[0xff; 9])), (None, None));
    }

    #[test]
    fn an_index_names_the_pages_below() {
        let mut node = Node::read(&[0, 0, 0, 0, 0, 0, 1, 2, 0, 1, b'm', 3, 4]).unwrap();
        assert!(node.change(&[2, 9]).is_some() && node.change(&[3]).is_some());
        assert_eq!(node.named().collect::<Vec<_>>(), [3, 4, 9]);
        assert_eq!(root(&[1, b'a', 4, 2, b'b', b'c', 5], b"bc"), Some(5));
        assert_eq!(root(&[1, b'a', 4], b"bc"), None);
    }
}
