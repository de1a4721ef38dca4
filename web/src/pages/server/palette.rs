//! The palette: every page and collection by words, over whatever is open.

use common::{
    Call, CallError,
    endpoints::{collections, records},
    name::CollectionName,
    query::ListQuery,
    table, text,
};
use futures_util::future::join_all;
use gloo_timers::callback::Timeout;
use web_sys::{HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::{
    client::Client,
    hooks::{use_caller, use_focus, use_go, use_load},
    route::{Location, Route, ServerPage},
    table_locations,
    ui::dialog::Dialog,
    words::{self as all_words, server as words},
};

/// Entries that are shown.
const SHOWN: usize = 12;
/// Collections that are looked through, and records of each that are shown.
const ASKED: usize = 6;
const OF_EACH: u64 = 3;
/// Milliseconds without a key after which records are looked for.
const PAUSE: u32 = 250;

/// The palette; what closes it comes as a context.
#[component]
pub(super) fn Palette() -> Html {
    let close = use_context::<Callback<()>>().unwrap_or_else(Callback::noop);
    let (go, is_admin, focus) = (use_go(), use_caller().is_admin(), use_focus(true));
    let (typed, at) = (use_state(String::new), use_state(|| 0_usize));
    let (list, _) = use_load((), |client, ()| async move {
        Ok(client.send(Call::<collections::List>::new((), ())).await?.body.results)
    });
    // Records are looked for once the keys pause.
    let paused = use_state(String::new);
    use_effect_with((*typed).clone(), {
        let paused = paused.setter();
        move |typed| {
            let typed = typed.trim().to_owned();
            let pause = Timeout::new(PAUSE, move || paused.set(typed));
            move || drop(pause)
        }
    });
    let names: Vec<CollectionName> =
        list.value.iter().flat_map(|list| list.iter().map(|one| one.name.clone())).collect();
    let (found, _) = use_load((names, (*paused).clone()), |client, (names, typed)| records_with(client, names, typed));
    let mut entries = pages(is_admin);
    for one in list.value.iter().flat_map(|list| list.iter()) {
        let name = text::label(one.name.as_str());
        entries.push((words::open(&name), table_locations::table(&one.name)));
        if is_admin {
            entries.push((words::edit(&name), (Route::EditCollection { name: one.name.clone() }, String::new())));
        }
    }
    let entries: Vec<(String, Location)> =
        entries.into_iter().filter(|(label, _)| text::has_words(label, &typed)).take(SHOWN).collect();
    let found = found.value.as_deref().filter(|found| found.0 == typed.trim());
    let entries: Vec<(String, Location)> =
        entries.into_iter().chain(found.iter().flat_map(|found| found.1.iter().cloned())).collect();
    let chosen = (*at).min(entries.len().saturating_sub(1));
    let pick = {
        let (go, close) = (go, close.clone());
        Callback::from(move |location: Location| {
            close.emit(());
            go.location(&location);
        })
    };
    let oninput = {
        let (typed, at) = (typed.clone(), at.clone());
        move |event: InputEvent| {
            typed.set(event.target_unchecked_into::<HtmlInputElement>().value());
            at.set(0);
        }
    };
    let onkeydown = {
        let (at, pick, count) = (at, pick.clone(), entries.len().max(1));
        let location = entries.get(chosen).map(|(_, location)| location.clone());
        move |event: KeyboardEvent| {
            match event.key().as_str() {
                "ArrowDown" => at.set((chosen + 1) % count),
                "ArrowUp" => at.set((chosen + count - 1) % count),
                "Enter" => location.iter().for_each(|location| pick.emit(location.clone())),
                _ => return,
            }
            event.prevent_default();
        }
    };
    let rows = entries.iter().enumerate().map(|(i, (label, location))| {
        let (pick, location) = (pick.clone(), location.clone());
        let onclick = move |_: MouseEvent| pick.emit(location.clone());
        html! {
            <li key={label.clone()} id={format!("palette-{i}")} role="option" class="picker-row" aria-selected={(i == chosen).to_string()} {onclick}><bdi>{ label }</bdi></li>
        }
    });
    html! {
        <Dialog title={words::PALETTE} onclose={close} focus="#palette">
            <input ref={focus} id="palette" class="input" type="text" role="combobox" value={(*typed).clone()} {oninput} {onkeydown}
                aria-label={words::PALETTE_HINT} placeholder={words::PALETTE_HINT} aria-expanded="true" aria-controls="palette-list"
                aria-activedescendant={format!("palette-{chosen}")} autocomplete="off" autocapitalize="none" spellcheck="false" />
            <ul id="palette-list" class="picker" role="listbox" aria-label={words::PALETTE}>{ for rows }</ul>
            if entries.is_empty() {
                <p class="hint" role="status">{ words::PALETTE_NONE }</p>
            }
        </Dialog>
    }
}

/// Records that have the words that were typed, by what was typed.
type Found = (String, Vec<(String, Location)>);

/// Looks for words in the records of some collections.
async fn records_with(client: Client, names: Vec<CollectionName>, typed: String) -> Result<Found, CallError> {
    if typed.chars().count() < 2 {
        return Ok((typed, Vec::new()));
    }
    let query =
        ListQuery { search: typed.clone(), page_size: OF_EACH, count: false, named: true, ..ListQuery::default() };
    let asked = names.into_iter().take(ASKED).map(|name| {
        let call = Call::<records::List>::new((name.clone(),), ()).query(query.clone());
        let client = client.clone();
        async move { client.send(call).await.map(|reply| (name, reply.body)) }
    });
    let mut found = Vec::new();
    for (name, page) in join_all(asked).await.into_iter().flatten() {
        found.extend(page.results.iter().filter_map(|record| {
            let route = Route::Record { name: name.clone(), id: record.id()? };
            Some((
                words::record(&table::called(record, &page.names), &text::label(name.as_str())),
                (route, String::new()),
            ))
        }));
    }
    found.truncate(SHOWN);
    Ok((typed, found))
}

/// The pages that this user can come to.
fn pages(is_admin: bool) -> Vec<(String, Location)> {
    let page = |label: &str, route: Route| (label.to_owned(), (route, String::new()));
    let server = |page: ServerPage| Route::Server { page };
    let mut pages = vec![
        page(all_words::dashboard::TITLE, Route::Dashboard),
        page(all_words::collections::TITLE, Route::Collections),
        page(all_words::changes::ACTIVITY, Route::Changes),
        page(all_words::account::SESSIONS_TITLE, Route::Sessions),
        page(all_words::account::PASSWORD, Route::Password),
        page(words::TOKEN, server(ServerPage::Token)),
    ];
    if is_admin {
        pages.extend([
            page(all_words::account::USERS_TITLE, Route::Users),
            page(all_words::account::NEW_USER, Route::NewUser),
            page(all_words::collections::NEW, Route::NewCollection),
            page(words::SETTINGS, server(ServerPage::Settings)),
            page(words::LOG, server(ServerPage::Log)),
            page(words::ACCESS, server(ServerPage::Access)),
            page(all_words::migrations::TITLE, server(ServerPage::Migrations)),
        ]);
    }
    pages
}
