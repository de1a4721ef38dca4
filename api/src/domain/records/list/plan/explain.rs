//! What `explain=true` tells of a list: how its rows were found, and for those who may list all what that cost.

use std::{collections::BTreeSet, time::Duration};

use common::{access::Decision, collection::MAX_INDEX_FIELDS, query::Lookup};
use serde_json::{Value, json};

use super::{
    access::{Access, names},
    chosen::{Plan, Source},
};
use crate::domain::{
    indexes::IndexKind,
    records::{filter::Node, list::view::View},
};

impl Plan {
    /// How the rows were found.
    pub(in super::super) fn explain(&self, view: &View<'_>, took: Duration) -> Value {
        let mut ids_by = self.ids_by.iter().map(|indexes| names(indexes.iter().map(|index| &**index)));
        let (indexes, reads) = match &self.source {
            Source::Keys(access) => (names([&*access.index]), self.reads(access, view.may)),
            Source::Ids(_) if !self.words.is_empty() => {
                ids_by.next();
                (vec![self.words.clone()], "the words of them, then the records".to_owned())
            }
            Source::Ids(_) => {
                (ids_by.next().unwrap_or_default(), "the ids of parts of them, then the records".to_owned())
            }
        };
        let mut open: Vec<&str> =
            self.conditions.all.iter().flat_map(Node::conditions).map(|condition| &*condition.parameter).collect();
        open.extend(self.conditions.has_search().then_some("search"));
        open.dedup();
        let mut told = json!({
            "indexes": indexes,
            "reads": reads,
            "together_with": ids_by.flatten().collect::<Vec<_>>(),
            "tests_each_record_for": open,
            "sorts": self.reversed().is_none() || self.ranking.is_some(),
            "would_help": self.proposal(view),
        });
        // How much there is beside one's own records is not told by how much was read, either.
        if view.may == Decision::All {
            let (keys, rows) = view.looked.counts();
            told["keys_read"] = keys.into();
            told["records_tested"] = rows.into();
            told["microseconds"] = u64::try_from(took.as_micros()).unwrap_or(u64::MAX).into();
        }
        told
    }

    /// How groups were counted by the keys of an index.
    pub(in super::super) fn explain_counted(&self, view: &View<'_>, took: Duration, index: &[String]) -> Value {
        let mut told = self.explain(view, took);
        told["indexes"] = json!([index]);
        told["reads"] = "the counts of its keys".into();
        for open in ["together_with", "tests_each_record_for"] {
            told[open] = json!([]);
        }
        (told["sorts"], told["would_help"]) = (false.into(), Value::Null);
        told
    }

    fn reads(&self, access: &Access, may: Decision) -> String {
        let what = match (access.index.kind, may) {
            (IndexKind::Records, _) if access.bound == 0 => "all records",
            (IndexKind::Records, _) => "records by their ids",
            (_, Decision::Own(_)) if access.bound <= 1 => "your own records",
            _ if access.bound == 0 => "all of the index",
            _ => "a part of the index",
        };
        let end = if self.reversed() == Some(true) { ", from its end" } else { "" };
        format!("{what}{end}")
    }

    /// The fields of an index that would leave less to be read: those that are asked for by value first, then what is ordered by, or one that
    /// is asked for by a range.
    pub(in super::super) fn proposal(&self, view: &View<'_>) -> Option<Vec<String>> {
        if self.is_listed() {
            return None;
        }
        let mut fields: Vec<String> = self.bound_fields.clone();
        let mut ranges = Vec::new();
        for node in &self.conditions.all {
            let Node::Is(condition) = node else { continue };
            let (Some(name), true) = (condition.path.own_member(), condition.path.field.kind.indexable()) else {
                continue;
            };
            match condition.lookup {
                Lookup::Exact if condition.values.len() == 1 => fields.push(name.to_owned()),
                Lookup::Gt
                | Lookup::Gte
                | Lookup::Lt
                | Lookup::Lte
                | Lookup::Range
                | Lookup::Startswith
                | Lookup::In => {
                    ranges.push(name.to_owned());
                }
                _ => {}
            }
        }
        let ordered = self.keys.keys().map(|(path, descending)| Some((path.own_member()?, descending)));
        match ordered.collect::<Option<Vec<_>>>() {
            Some(ordered) if !self.keys.are_ids() => {
                let signed = |(name, descending): (&str, bool)| format!("{}{name}", if descending { "-" } else { "" });
                fields.extend(ordered.into_iter().map(signed));
            }
            _ => fields.extend(ranges.into_iter().next()),
        }
        let mut seen = BTreeSet::new();
        fields.retain(|name| {
            let name = name.trim_start_matches('-');
            let field = view.schema.collection.field(name);
            field.is_some_and(|field| field.kind.indexable()) && seen.insert(name.to_owned())
        });
        if fields.is_empty() {
            return None;
        }
        if view.may != Decision::All {
            // Nothing else is read for those who list their own.
            fields.insert(0, "owner".to_owned());
        }
        fields.truncate(MAX_INDEX_FIELDS);
        if fields[0].starts_with('-') {
            // The same, read from its end.
            let turned = |name: &String| name.strip_prefix('-').map_or_else(|| format!("-{name}"), str::to_owned);
            fields = fields.iter().map(turned).collect();
        }
        let is_there = names(view.schema.read_by.iter().map(|index| &**index)).contains(&fields);
        (!is_there).then_some(fields)
    }
}
