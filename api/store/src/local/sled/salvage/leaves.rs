//! Which leaf has which keys. Those that are found from the top of the tree come first, and the newest of them; what they leave uncovered, since
//! an inner page above or a leaf before is damaged, is looked for in the other leaves.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    io, mem,
    ops::Bound,
};

use super::{
    log::{Log, Read},
    node::{Data, Entries, Node},
};

/// sled's tree that has what is stored.
const TREE: &[u8] = b"__sled__default";

/// A stretch of keys, by where it begins: where it ends, and the page that has it; none where what it had is lost.
type Covered = BTreeMap<Vec<u8>, (Option<Vec<u8>>, Option<u64>)>;

pub(super) struct Leaves {
    log: Log,
    covered: Covered,
    /// The leaf that was read last.
    last: Option<(u64, Entries)>,
}

/// A stretch of keys, and the page that has it; none where it is not known, or lost.
pub(super) struct Stretch {
    lo: Vec<u8>,
    hi: Option<Vec<u8>>,
    page: Option<u64>,
}

/// An entry, or that something is missing before the next one.
pub(super) enum Found {
    Entry(Vec<u8>, Vec<u8>),
    Gap,
}

/// What is known of a page without its entries.
struct Outline {
    number: u64,
    sequence: u64,
    lo: Vec<u8>,
    hi: Option<Vec<u8>>,
    is_leaf: bool,
    is_torn: bool,
    named: Vec<u64>,
}

impl Leaves {
    pub(super) fn read(log: Log) -> io::Result<Self> {
        let mut pages = HashMap::new();
        for (number, sequence) in log.pages() {
            let (node, is_torn) = match log.page(number)? {
                Read::Whole(node) => (node, false),
                Read::Torn(node) => (node, true),
                Read::Lost => continue,
            };
            let (named, is_leaf) = (node.named().collect(), matches!(node.data, Data::Leaf(_)));
            let Node { lo, hi, .. } = node;
            pages.insert(number, Outline { number, sequence, lo, hi, is_leaf, is_torn, named });
        }
        let reached = reached(&pages, log.root(TREE)?);
        let mut leaves: Vec<Outline> = pages.into_values().filter(|page| page.is_leaf).collect();
        leaves.sort_by_key(|page| (!reached.contains(&page.number), std::cmp::Reverse(page.sequence)));
        let is_one = leaves.len() == 1;
        let mut covered = Covered::new();
        for Outline { number, lo, hi, is_torn, .. } in leaves {
            // The only leaf of a tree has everything. Where it is not found from the top, it is that of another tree.
            if reached.contains(&number) || is_one || !(lo.is_empty() && hi.is_none()) {
                cover(&mut covered, lo, hi, (!is_torn).then_some(number));
            }
        }
        Ok(Self { log, covered, last: None })
    }

    /// The value of a key.
    pub(super) fn get(&mut self, key: &[u8]) -> io::Result<Option<Vec<u8>>> {
        let before = (Bound::Unbounded, Bound::Included(key));
        let Some((_, (end, page))) = self.covered.range::<[u8], _>(before).next_back() else { return Ok(None) };
        let (Some(page), false) = (*page, end.as_deref().is_some_and(|end| end <= key)) else { return Ok(None) };
        let entries = self.entries(page)?;
        let found = entries.binary_search_by(|(known, _)| known.as_slice().cmp(key));
        Ok(found.ok().map(|at| entries[at].1.clone()))
    }

    /// All keys, in order.
    pub(super) fn stretches(&self) -> Vec<Stretch> {
        let mut all = Vec::with_capacity(self.covered.len());
        let mut at = Some(Vec::new());
        for (lo, (hi, page)) in &self.covered {
            if let Some(at) = at.take().filter(|at| at < lo) {
                all.push(Stretch { lo: at, hi: Some(lo.clone()), page: None });
            }
            all.push(Stretch { lo: lo.clone(), hi: hi.clone(), page: *page });
            at.clone_from(hi);
        }
        if let Some(at) = at {
            all.push(Stretch { lo: at, hi: None, page: None });
        }
        all
    }

    /// What stands in a stretch.
    pub(super) fn within(&mut self, stretch: Stretch) -> io::Result<Vec<Found>> {
        let Stretch { lo, hi, page: Some(page) } = stretch else { return Ok(vec![Found::Gap]) };
        let entries = self.entries(page)?.iter();
        let inside = entries.filter(|(key, _)| *key >= lo && hi.as_ref().is_none_or(|hi| key < hi));
        Ok(inside.map(|(key, value)| Found::Entry(key.clone(), value.clone())).collect())
    }

    fn entries(&mut self, page: u64) -> io::Result<&[(Vec<u8>, Vec<u8>)]> {
        if self.last.as_ref().is_none_or(|(last, _)| *last != page) {
            let entries = match self.log.page(page)? {
                Read::Whole(Node { data: Data::Leaf(entries), .. }) => entries,
                _ => Vec::new(),
            };
            self.last = Some((page, entries));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, entries)| entries))
    }
}

/// The pages that are found from the top.
fn reached(pages: &HashMap<u64, Outline>, root: Option<u64>) -> HashSet<u64> {
    let (mut reached, mut next) = (HashSet::new(), Vec::from_iter(root));
    while let Some(number) = next.pop() {
        if reached.insert(number) {
            next.extend(pages.get(&number).into_iter().flat_map(|page| &page.named));
        }
    }
    reached
}

/// Gives a page those of its keys that no other has.
fn cover(covered: &mut Covered, lo: Vec<u8>, hi: Option<Vec<u8>>, page: Option<u64>) {
    let before = covered.range::<[u8], _>((Bound::Unbounded, Bound::Included(lo.as_slice()))).next_back();
    let mut at = match before {
        Some((_, (None, _))) => return,
        Some((_, (Some(end), _))) => lo.max(end.clone()),
        None => lo,
    };
    let (mut free, mut is_over) = (Vec::new(), false);
    for (begin, (end, _)) in covered.range::<[u8], _>((Bound::Included(at.as_slice()), Bound::Unbounded)) {
        if hi.as_ref().is_some_and(|hi| begin >= hi) {
            break;
        }
        let from = mem::replace(&mut at, end.clone().unwrap_or_default());
        if from < *begin {
            free.push((from, Some(begin.clone())));
        }
        if end.is_none() {
            is_over = true;
            break;
        }
    }
    if !is_over && hi.as_ref().is_none_or(|hi| at < *hi) {
        free.push((at, hi));
    }
    covered.extend(free.into_iter().map(|(lo, hi)| (lo, (hi, page))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_the_keys_that_no_other_has() {
        let mut covered = Covered::new();
        for (lo, hi, page) in [("c", "e", 1), ("g", "i", 2), ("a", "h", 3), ("d", "", 4), ("", "b", 5), ("a", "", 6)] {
            cover(&mut covered, lo.into(), (!hi.is_empty()).then(|| hi.into()), Some(page));
        }
        let told: Vec<String> = covered
            .iter()
            .map(|(lo, (hi, page))| {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                format!("{}-{} {}", text(lo), hi.as_deref().map(text).unwrap_or_default(), page.unwrap())
            })
            .collect();
        assert_eq!(told, ["-a 5", "a-c 3", "c-e 1", "e-g 3", "g-i 2", "i- 4"]);
    }
}
