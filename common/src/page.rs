//! The page envelope of every list, as Django REST Framework sends it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{answer::JsonAnswer, schema::Described};

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Page<T> {
    /// How many there are in all. With `count=false` and with a cursor it is not told.
    #[serde(default)]
    pub count: u64,
    /// The absolute address of the next page, with the other parameters kept; null on the last.
    pub next: Option<String>,
    /// The absolute address of the page before; null on the first.
    pub previous: Option<String>,
    /// The items of this page.
    pub results: Vec<T>,
    /// Where the words of a search stand in the records of this page, where `highlight=true` asks for it: of each record the members that have some,
    /// and in these the stretches, from one character to before another.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<std::collections::BTreeMap<String, Vec<[u32; 2]>>>"))]
    pub highlights: Value,
    /// What the records are called that the results name by their ids, and the results themselves, where `named=true` asks for it: by id. The id that is a
    /// number stands behind the name of the member, as in `maker.7`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
}

impl<T: Serialize + DeserializeOwned + Described> JsonAnswer for Page<T> {}

impl<T> Page<T> {
    /// A list that is short enough for one page.
    pub fn single(results: Vec<T>) -> Self {
        Self {
            count: results.len() as u64,
            next: None,
            previous: None,
            results,
            highlights: Value::Null,
            names: BTreeMap::new(),
        }
    }
}

/// Records on a page where nothing else is asked for.
pub const DEFAULT_PAGE_SIZE: u64 = 20;
/// Records on a page at most.
pub const MAX_PAGE_SIZE: u64 = 1000;

/// How many pages `count` records fill; at least one, since the empty list has a page too.
pub fn pages(count: u64, page_size: u64) -> u64 {
    count.div_ceil(page_size.max(1)).max(1)
}
