//! Query strings: what they may hold and how both sides write and read them. Whether a filter's field exists is for
//! [`ListQuery::check`], which knows the collection.

mod filter;
mod list;
mod one;
mod pairs;
mod sessions;

pub use self::{
    filter::{Filter, Lookup, MAX_VALUES, Named, Part, filter_values, join_values, server_field, split_values},
    list::{JoinWith, LAST_PAGE, ListQuery, MAX_EXPANSIONS, MAX_FILTERS, MAX_JOINS, MAX_NAMES, MAX_WORDS, OrderBy},
    one::RecordQuery,
    pairs::{Pairs, Query, decode, encode, unknown_parameter},
    sessions::SessionQuery,
};

pub use self::list::no_such_field;
