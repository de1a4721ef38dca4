//! The collections' definitions, and everything that belongs to a collection that is not there.

use std::collections::{BTreeMap, HashMap};

use common::{
    collection::Collection,
    field::FieldType,
    id::{CollectionId, Revision},
};
use store::{Key, Scan};

use super::{
    derived,
    ledger::{CheckError, Ledger},
};
use crate::domain::{keyspace, schema::Schema};

/// All definitions that can be read, by id.
pub(super) type Schemas = BTreeMap<CollectionId, Schema>;

/// Reads all definitions, and looks for what belongs to none of them.
pub(super) async fn check(ledger: &mut Ledger<'_>) -> Result<Schemas, CheckError> {
    let mut found = Vec::new();
    let mut pages = ledger.pages(&keyspace::collections());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            match serde_json::from_slice::<Collection>(&entry.value) {
                Ok(mut collection) if keyspace::collection(&collection.name) == key => {
                    collection.revision = Revision(entry.version.get());
                    found.push((collection, entry.version));
                }
                _ => ledger.unreadable(&key, "the collection's definition"),
            }
        }
    }
    let ids: HashMap<_, _> = found.iter().map(|(collection, _)| (collection.name.clone(), collection.id)).collect();
    let definitions = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let mut schemas = Schemas::new();
    for (collection, version) in found {
        for field in &collection.fields {
            if let FieldType::Reference { collection: Some(target), .. } = &field.kind
                && !ids.contains_key(target)
            {
                ledger.damaged(format_args!(
                    "collection {}: its field {} refers to the collection {target}, which is not there",
                    collection.name, field.name
                ));
            }
        }
        let (id, name) = (collection.id, collection.name.clone());
        if schemas.insert(id, Schema { collection, version, targets: ids.clone() }).is_some() {
            ledger.damaged(format_args!("collection {name}: another one has the same id {id}"));
        }
    }
    let count = keyspace::collection_count();
    let due = HashMap::from([(count.clone(), [definitions])]);
    derived::counters(ledger, &count, due).await?;
    for space in keyspace::BY_COLLECTION {
        strangers(ledger, space, &schemas).await?;
    }
    Ok(schemas)
}

/// What is in a space and belongs to no collection.
async fn strangers(ledger: &mut Ledger<'_>, space: &'static str, schemas: &Schemas) -> Result<(), CheckError> {
    let mut scan = Scan::prefix(&Key::space(space)).limit(1);
    while let Some((key, _)) = ledger.snapshot.scan(scan.clone()).await?.pop() {
        let collection = keyspace::collection_of(&key);
        if let Some(id) = collection.filter(|id| schemas.contains_key(id)) {
            scan = scan.beyond(&Key::space(space).uuid(id.uuid()));
            continue;
        }
        if space == "records" {
            ledger.unreadable(&key, "the definition of this record's collection");
        } else {
            ledger.wrong(&key, None, "belongs to no collection").await?;
        }
        scan = scan.after(&key);
    }
    Ok(())
}
