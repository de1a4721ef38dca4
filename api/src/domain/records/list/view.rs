//! What is asked of a list: whose view it is of which records, and the part of it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use common::{
    access::{Caller, Decision},
    metrics::SlowQuery,
    name::CollectionName,
    page::pages,
    query::{LAST_PAGE, ListQuery},
};
use logging::RequestId;
use store::Snapshot;

use crate::domain::{
    core::Core,
    deadline::Deadline,
    error::{Error, Result},
    schema::Schema,
};

/// What all steps of reading a list need.
#[derive(Clone)]
pub(in crate::domain::records) struct View<'a> {
    pub core: &'a Core,
    pub snapshot: &'a Snapshot,
    pub caller: &'a Caller,
    pub schema: Arc<Schema>,
    /// Which records the caller may list.
    pub may: Decision,
    pub query: &'a ListQuery,
    pub deadline: &'a Deadline,
    pub looked: &'a ReadCounts,
    /// All matches are read, in whatever order.
    pub reads_all: bool,
}

impl View<'_> {
    /// Tells of a query that took long, remembers it and counts it; without the values that it asks for. `would_help`: the fields of an index
    /// that would leave less to do.
    pub(super) fn note_slow(
        &self,
        name: &CollectionName,
        query: &str,
        took: Duration,
        would_help: impl FnOnce() -> Option<Vec<String>>,
    ) {
        if took < self.core.slow_query {
            return;
        }
        self.core.slow_queries.fetch_add(1, Relaxed);
        let (keys, rows) = self.looked.counts();
        let milliseconds = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        tracing::warn!(collection = %name, query, keys, rows, milliseconds, "a slow query");
        self.core.newest_slow.push(SlowQuery {
            at: self.core.timestamp(),
            request_id: RequestId::current().map(|id| id.to_string()),
            collection: name.to_string(),
            query: query.to_owned(),
            milliseconds,
            keys_read: keys as u64,
            records_tested: rows as u64,
            would_help: would_help(),
        });
    }
}

/// What was looked at for a list.
#[derive(Debug, Default)]
pub(in crate::domain::records) struct ReadCounts {
    keys: AtomicUsize,
    rows: AtomicUsize,
}

impl ReadCounts {
    /// How many keys were read, and of how many records conditions were asked.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.keys.load(Relaxed), self.rows.load(Relaxed))
    }

    /// Keys were read, of an index or with records.
    pub(super) fn keys(&self, count: usize) {
        self.keys.fetch_add(count, Relaxed);
    }

    /// Conditions were asked of a record.
    pub(super) fn row(&self) {
        self.rows.fetch_add(1, Relaxed);
    }
}

/// How many rows of a list are passed over, and how many are asked for.
#[derive(Debug, Clone, Copy)]
pub(in crate::domain::records) struct Window {
    pub skip: usize,
    pub size: usize,
}

impl Window {
    /// What a query asks for, with its page's number.
    pub(in crate::domain::records) fn new(query: &ListQuery, page: u64) -> Self {
        let (skip, size) = match query.limit {
            Some(limit) => (query.offset, limit),
            None => (page.saturating_sub(1).saturating_mul(query.page_size), query.page_size),
        };
        let [skip, size] = [skip, size].map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        Self { skip, size }
    }
}

/// The number of the page that a query asks for; an error where a list of this length has none of this number. An empty list has
/// one page.
pub fn numbered(query: &ListQuery, count: u64) -> Result<u64> {
    let last = pages(count, query.page_size);
    match query.page {
        _ if query.limit.is_some() => Ok(1),
        LAST_PAGE => Ok(last),
        page if page == 0 || page > last => Err(Error::NoSuchPage),
        page => Ok(page),
    }
}

/// How many rows a query passes over, and how many it asks for, of a list of this length.
pub fn window(query: &ListQuery, count: u64) -> Result<(usize, usize)> {
    let Window { skip, size } = Window::new(query, numbered(query, count)?);
    Ok((skip, size))
}
