//! The query string with which each collection's table was last shown, so that leaving a record leads back
//! to the same page of the same filtered table. Kept for as long as the tab is open.

use std::{cell::RefCell, collections::HashMap};

use common::name::CollectionName;

use crate::route::{Location, Route};

thread_local! {
    static TABLES: RefCell<HashMap<CollectionName, String>> = RefCell::default();
}

/// Remembers how a table is shown.
pub(crate) fn remember(name: &CollectionName, query: &str) {
    TABLES.with_borrow_mut(|tables| tables.insert(name.clone(), query.to_owned()));
}

/// The table of a collection, as it was last shown.
pub(crate) fn table(name: &CollectionName) -> Location {
    let query = TABLES.with_borrow(|tables| tables.get(name).cloned()).unwrap_or_default();
    (Route::Records { name: name.clone() }, query)
}

/// Forgets it all, since somebody else may sign in.
pub(crate) fn forget() {
    TABLES.with_borrow_mut(HashMap::clear);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_as_it_was_left() {
        let name: CollectionName = "snacks".parse().unwrap();
        remember(&name, "page=3");
        assert_eq!(table(&name), (Route::Records { name: name.clone() }, "page=3".to_owned()));
        forget();
        assert_eq!(table(&name).1, "");
    }
}
