//! A new collection made from a file: its fields are guessed from the columns, shown, and changed where that is wanted. Then its rows go in, as into
//! any other.

use std::rc::Rc;

use common::{
    Call, CallError, Object,
    access::AccessRules,
    collection::{Collection, Definition},
    endpoints::{collections, guess},
    field::{Field, FieldType},
    import::{
        Guess, ImportQuery,
        preview::{HEAD, beginning},
    },
    many::refusal,
    name::{CollectionName, FieldName},
    text::{label, single_line},
};
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use web_sys::{File, HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use super::{
    file,
    import::{DropZone, ImportForm, picker},
};
use crate::{
    client::Client,
    hooks::{use_client, use_toasts},
    pages::records::collections_breadcrumb,
    ui::{
        field::{FieldFrame, described_by},
        form::form_errors,
        page::PageHead,
    },
    undo::done,
    words::{self as all_words, many as words},
};

/// Types that a column can become. What the others need is no file's to say.
const TYPES: [&str; 9] = ["text", "integer", "decimal", "boolean", "date", "datetime", "email", "url", "json"];

/// A column, and the field that it becomes.
#[derive(Debug, Clone, PartialEq)]
struct Column {
    heading: String,
    /// As it was guessed.
    field: Field,
    name: String,
    kind: String,
    is_left_out: bool,
    /// Its first values.
    values: String,
}

/// The page.
#[component]
pub(crate) fn FromFilePage() -> Html {
    let made = use_state(|| None::<(Rc<Collection>, File, ImportQuery)>);
    let body = if let Some((collection, file, query)) = &*made {
        html! { <ImportForm collection={collection.clone()} file={Some(file.clone())} query={query.clone()} /> }
    } else {
        let onmade = {
            let made = made.clone();
            Callback::from(move |made_of| made.set(Some(made_of)))
        };
        html! { <FromFile {onmade} /> }
    };
    let title = match &*made {
        Some((collection, ..)) => words::import_title(&label(collection.name.as_str())),
        None => words::FROM_FILE.to_owned(),
    };
    html! {
        <div class="page">
            <PageHead {title} above={vec![collections_breadcrumb()]} />
            { body }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct FromFileProps {
    onmade: Callback<(Rc<Collection>, File, ImportQuery)>,
}

#[component]
fn FromFile(props: &FromFileProps) -> Html {
    let (client, toasts) = (use_client(), use_toasts());
    let file = use_state(|| None::<File>);
    let query = use_state(ImportQuery::default);
    let name = use_state(String::new);
    let columns = use_state(Vec::<Column>::new);
    let (errors, busy) = (use_state(Vec::<String>::new), use_state(|| false));
    let asked = use_mut_ref(|| 0_u32);
    use_effect_with(((*file).clone(), (*query).clone()), {
        let (client, columns, errors) = (client.clone(), columns.clone(), errors.clone());
        move |(file, query)| {
            let (file, query) = (file.clone(), query.clone());
            *asked.borrow_mut() += 1;
            let number = *asked.borrow();
            if let Some(file) = file {
                spawn_local(async move {
                    let guessed = guess(&client, &file, query).await;
                    if *asked.borrow() != number {
                        return;
                    }
                    match guessed {
                        Ok(guessed) => {
                            errors.set(Vec::new());
                            columns.set(guessed);
                        }
                        Err(error) => {
                            errors.set(refusal(&error));
                            columns.set(Vec::new());
                        }
                    }
                });
            }
        }
    });
    let onfile = {
        let (file, name, columns, errors) = (file.clone(), name.clone(), columns.clone(), errors.clone());
        Callback::from(move |chosen: File| {
            name.set(name_of(&chosen.name()));
            columns.set(Vec::new());
            errors.set(Vec::new());
            file.set(Some(chosen));
        })
    };
    let Some(chosen) = (*file).clone() else {
        return html! { <><p>{ words::FROM_FILE_LEAD }</p><DropZone {onfile} /></> };
    };
    let submit = {
        let (name, columns, errors, busy, query, onmade, chosen) = (
            (*name).clone(),
            (*columns).clone(),
            errors.clone(),
            busy.clone(),
            (*query).clone(),
            props.onmade.clone(),
            chosen.clone(),
        );
        move |event: SubmitEvent| {
            event.prevent_default();
            let definition = match definition(&name, &columns) {
                Ok(definition) => definition,
                Err(wrong) => return errors.set(vec![wrong]),
            };
            let map = columns
                .iter()
                .map(|column| (column.heading.clone(), Some(column.name.clone()).filter(|_| !column.is_left_out)));
            let query = ImportQuery { map: map.collect(), ..query.clone() };
            let (client, toasts, errors, busy, onmade, chosen) =
                (client.clone(), toasts.clone(), errors.clone(), busy.clone(), onmade.clone(), chosen.clone());
            busy.set(true);
            spawn_local(async move {
                match client.send(Call::<collections::Create>::new((), definition)).await {
                    Ok(reply) => {
                        let title = label(reply.body.name.as_str());
                        toasts.emit(done(words::made(&title), reply.operation, title));
                        onmade.emit((Rc::new(reply.body), chosen, query));
                    }
                    Err(error) => {
                        errors.set(refusal(&error));
                        busy.set(false);
                    }
                }
            });
        }
    };
    let is_ready = columns.iter().any(|column| !column.is_left_out) && !name.is_empty();
    html! {
        <form class="form import" onsubmit={submit} novalidate=true>
            <div class="import-file">
                <p><b><bdi>{ chosen.name() }</bdi></b>{ " " }<span class="hint">{ words::size(chosen.size()) }</span></p>
                <label class="button button-small">{ words::OTHER_FILE }{ picker(&onfile, "drop-input") }</label>
            </div>
            { form_errors(&errors) }
            if columns.is_empty() && errors.is_empty() {
                <p class="hint" role="status">{ words::GUESSING }</p>
            }
            if !columns.is_empty() {
                <FieldFrame id="from-file-name" label={words::NAME} hint={words::NAME_HINT}>
                    <input id="from-file-name" class="input" type="text" autocomplete="off" aria-describedby={described_by("from-file-name")} value={(*name).clone()} oninput={typed(&name)} />
                </FieldFrame>
                { table(&columns) }
                { commas(&query) }
            }
            <div class="form-actions">
                <button type="submit" class="button button-primary" disabled={*busy || !is_ready}>{ if *busy { all_words::SENDING } else { words::MAKE } }</button>
            </div>
            <p class="hint">{ words::MAKE_HINT }</p>
        </form>
    }
}

/// Has the server guess, and reads the first values here, as the server said that they are written.
async fn guess(client: &Client, chosen: &File, query: ImportQuery) -> Result<Vec<Column>, CallError> {
    let Guess { fields, read } =
        client.upload(Call::<guess::Guess>::new((), ()).query(query), chosen, None).await?.body;
    let head = match file::head(chosen, HEAD) {
        Some(head) => file::bytes(&head).await.and_then(|bytes| file::text(&bytes, &read.encoding)).unwrap_or_default(),
        None => String::new(),
    };
    let rows = beginning(Some(&read), &head, chosen.size() > f64::from(HEAD));
    let values = |at: usize| {
        let cells = rows.iter().skip(1).filter_map(|row| row.get(at)).filter(|cell| !cell.is_empty()).take(3);
        cells.map(|cell| single_line(cell).into_owned()).collect::<Vec<_>>().join(" · ")
    };
    let columns = read.columns.iter().enumerate().filter(|(_, column)| column.member.is_some());
    let columns = columns.zip(fields).map(|((at, column), field)| Column {
        heading: column.heading.clone(),
        name: field.name.to_string(),
        kind: field.kind.word().to_owned(),
        field,
        is_left_out: false,
        values: values(at),
    });
    Ok(columns.collect())
}

/// The definition that these columns make, or what is wrong with their names. What else there is to say of it the server says.
fn definition(name: &str, columns: &[Column]) -> Result<Definition, String> {
    let name = name.trim().parse::<CollectionName>().map_err(|error| format!("{}: {error}", words::NAME))?;
    let fields = columns.iter().filter(|column| !column.is_left_out).map(|column| {
        let name = column
            .name
            .trim()
            .parse::<FieldName>()
            .map_err(|error| format!("{}: {error}", words::name_of(&column.heading)))?;
        let guessed = column.field.kind.word() == column.kind;
        let kind = if guessed { Some(column.field.kind.clone()) } else { kind(&column.kind) };
        let field = Field::new(name, kind.ok_or_else(|| words::type_of(&column.heading))?);
        // A type that has no value for an empty cell may be null.
        let nullable = column.field.nullable || !(guessed || field.has_empty_value());
        Ok(Field { nullable, ..field })
    });
    Ok(Definition {
        name,
        aliases: None,
        description: String::new(),
        ids: None,
        fields: fields.collect::<Result<_, String>>()?,
        indexes: None,
        access: AccessRules::default(),
        history: None,
        revision: None,
        sent_back: Object::new(),
    })
}

/// The type of this name, without limits.
fn kind(word: &str) -> Option<FieldType> {
    serde_json::from_value(json!({"type": word})).ok()
}

/// What a file's name makes of a collection's.
fn name_of(file: &str) -> String {
    let stem = file.split('.').next().unwrap_or_default().to_lowercase();
    let mut name = String::new();
    for c in stem.chars() {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ if name.is_empty() || name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    name.trim_end_matches('_').trim_start_matches(|c: char| c.is_ascii_digit() || c == '_').to_owned()
}

fn typed(name: &UseStateHandle<String>) -> Callback<InputEvent> {
    let name = name.clone();
    Callback::from(move |event: InputEvent| name.set(event.target_unchecked_into::<HtmlInputElement>().value()))
}

fn commas(query: &UseStateHandle<ImportQuery>) -> Html {
    let is_on = query.decimal_comma;
    let onchange = {
        let query = query.clone();
        move |_: Event| query.set(ImportQuery { decimal_comma: !is_on, ..(*query).clone() })
    };
    html! { <label class="check"><input type="checkbox" checked={is_on} {onchange} />{ words::DECIMAL_COMMA }</label> }
}

fn table(columns: &UseStateHandle<Vec<Column>>) -> Html {
    let change = |at: usize, change: fn(&mut Column, String)| {
        let columns = columns.clone();
        move |value: String| {
            let mut next = (*columns).clone();
            if let Some(column) = next.get_mut(at) {
                change(column, value);
            }
            columns.set(next);
        }
    };
    let rows = columns.iter().enumerate().map(|(at, column)| {
        let heading = single_line(&column.heading).into_owned();
        let rename = change(at, |column, name| column.name = name);
        let oninput = move |event: InputEvent| rename(event.target_unchecked_into::<HtmlInputElement>().value());
        let retype = change(at, |column, kind| {
            column.is_left_out = kind.is_empty();
            if !kind.is_empty() {
                column.kind = kind;
            }
        });
        let onchange = move |event: Event| retype(event.target_unchecked_into::<HtmlSelectElement>().value());
        html! {
            <tr key={at}>
                <th scope="row"><bdi>{ heading.clone() }</bdi></th>
                <td><input class="input input-small" type="text" autocomplete="off" aria-label={words::name_of(&heading)} value={column.name.clone()} disabled={column.is_left_out} {oninput} /></td>
                <td><select class="input input-select input-small" aria-label={words::type_of(&heading)} {onchange}>
                    { for TYPES.iter().map(|kind| html! {
                        <option key={*kind} value={*kind} selected={*kind == column.kind && !column.is_left_out}>{ *kind }</option>
                    }) }
                    <option value="" selected={column.is_left_out}>{ words::LEFT_OUT }</option>
                </select></td>
                <td class={column.is_left_out.then_some("preview-out")}><bdi>{ &column.values }</bdi></td>
            </tr>
        }
    });
    html! {
        <div class="table-frame preview" tabindex="0" role="region" aria-label={words::COLUMNS}>
            <table class="records">
                <caption class="hidden">{ words::COLUMNS }</caption>
                <thead><tr><th scope="col">{ words::COLUMN }</th><th scope="col">{ words::FIELD }</th><th scope="col">{ words::TYPE }</th><th scope="col">{ words::VALUES }</th></tr></thead>
                <tbody>{ for rows }</tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn columns_become_fields_as_they_were_changed() {
        let column = |heading: &str, field: Value, kind: &str, is_left_out: bool| {
            let field: Field = serde_json::from_value(field).unwrap();
            let (heading, name) = (heading.to_owned(), field.name.to_string());
            Column { heading, name, kind: kind.to_owned(), field, is_left_out, values: String::new() }
        };
        let columns = [
            column(
                "Preis",
                json!({"name": "preis", "type": "decimal", "places": 2, "nullable": true}),
                "decimal",
                false,
            ),
            column("Code", json!({"name": "code", "type": "integer", "nullable": true}), "text", false),
            column("Notes", json!({"name": "notes", "type": "text"}), "text", true),
        ];
        let definition = definition("goods", &columns).unwrap();
        let fields = json!(definition.fields);
        assert_eq!(fields[0]["places"], 2);
        assert_eq!((&fields[1]["type"], &fields[1]["nullable"]), (&json!("text"), &json!(true)));
        assert_eq!(definition.fields.len(), 2);
        assert!(super::definition("Goods!", &columns).is_err());
    }

    #[test]
    fn a_file_s_name_makes_a_collection_s() {
        for (file, name) in
            [("Goods 2026.csv", "goods_2026"), ("my.data.tsv", "my"), ("2026-sales.csv", "sales"), ("Ä.csv", "")]
        {
            assert_eq!(name_of(file), name);
        }
    }
}
