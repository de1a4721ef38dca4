//! The collections' definitions, and everything that belongs to a collection that is not there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use common::{field::FieldType, id::Revision};
use store::{Key, Scan, Version, counter};

use super::{
    derived,
    ledger::{CheckError, Ledger},
};
use crate::domain::{
    gone::{self, DeletedCollection, Left},
    keyspace,
    numbered::Numbered,
    numbers::CollectionNumber,
    schema::{Schema, StoredDefinition},
};

/// All definitions that can be read, by number.
pub(super) type Schemas = BTreeMap<CollectionNumber, Schema>;

/// What a deleted collection was of which something is left, and whether that counts for its owners.
pub(super) type Leaving = Vec<(Schema, bool)>;

/// Reads all definitions, and looks for what belongs to none of them.
pub(super) async fn check(ledger: &mut Ledger<'_>) -> Result<(Schemas, Leaving), CheckError> {
    let mut found = Vec::new();
    let mut pages = ledger.pages(&keyspace::collections());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            match serde_json::from_slice::<StoredDefinition>(&entry.value) {
                Ok(mut definition) if keyspace::collection(&definition.collection.name) == key => {
                    definition.collection.revision = Revision(entry.version.get());
                    found.push((definition, entry.version));
                }
                _ => ledger.unreadable(&key, "the collection's definition"),
            }
        }
    }
    let targets: HashMap<_, _> =
        found.iter().map(|(found, _)| (found.collection.name.clone(), found.keys.number)).collect();
    let definitions = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let mut schemas = Schemas::new();
    for (definition, version) in found {
        let StoredDefinition { collection, keys, .. } = &definition;
        for field in &collection.fields {
            if let FieldType::Reference { collection: Some(target), .. } = &field.kind
                && !targets.contains_key(target)
            {
                ledger.damaged(format_args!(
                    "collection {}: its field {} refers to the collection {target}, which is not there",
                    collection.name, field.name
                ));
            }
        }
        let (number, name) = (keys.number, collection.name.clone());
        if !keys.fit(collection) {
            ledger.damaged(format_args!("collection {name}: the numbers of its fields and indexes do not fit"));
        }
        let numbered = ledger.snapshot.get(&keyspace::numbered(number)).await?;
        let due = Numbered { id: collection.id, name: name.clone() };
        if numbered.and_then(|entry| serde_json::from_slice(&entry.value).ok()) != Some(due) {
            ledger.damaged(format_args!("collection {name}: its number {} is another's, or nobody's", number.0));
        }
        if schemas.insert(number, Schema::new(definition, version, targets.clone())).is_some() {
            ledger.damaged(format_args!("collection {name}: another one has the same number {}", number.0));
        }
    }
    aliases(ledger, &schemas).await?;
    for (last, of) in [(keyspace::last_collection(), keyspace::numbers()), (keyspace::last_owner(), keyspace::owners())]
    {
        last_number(ledger, &last, &of).await?;
    }
    let count = keyspace::collection_count();
    let due = HashMap::from([(count.clone(), [definitions])]);
    derived::counters(ledger, &count, due).await?;
    let mut leaving = Leaving::new();
    for gone in gone::leaving(ledger.snapshot).await? {
        let DeletedCollection { definition, targets, left, .. } = gone.gone;
        let targets = targets.into_iter().filter(|(_, number)| schemas.contains_key(number)).collect();
        leaving.push((Schema::new(definition, Version::ZERO, targets), left == Left::Counted));
    }
    let known: BTreeSet<_> = schemas.keys().copied().chain(leaving.iter().map(|(schema, _)| schema.number())).collect();
    for space in keyspace::BY_COLLECTION {
        strangers(ledger, space, &known).await?;
    }
    Ok((schemas, leaving))
}

/// Every former name leads to the collection that says it has it, and every one is there.
async fn aliases(ledger: &mut Ledger<'_>, schemas: &Schemas) -> Result<(), CheckError> {
    let mut due: BTreeMap<Key, Vec<u8>> = BTreeMap::new();
    for (number, schema) in schemas {
        for alias in &schema.collection.aliases {
            due.insert(keyspace::collection_alias(alias), i64::from(number.0).to_be_bytes().to_vec());
        }
    }
    let mut pages = ledger.pages(&keyspace::collection_aliases());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            match due.remove(&key) {
                Some(value) if value == entry.value => {}
                Some(value) => ledger.wrong(&key, Some(value.into()), "leads to another collection").await?,
                None => ledger.wrong(&key, None, "no collection has this former name").await?,
            }
        }
    }
    for (key, value) in due {
        ledger.wrong(&key, Some(value.into()), "the former name of a collection is missing").await?;
    }
    Ok(())
}

/// The last number that was given is not before one that was; and none was given twice.
async fn last_number(ledger: &mut Ledger<'_>, last: &Key, of: &Key) -> Result<(), CheckError> {
    let given = ledger.snapshot.get(last).await?.as_ref().and_then(counter).unwrap_or(0);
    let (mut numbers, mut count) = (BTreeSet::new(), 0);
    let mut pages = ledger.pages(of);
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            count += 1;
            // That of an owner is the value, that of a collection is in the key.
            numbers.insert(keyspace::collection_of(&key).map(|number| i64::from(number.0)).or_else(|| counter(&entry)));
        }
    }
    if numbers.len() != count || numbers.iter().any(|number| number.is_none_or(|number| number > given)) {
        let what = "the numbers that were given do not fit the last one";
        ledger.damaged(format_args!("{}: {what}", keyspace::shown(last)));
    }
    Ok(())
}

/// What is in a space and belongs to no collection.
async fn strangers(
    ledger: &mut Ledger<'_>,
    space: &'static str,
    known: &BTreeSet<CollectionNumber>,
) -> Result<(), CheckError> {
    let mut scan = Scan::prefix(&Key::space(space)).limit(1);
    while let Some((key, _)) = ledger.snapshot.scan(scan.clone()).await?.pop() {
        let collection = keyspace::collection_of(&key);
        if let Some(CollectionNumber(number)) = collection.filter(|number| known.contains(number)) {
            scan = scan.beyond(&Key::space(space).int(i64::from(number)));
            continue;
        }
        if Key::space(space) == keyspace::all_records() {
            ledger.unreadable(&key, "the definition of this record's collection");
        } else {
            ledger.wrong(&key, None, "belongs to no collection").await?;
        }
        scan = scan.after(&key);
    }
    Ok(())
}
