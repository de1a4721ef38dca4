//! The table itself: one row a record, sorted by its headings.

use std::{collections::BTreeMap, rc::Rc};

use common::{
    collection::Collection,
    field::FieldType,
    id::RecordId,
    name::CollectionName,
    query::ListQuery,
    record::Record,
    selection::Selection,
    table::{self, Column, TableState},
    text,
};
use serde_json::Value;
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::{
    hooks::{use_batch, use_go},
    keys, news,
    route::Route,
    ui::{
        icon::{Shape, icon},
        link::Link,
    },
    words,
};

/// Props of [`Grid`].
#[derive(Properties, PartialEq)]
pub(crate) struct GridProps {
    pub(crate) collection: Rc<Collection>,
    pub(crate) state: TableState,
    pub(crate) rows: Rc<Vec<Record>>,
    /// Where the words of a search stand in each.
    pub(crate) highlights: Rc<Value>,
    /// What the records are called that they refer to.
    pub(crate) names: Rc<BTreeMap<String, String>>,
    /// Other rows are on their way.
    pub(crate) busy: bool,
    pub(crate) ongo: Callback<ListQuery>,
    pub(crate) selection: Rc<Selection>,
    pub(crate) onselect: Callback<Selection>,
}

/// The table.
#[component]
pub(crate) fn Grid(props: &GridProps) -> Html {
    let GridProps { collection, state, rows, highlights, names, busy, ongo, selection, onselect } = props;
    let ids: Rc<Vec<RecordId>> = Rc::new(rows.iter().filter_map(Record::id).collect());
    let onchoose = {
        let (selection, onselect, ids) = (selection.clone(), onselect.clone(), ids.clone());
        Callback::from(move |(id, is_range): (RecordId, bool)| {
            let mut next = (*selection).clone();
            if is_range {
                next.range(&ids, id);
            } else {
                next.toggle(&ids, id);
            }
            onselect.emit(next);
        })
    };
    use_batch();
    use_focus_kept(&ids);
    let told = news::told();
    let columns = columns(collection, &state.query);
    let query = Rc::new(state.query.clone());
    let label = text::label(collection.name.as_str());
    html! {
        <div class={classes!("table-frame", busy.then_some("is-busy"))} tabindex="0" role="region" aria-label={label.clone()} aria-busy={busy.to_string()}>
            <table class="records">
                <caption class="hidden">{ words::table::caption(&label, &state.range()) }</caption>
                <thead><tr>
                    <th scope="col" class="choose">{ choose_page(selection, &ids, onselect) }</th>
                    { heads(&columns, state, ongo) }
                </tr></thead>
                <tbody>{ for rows.iter().enumerate().map(|(i, record)| html! {
                    <Row
                        key={record.id().map_or_else(|| i.to_string(), |id| id.to_string())}
                        collection={collection.clone()}
                        query={query.clone()}
                        columns={columns.clone()}
                        record={record.clone()}
                        highlights={highlights.get(i).cloned()}
                        names={names.clone()}
                        mark={told.as_ref().and_then(|told| told.class(record.id()?))}
                        is_chosen={record.id().is_some_and(|id| selection.has(id))}
                        onchoose={onchoose.clone()}
                    />
                }) }</tbody>
            </table>
        </div>
    }
}

/// Puts the focus on the row in the place of one that had it and is gone while others stayed, so that keys go on from there.
#[hook]
fn use_focus_kept(ids: &Rc<Vec<RecordId>>) {
    let before = use_mut_ref(Rc::<Vec<RecordId>>::default).replace(ids.clone());
    let is_gone = |row: &usize| before.get(*row).is_some_and(|id| !ids.contains(id));
    let is_same_page = || before.iter().any(|id| ids.contains(id));
    let lost = keys::focused_row().filter(is_gone).filter(|_| is_same_page());
    use_effect(move || {
        if let Some(row) = lost {
            keys::focus_row(row);
        }
    });
}

/// The box that chooses the rows of the page.
fn choose_page(selection: &Rc<Selection>, ids: &Rc<Vec<RecordId>>, onselect: &Callback<Selection>) -> Html {
    let chosen = selection.has_all(ids);
    let onchange = {
        let (selection, ids, onselect) = (selection.clone(), ids.clone(), onselect.clone());
        move |_: Event| {
            let mut next = (*selection).clone();
            next.toggle_page(&ids);
            onselect.emit(next);
        }
    };
    html! {
        <input
            type="checkbox"
            aria-label={words::many::SELECT_PAGE}
            title={words::many::SELECT_PAGE}
            checked={chosen == Some(true)}
            class={chosen.is_none().then_some("choose-some")}
            {onchange}
        />
    }
}

