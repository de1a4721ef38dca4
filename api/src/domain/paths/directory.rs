//! All definitions by id and by name, and what a path's names lead to in them.

use std::collections::{BTreeSet, HashMap};

use common::{
    collection::Collection,
    field::{Field, FieldType},
    id::{CollectionId, FieldId},
    name::{CollectionName, SERVER_MEMBERS},
    published::PathDefinition,
    query::VIA,
};
use store::{Batch, Expect, Snapshot, Version};

use super::stored::{Step, StoredPath, all};
use crate::domain::{
    error::{Error, Result},
    keyspace,
    schema::{self, StoredDefinition},
    work,
};

/// All definitions.
#[derive(Debug, Default)]
pub(super) struct Directory(HashMap<CollectionId, StoredDefinition>);

/// Where a source leads.
#[derive(Debug, Clone)]
pub(super) struct SourcePath {
    /// Its parts.
    pub steps: Vec<Step>,
    /// The field that it ends at; `None` for a member of the server's.
    pub end: Option<Field>,
    /// It ends at the id of a record or of a user.
    pub is_reference: bool,
    /// It leads through records that refer to the record.
    pub is_many: bool,
}

impl Directory {
    /// As of a snapshot.
    pub(super) async fn read(snapshot: &Snapshot) -> Result<Self> {
        let (mut all, mut known) = (schema::all(snapshot), Self::default());
        while let Some(definition) = all.next().await? {
            work::hold(schema::definition_size(&definition.collection))?;
            known.0.insert(definition.collection.id, definition);
        }
        Ok(known)
    }

    /// The definition of this name, or that had it.
    pub(super) fn named(&self, name: &CollectionName) -> Option<&StoredDefinition> {
        let by = |is: &dyn Fn(&Collection) -> bool| self.0.values().find(|known| is(&known.collection));
        by(&|known| known.name == *name).or_else(|| by(&|known| known.aliases.contains(name)))
    }

    /// The names of all definitions, each with the commit that wrote it.
    pub(super) fn names(&self) -> impl Iterator<Item = (&CollectionName, Version)> {
        self.0.values().map(|definition| (&definition.collection.name, definition.version))
    }

    /// The collection of an id.
    pub(super) fn collection(&self, id: CollectionId) -> Option<&Collection> {
        self.0.get(&id).map(|definition| &definition.collection)
    }

    /// The collection that a field refers to.
    pub(super) fn target(&self, field: &Field) -> Option<&Collection> {
        match &field.kind {
            FieldType::Reference { collection: Some(name), .. } => self.named(name).map(|found| &found.collection),
            _ => None,
        }
    }

    /// Follows a source from a collection; the error says what is not there.
    pub(super) fn follow(&self, from: &Collection, source: &str) -> std::result::Result<SourcePath, String> {
        let mut way = SourcePath { steps: Vec::new(), end: None, is_reference: false, is_many: false };
        let (mut at, mut of_owner) = (Some(from), false);
        for part in source.split('.') {
            if of_owner {
                let is_there = part == "id" || part == "username";
                if !is_there || way.steps.last().is_some_and(|last| *last != Step::Server("owner".to_owned())) {
                    return Err(format!(
                        "\"{source}\" leads nowhere: of an owner there are owner.id and owner.username."
                    ));
                }
                way.steps.push(Step::Server(part.to_owned()));
                (way.is_reference, way.end) = (false, None);
                continue;
            }
            let Some(here) = at else {
                return Err(format!("\"{source}\" leads nowhere: what stands before \"{part}\" is no reference."));
            };
            if let Some(field) = here.field(part) {
                let id = field.id.ok_or_else(|| "a field has no id".to_owned())?;
                way.steps.push(Step::Field(id));
                at = self.target(field);
                (way.end, way.is_reference) = (Some(field.clone()), at.is_some());
            } else if SERVER_MEMBERS.contains(&part) {
                way.steps.push(Step::Server(part.to_owned()));
                (at, way.end) = (None, None);
                (of_owner, way.is_reference) = (part == "owner", part == "owner");
            } else if let Some((source, field)) = self.referrers(here, part) {
                let id = field.id.ok_or_else(|| "a field has no id".to_owned())?;
                way.steps.push(Step::Referrers(source.id, id));
                (at, way.end, way.is_many, way.is_reference) = (Some(source), None, true, false);
            } else {
                return Err(format!("\"{source}\" leads nowhere: \"{}\" has no member \"{part}\".", here.name));
            }
        }
        Ok(way)
    }

    fn referrers(&self, here: &Collection, name: &str) -> Option<(&Collection, &Field)> {
        name.match_indices(VIA).find_map(|(at, _)| {
            let source = &self.named(&name[..at].parse().ok()?)?.collection;
            let field = source.field(&name[at + VIA.len()..])?;
            (self.target(field)?.id == here.id).then_some((source, field))
        })
    }

