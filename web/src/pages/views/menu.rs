//! The saved views of a collection: one is chosen for the table, the table is kept as another, and those that one keeps are renamed, shared and
//! deleted.

use std::rc::Rc;

use common::{
    Call, CallError, Object,
    access::Caller,
    endpoints::views,
    id::ViewId,
    query::{ListQuery, Query as _, encode},
    table, text,
    view::{View, ViewColumn, ViewDefinition, ViewPatch, ViewQuery, is_same},
};
use futures_util::future::LocalBoxFuture;
use serde_json::json;
use wasm_bindgen_futures::spawn_local;
use web_sys::HtmlInputElement;
use yew::prelude::*;

use super::widths::Widths;
use crate::{
    chosen::Chosen,
    client::Client,
    hooks::{use_caller, use_client, use_go, use_load, use_toasts},
    route::Route,
    toast::ToastEvent,
    ui::{
        confirm::Confirm,
        icon::{Shape, icon},
        state::{failure, loading},
    },
    words::{self as all_words, views as words},
};

/// Props of [`ViewsMenu`].
#[derive(Properties, PartialEq)]
pub(super) struct ViewsMenuProps {
    pub(super) chosen: Chosen,
    /// The view that was chosen last.
    pub(super) active: Option<ViewId>,
    pub(super) onactive: Callback<Option<ViewId>>,
    /// The member that is plotted.
    pub(super) plot: Option<String>,
    pub(super) onplot: Callback<Option<String>>,
    /// How wide columns are that somebody made narrower or wider.
    pub(super) widths: Rc<Widths>,
    pub(super) onwidths: Callback<Widths>,
}

/// Something that is sent, and what is said when that went well.
type Sending = LocalBoxFuture<'static, Result<(Option<ViewId>, String), CallError>>;

/// The menu.
#[component]
pub(super) fn ViewsMenu(props: &ViewsMenuProps) -> Html {
    let Chosen { collection, query, .. } = &props.chosen;
    let (go, client, toasts, caller) = (use_go(), use_client(), use_toasts(), use_caller());
    let (list, again) = use_load(collection.name.clone(), |client, name| async move {
        let call = Call::<views::List>::new((), ()).query(ViewQuery { collection: Some(name) });
        Ok(client.send(call).await?.body.results)
    });
    let deleting = use_state(|| None::<(ViewId, String)>);
    let busy = use_state(|| false);
    let send = {
        let (client, busy, again, onactive) = (client, busy.setter(), again.clone(), props.onactive.clone());
        Callback::from(move |send: Rc<dyn Fn(Client) -> Sending>| {
            let (sending, busy, toasts) = (send(client.clone()), busy.clone(), toasts.clone());
            let (again, onactive) = (again.clone(), onactive.clone());
            busy.set(true);
            spawn_local(async move {
                match sending.await {
                    Ok((id, said)) => {
                        toasts.emit(ToastEvent::Said(said));
                        onactive.emit(id);
                        again.emit(());
                    }
                    Err(error) => toasts.emit(ToastEvent::Failed(error.to_string())),
                }
                busy.set(false);
            });
        })
    };
    let apply = {
        let (name, size) = (collection.name.clone(), query.page_size);
        let (onactive, onplot, onwidths) = (props.onactive.clone(), props.onplot.clone(), props.onwidths.clone());
        Callback::from(move |view: View| {
            if let Ok(query) = view.definition.query() {
                let query = ListQuery { page_size: size, ..query };
                onactive.emit(Some(view.id));
                onplot.emit(view.definition.plot.clone());
                let width = |column: &ViewColumn| Some((column.name.clone(), column.width?));
                onwidths.emit(view.definition.columns.iter().filter_map(width).collect());
                go.location(&(Route::Records { name: name.clone() }, encode(&query.to_pairs())));
            }
        })
    };
    let onconfirm = {
        let (deleting, send) = (deleting.clone(), send.clone());
        Callback::from(move |()| {
            if let Some((id, name)) = (*deleting).clone() {
                send.emit(Rc::new(move |client: Client| -> Sending {
                    let name = name.clone();
                    Box::pin(async move {
                        client.send(Call::<views::Delete>::new((id,), ())).await?;
                        Ok((None, words::deleted(&name)))
                    })
                }));
            }
            deleting.set(None);
        })
    };
    let rows = match (&list.value, &list.error) {
        (Some(list), _) if list.is_empty() => html! { <p class="hint">{ words::NONE }</p> },
        (Some(list), _) => {
            let is_active = |view: &View| match props.active {
                Some(id) => view.id == id,
                None => view.definition.query().is_ok_and(|shown| is_same(&shown, query)),
            };
            let active = list.iter().find(|view| is_active(view)).cloned();
            html! {
                <>
                    <div class="picker">{ for list.iter().map(|view| row(view, is_active(view), &caller, &apply)) }</div>
                    if let Some(view) = active.filter(|view| may_change(view, &caller)) {
                        <Manage key={view.id.to_string()} view={view.clone()} shown={columns_of(&props.chosen, &props.widths)} query={query.clone()} plot={props.plot.clone()} send={send.clone()}
                            ondelete={ { let deleting = deleting.setter(); Callback::from(move |one| deleting.set(Some(one))) } } />
                    }
                </>
            }
        }
        (None, Some(error)) => failure(error, &again),
        (None, None) => loading(),
    };
    html! {
        <>
            <p class="notice-title">{ words::TITLE }</p>
            { rows }
            <Keep chosen={props.chosen.clone()} columns={columns_of(&props.chosen, &props.widths)} plot={props.plot.clone()} busy={*busy} {send} />
            if let Some((_, name)) = &*deleting {
                <Confirm title={words::delete_title(name)} text={words::DELETE_TEXT} submit={all_words::DELETE} {onconfirm}
                    onclose={ { let deleting = deleting.setter(); Callback::from(move |()| deleting.set(None)) } } />
            }
        </>
    }
}

