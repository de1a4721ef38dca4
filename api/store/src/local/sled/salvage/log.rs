//! The pages of a database, out of its log: where what was last written of each stands. Nothing of sled is asked, which would read no page
//! below an inner one that is damaged, and end a walk at each that it cannot read.

use std::{
    collections::HashMap,
    fs::File,
    io::{self},
    os::unix::fs::FileExt,
};

use super::{
    super::mend::{self, BATCH, FREE, LINK, META, NODE},
    node::Node,
};

/// The page that says where trees begin.
const ROOTS: u64 = 0;

/// Bytes of the file, with the place in the log.
#[derive(Debug, Clone, Copy)]
struct Place {
    sequence: u64,
    at: u64,
    length: usize,
}

/// What was last written of a page.
#[derive(Debug, Default)]
struct Page {
    /// All of it.
    base: Option<Place>,
    /// What changed since.
    changes: Vec<Place>,
}

/// Is told of a message: its kind, its page, where its body is, and that.
type Each<'a> = &'a mut dyn FnMut(u8, u64, Place, &[u8]);

/// The pages of a database.
pub(super) struct Log {
    file: File,
    pages: HashMap<u64, Page>,
    roots: Option<Place>,
}

/// A page as it can be read.
#[derive(Debug)]
pub(super) enum Read {
    Whole(Node),
    /// Something that changed since is not known.
    Torn(Node),
    /// Nothing of it.
    Lost,
}

impl Log {
    /// Reads where everything is in a file that was mended.
    pub(super) fn read(file: File, segment: usize) -> io::Result<Self> {
        let (mut pages, mut roots) = (HashMap::<u64, Page>::new(), None);
        let mut buffer = vec![0; segment];
        let length = file.metadata()?.len();
        let segments = mend::segments(&file, segment)?;
        let mut end = 0;
        let mut batches = Vec::new();
        let mut read = |number: u64, begin: u64, each: Each<'_>| {
            let bytes = &mut buffer[..segment.min(usize::try_from(length - begin).unwrap_or(segment))];
            file.read_exact_at(bytes, begin)?;
            mend::messages(bytes, number, |kind, page, body| {
                let sequence = number * segment as u64 + body.start as u64;
                let place = Place { sequence, at: begin + body.start as u64, length: body.len() };
                each(kind, page, place, &bytes[body]);
            });
            io::Result::Ok(())
        };
        for (number, begin) in &segments {
            read(*number, *begin, &mut |kind, _, place, body| {
                if kind == BATCH
                    && let Some(last) = body.first_chunk()
                {
                    batches.push((place.sequence, u64::from_le_bytes(*last)));
                }
                end = place.sequence + place.length as u64;
            })?;
        }
        // A batch that did not get to its end before the log ends was not confirmed, and is none.
        let end = batches.into_iter().find(|(_, last)| *last >= end).map_or(end, |(begin, _)| begin);
        for (number, begin) in segments {
            read(number, begin, &mut |kind, page, place, _| {
                if place.sequence >= end {
                    return;
                }
                match kind {
                    META => roots = Some(place),
                    NODE => drop(pages.insert(page, Page { base: Some(place), changes: Vec::new() })),
                    LINK => pages.entry(page).or_default().changes.push(place),
                    FREE => drop(pages.remove(&page)),
                    _ => {}
                }
            })?;
        }
        pages.remove(&ROOTS);
        Ok(Self { file, pages, roots })
    }

    /// The pages that there are, each with its place in the log; 0 where that is not known.
    pub(super) fn pages(&self) -> impl Iterator<Item = (u64, u64)> {
        self.pages.iter().map(|(number, page)| (*number, page.base.map_or(0, |base| base.sequence)))
    }

    /// The page at the top of a tree.
    pub(super) fn root(&self, tree: &[u8]) -> io::Result<Option<u64>> {
        let Some(roots) = self.roots else { return Ok(None) };
        Ok(super::node::root(&self.bytes(roots)?, tree))
    }

    /// A page.
    pub(super) fn page(&self, number: u64) -> io::Result<Read> {
        let Some(Page { base: Some(base), changes }) = self.pages.get(&number) else { return Ok(Read::Lost) };
        let Some(mut node) = Node::read(&self.bytes(*base)?) else { return Ok(Read::Lost) };
        for change in changes {
            if node.change(&self.bytes(*change)?).is_none() {
                return Ok(Read::Torn(node));
            }
        }
        Ok(Read::Whole(node))
    }

    fn bytes(&self, place: Place) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; place.length];
        self.file.read_exact_at(&mut bytes, place.at)?;
        Ok(bytes)
    }
}
