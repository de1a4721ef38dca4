//! How the rows of a list were found, as `explain=true` tells it, and the same in words.

use serde::{Deserialize, Serialize};

use crate::{
    answer::JsonAnswer,
    dashboard::number,
    text::{count, thousands},
};

/// A page of a list, of which only how it was found is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explained {
    /// How it was found.
    pub explain: Explain,
}

impl JsonAnswer for Explained {}

/// How rows were found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Explain {
    /// The indexes that were read, each by its fields; none where the records themselves were.
    pub indexes: Vec<Vec<String>>,
    /// What of them was read.
    pub reads: String,
    /// Indexes in which ids were looked up beside, or by which matches were counted.
    pub together_with: Vec<Vec<String>>,
    /// The conditions that each record was tested for.
    pub tests_each_record_for: Vec<String>,
    /// The rows had to be sorted.
    pub sorts: bool,
    /// The fields of an index that would have left less to do.
    pub would_help: Option<Vec<String>>,
    /// How many keys were read; null for who may not list all.
    #[serde(default)]
    pub keys_read: Option<u64>,
    /// How many records were tested; null for who may not list all.
    #[serde(default)]
    pub records_tested: Option<u64>,
    /// How long it took; null for who may not list all.
    #[serde(default)]
    pub microseconds: Option<u64>,
}

impl Explain {
    /// The same as sentences, the most important first.
    pub fn sentences(&self) -> Vec<String> {
        let mut said = Vec::new();
        let listed = |fields: &[String]| fields.join(", ");
        let by: Vec<String> = self.indexes.iter().map(|index| format!("({})", listed(index))).collect();
        said.push(if by.is_empty() {
            format!("No index was of use: the server read {}.", self.reads)
        } else {
            format!("The server read {} by {}.", self.reads, by.join(" and "))
        });
        if !self.together_with.is_empty() {
            let others: Vec<String> = self.together_with.iter().map(|index| format!("({})", listed(index))).collect();
            said.push(format!("It looked ids up in, or counted by, {}.", others.join(" and ")));
        }
        if !self.tests_each_record_for.is_empty() {
            let tested =
                self.records_tested.map_or_else(|| "each record that it found".to_owned(), |n| count(n, "record"));
            said.push(format!("It tested {tested} for {}.", listed(&self.tests_each_record_for)));
        }
        if self.sorts {
            said.push("It sorted the rows: no index has them in this order.".to_owned());
        }
        #[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
        if let Some(took) = self.microseconds {
            let keys =
                self.keys_read.map_or_else(String::new, |keys| format!(", and it read {} keys", thousands(keys)));
            said.push(format!("That took {} ms{keys}.", number(took as f64 / 1000.0)));
        }
        match &self.would_help {
            Some(fields) => said.push(format!("An index over ({}) would leave less to do.", listed(fields))),
            None if self.sorts || !self.tests_each_record_for.is_empty() => {
                said.push("No index would leave less to do. A narrower filter would.".to_owned());
            }
            None => {}
        }
        said
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_question_is_explained_in_words() {
        let explained: Explained = serde_json::from_value(json!({"count": 2, "results": [], "explain": {
            "indexes": [], "reads": "all records", "together_with": [], "tests_each_record_for": ["price__gte"], "sorts": true,
            "would_help": ["kind", "-price"], "keys_read": 100_000, "records_tested": 100_000, "microseconds": 1_234_000
        }}))
        .unwrap();
        assert_eq!(
            explained.explain.sentences(),
            [
                "No index was of use: the server read all records.",
                "It tested 100\u{202f}000 records for price__gte.",
                "It sorted the rows: no index has them in this order.",
                "That took 1\u{202f}234 ms, and it read 100\u{202f}000 keys.",
                "An index over (kind, -price) would leave less to do.",
            ]
        );
        let short =
            Explain { indexes: vec![vec!["price".into()]], reads: "a part of the index".into(), ..Explain::default() };
        assert_eq!(short.sentences(), ["The server read a part of the index by (price)."]);
    }
}
