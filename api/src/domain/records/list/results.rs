//! The rows of a list on their way out. Few are put together at once; many are written while they are sent, from what was read of them: the
//! snapshot is let go before, and no row is held twice.

use std::{iter::once, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use common::id::Revision;

use super::rows::Row;
use crate::domain::{error::Result, schema::Schema};

/// Rows of more bytes are written while they are sent.
pub(super) const LARGE: usize = 64 * 1024;
/// Rows that are JSON already are put together up to so many bytes, since their entity tag is made of them.
const LARGE_WRITTEN: usize = 1024 * 1024;

/// The rows of a list.
#[derive(Debug)]
pub enum Results {
    /// A JSON array.
    Whole(Bytes),
    /// Each by itself.
    Each(Box<Each>),
}

/// Rows that are written one by one.
#[derive(Debug)]
pub struct Each {
    rows: Rows,
    /// About how many bytes they have together.
    pub bytes: usize,
}

#[derive(Debug)]
enum Rows {
    /// As they are stored.
    Stored(Arc<Schema>, Vec<Row>),
    /// The JSON of each.
    Written(Vec<Bytes>),
}

impl Results {
    /// Rows as they are stored.
    pub(super) fn stored(schema: &Arc<Schema>, found: Vec<Row>, bytes: usize) -> Self {
        Self::Each(Box::new(Each { rows: Rows::Stored(Arc::clone(schema), found), bytes }))
    }

    /// Rows that are JSON already.
    pub fn written(rows: Vec<Bytes>) -> Self {
        let bytes = rows.iter().map(Bytes::len).sum();
        if bytes > LARGE_WRITTEN {
            return Self::Each(Box::new(Each { rows: Rows::Written(rows), bytes }));
        }
        Self::Whole(array(rows.into_iter()))
    }

    /// About how many bytes they have.
    pub fn bytes(&self) -> usize {
        match self {
            Self::Whole(json) => json.len(),
            Self::Each(each) => each.bytes,
        }
    }

    /// All of them as one JSON array.
    pub fn into_whole(self) -> Result<Bytes> {
        match self {
            Self::Whole(json) => Ok(json),
            Self::Each(each) => Ok(array(each.into_json().collect::<Result<Vec<_>>>()?.into_iter())),
        }
    }
}

impl Each {
    /// The JSON of one row after another. What was read of a row is let go with it.
    pub fn into_json(self) -> Box<dyn Iterator<Item = Result<Bytes>> + Send + Sync> {
        match self.rows {
            Rows::Written(rows) => Box::new(rows.into_iter().map(Ok)),
            Rows::Stored(schema, found) => Box::new(found.into_iter().map(move |(id, entry)| {
                let mut json = BytesMut::with_capacity(entry.value.len() + 256);
                schema.put_json(&mut json, id, &entry.value, Some(Revision(entry.version.get())))?;
                Ok(json.freeze())
            })),
        }
    }
}

fn array(items: impl Iterator<Item = Bytes>) -> Bytes {
    let mut json = BytesMut::from(&b"["[..]);
    for (i, item) in items.enumerate() {
        if i > 0 {
            json.put_u8(b',');
        }
        json.put_slice(&item);
    }
    json.put_u8(b']');
    json.freeze()
}

/// `before`, a JSON array of items, and `after`: bytes that are gathered to pieces of about so many.
pub fn in_pieces(
    before: Bytes,
    items: impl Iterator<Item = Result<Bytes>> + Send + Sync,
    after: Bytes,
) -> impl Iterator<Item = Result<Bytes>> + Send + Sync {
    /// Bytes that are handed over together.
    const PIECE: usize = 32 * 1024;
    let separated = items.enumerate().map(|(i, item)| (if i > 0 { &b","[..] } else { b"" }, item));
    let open = (&b"["[..], Ok(Bytes::new()));
    let close = (&b"]"[..], Ok(after));
    let mut parts = once((&b""[..], Ok(before))).chain(once(open)).chain(separated).chain(once(close));
    let mut is_over = false;
    std::iter::from_fn(move || {
        let mut piece = BytesMut::new();
        while !is_over && piece.len() < PIECE {
            match parts.next() {
                Some((separator, Ok(part))) => {
                    piece.put_slice(separator);
                    piece.put_slice(&part);
                }
                Some((_, Err(error))) => {
                    is_over = true;
                    return Some(Err(error));
                }
                None => is_over = true,
            }
        }
        (!piece.is_empty()).then(|| Ok(piece.freeze()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(items: Vec<Bytes>) -> Vec<Bytes> {
        let (before, after) = (Bytes::from_static(b"{\"results\":"), Bytes::from_static(b"}"));
        in_pieces(before, items.into_iter().map(Ok), after).collect::<Result<_>>().unwrap()
    }

    #[test]
    fn pieces_together_are_the_answer() {
        for count in [0, 1, 2, 500] {
            let items: Vec<_> = (0..count).map(|n| Bytes::from(format!("\"{n}{}\"", "x".repeat(n * 7)))).collect();
            let pieces = all(items.clone());
            let expected = format!("{{\"results\":{}}}", std::str::from_utf8(&array(items.into_iter())).unwrap());
            assert_eq!(pieces.concat(), expected.as_bytes());
            assert!(count < 500 || pieces.len() > 10);
        }
    }

    #[test]
    fn what_cannot_be_written_ends_them() {
        let items = vec![Ok(Bytes::from_static(b"1")), Err(crate::domain::Error::Busy), Ok(Bytes::from_static(b"2"))];
        let pieces: Vec<_> = in_pieces(Bytes::new(), items.into_iter(), Bytes::new()).collect();
        assert_eq!(pieces.len(), 1);
        assert!(pieces[0].is_err());
    }
}
