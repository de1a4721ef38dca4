//! How a file is read: what rows find records by, what becomes of those that do not fit, commas and dates.

use common::{
    collection::Collection,
    field::Unique,
    import::{ImportQuery, OnConflict, OnError},
    text::label,
};
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::{
    ui::field::{FieldFrame, described_by},
    words::many as words,
};

#[derive(Properties, PartialEq)]
pub(super) struct OptionsProps {
    pub(super) collection: std::rc::Rc<Collection>,
    pub(super) query: ImportQuery,
    pub(super) onchange: Callback<ImportQuery>,
}

/// The options.
#[component]
pub(super) fn Options(props: &OptionsProps) -> Html {
    let OptionsProps { collection, query, onchange } = props;
    let with = |change: fn(&mut ImportQuery, String)| {
        let (query, onchange) = (query.clone(), onchange.clone());
        move |event: Event| {
            let mut next = query.clone();
            change(&mut next, value(&event));
            onchange.emit(next);
        }
    };
    let flag = |label: &'static str, is_on: bool, change: fn(&mut ImportQuery)| {
        let (query, onchange) = (query.clone(), onchange.clone());
        let onchange = move |_: Event| {
            let mut next = query.clone();
            change(&mut next);
            onchange.emit(next);
        };
        html! { <label class="check"><input type="checkbox" checked={is_on} {onchange} />{ label }</label> }
    };
    let keys = collection.fields.iter().filter(|field| field.unique != Unique::No).map(|field| field.name.as_str());
    let keys = keys.chain(["id"]).map(|name| {
        let is_chosen = query.key.as_deref() == Some(name);
        html! { <option key={name.to_owned()} value={name.to_owned()} selected={is_chosen}>{ label(name) }</option> }
    });
    let conflicts = OnConflict::WORDS.iter().zip(words::CONFLICTS).map(|((word, conflict), label)| {
        html! { <option key={*word} value={*word} selected={*conflict == query.on_conflict}>{ label }</option> }
    });
    html! {
        <details class="import-options">
            <summary>{ words::OPTIONS }</summary>
            <div class="columns">
                <FieldFrame id="import-key" label={words::KEY}>
                    <select id="import-key" class="input input-select" onchange={with(|query, key| {
                        query.key = Some(key).filter(|key| !key.is_empty());
                        query.on_conflict = if query.key.is_some() { OnConflict::Update } else { OnConflict::Fail };
                    })}>
                        <option value="" selected={query.key.is_none()}>{ words::NO_KEY }</option>
                        { for keys }
                    </select>
                </FieldFrame>
                if query.key.is_some() {
                    <FieldFrame id="import-conflict" label={words::CONFLICT}>
                        <select id="import-conflict" class="input input-select" onchange={with(|query, word| {
                            let found = OnConflict::WORDS.iter().find(|(known, _)| *known == word);
                            query.on_conflict = found.map_or(OnConflict::Fail, |(_, conflict)| *conflict);
                        })}>{ for conflicts }</select>
                    </FieldFrame>
                }
                <FieldFrame id="import-dates" label={words::DATES} hint={words::DATES_HINT}>
                    <input id="import-dates" class="input" type="text" autocomplete="off" aria-describedby={described_by("import-dates")} value={query.dates.join(", ")} onchange={with(|query, forms| {
                        query.dates = forms.split(',').map(|form| form.trim().to_owned()).filter(|form| !form.is_empty()).collect();
                    })} />
                </FieldFrame>
            </div>
            <div class="checks">
                { flag(words::DECIMAL_COMMA, query.decimal_comma, |query| query.decimal_comma = !query.decimal_comma) }
                { flag(words::SPREADSHEET, query.spreadsheet, |query| query.spreadsheet = !query.spreadsheet) }
                { flag(words::EMPTY_IS_NULL, query.empty_is_null, |query| query.empty_is_null = !query.empty_is_null) }
            </div>
        </details>
    }
}

/// Whether rows that do not fit are left out.
pub(super) fn skipping(query: &ImportQuery, onchange: &Callback<ImportQuery>) -> Html {
    let (query, onchange) = (query.clone(), onchange.clone());
    let is_on = query.on_error == OnError::Skip;
    let onchange = move |_: Event| {
        let on_error = if is_on { OnError::Abort } else { OnError::Skip };
        onchange.emit(ImportQuery { on_error, ..query.clone() });
    };
    html! {
        <div>
            <label class="check"><input type="checkbox" id="import-skip" checked={is_on} {onchange} />{ words::SKIP }</label>
            <p class="hint">{ words::SKIP_HINT }</p>
        </div>
    }
}

fn value(event: &Event) -> String {
    match event.target_dyn_into::<HtmlSelectElement>() {
        Some(select) => select.value(),
        None => event.target_dyn_into::<HtmlInputElement>().map(|input| input.value()).unwrap_or_default(),
    }
}
