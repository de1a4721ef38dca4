//! What the records are called that changes refer to by their ids.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    change::{Change, Subject},
    collection::Collection,
    field::FieldType,
    id::RecordId,
    name::CollectionName,
    query::{Filter, ListQuery, Lookup},
    table::named,
};

/// Records of one collection that are asked for at once.
const ASKED: usize = 100;

/// Names of records, and which fields refer to which collection.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Referred {
    /// By a collection and its field: the collection that this refers to.
    targets: BTreeMap<(CollectionName, String), CollectionName>,
    /// By collection, as the pages of its lists have them.
    names: BTreeMap<CollectionName, BTreeMap<String, String>>,
    asked: BTreeSet<(CollectionName, RecordId)>,
}

impl Referred {
    /// What is to be asked so that changes of these collections are told by names: of each collection that they refer to one page of a list. Nothing
    /// is asked twice.
    pub(super) fn questions(
        &mut self,
        rows: &[Change],
        collections: &[Collection],
    ) -> Vec<(CollectionName, ListQuery)> {
        for collection in collections {
            for field in &collection.fields {
                if let FieldType::Reference { collection: Some(target), .. } = &field.kind {
                    let place = (collection.name.clone(), field.name.to_string());
                    self.targets.insert(place, target.clone());
                }
            }
        }
        let mut wanted: BTreeMap<CollectionName, BTreeSet<RecordId>> = BTreeMap::new();
        for change in rows.iter().filter(|change| change.subject == Subject::Record) {
            let Some(collection) = &change.collection else { continue };
            for (name, value) in
                [&change.before, &change.after].into_iter().filter_map(|side| side.as_object()).flatten()
            {
                let Some(target) = self.targets.get(&(collection.clone(), name.clone())) else { continue };
                let ids = wanted.entry(target.clone()).or_default();
                ids.extend(RecordId::all_in(value).filter(|id| !self.asked.contains(&(target.clone(), *id))));
            }
        }
        let question = |(name, ids): (CollectionName, BTreeSet<RecordId>)| {
            let ids: Vec<RecordId> = ids.into_iter().take(ASKED).collect();
            self.asked.extend(ids.iter().map(|id| (name.clone(), *id)));
            let value = ids.iter().map(RecordId::to_string).collect::<Vec<_>>().join(",");
            let filters = vec![Filter { field: "id".to_owned(), lookup: Lookup::In, value }];
            let fields = vec!["id".to_owned()];
            let query = ListQuery {
                filters,
                fields,
                page_size: ASKED as u64,
                count: false,
                named: true,
                ..ListQuery::default()
            };
            (!ids.is_empty()).then_some((name, query))
        };
        wanted.into_iter().filter_map(question).collect()
    }

    /// Takes what records of a collection are called.
    pub(super) fn know(&mut self, name: &CollectionName, names: BTreeMap<String, String>) {
        self.names.entry(name.clone()).or_default().extend(names);
    }

    /// A value of a field by name; `None` where none is known.
    pub(super) fn name_of(&self, collection: &CollectionName, field: &str, value: &Value) -> Option<String> {
        let target = self.targets.get(&(collection.clone(), field.to_owned()))?;
        named(self.names.get(target)?, "id", value)
    }
}
