//! Definitions of collections as requests use them: looked up by name, and parsed once for each version. How they are made and
//! changed is in `collections`.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    vec,
};

use common::{
    access::{Action, Caller, Decision},
    collection::Collection,
    field::{Field, FieldType},
    id::{FieldId, OperationId, Revision},
    name::CollectionName,
};
use quick_cache::{Weighter, sync::Cache};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _},
};
use serde_json::value::RawValue;
use store::{Entry, Key, Pages, Scan, Snapshot, Version, counter};

use super::{
    error::{AuthError, Error, Result},
    indexes::{self, ReadIndex},
    keyspace,
    numbered::Numbered,
    numbers::{CollectionNumber, FieldIndexes, IndexNumber, Keys},
    owners::Owners,
};

/// How many definitions are kept, and how many bytes of them, about.
const MAX_SCHEMAS: usize = 1024;
const MAX_SCHEMA_BYTES: u64 = 32 * 1024 * 1024;

/// A definition as it is stored.
#[derive(Debug, Clone, Serialize)]
pub struct StoredDefinition {
    /// What is sent.
    #[serde(flatten)]
    pub collection: Collection,
    /// What its names are in keys.
    pub keys: Keys,
    /// The one that is to take its place, while records are checked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coming: Option<Box<StoredComing>>,
    /// The revision that is shown, where what wrote it last changed nothing that is sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Revision>,
    /// The commit that wrote it.
    #[serde(skip)]
    pub version: Version,
}

/// A definition that is to take another's place, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredComing {
    /// What checks records for it.
    pub operation: OperationId,
    /// What will be sent.
    pub collection: Collection,
    /// What its names will be in keys.
    pub keys: Keys,
    /// The fields whose values may not fit, by their place.
    pub checked: Vec<usize>,
    /// Writes that do not fit are refused.
    pub hold: bool,
}

impl StoredDefinition {
    /// In force, and not written yet.
    pub fn new(collection: Collection, keys: Keys) -> Self {
        Self { collection, keys, coming: None, shown: None, version: Version::ZERO }
    }

    /// One in force by itself, shown as it was before. What was made for the one that was coming is removed later.
    pub fn without_coming(schema: &Schema) -> Self {
        let mut keys = schema.keys.clone();
        if let Some(coming) = &schema.coming {
            keys.retire(&coming.schema.keys, &coming.schema.collection, &coming.schema.targets);
        }
        let shown = Some(schema.collection.revision);
        Self { shown, ..Self::new(schema.collection.clone(), keys) }
    }

    /// Has every field say its id.
    pub fn show_ids(&mut self) {
        for (field, key) in self.collection.fields.iter_mut().zip(&self.keys.fields) {
            field.id = Some(FieldId::from_uuid(key.id));
        }
    }
}

impl<'de> Deserialize<'de> for StoredDefinition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Rest {
            keys: Keys,
            #[serde(default)]
            coming: Option<Box<StoredComing>>,
            #[serde(default)]
            shown: Option<Revision>,
        }
        let (collection, Rest { keys, coming, shown }) = with_rest(deserializer)?;
        Ok(Self { coming, shown, ..Self::new(collection, keys) })
    }
}

/// Reads a collection and what stands beside its members, from text: serde's `flatten` would lose digits of defaults.
pub(super) fn with_rest<'de, D: Deserializer<'de>, T: DeserializeOwned>(
    deserializer: D,
) -> std::result::Result<(Collection, T), D::Error> {
    let text = Box::<RawValue>::deserialize(deserializer)?;
    let read = |error: serde_json::Error| D::Error::custom(error);
    Ok((serde_json::from_str(text.get()).map_err(read)?, serde_json::from_str(text.get()).map_err(read)?))
}

/// A definition that is to take another's place.
#[derive(Debug)]
pub struct Coming {
    /// What checks records for it.
    pub operation: OperationId,
    /// What it will be.
    pub schema: Schema,
    /// The fields whose values may not fit, by their place.
    pub checked: Vec<usize>,
    /// Writes that do not fit are refused.
    pub hold: bool,
    /// The indexes that the one in force has not.
    pub new_indexes: HashSet<IndexNumber>,
}

