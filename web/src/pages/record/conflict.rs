//! Two people at one record: what the other did, and the ways out of it.

use common::{collection::Collection, form::Clash, record::Record, table, text};
use serde_json::Value;
use yew::prelude::*;

use crate::words;

/// What has happened to the record meanwhile.
#[derive(Debug, Clone, PartialEq)]
pub enum Conflict {
    /// It was changed: what changed, as labels with the value before and after, and where it meets what was typed here.
    Changed(Vec<Changed>),
    /// It was deleted.
    Gone,
}

/// A field that somebody else changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The field's label.
    pub label: String,
    /// What it said when the form was opened.
    pub before: String,
    /// What it says now.
    pub now: String,
    /// It was changed here too, to something else.
    pub clashes: bool,
}

/// What somebody else did to a record.
pub fn changed(collection: &Collection, before: &Record, now: &Record, clashes: &[Clash]) -> Vec<Changed> {
    let field = |name: &str| {
        let value = |record: &Record| record.get(name).filter(|value| !value.is_null()).cloned();
        let (before, now) = (value(before), value(now));
        (before != now).then(|| {
            let label = text::label(name);
            let said = |value: Option<Value>| table::cell(value.as_ref());
            let clashes = clashes.iter().any(|clash| clash.label == label);
            Changed { label, before: said(before), now: said(now), clashes }
        })
    };
    collection.fields.iter().filter_map(|known| field(known.name.as_str())).collect()
}

/// Says what has happened and offers the ways out: saving mine, taking theirs, saving as a new record.
pub fn conflict_notice(conflict: &Conflict, busy: bool, [onmine, ontheirs, onnew]: [&Callback<()>; 3]) -> Html {
    let press = |callback: &Callback<()>| callback.reform(|_: MouseEvent| ());
    let changed = match conflict {
        Conflict::Gone => {
            return html! {
                <div class="notice notice-warn conflict" role="alert">
                    <p class="notice-title">{ words::record::GONE_TITLE }</p>
                    <p>{ words::record::GONE }</p>
                    <div class="notice-actions">
                        <button type="button" class="button button-primary" disabled={busy} onclick={press(onnew)}>{ words::record::SAVE_AS_NEW }</button>
                    </div>
                </div>
            };
        }
        Conflict::Changed(changed) => changed,
    };
    let clashes = changed.iter().any(|field| field.clashes);
    let say = |text: &str| if text.is_empty() { words::record::NOTHING.to_owned() } else { text.to_owned() };
    let rows = changed.iter().map(|field| {
        html! {
            <li key={field.label.clone()}>
                <strong><bdi>{ &field.label }</bdi></strong>{ ": " }<bdi>{ say(&field.now) }</bdi>
                <span class="was">{ " " }{ words::record::WAS }{ " " }<bdi>{ say(&field.before) }</bdi></span>
                if field.clashes {
                    <span class="tag tag-warn">{ words::record::YOURS_TOO }</span>
                }
            </li>
        }
    });
    html! {
        <div class="notice notice-warn conflict" role="alert">
            <p class="notice-title">{ words::record::STALE_TITLE }</p>
            <ul>{ for rows }</ul>
            <p>{ if clashes { words::record::STALE_CLASH } else { words::record::STALE_MERGED } }</p>
            <div class="notice-actions">
                <button type="button" class="button button-primary" disabled={busy} onclick={press(onmine)}>
                    { if clashes { words::record::MINE } else { words::record::SAVE_AGAIN } }
                </button>
                <button type="button" class="button" disabled={busy} onclick={press(ontheirs)}>{ words::record::THEIRS }</button>
            </div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use common::form::Form;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_the_other_changed_is_named_and_clashes_are_marked() {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "title", "type": "text"}, {"name": "price", "type": "integer"}, {"name": "note", "type": "text"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let record = |value| serde_json::from_value::<Record>(value).unwrap();
        let before = record(json!({"title": "Popcorn", "price": 3, "note": "", "revision": 1}));
        let now = record(json!({"title": "Chips", "price": null, "note": "", "revision": 2}));
        let mut form = Form::edit(&collection, &before);
        form.set(0, "Corn");
        let found = changed(&collection, &before, &now, &form.rebase(&now));
        let change = |label: &str, before: &str, now: &str, clashes| Changed {
            label: label.into(),
            before: before.into(),
            now: now.into(),
            clashes,
        };
        assert_eq!(found, [change("Title", "Popcorn", "Chips", true), change("Price", "3", "", false)]);
    }
}
