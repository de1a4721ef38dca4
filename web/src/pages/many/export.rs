//! An export: the formats, and the file as it is fetched with the user's token and handed to the browser.

use common::{
    Call,
    endpoints::records,
    query::{ListQuery, encode},
    rows::ExportQuery,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::ChosenProps;
use crate::{
    chosen::Chosen,
    client::Client,
    hooks::{use_client, use_toasts},
    route::{Route, ServerPage},
    toast::ToastEvent,
    ui::{download::save, link::Link},
    words::{changes, many as words, server},
};

/// The menu under the table's button.
#[component]
pub(super) fn Export(props: &ChosenProps) -> Html {
    formats(&props.chosen, false)
}

/// The menu.
pub(super) fn formats(chosen: &Chosen, is_chosen: bool) -> Html {
    html! { <Formats chosen={chosen.clone()} {is_chosen} /> }
}

#[derive(Properties, PartialEq)]
struct FormatsProps {
    chosen: Chosen,
    is_chosen: bool,
}

#[component]
fn Formats(props: &FormatsProps) -> Html {
    let (client, toasts) = (use_client(), use_toasts());
    let busy = use_state(|| false);
    let is_busy = *busy;
    let trash = encode(&[
        ("collection".to_owned(), props.chosen.collection.name.to_string()),
        ("trash".to_owned(), "1".to_owned()),
    ]);
    let api = encode(&[("collection".to_owned(), props.chosen.collection.name.to_string())]);
    let rows = words::EXPORTS.map(|(label, hint, format, spreadsheet)| {
        let (client, toasts, busy, chosen, is_chosen) =
            (client.clone(), toasts.clone(), busy.clone(), props.chosen.clone(), props.is_chosen);
        let onclick = move |_: MouseEvent| {
            let query = ExportQuery { records: records_of(&chosen, is_chosen), format: Some(format), spreadsheet };
            let (client, toasts, busy, chosen) = (client.clone(), toasts.clone(), busy.clone(), chosen.clone());
            busy.set(true);
            spawn_local(async move {
                if let Err(error) = fetch(&client, &chosen, query).await {
                    toasts.emit(ToastEvent::Failed(error));
                }
                busy.set(false);
            });
        };
        html! {
            <button key={label} type="button" class="picker-row" disabled={is_busy} {onclick}>
                <span class="picker-label">{ label }</span><span class="hint">{ hint }</span>
            </button>
        }
    });
    html! {
        <>
            <p class="hint">{ if props.is_chosen { words::EXPORT_CHOSEN } else { words::EXPORT_LEAD } }</p>
            <div class="picker">{ for rows }</div>
            <p class="hint" role="status">{ if is_busy { words::FETCHING } else { "" } }</p>
            if !props.is_chosen {
                <Link to={Route::Changes} query={trash} class="button button-quiet button-small">{ changes::TRASH_LINK }</Link>
                <Link to={Route::Server { page: ServerPage::Api }} query={api} class="button button-quiet button-small">{ server::API }</Link>
            }
        </>
    }
}

/// What is written: the rows under the filter or the chosen ones, in the table's order, with the fields that it shows.
fn records_of(chosen: &Chosen, is_chosen: bool) -> ListQuery {
    let shown = &*chosen.query;
    let rows = if is_chosen {
        chosen.selection.records(shown)
    } else {
        ListQuery {
            filters: shown.filters.clone(),
            filter: shown.filter.clone(),
            search: shown.search.clone(),
            ..ListQuery::default()
        }
    };
    ListQuery { ordering: shown.ordering.clone(), fields: shown.fields.clone(), ..rows }
}

async fn fetch(client: &Client, chosen: &Chosen, query: ExportQuery) -> Result<(), String> {
    let name = chosen.collection.name.clone();
    let ending = if query.spreadsheet { ".spreadsheet" } else { "" };
    let called = format!("{name}{ending}.{}", query.format.unwrap_or_default());
    let call = Call::<records::Export>::new((name,), ()).query(query);
    let blob = client.download(&call).await.map_err(|error| error.to_string())?;
    save(&blob, &called);
    Ok(())
}