/// The headings, which sort.
pub(crate) fn heads(columns: &[Column], state: &TableState, ongo: &Callback<ListQuery>) -> Html {
    columns.iter().map(|column| {
        let direction = state.direction(&column.name);
        let sorted = match direction {
            Some(true) => Some("descending"),
            Some(false) => Some("ascending"),
            None => None,
        };
        let sort = {
            let (state, ongo, name) = (state.clone(), ongo.clone(), column.name.clone());
            move |_: MouseEvent| {
                let mut next = state.clone();
                next.sort(&name);
                ongo.emit(next.query);
            }
        };
        html! {
            <th key={column.name.clone()} scope="col" class={classes!(column.numeric.then_some("number"))} aria-sort={sorted}>
                if column.sortable {
                    <button type="button" class="sort" onclick={sort}>
                        <span>{ &column.label }</span>
                        <span class={classes!("sort-mark", sorted)}>{ icon(Shape::Up) }</span>
                    </button>
                } else {
                    <span>{ &column.label }</span>
                }
            </th>
        }
    }).collect()
}

#[derive(Properties, PartialEq)]
struct RowProps {
    collection: Rc<Collection>,
    query: Rc<ListQuery>,
    columns: Rc<Vec<Column>>,
    record: Record,
    /// Where the words of a search stand in its members.
    highlights: Option<Value>,
    names: Rc<BTreeMap<String, String>>,
    /// Somebody else changed it a moment ago.
    mark: Option<&'static str>,
    is_chosen: bool,
    /// Chooses the row, or those up to it.
    onchoose: Callback<(RecordId, bool)>,
}

#[component]
fn Row(props: &RowProps) -> Html {
    let RowProps { collection, query, columns, record, highlights, names, mark, is_chosen, onchoose } = props;
    let go = use_go();
    let route = record.id().map(|id| Route::Record { name: collection.name.clone(), id });
    let onclick = {
        let route = route.clone();
        // A click anywhere in the row opens it, unless it ended a selection of text.
        move |event: MouseEvent| {
            let selection = web_sys::window().and_then(|window| window.get_selection().ok().flatten());
            let is_selecting = selection.is_some_and(|selection| !selection.is_collapsed());
            let on_link = event
                .target_dyn_into::<HtmlElement>()
                .is_some_and(|target| target.closest("a, .choose").ok().flatten().is_some());
            if let Some(route) = route.as_ref().filter(|_| !is_selecting && !on_link) {
                go.to(route);
            }
        }
    };
    let cells = columns.iter().enumerate().map(|(i, column)| {
        let cell = cell(collection, query, names, &column.name, record);
        let class = classes!(column.numeric.then_some("number"), cell.is_code.then_some("code"));
        let title = (cell.text.chars().count() > 36).then(|| cell.text.clone());
        let stretches = highlights.as_ref().and_then(|found| found.get(&column.name));
        let text = stretches.map_or_else(|| html! { <>{ cell.text.clone() }</> }, |stretches| marked(&cell.text, stretches));
        let shown = match (i, &route, cell.leads_to) {
            (0, Some(route), _) if cell.text.is_empty() => html! {
                <Link to={route.clone()} row=true class="nothing" label={words::table::open(words::table::NO_VALUE)}>{ "—" }</Link>
            },
            (0, Some(route), _) => html! { <Link to={route.clone()} row=true><bdi>{ text }</bdi></Link> },
            (_, _, Some((name, id))) => html! { <Link to={Route::Record { name, id }}>{ text }</Link> },
            _ => html! { <bdi>{ text }</bdi> },
        };
        html! { <td key={i} {class} {title}>{ shown }</td> }
    });
    let choose = record.id().map(|id| {
        let clicked = |is_range: Option<bool>| {
            onchoose.reform(move |event: MouseEvent| (id, is_range.unwrap_or_else(|| event.shift_key())))
        };
        html! {
            <>
            <label>
                <input
                    type="checkbox"
                    aria-label={words::many::select(&table::title_of(collection, record))}
                    checked={*is_chosen}
                    data-row-key={keys::CHOOSE.name}
                    onclick={clicked(None)}
                />
            </label>
            // A key for the rows in between; with a mouse that is Shift and a click.
            <span hidden=true data-row-key={keys::RANGE.name} onclick={clicked(Some(true))} />
            </>
        }
    });
    html! { <tr class={classes!(*mark, is_chosen.then_some("is-chosen"))} {onclick}><td class="choose">{ choose }</td>{ for cells }</tr> }
}

/// A text in which the words of a search are marked.
fn marked(text: &str, stretches: &Value) -> Html {
    let piece = |(piece, is_marked)| {
        if is_marked {
            html! { <mark>{ piece }</mark> }
        } else {
            html! { <>{ piece }</> }
        }
    };
    table::marked(text, stretches).into_iter().map(piece).collect()
}