fn may_change(view: &View, caller: &Caller) -> bool {
    caller.is_admin() || caller.user_id() == Some(view.owner)
}

fn row(view: &View, is_active: bool, caller: &Caller, apply: &Callback<View>) -> Html {
    let onclick = {
        let (apply, view) = (apply.clone(), view.clone());
        move |_: MouseEvent| apply.emit(view.clone())
    };
    let is_others = caller.user_id() != Some(view.owner);
    let who = match (is_others, view.definition.shared) {
        (true, _) => words::OTHERS,
        (false, true) => words::SHARED,
        (false, false) => "",
    };
    let definition = &view.definition;
    let mut says = view.notes.clone();
    says.extend([definition.filter.clone(), definition.search.clone()]);
    if !definition.ordering.is_empty() {
        says.push(words::ordered(&definition.ordering));
    }
    if !definition.columns.is_empty() {
        says.push(text::count(definition.columns.len() as u64, "column"));
    }
    says.push(who.to_owned());
    says.retain(|part| !part.is_empty());
    html! {
        <button key={view.id.to_string()} type="button" class="picker-row" aria-pressed={is_active.to_string()} {onclick}>
            <span class="picker-label" dir="auto">{ text::single_line(&definition.name).into_owned() }</span>
            <span class="hint" dir="auto">{ text::single_line(&says.join(" · ")).into_owned() }</span>
        </button>
    }
}

/// Sends something about views.
type Send = Callback<Rc<dyn Fn(Client) -> Sending>>;

/// Changes members of a view.
fn change(id: ViewId, members: Object, said: String) -> Rc<dyn Fn(Client) -> Sending> {
    Rc::new(move |client: Client| -> Sending {
        let (members, said) = (members.clone(), said.clone());
        Box::pin(async move {
            client.send(Call::<views::Update>::new((id,), ViewPatch(members))).await?;
            Ok((Some(id), said))
        })
    })
}

#[derive(Properties, PartialEq)]
struct ManageProps {
    view: View,
    /// The columns as they are seen; none where all are as they come.
    shown: Vec<ViewColumn>,
    /// What the table shows.
    query: Rc<ListQuery>,
    plot: Option<String>,
    send: Send,
    ondelete: Callback<(ViewId, String)>,
}

