//! The state of a record's form: `common`'s form, the version that it edits, and what has happened meanwhile.

use common::{collection::Collection, conflict::EditedRecord, form::Form, record::Record};

/// The form with all that belongs to it.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) form: Form,
    /// The version that is edited, and what others have done to it.
    pub(crate) edited: EditedRecord,
    pub(crate) busy: bool,
    /// What deleting it takes along, where it is asked whether that is meant.
    pub(crate) takes_along: Option<String>,
    /// All is sent; the page is about to be left.
    pub(crate) is_done: bool,
    /// It was left unsent, and came back.
    pub(crate) is_kept: bool,
    /// Counts forms begun one after the other, so that each puts the focus on its first input.
    pub(crate) number: usize,
}

impl Draft {
    /// Begins.
    pub(crate) fn new(collection: &Collection, record: Option<Record>) -> Self {
        let (edited, form) = EditedRecord::new(collection, record);
        Self { form, edited, busy: false, takes_along: None, is_done: false, is_kept: false, number: 0 }
    }

    /// Goes on with what was left unsent, where there is something. What others changed since then comes to light when it
    /// is saved.
    pub(crate) fn begin(collection: &Collection, record: Option<Record>, left: Option<Self>) -> Self {
        let fits = |left: &Self| {
            let fields = left.form.inputs.iter().map(|input| &input.field);
            fields.eq(&collection.fields) && left.edited.base.is_some() == record.is_some()
        };
        match left.filter(fits) {
            Some(left) => Self { busy: false, takes_along: None, is_kept: true, ..left },
            None => Self::new(collection, record),
        }
    }

    /// Something was typed that has not been sent.
    pub(crate) fn is_unsent(&self) -> bool {
        self.edited.is_changed(&self.form) && !self.is_done
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_left_unsent_comes_back_as_long_as_it_fits_the_collection() {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "title", "type": "text"}, {"name": "price", "type": "integer", "nullable": true}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let record = serde_json::from_value(json!({"title": "Popcorn", "price": 3, "revision": 5})).unwrap();
        let mut draft = Draft::new(&collection, Some(record));
        draft.form.set(0, "Corn");
        draft.edited.make_new(&mut draft.form, &collection);
        assert!(draft.is_unsent());
        let mut again = Draft::begin(&collection, None, Some(draft.clone()));
        assert!(again.is_kept && again.form.submit() == draft.form.submit());
        let other = Collection { fields: vec![], ..collection.clone() };
        assert!(!Draft::begin(&other, None, Some(draft.clone())).is_kept);
        assert_eq!(json!(draft.form.submit().unwrap()), json!({"title": "Corn", "price": 3}));
    }
}