/// A definition as requests use it: parsed once for each version.
#[derive(Debug)]
pub struct Schema {
    /// What is stored, with `revision` set.
    pub collection: Collection,
    /// What its names are in keys.
    pub keys: Keys,
    /// The commit that wrote it.
    pub version: Version,
    /// The collections that its reference fields name.
    pub targets: HashMap<CollectionName, CollectionNumber>,
    /// What lists can be read by.
    pub read_by: Vec<Arc<ReadIndex>>,
    /// The indexes of each field, in the order of the fields.
    indexes: Vec<FieldIndexes>,
    /// The one that is to take its place.
    pub coming: Option<Box<Coming>>,
}

impl Schema {
    /// Of a stored definition.
    pub fn new(
        definition: StoredDefinition,
        version: Version,
        targets: HashMap<CollectionName, CollectionNumber>,
    ) -> Self {
        let StoredDefinition { collection, keys, coming, .. } = definition;
        let indexes = keys.fields.iter().map(|field| keys.indexes_of(field.number)).collect();
        let read_by = indexes::of(&collection, &keys);
        let coming = coming.map(|coming| {
            let StoredComing { operation, collection, keys: coming, checked, hold } = *coming;
            let new_indexes = coming.without(&keys).map(|index| index.number).collect();
            let schema = Self::new(StoredDefinition::new(collection, coming), version, targets.clone());
            Box::new(Coming { operation, schema, checked, hold, new_indexes })
        });
        Self { collection, keys, version, targets, read_by, indexes, coming }
    }

    /// The collection in keys.
    pub fn number(&self) -> CollectionNumber {
        self.keys.number
    }

    /// Its fields, with the indexes of each.
    pub fn fields(&self) -> impl Iterator<Item = (&Field, FieldIndexes)> {
        self.collection.fields.iter().zip(self.indexes.iter().copied())
    }

    /// The index of a field's values, where it has one.
    pub fn index(&self, field: &str) -> Option<IndexNumber> {
        let field = self.collection.field(field)?;
        self.fields().find(|(known, _)| known.name == field.name)?.1.values
    }

    /// Whether the caller may do `action`, and to which records. A caller who may not even look does not learn that it exists.
    pub fn authorize(&self, action: Action, caller: &Caller) -> Result<Decision> {
        let rules = &self.collection.access;
        match (rules.decide(action, caller), caller) {
            (Decision::Denied, Caller::Anonymous) => Err(AuthError::Missing.into()),
            (Decision::Denied, _) if !self.is_visible(caller) => Err(Error::NotFound),
            (Decision::Denied, _) if rules.is_nobodys(action) => Err(Error::NobodyMay(self.nobodys(caller))),
            (Decision::Denied, _) => Err(Error::Denied),
            (decision, _) => Ok(decision),
        }
    }

    /// What nobody may do to its records but admins, who may always: as far as the caller may know.
    pub fn nobodys(&self, caller: &Caller) -> Vec<Action> {
        let rules = &self.collection.access;
        let is_nobodys =
            |action: &Action| rules.is_nobodys(*action) && rules.decide(*action, caller) == Decision::Denied;
        Action::ALL.into_iter().filter(|action| self.is_visible(caller) && is_nobodys(action)).collect()
    }

    /// Whether the caller may list or view its records, all or some.
    pub fn is_visible(&self, caller: &Caller) -> bool {
        let rules = &self.collection.access;
        [Action::List, Action::View].iter().any(|action| rules.decide(*action, caller) != Decision::Denied)
    }
}

/// Definitions by name, parsed, each with the last change of any definition when it was read.
#[derive(Debug)]
pub struct Schemas(Cache<CollectionName, Known, BySize>);

/// The last change of any definition when a name was looked up, and what stood under it. That nothing did is kept too: it takes as long to be told as
/// of a collection that the caller may not see.
type Known = (Version, Option<Arc<Schema>>);

/// A definition weighs what it takes.
#[derive(Debug, Clone)]
struct BySize;

