//! The palette: every page and collection by words, over whatever is open.

use common::{Call, endpoints::collections, text};
use web_sys::{HtmlInputElement, KeyboardEvent};
use yew::prelude::*;

use crate::{
    hooks::{use_caller, use_focus, use_go, use_load},
    route::{Location, Route, ServerPage},
    table_locations,
    ui::dialog::Dialog,
    words::{self as all_words, server as words},
};

/// Entries that are shown.
const SHOWN: usize = 12;

/// The palette; what closes it comes as a context.
#[component]
pub(super) fn Palette() -> Html {
    let close = use_context::<Callback<()>>().unwrap_or_else(Callback::noop);
    let (go, is_admin, focus) = (use_go(), use_caller().is_admin(), use_focus(true));
    let (typed, at) = (use_state(String::new), use_state(|| 0_usize));
    let (list, _) = use_load((), |client, ()| async move {
        Ok(client.send(Call::<collections::List>::new((), ())).await?.body.results)
    });
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
        ]);
    }
    pages
}