    /// A source by the names of today; `None` where something on the way is gone.
    fn source(&self, from: &Collection, steps: &[Step]) -> Option<String> {
        let (mut at, mut parts) = (Some(from), Vec::new());
        for step in steps {
            match step {
                Step::Server(name) => {
                    parts.push(name.clone());
                    at = None;
                }
                Step::Field(id) => {
                    let field = field_of(at?, *id)?;
                    parts.push(field.name.to_string());
                    at = self.target(field);
                }
                Step::Referrers(source, id) => {
                    let source = self.collection(*source)?;
                    parts.push(format!("{}{VIA}{}", source.name, field_of(source, *id)?.name));
                    at = Some(source);
                }
            }
        }
        Some(parts.join("."))
    }

    /// What was said of a path, by the names of today, and what of it leads nowhere any more.
    pub(super) fn today(&self, stored: &StoredPath) -> (PathDefinition, Vec<String>) {
        let (mut definition, mut lost) = (stored.definition.clone(), BTreeSet::new());
        let Some(id) = stored.collection else { return (definition, Vec::new()) };
        let Some(collection) = self.collection(id) else {
            return (definition, vec!["The collection is not there any more.".to_owned()]);
        };
        definition.collection = Some(collection.name.clone());
        let mut rename = |source: &str| {
            let steps = stored.sources.get(source);
            steps.and_then(|steps| self.source(collection, steps)).unwrap_or_else(|| {
                lost.insert(source.to_owned());
                source.to_owned()
            })
        };
        // A member that is called as its field keeps its name: front ends know it by that.
        definition.members = definition.members.renamed(&mut rename);
        definition.lookup = rename(&definition.lookup);
        definition.conditions =
            definition.conditions.iter().map(|(name, value)| (rename(name), value.clone())).collect();
        if definition.members.is_empty() {
            definition.writable = definition.writable.map(|names| names.iter().map(|name| rename(name)).collect());
        }
        let notes = lost.into_iter().map(|source| format!("\"{source}\" leads nowhere any more, and is sent as null."));
        (definition, notes.collect())
    }
}

fn field_of(collection: &Collection, id: FieldId) -> Option<&Field> {
    collection.fields.iter().find(|field| field.id == Some(id))
}

/// The paths that name a collection, or fields of any that are not to be there any more.
pub(in crate::domain) async fn named_by(
    snapshot: &Snapshot,
    collection: Option<CollectionId>,
    fields: &[FieldId],
) -> Result<Vec<String>> {
    let names = |step: &Step| match step {
        Step::Server(_) => false,
        Step::Field(id) => fields.contains(id),
        Step::Referrers(source, id) => fields.contains(id) || collection == Some(*source),
    };
    let is_named = |path: &StoredPath| {
        (collection.is_some() && path.collection == collection) || path.sources.values().flatten().any(names)
    };
    let found = all(snapshot).await?.into_iter().filter(is_named);
    Ok(found.map(|path| path.definition.path.to_string()).collect())
}

/// Refuses to take away what published paths name, and has a change of paths that comes first be looked at again.
pub(in crate::domain) async fn expect_unnamed(
    snapshot: &Snapshot,
    batch: &mut Batch,
    collection: Option<CollectionId>,
    fields: &[FieldId],
) -> Result<()> {
    if collection.is_none() && fields.is_empty() {
        return Ok(());
    }
    expect_unchanged(snapshot, batch).await?;
    let paths = named_by(snapshot, collection, fields).await?;
    if !paths.is_empty() {
        let what = if fields.is_empty() { "this collection" } else { "a field that would go" };
        let message =
            format!("Published paths name {what}: {}. Change them first, or take them back.", paths.join(", "));
        return Err(Error::Conflict(message));
    }
    Ok(())
}

/// Refuses to let fields be other than unique by which published paths find records, and has a change of paths that comes first be looked at again.
pub(in crate::domain) async fn expect_not_looked_up(
    snapshot: &Snapshot,
    batch: &mut Batch,
    fields: &[FieldId],
) -> Result<()> {
    if fields.is_empty() {
        return Ok(());
    }
    expect_unchanged(snapshot, batch).await?;
    let is_looked_up = |path: &StoredPath| {
        // What tells the record itself, and what tells the one that it refers to.
        let through = path.definition.conditions.keys().filter(|name| name.contains('.'));
        let by = through.chain([&path.definition.lookup]);
        let mut ends = by.filter_map(|name| path.sources.get(name)?.last());
        ends.any(|step| matches!(step, Step::Field(id) if fields.contains(id)))
    };
    let paths: Vec<_> = all(snapshot).await?.into_iter().filter(is_looked_up).collect();
    if paths.is_empty() {
        return Ok(());
    }
    let paths: Vec<String> = paths.iter().map(|path| path.definition.path.to_string()).collect();
    Err(Error::Conflict(format!(
        "Published paths find records by a field that would not be unique any more: {}. Change them first, or take them back.",
        paths.join(", ")
    )))
}

async fn expect_unchanged(snapshot: &Snapshot, batch: &mut Batch) -> Result<()> {
    let changes = keyspace::path_changes();
    let unchanged = snapshot.get(&changes).await?.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
    batch.expect(changes, unchanged);
    Ok(())
}