impl Weighter<CollectionName, Known> for BySize {
    fn weight(&self, _: &CollectionName, (_, schema): &Known) -> u64 {
        // With the names and places that are found out of it.
        schema.as_ref().map_or(256, |schema| 2 * definition_size(&schema.collection) as u64)
    }
}

impl Default for Schemas {
    fn default() -> Self {
        Self(Cache::with_weighter(MAX_SCHEMAS, MAX_SCHEMA_BYTES, BySize))
    }
}

impl Schemas {
    /// The definition of this name as it was read last, and the last change of any definition then.
    pub fn known(&self, name: &CollectionName) -> Option<(Version, Arc<Schema>)> {
        let (as_of, schema) = self.0.get(name)?;
        Some((as_of, schema?))
    }

    /// The definition of this name as of `snapshot`.
    pub async fn load(&self, snapshot: &Snapshot, name: &CollectionName) -> Result<Option<Arc<Schema>>> {
        let as_of = snapshot.last_change(keyspace::COLLECTIONS);
        if let Some((_, schema)) = self.0.get(name).filter(|(then, _)| *then == as_of) {
            return Ok(schema);
        }
        let entry = match snapshot.get(&keyspace::collection(name)).await? {
            Some(entry) => Some(entry),
            None => by_alias(snapshot, name).await?,
        };
        let Some(entry) = entry else {
            self.0.insert(name.clone(), (as_of, None));
            return Ok(None);
        };
        let definition = parse(&entry)?;
        let coming = definition.coming.iter().flat_map(|coming| &coming.collection.fields);
        let named = definition.collection.fields.iter().chain(coming).filter_map(|field| match &field.kind {
            FieldType::Reference { collection, .. } => collection.as_ref(),
            _ => None,
        });
        let named: Vec<_> = named.cloned().collect();
        let keys: Vec<_> = named.iter().map(keyspace::collection).collect();
        let mut targets = HashMap::new();
        for (target, entry) in named.into_iter().zip(snapshot.get_many(&keys).await?) {
            if let Some(entry) = entry {
                targets.insert(target, parse(&entry)?.keys.number);
            }
        }
        let schema = Arc::new(Schema::new(definition, entry.version, targets));
        self.0.insert(name.clone(), (as_of, Some(Arc::clone(&schema))));
        Ok(Some(schema))
    }

    /// The definition of this name for a caller: one that is not there looks like one that they may not see.
    pub async fn find(&self, snapshot: &Snapshot, name: &CollectionName, caller: &Caller) -> Result<Arc<Schema>> {
        match (self.load(snapshot, name).await?, caller) {
            (Some(schema), _) => Ok(schema),
            (None, Caller::Anonymous) => Err(AuthError::Missing.into()),
            (None, _) => Err(Error::NotFound),
        }
    }
}

/// The definition of the collection that had a name before.
async fn by_alias(snapshot: &Snapshot, name: &CollectionName) -> Result<Option<Entry>> {
    let Some(alias) = snapshot.get(&keyspace::collection_alias(name)).await? else { return Ok(None) };
    let number = counter(&alias).and_then(|number| u32::try_from(number).ok()).map(CollectionNumber);
    let Some(number) = number else { return Ok(None) };
    let Some(numbered) = snapshot.get(&keyspace::numbered(number)).await? else { return Ok(None) };
    let Numbered { name, .. } = serde_json::from_slice(&numbered.value)?;
    Ok(snapshot.get(&keyspace::collection(&name)).await?)
}

/// The definition of a number's collection as it is stored, where that is still there.
pub async fn stored(snapshot: &Snapshot, number: CollectionNumber) -> Result<Option<StoredDefinition>> {
    let Some(numbered) = snapshot.get(&keyspace::numbered(number)).await? else { return Ok(None) };
    let Numbered { name, .. } = serde_json::from_slice(&numbered.value)?;
    let entry = snapshot.get(&keyspace::collection(&name)).await?;
    let definition = entry.as_ref().map(parse).transpose()?;
    Ok(definition.filter(|definition| definition.keys.number == number))
}

fn parse(entry: &Entry) -> Result<StoredDefinition> {
    let mut definition: StoredDefinition = serde_json::from_slice(&entry.value)?;
    definition.version = entry.version;
    definition.collection.revision = definition.shown.unwrap_or(Revision(entry.version.get()));
    definition.show_ids();
    Ok(definition)
}

