//! Where somebody was, and how the tables were that they left: kept while the client runs, and between two runs.

use std::collections::BTreeMap;

use common::{
    id::{OperationId, RecordId},
    name::CollectionName,
    record::Record,
};
use serde::{Deserialize, Serialize};

use super::{Import, Model, Screen};
use crate::{
    effect::Effect,
    screen::{Collections, Detail, ImportScreen, Records, Rows, SavedTable},
};

/// Where somebody was.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LastLocation {
    /// Who it was.
    pub user: String,
    /// The collection whose table was open, if one was.
    pub collection: Option<CollectionName>,
    /// The record that was open above it.
    #[serde(default)]
    pub record: Option<RecordId>,
    /// The tables that were left, as they were.
    #[serde(default)]
    pub tables: BTreeMap<CollectionName, SavedTable>,
    /// The imports that were going on.
    #[serde(default)]
    pub imports: Vec<(CollectionName, OperationId)>,
}

/// Tables that are kept at most.
const MOST: usize = 200;

impl Model {
    /// Opens a collection's table, as it was left.
    pub fn open_table(&mut self, mut records: Records) -> Vec<Effect> {
        if let Some(kept) = self.kept.get(&records.collection.name)
            && !records.is_look_up
        {
            records.restore(kept);
        }
        self.screens.push(Screen::Records(Box::new(records)));
        self.reload()
    }

    /// Takes note of how the topmost table is, before it is left.
    pub fn keep_table(&mut self) {
        if let Some(Screen::Records(records)) = self.screens.last()
            && records.source == Rows::Records
            && !records.is_look_up
            && (self.kept.len() < MOST || self.kept.contains_key(&records.collection.name))
        {
            self.kept.insert(records.collection.name.clone(), records.keep());
        }
    }

    /// Where somebody is now.
    pub fn place(&self) -> Option<LastLocation> {
        let user = self.user.as_ref()?.username.to_string();
        let mut tables = self.kept.clone();
        let (mut collection, mut record) = (None, None);
        for screen in &self.screens {
            match screen {
                Screen::Records(table) if table.source == Rows::Records && !table.is_look_up => {
                    collection = Some(table.collection.name.clone());
                    tables.insert(table.collection.name.clone(), table.keep());
                }
                Screen::Record(detail) => record = detail.record.id(),
                _ => {}
            }
        }
        let imports = self.imports.iter().map(|import| (import.collection.clone(), import.operation)).collect();
        Some(LastLocation { user, collection, record, tables, imports })
    }

    /// Keeps where somebody is for the next start, also where this one ends without a word.
    pub fn keep_place(&self) -> Option<Effect> {
        Some(Effect::KeepPlace(serde_json::to_vec(&self.place()?).ok()?))
    }

    /// Whether the table of an earlier run is to be opened, as soon as it is known who is here and what there is.
    pub fn waits_to_reopen(&self) -> bool {
        let is_mine = |place: &LastLocation| {
            place.collection.is_some() && self.user.as_ref().is_none_or(|user| user.username.as_str() == place.user)
        };
        self.reopen.as_ref().is_some_and(is_mine) && !self.has_begun()
    }

    /// Asks again how far imports are that were going on.
    fn follow_again(&mut self, imports: &[(CollectionName, OperationId)]) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (collection, operation) in imports {
            let ticket = self.tickets.next();
            effects.push(Effect::ImportProgress(ticket, *operation));
            self.imports.push(Import { collection: collection.clone(), operation: *operation, ticket, last: None });
        }
        effects
    }

    /// Opens what was open the last time, once it is known who is here and what there is.
    pub fn reopen(&mut self) -> Vec<Effect> {
        let (Some(user), Some(Screen::Collections(Collections { rows: Some(rows), .. }))) =
            (&self.user, self.screens.first())
        else {
            return Vec::new();
        };
        let is_mine = self.reopen.as_ref().is_some_and(|place| place.user == user.username.as_str());
        let wanted = self.reopen.as_ref().and_then(|place| place.collection.clone());
        let collection = rows.iter().find(|row| Some(&row.name) == wanted.as_ref()).cloned();
        let is_open = self.waits_to_reopen();
        let Some(place) = self.reopen.take() else { return Vec::new() };
        let mut follow = Vec::new();
        if is_mine {
            self.kept = place.tables;
            follow = self.follow_again(&place.imports);
        }
        let Some(collection) = collection.filter(|_| is_open && is_mine) else {
            follow.extend(self.begin_with_dashboard().unwrap_or_default());
            return follow;
        };
        let mut effects = self.open_table(Records::new(collection.clone()));
        effects.extend(follow);
        if let Some(import) = self.imports.iter().find(|import| import.collection == collection.name) {
            let screen = ImportScreen::under_way(collection, import.operation, None);
            self.screens.push(Screen::Import(Box::new(screen)));
            return effects;
        }
        if let Some(id) = place.record {
            let mut frame = Record::default();
            frame.set("id", id.to_string());
            self.screens.push(Screen::Record(Box::new(Detail::new(collection, frame))));
            effects.extend(self.reload());
        }
        effects
    }
}
