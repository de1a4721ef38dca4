//! Query strings: what they may hold and how both sides write and read them. Whether a filter's field exists is for
//! [`ListQuery::check`], which knows the collection.

mod filter;
mod list;
mod one;
mod pairs;
mod part;
mod search;
mod sessions;
mod values;

pub use self::{
    filter::{Filter, Lookup, Named, own_ids},
    list::{
        JoinWith, LAST_PAGE, ListQuery, MAX_EXPANSIONS, MAX_FILTERS, MAX_JOINS, MAX_NAMES, MAX_WORDS, OrderBy,
        PARAMETERS, VIA,
    },
    one::RecordQuery,
    pairs::{
        Pairs, Query, decode, decode_for, encode, flags, no_such_field, parameter, read_each, truth, unknown_parameter,
    },
    part::Part,
    search::search_terms,
    sessions::SessionQuery,
    values::{MAX_VALUES, Typed, join_values, split_values},
};
