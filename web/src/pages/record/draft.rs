//! The state of a record's form: `common`'s form, the version that it edits, and what has happened meanwhile.

use common::{collection::Collection, form::Form, record::Record};

use super::conflict::Conflict;

/// The form with all that belongs to it.
#[derive(Clone)]
pub struct Draft {
    pub form: Form,
    /// The version that is edited.
    pub base: Option<Record>,
    pub conflict: Option<Conflict>,
    pub busy: bool,
    /// All is sent; the page is about to be left.
    pub is_done: bool,
    /// It was left unsent, and came back.
    pub is_kept: bool,
    /// Counts forms begun one after the other, so that each puts the focus on its first input.
    pub number: usize,
}

impl Draft {
    /// Begins.
    pub fn new(collection: &Collection, record: Option<Record>) -> Self {
        let form = record.as_ref().map_or_else(|| Form::create(collection), |record| Form::edit(collection, record));
        Self { form, base: record, conflict: None, busy: false, is_done: false, is_kept: false, number: 0 }
    }

    /// Goes on with what was left unsent, where there is something. What others changed since then comes to light when it
    /// is saved.
    pub fn begin(collection: &Collection, record: Option<Record>, left: Option<Self>) -> Self {
        let fits = |left: &Self| {
            let fields = left.form.inputs.iter().map(|input| &input.field);
            fields.eq(&collection.fields) && left.base.is_some() == record.is_some()
        };
        match left.filter(fits) {
            Some(left) => Self { busy: false, is_kept: true, ..left },
            None => Self::new(collection, record),
        }
    }

    /// The record is not there any more: what was typed becomes a new one.
    pub fn make_new(&mut self, collection: &Collection) {
        let texts: Vec<String> = self.form.inputs.iter().map(|input| input.text.clone()).collect();
        *self = Self::new(collection, None);
        for (index, text) in texts.into_iter().enumerate() {
            self.form.set(index, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_typed_outlives_the_record() {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "title", "type": "text"}, {"name": "price", "type": "integer", "nullable": true}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let record = serde_json::from_value(json!({"title": "Popcorn", "price": 3, "revision": 5})).unwrap();
        let mut draft = Draft::new(&collection, Some(record));
        draft.form.set(0, "Corn");
        draft.make_new(&collection);
        assert!(draft.base.is_none());
        let mut again = Draft::begin(&collection, None, Some(draft.clone()));
        assert!(again.is_kept && again.form.submit() == draft.form.submit());
        let other = Collection { fields: vec![], ..collection.clone() };
        assert!(!Draft::begin(&other, None, Some(draft.clone())).is_kept);
        assert_eq!(serde_json::Value::Object(draft.form.submit().unwrap()), json!({"title": "Corn", "price": 3}));
    }
}
