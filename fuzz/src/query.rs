//! Query strings and filter lines.

use std::sync::LazyLock;

use common::{
    collection::Collection,
    query::{ListQuery, Query, SessionQuery, decode, encode, filter_values, server_field},
    table::{filter_line, parse_filter_line},
};

use crate::record::collection;

static COLLECTION: LazyLock<Collection> = LazyLock::new(collection);

/// A query that is read is written, and read again as it was. One that fits a collection has typed values for each filter. A filter line that
/// people type is read again from what it is shown as.
pub fn query(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(query) = ListQuery::from_pairs(decode(&text)) {
        let written = encode(&query.to_pairs());
        assert_eq!(ListQuery::from_pairs(decode(&written)).as_ref(), Ok(&query), "{written}");
        if query.check(&COLLECTION).is_ok() {
            for filter in &query.filters {
                let field = COLLECTION.field(&filter.field).cloned().or_else(|| server_field(&filter.field));
                let values = filter_values(&field.expect("checked"), filter);
                assert!(values.is_ok_and(|values| !values.is_empty()), "{filter:?}");
            }
        }
    }
    if let Ok(query) = SessionQuery::from_pairs(decode(&text)) {
        assert_eq!(SessionQuery::from_pairs(decode(&encode(&query.to_pairs()))), Ok(query));
    }
    if let Ok((filters, search)) = parse_filter_line(&COLLECTION, &text) {
        let query = ListQuery { filters, search, ..ListQuery::default() };
        let shown = filter_line(&query);
        let again = parse_filter_line(&COLLECTION, &shown);
        assert_eq!(again, Ok((query.filters, query.search)), "{shown:?}");
    }
}
