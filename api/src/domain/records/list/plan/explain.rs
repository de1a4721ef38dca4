//! What `explain=true` tells of a list: how its rows were found, and for those who may list all what that cost.

use std::time::Duration;

use common::{access::Decision, query::Lookup};
use serde_json::{Value, json};

use super::{Plan, Source, access::Access};
use crate::domain::{
    indexes::{IndexKind, ReadIndex},
    records::{filter::Node, list::View},
};

impl Plan {
    /// How the rows were found.
    pub(in super::super) fn explain(&self, view: &View<'_>, took: Duration) -> Value {
        let mut ids_by = self.ids_by.iter().map(|indexes| names(indexes.iter().map(|index| &**index)));
        let (indexes, reads) = match &self.source {
            Source::Keys(access) => (names([&*access.index]), self.reads(access, view.may)),
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
            "sorts": self.reversed().is_none(),
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

    /// A field whose index would leave less to be read: one that is asked for by a value first, then one that is asked for by a
    /// range, then what everything is ordered by.
    fn proposal(&self, view: &View<'_>) -> Option<&str> {
        if self.is_listed() {
            return None;
        }
        let conditions = self.conditions.all.iter().filter_map(|node| match node {
            Node::Is(condition) => Some(condition),
            _ => None,
        });
        let asked_by = |lookups: &[Lookup]| -> Vec<&str> {
            let asked = conditions.clone().filter(|condition| lookups.contains(&condition.lookup));
            asked.filter_map(|condition| condition.path.own_member()).collect()
        };
        let mut fields = asked_by(&[Lookup::Exact, Lookup::In]);
        fields.extend(asked_by(&[Lookup::Gt, Lookup::Gte, Lookup::Lt, Lookup::Lte, Lookup::Range, Lookup::Startswith]));
        if self.conditions.is_empty() {
            fields.extend(self.keys.paths().next().and_then(|path| path.own_member()));
        }
        fields.into_iter().find(|name| {
            let field = view.schema.collection.field(name);
            field.is_some_and(|field| field.kind.indexable() && !field.has_index())
        })
    }
}

/// The fields of each index, once; nothing of the records themselves.
fn names<'a>(indexes: impl IntoIterator<Item = &'a ReadIndex>) -> Vec<Vec<&'a str>> {
    let mut names = Vec::new();
    for index in indexes.into_iter().filter(|index| index.kind != IndexKind::Records) {
        let fields: Vec<&str> = index.parts.iter().map(|part| &*part.name).filter(|name| *name != "id").collect();
        if !names.contains(&fields) {
            names.push(fields);
        }
    }
    names
}