/// The definition of the collection of a number, where that is still there.
pub async fn by_number(
    schemas: &Schemas,
    snapshot: &Snapshot,
    number: CollectionNumber,
) -> Result<Option<Arc<Schema>>> {
    let Some(numbered) = snapshot.get(&keyspace::numbered(number)).await? else { return Ok(None) };
    let Numbered { name, .. } = serde_json::from_slice(&numbered.value)?;
    let found = schemas.load(snapshot, &name).await?;
    Ok(found.filter(|schema| schema.number() == number))
}

/// All definitions that can be read, by their collections' numbers; without what they refer to.
pub async fn readable(snapshot: &Snapshot) -> Result<HashMap<CollectionNumber, Schema>> {
    let entries = snapshot.scan(Scan::prefix(&keyspace::collections())).await?;
    let read = entries.iter().filter_map(|(_, entry)| Some((parse(entry).ok()?, entry.version)));
    Ok(read
        .map(|(definition, version)| (definition.keys.number, Schema::new(definition, version, HashMap::new())))
        .collect())
}

/// All definitions, by name, one at a time: together they can take more memory than a request may.
pub fn all(snapshot: &Snapshot) -> Definitions<'_> {
    Definitions { pages: snapshot.pages(Scan::prefix(&keyspace::collections())), page: Vec::new().into_iter() }
}

/// Definitions as they are read.
pub struct Definitions<'a> {
    pages: Pages<'a>,
    page: vec::IntoIter<(Key, Entry)>,
}

impl Definitions<'_> {
    /// The next one.
    pub async fn next(&mut self) -> Result<Option<StoredDefinition>> {
        loop {
            if let Some((_, entry)) = self.page.next() {
                return parse(&entry).map(Some);
            }
            let Some(page) = self.pages.next().await? else { return Ok(None) };
            self.page = page.into_iter();
        }
    }

    /// What `take` takes of each.
    pub async fn filter_map<T>(mut self, mut take: impl FnMut(StoredDefinition) -> Option<T>) -> Result<Vec<T>> {
        let mut taken = Vec::new();
        while let Some(definition) = self.next().await? {
            taken.extend(take(definition));
        }
        Ok(taken)
    }
}

/// About how many bytes a definition takes that is held, with `fields` fields and all that is said of them.
pub fn definition_size(collection: &Collection) -> usize {
    const OF_A_FIELD: usize = 1024;
    const OF_A_CHOICE: usize = 96;
    let choices = |field: &Field| match &field.kind {
        FieldType::Choice { choices, .. } => choices.len() * OF_A_CHOICE,
        _ => 0,
    };
    collection.fields.iter().map(|field| OF_A_FIELD + choices(field)).sum::<usize>() + OF_A_FIELD
}

/// Leaves out which collection a reference field refers to where that is not there for the caller.
pub async fn hide_references(
    schemas: &Schemas,
    snapshot: &Snapshot,
    fields: &mut [Field],
    caller: &Caller,
) -> Result<()> {
    for field in fields {
        let FieldType::Reference { collection, .. } = &mut field.kind else { continue };
        let Some(name) = &*collection else { continue };
        if !schemas.load(snapshot, name).await?.is_some_and(|schema| schema.is_visible(caller)) {
            *collection = None;
        }
    }
    Ok(())
}

/// How many records a decision covers, from the kept counts; `None` where it covers none at all.
pub async fn count(
    owners: &Owners,
    snapshot: &Snapshot,
    number: CollectionNumber,
    decision: Decision,
) -> Result<Option<u64>> {
    let key = match decision {
        Decision::All => keyspace::count(number),
        Decision::Own(user) => match owners.number(snapshot, user).await? {
            Some(owner) => keyspace::owned_count(number, Some(owner)),
            None => return Ok(Some(0)),
        },
        Decision::Denied => return Ok(None),
    };
    let count = snapshot.get(&key).await?.as_ref().and_then(counter).unwrap_or(0);
    Ok(Some(u64::try_from(count).unwrap_or(0)))
}
