//! What subscribers that ask for the same hold together: filters, and the definitions that filters are typed by.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use common::{collection::Collection, id::CollectionId};

/// Entries from which on those are looked for that nobody holds any more.
const LEAST: usize = 1024;

/// What is held by somebody.
pub(super) struct Shared<F>(Mutex<Held<F>>);

struct Held<F> {
    definitions: HashMap<CollectionId, (u64, Weak<Collection>)>,
    /// The number of the last definition.
    last: u64,
    filters: HashMap<String, Weak<F>>,
    /// Filters at which it is tidied up next.
    next: usize,
}

impl<F> Default for Shared<F> {
    fn default() -> Self {
        Self(Mutex::new(Held { definitions: HashMap::new(), last: 0, filters: HashMap::new(), next: 0 }))
    }
}

impl<F> Shared<F> {
    /// A definition, as others hold it, with a number that no other has whose fields are others. (Revisions do not tell: the journal has a
    /// definition as it was sent.)
    pub(super) fn definition(&self, collection: &Collection) -> (u64, Arc<Collection>) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((number, known)) = held.definitions.get(&collection.id)
            && let Some(known) = known.upgrade()
            && known.name == collection.name
            && known.fields == collection.fields
        {
            return (*number, known);
        }
        let new = Arc::new(collection.clone());
        held.last += 1;
        let number = held.last;
        held.definitions.retain(|_, (_, definition)| definition.strong_count() > 0);
        held.definitions.insert(collection.id, (number, Arc::downgrade(&new)));
        (number, new)
    }

    /// A filter, as others hold it: filters of one key are the same.
    pub(super) fn filter(&self, key: &str, filter: F) -> Arc<F> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held.filters.get(key).and_then(Weak::upgrade) {
            return known;
        }
        let new = Arc::new(filter);
        if held.filters.len() >= held.next {
            held.filters.retain(|_, filter| filter.strong_count() > 0);
            held.next = LEAST.max(2 * held.filters.len());
        }
        held.filters.insert(key.to_owned(), Arc::downgrade(&new));
        new
    }
}
