//! The filter line above a table.

use std::rc::Rc;

use common::{
    collection::Collection,
    field::FieldType,
    query::ListQuery,
    table::{TableState, filter_line, parse_filter_line},
};
use web_sys::{HtmlElement, HtmlInputElement};
use yew::prelude::*;

use super::listing::is_narrowed;
use crate::{
    keys,
    ui::{
        icon::{Shape, icon},
        popover::Popover,
    },
    words,
};

/// Props of [`FilterLine`].
#[derive(Properties, PartialEq)]
pub(crate) struct FilterLineProps {
    pub(crate) collection: Rc<Collection>,
    pub(crate) state: TableState,
    pub(crate) ongo: Callback<ListQuery>,
}

/// The filter line. It is taken on Enter; what is wrong with it stands below while it is typed.
#[component]
pub(crate) fn FilterLine(props: &FilterLineProps) -> Html {
    let FilterLineProps { collection, state, ongo } = props;
    let line = use_state(String::new);
    use_effect_with(filter_line(&state.query), {
        let line = line.clone();
        move |said| line.set(said.clone())
    });
    let fault = parse_filter_line(collection, &line).err();
    let oninput = {
        let line = line.clone();
        move |event: InputEvent| line.set(event.target_unchecked_into::<HtmlInputElement>().value())
    };
    let onsubmit = {
        let (collection, state, ongo, line) = (collection.clone(), state.clone(), ongo.clone(), line.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let mut next = state.clone();
            if next.filter(&collection, &line).is_ok() {
                ongo.emit(next.query);
            }
        }
    };
    let onkeydown = |event: KeyboardEvent| {
        if event.key() == "Escape" {
            let _ = event.target_unchecked_into::<HtmlElement>().blur();
        }
    };
    let clear = {
        let (ongo, query) = (ongo.clone(), state.query.clone());
        move |_: MouseEvent| {
            ongo.emit(ListQuery { filters: Vec::new(), filter: None, search: String::new(), page: 1, ..query.clone() });
        }
    };
    let is_narrowed = is_narrowed(&state.query);
    html! {
        <form class="filter" role="search" {onsubmit} novalidate=true>
            <div class="filter-line">
                <label class="hidden" for="filter">{ words::table::FILTER }</label>
                <span class="filter-icon">{ icon(Shape::Search) }</span>
                <input
                    id="filter"
                    class="input"
                    type="search"
                    dir="auto"
                    placeholder={placeholder(collection)}
                    value={(*line).clone()}
                    {oninput}
                    {onkeydown}
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    data-key={keys::FILTER.name}
                    aria-describedby="filter-error"
                    aria-invalid={fault.is_some().then_some("true")}
                />
                <button type="submit" class="button" disabled={fault.is_some()}>{ words::table::APPLY }</button>
                if is_narrowed {
                    <button type="button" class="button button-quiet" onclick={clear}>{ words::table::CLEAR }</button>
                }
                <Popover label={words::table::HELP}>
                    <p>{ words::table::HELP_WORDS }</p>
                    <p>{ words::table::HELP_COMPARE }</p>
                    <p>{ words::table::HELP_QUOTES }</p>
                    <ul class="examples">{ for examples(collection).iter().map(|example| html! { <li><code>{ example }</code></li> }) }</ul>
                </Popover>
            </div>
            <p class="error" id="filter-error" aria-live="polite" dir="auto">{ fault.unwrap_or_default() }</p>
        </form>
    }
}

fn placeholder(collection: &Collection) -> String {
    let example = examples(collection).into_iter().next();
    example.map_or_else(|| words::table::SEARCH.to_owned(), |example| words::table::search_or(&example))
}

/// Comparisons that this very collection understands.
fn examples(collection: &Collection) -> Vec<String> {
    let example = |field: &common::field::Field| {
        let name = &field.name;
        Some(match &field.kind {
            FieldType::Text { .. } => format!("{name}~text"),
            FieldType::Email | FieldType::Url => format!("{name}~example"),
            FieldType::Integer { .. } | FieldType::Decimal { .. } => format!("{name}>=3"),
            FieldType::Boolean => format!("{name}=true"),
            FieldType::Date => format!("{name}>=2026-01-31"),
            FieldType::Datetime => format!("{name}<2026-01-31T18:00Z"),
            FieldType::Choice { choices, many: false } => {
                let choice = choices.first()?;
                if choice.contains(' ') { format!("{name}=\"{choice}\"") } else { format!("{name}={choice}") }
            }
            _ => return None,
        })
    };
    let mut kinds = Vec::new();
    let mut examples = Vec::new();
    for field in &collection.fields {
        if !kinds.contains(&field.kind.word())
            && let Some(example) = example(field)
        {
            kinds.push(field.kind.word());
            examples.push(example);
        }
    }
    examples.truncate(4);
    examples
}

#[cfg(test)]
mod tests {
    use common::query::{Filter, Lookup};
    use serde_json::json;

    use super::*;

    fn snacks() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "title", "type": "text"}, {"name": "other", "type": "text"}, {"name": "price", "type": "integer"},
                {"name": "size", "type": "choice", "choices": ["very big"]}, {"name": "data", "type": "json"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    #[test]
    fn every_example_is_one_that_the_line_understands() {
        assert_eq!(examples(&snacks()), ["title~text", "price>=3", "size=\"very big\""]);
        for example in examples(&snacks()) {
            assert_eq!(parse_filter_line(&snacks(), &example).unwrap().filters.len(), 1, "{example}");
        }
    }

    #[test]
    fn no_filter_works_unseen() {
        let filter = |lookup| Filter {
            field: "title".into(),
            lookup,
            value: if lookup == Lookup::Range { "P,Q" } else { "P" }.into(),
        };
        let query = ListQuery {
            filters: Lookup::WORDS.iter().map(|(_, lookup)| filter(*lookup)).collect(),
            ..ListQuery::default()
        };
        let line = filter_line(&query);
        let condition = parse_filter_line(&snacks(), &line).unwrap().filter.unwrap();
        // A range is two comparisons.
        assert_eq!(condition.comparisons().len(), Lookup::WORDS.len() + 1, "{line}");
    }
}
