//! Query strings and filter lines.

use std::sync::LazyLock;

use common::{
    collection::Collection,
    condition::{MAX_BYTES, MAX_COMPARISONS, parse},
    query::{ListQuery, Named, Query, SessionQuery, decode, encode},
    table::{Asked, filter_line, parse_filter_line},
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
                if let Some(Named::Field { field, part, bound: None, .. }) = Named::find(&COLLECTION, &filter.field)
                    && !filter.is_either(&field)
                {
                    assert!(filter.typed(&field, part, None).is_ok(), "{filter:?}");
                }
            }
        }
    }
    if let Ok(query) = SessionQuery::from_pairs(decode(&text)) {
        assert_eq!(SessionQuery::from_pairs(decode(&encode(&query.to_pairs()))), Ok(query));
    }
    if let Ok(asked) = parse_filter_line(&COLLECTION, &text) {
        let Asked { filters, filter, search } = asked.clone();
        let query = ListQuery { filters, filter, search, ..ListQuery::default() };
        let shown = filter_line(&query);
        assert_eq!(parse_filter_line(&COLLECTION, &shown), Ok(asked), "{shown:?}");
    }
}

/// A condition that is read is printed in one way, and read again as it was. A fault lies within the text, and both stay within their bounds.
pub fn condition(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse(&text) {
        Ok(condition) => {
            let printed = condition.to_string();
            // Printing may write more than was read.
            if printed.len() <= MAX_BYTES {
                let again = parse(&printed).expect("what was printed");
                assert_eq!(again, condition, "{printed:?}");
                assert_eq!(again.to_string(), printed);
            }
            let comparisons = condition.comparisons();
            assert!(comparisons.len() <= MAX_COMPARISONS);
            for comparison in comparisons {
                let _ = comparison.check(&COLLECTION);
            }
        }
        Err(error) => assert!(error.at <= text.chars().count(), "{error}"),
    }
}