/// What can be done with the view that is chosen.
#[component]
fn Manage(props: &ManageProps) -> Html {
    let ManageProps { view, shown, query, plot, send, ondelete } = props;
    let name = use_state(|| view.definition.name.clone());
    let oninput = {
        let name = name.clone();
        move |event: InputEvent| name.set(event.target_unchecked_into::<HtmlInputElement>().value())
    };
    let is_named = !name.trim().is_empty() && *name != view.definition.name;
    let rename = {
        let (send, id, name) = (send.clone(), view.id, name.trim().to_owned());
        move |event: SubmitEvent| {
            event.prevent_default();
            if is_named {
                let members = [("name".to_owned(), json!(name))].into_iter().collect();
                send.emit(change(id, members, words::renamed(&name)));
            }
        }
    };
    let share = {
        let (send, id, name, shared) = (send.clone(), view.id, view.definition.name.clone(), !view.definition.shared);
        move |_: MouseEvent| {
            let members = [("shared".to_owned(), json!(shared))].into_iter().collect();
            send.emit(change(id, members, words::shared(&name, shared)));
        }
    };
    let has_widths = |columns: &[ViewColumn]| columns.iter().any(|column| column.width.is_some());
    let is_otherwise = view.definition.plot != *plot
        || (has_widths(shown) || has_widths(&view.definition.columns)) && *shown != view.definition.columns
        || view.definition.query().is_ok_and(|shown| !is_same(&shown, query));
    let overwrite = {
        let (send, view, query, plot, shown) = (send.clone(), view.clone(), query.clone(), plot.clone(), shown.clone());
        move |_: MouseEvent| {
            let collection = view.definition.collection.clone();
            let now = ViewDefinition::of(String::new(), collection, &query, shown.clone());
            let members = [
                ("filter", json!(now.filter)),
                ("search", json!(now.search)),
                ("ordering", json!(now.ordering)),
                ("columns", json!(now.columns)),
                ("plot", json!(plot)),
            ];
            let members = members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            send.emit(change(view.id, members, words::overwritten(&view.definition.name)));
        }
    };
    let delete = {
        let (ondelete, one) = (ondelete.clone(), (view.id, view.definition.name.clone()));
        move |_: MouseEvent| ondelete.emit(one.clone())
    };
    html! {
        <form class="view-manage" onsubmit={rename} novalidate=true>
            <label class="hidden" for="view-name">{ words::NEW_NAME }</label>
            <input id="view-name" class="input" type="text" maxlength="100" dir="auto" autocomplete="off" value={(*name).clone()} {oninput} />
            <button type="submit" class="button button-small">{ words::RENAME }</button>
            <div class="view-actions">
                if is_otherwise {
                    <button type="button" class="button button-quiet button-small" onclick={overwrite}>{ words::OVERWRITE }</button>
                }
                <button type="button" class="button button-quiet button-small" onclick={share}>
                    { if view.definition.shared { words::UNSHARE } else { words::SHARE } }
                </button>
                <button type="button" class="button button-quiet button-small" onclick={delete}>
                    { icon(Shape::Trash) }{ all_words::DELETE }
                </button>
            </div>
        </form>
    }
}

/// The columns of a table, as wide as somebody made them; none where all are as they come.
fn columns_of(chosen: &Chosen, widths: &Widths) -> Vec<ViewColumn> {
    let fields = &chosen.query.fields;
    let all = || table::columns(&chosen.collection).into_iter().map(|column| column.name).collect();
    let names: Vec<String> = if fields.is_empty() && !widths.is_empty() { all() } else { fields.clone() };
    names.into_iter().map(|name| ViewColumn { width: widths.get(&name).copied(), name }).collect()
}

#[derive(Properties, PartialEq)]
struct KeepProps {
    chosen: Chosen,
    columns: Vec<ViewColumn>,
    plot: Option<String>,
    busy: bool,
    send: Send,
}

/// The form that keeps the table as it is shown.
#[component]
fn Keep(props: &KeepProps) -> Html {
    let (name, shared) = (use_state(String::new), use_state(|| false));
    let oninput = {
        let name = name.clone();
        move |event: InputEvent| name.set(event.target_unchecked_into::<HtmlInputElement>().value())
    };
    let onchange = {
        let shared = shared.clone();
        move |event: Event| shared.set(event.target_unchecked_into::<HtmlInputElement>().checked())
    };
    let is_ready = !name.trim().is_empty() && !props.busy;
    let onsubmit = {
        let (send, chosen, typed, shared) = (props.send.clone(), props.chosen.clone(), name.clone(), *shared);
        let (plot, columns) = (props.plot.clone(), props.columns.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if !is_ready {
                return;
            }
            let name = typed.trim().to_owned();
            let view = ViewDefinition::of(name, chosen.collection.name.clone(), &chosen.query, columns.clone());
            let view = ViewDefinition { shared, plot: plot.clone(), ..view };
            typed.set(String::new());
            send.emit(Rc::new(move |client: Client| -> Sending {
                let view = view.clone();
                Box::pin(async move {
                    let made = client.send(Call::<views::Create>::new((), view)).await?.body;
                    Ok((Some(made.id), words::kept(&made.definition.name)))
                })
            }));
        }
    };
    html! {
        <form class="view-keep" {onsubmit} novalidate=true>
            <label for="view-keep">{ words::KEEP }</label>
            <div class="view-line">
                <input id="view-keep" class="input" type="text" maxlength="100" dir="auto" autocomplete="off" placeholder={words::NAME}
                    value={(*name).clone()} {oninput} />
                <button type="submit" class="button">{ words::SAVE }</button>
            </div>
            <label class="check"><input type="checkbox" checked={*shared} {onchange} />{ words::SHARE_HINT }</label>
        </form>
    }
}