/// The collection's columns, those that the query chose, and one for each collection that it joins.
fn columns(collection: &Collection, query: &ListQuery) -> Rc<Vec<Column>> {
    let mut own = table::columns(collection);
    if !query.fields.is_empty() {
        let find = |name: &String| own.iter().find(|column| column.name == *name).cloned();
        own = query.fields.iter().filter_map(find).collect();
    }
    own.extend(table::joined_columns(&query.left_join));
    Rc::new(own)
}

struct Cell {
    text: String,
    is_code: bool,
    /// The record that it refers to.
    leads_to: Option<(CollectionName, RecordId)>,
}

fn cell(
    collection: &Collection,
    query: &ListQuery,
    names: &BTreeMap<String, String>,
    name: &str,
    record: &Record,
) -> Cell {
    let value = record.get(name);
    let mut cell = Cell { text: table::cell(value), is_code: false, leads_to: None };
    match (collection.field(name).map(|field| &field.kind), value) {
        (
            Some(FieldType::Reference { collection: Some(collection), .. }),
            Some(id @ (Value::String(_) | Value::Number(_))),
        ) => {
            cell.leads_to = RecordId::from_value(id).map(|id| (collection.clone(), id));
            cell.is_code = true;
            if let Some(said) = table::named(names, name, id) {
                (cell.text, cell.is_code) = (said, false);
            }
        }
        (Some(FieldType::Reference { .. }), Some(ids)) => {
            cell.text = table::named(names, name, ids).unwrap_or(cell.text);
        }
        (Some(FieldType::Json { .. }), _) => cell.is_code = true,
        (Some(FieldType::Datetime), Some(Value::String(moment))) => cell.text = table::short_moment(moment),
        (None, Some(Value::String(moment))) if name == "updated_at" => cell.text = table::short_moment(moment),
        (None, Some(Value::Array(rows))) => cell.text = table::joined_cell(&query.left_join, name, rows),
        _ => {}
    }
    cell
}

#[cfg(test)]
mod tests {
    use common::query::{Query, decode};
    use serde_json::json;

    use super::*;

    fn words() -> Collection {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "synonyms", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "word", "type": "text"}, {"name": "at", "type": "datetime"},
                {"name": "of", "type": "reference", "collection": "books"}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap()
    }

    #[test]
    fn a_join_adds_a_column_and_chosen_fields_leave_some_out() {
        let names = |raw| {
            let query = ListQuery::from_pairs(decode(raw)).unwrap();
            columns(&words(), &query).iter().map(|column| column.name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(""), ["word", "at", "of", "updated_at"]);
        assert_eq!(names("fields=id,word&left_join=antonyms:word=word"), ["word", "antonyms"]);
        assert_eq!(names("fields=of,updated_at,word"), ["of", "updated_at", "word"]);
    }

    #[test]
    fn cells_read_well() {
        let id = "01920000-0000-7000-8000-000000000002";
        let record: Record = serde_json::from_value(json!({
            "word": "fond", "at": "2026-01-31T18:00:00Z", "of": id, "updated_at": "2026-02-01T08:30:11.5Z",
            "antonyms": [{"id": "x", "word": "fond", "antonym": "averse", "since": 1990, "revision": 3}, {"word": "fond", "antonym": "cold"}],
            "others": null
        }))
        .unwrap();
        let query = ListQuery::from_pairs(decode("left_join=antonyms:word=word")).unwrap();
        let names = BTreeMap::new();
        let text = |name| cell(&words(), &query, &names, name, &record).text;
        assert_eq!(text("at"), "2026-01-31 18:00");
        assert_eq!(text("updated_at"), "2026-02-01 08:30");
        assert_eq!(text("antonyms"), "averse · 1990; cold");
        assert_eq!(text("others"), "");
        assert_eq!(cell(&words(), &query, &names, "of", &record).leads_to.unwrap().1.to_string(), id);
        let names = BTreeMap::from([(id.to_owned(), "Emma".to_owned()), ("of.7".to_owned(), "Persuasion".to_owned())]);
        let shown = cell(&words(), &query, &names, "of", &record);
        assert_eq!((shown.text.as_str(), shown.is_code), ("Emma", false));
        let record: Record = serde_json::from_value(json!({"of": 7})).unwrap();
        let shown = cell(&words(), &query, &names, "of", &record);
        assert_eq!((shown.text.as_str(), shown.leads_to.unwrap().1.number()), ("Persuasion", Some(7)));
        let shown = cell(&words(), &query, &BTreeMap::new(), "of", &record);
        assert_eq!((shown.text.as_str(), shown.is_code), ("7", true));
    }
}
