//! What `explain=true` tells of a list: how its rows were found, and for those who may list all what that cost.

use std::{collections::BTreeSet, time::Duration};

use common::{
    access::Decision,
    collection::{MAX_INDEX_FIELDS, SERVER_PARTS},
    query::Lookup,
};
use serde_json::{Value, json};

use super::{
    access::{Access, names},
    chosen::{Plan, Source},
    far::is_of_values,
    far_order::named,
};
use crate::domain::{
    indexes::{IndexKind, ReadIndex},
    records::{filter::Node, list::view::View, path::Path, sort::SortKeys},
};

impl Plan {
    /// How the rows were found.
    pub(in super::super) fn explain(&self, view: &View<'_>, took: Duration) -> Value {
        if let Some(plan) = self.instead.get() {
            return plan.explain(view, took);
        }
        let mut ids_by = self.ids_by.iter().map(|indexes| names(indexes.iter().map(|index| &**index)));
        let (indexes, reads) = match &self.source {
            Source::Keys(access) => (names([&*access.index]), self.reads(access, view.may)),
            Source::Ids(_) if !self.words.is_empty() => {
                ids_by.next();
                (vec![self.words.clone()], "the words of them, then the records".to_owned())
            }
            Source::Far(order) => (names([order.index()]), format!("records in the order of {}", order.name)),
            Source::Ids(_) => {
                (ids_by.next().unwrap_or_default(), "the ids of parts of them, then the records".to_owned())
            }
        };
        let by_ids = matches!(self.source, Source::Ids(_));
        let words = (!by_ids && !self.words.is_empty()).then(|| self.words.clone());
        let far = match &self.source {
            Source::Far(order) => Some(vec![order.name.clone()]),
            _ => None,
        };
        let mut open: Vec<&str> =
            self.conditions.all.iter().flat_map(Node::conditions).map(|condition| &*condition.parameter).collect();
        open.extend(self.conditions.has_search().then_some("search"));
        open.dedup();
        let mut told = json!({
            "indexes": indexes,
            "reads": reads,
            "together_with": far.into_iter().chain(ids_by.flatten()).chain(words).collect::<Vec<_>>(),
            "tests_each_record_for": open,
            "sorts": self.reversed().is_none() || self.ranking.is_some(),
            "would_help": self.would_help(),
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

    /// The fields of an index that would have left less to do.
    pub(in super::super) fn would_help(&self) -> Option<Vec<String>> {
        let plan = self.instead.get().map_or(self, Box::as_ref);
        plan.proposal.clone().filter(|_| !plan.is_listed() || !plan.sets.is_empty())
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
}

/// What references lead to that is ordered by or asked for, where an index there would leave less to be read.
fn far_proposal(view: &View<'_>, all: &[Node], keys: &SortKeys) -> Option<Vec<String>> {
    let ordered = keys.first_alone().map(|(path, _)| path).filter(|_| view.may == Decision::All);
    let asked = all.iter().filter_map(|node| match node {
        Node::Is(condition) if is_of_values(condition.lookup) => Some(&condition.path),
        _ => None,
    });
    let is_told = |path: &&Path| path.part.is_none() && path.steps.iter().all(|step| step.may == Decision::All);
    let mut paths = ordered.into_iter().chain(asked).filter(is_told);
    let missing = paths.find(|path| {
        path.steps.last().is_some_and(|step| {
            let is_there = step.target.read_by.iter().any(|index| index.parts[0].name == path.member);
            !is_there && path.field.kind.indexable()
        })
    });
    missing.map(|path| vec![named(path)])
}

/// The fields of an index that would leave less to be read: `fields` and those that are asked for by value first, then what is ordered by, or one that
/// is asked for by a range.
pub(super) fn proposal(view: &View<'_>, all: &[Node], mut fields: Vec<String>, keys: &SortKeys) -> Option<Vec<String>> {
    let mut ranges = Vec::new();
    for node in all {
        let Node::Is(condition) = node else { continue };
        let (Some(name), true) = (condition.path.own_member(), condition.path.field.kind.indexable()) else {
            continue;
        };
        match condition.lookup {
            Lookup::Exact | Lookup::In => fields.push(name.to_owned()),
            Lookup::Gt | Lookup::Gte | Lookup::Lt | Lookup::Lte | Lookup::Range | Lookup::Startswith => {
                ranges.push(name.to_owned());
            }
            _ => {}
        }
    }
    let ordered = keys.keys().map(|(path, descending)| Some((path.own_member()?, descending)));
    match ordered.collect::<Option<Vec<_>>>() {
        Some(ordered) if !keys.are_ids() => {
            let signed = |(name, descending): (&str, bool)| format!("{}{name}", if descending { "-" } else { "" });
            fields.extend(ordered.into_iter().map(signed));
        }
        _ => fields.extend(ranges.into_iter().next()),
    }
    let mut seen = BTreeSet::new();
    fields.retain(|name| {
        let name = name.trim_start_matches('-');
        let field = view.schema.collection.field(name);
        let is_own = name == "owner" && view.may != Decision::All;
        let may_be_in = field.map_or_else(|| SERVER_PARTS.contains(&name), |field| field.kind.indexable());
        may_be_in && !is_own && seen.insert(name.to_owned())
    });
    if fields.is_empty() {
        return far_proposal(view, all, keys);
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
    // Unique values leave those records out that have none, which an order has to have.
    let is_whole = |index: &&ReadIndex| {
        index.kind != IndexKind::Unique || keys.are_ids() || !index.parts.iter().any(|part| part.field.nullable)
    };
    let is_there = names(view.schema.read_by.iter().map(|index| &**index).filter(is_whole)).contains(&fields);
    (!is_there).then_some(fields)
}
