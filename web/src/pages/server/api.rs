//! How a collection's records are asked for: each route with who may use it, a request to copy, and what a GET answers now.

use std::rc::Rc;

use common::{
    Call,
    api_page::{ApiRoute, routes, sign_in},
    collection::Collection,
    endpoints::{collections, records},
    name::CollectionName,
    query::{ListQuery, Query as _, decode},
    snippet::Snippet,
    text::label,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    hooks::{use_client, use_load, use_query, use_user},
    pages::records::collections_breadcrumb,
    route::parameter,
    table_locations,
    ui::{
        page::PageHead,
        state::{failure, loading},
    },
    words::server as words,
};

/// The page; the collection is in the address.
#[component]
pub(super) fn ApiPage() -> Html {
    let name = parameter(&use_query(), "collection").and_then(|name| name.parse::<CollectionName>().ok());
    let program = use_state(|| 0_usize);
    let user = use_user().map(|user| user.username.to_string()).unwrap_or_default();
    let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    let (loaded, again) = use_load(name.clone(), |client, name| async move {
        let Some(name) = name else { return Ok(None) };
        let collection = client.send(Call::<collections::Get>::new((name.clone(),), ())).await?.body;
        let query = ListQuery::from_pairs(decode("page_size=1&fields=id")).unwrap_or_default();
        let first = client.send(Call::<records::List>::new((name,), ()).query(query)).await.ok();
        let id = first.and_then(|page| page.body.results.first().and_then(common::record::Record::id));
        Ok(Some((collection, id)))
    });
    let above = name.iter().map(|name| (AttrValue::from(label(name.as_str())), table_locations::table(name)));
    let above = std::iter::once(collections_breadcrumb()).chain(above).collect::<Vec<_>>();
    let programs = sign_in(&origin, &user);
    let choices = programs.iter().enumerate().map(|(i, snippet)| {
        let chosen = program.clone();
        let is_chosen = *program == i;
        html! { <button key={i} type="button" class="button button-small" aria-pressed={is_chosen.to_string()} onclick={move |_: MouseEvent| chosen.set(i)}>{ snippet.name }</button> }
    });
    let body = match (loaded.value.as_deref(), loaded.failure()) {
        (_, Some(error)) => failure(error, &again),
        (Some(Some((collection, id))), None) => {
            let rows = routes(collection, *id).into_iter().map(|route| {
                let snippet = route.snippets(&origin)[*program % 3].clone();
                let key = format!("{} {}", route.method, route.path);
                html! { <RouteView {key} route={Shown(Rc::new(route))} text={snippet.text} /> }
            });
            html! {
                <>
                    <section class="panel" aria-labelledby="api-token">
                        <header class="panel-head"><h2 id="api-token">{ words::API_TOKEN }</h2></header>
                        { code(&programs[*program % 3]) }
                    </section>
                    { for rows }
                    { fields(collection) }
                </>
            }
        }
        (None, None) => loading(),
        (Some(None), None) => html! { <p class="hint">{ words::API_NONE }</p> },
    };
    html! {
        <div class="page page-table page-api">
            <PageHead title={words::API} description={words::API_LEAD} {above}>
                <div class="segments" role="group" aria-label={words::API_PROGRAM}>{ for choices }</div>
            </PageHead>
            <div class="panels-stack">{ body }</div>
        </div>
    }
}

fn code(snippet: &Snippet) -> Html {
    html! { <pre tabindex="0"><code>{ &snippet.text }</code></pre> }
}

#[derive(Clone, PartialEq)]
struct Shown(Rc<ApiRoute>);

#[derive(Properties, PartialEq)]
struct RouteProps {
    route: Shown,
    text: AttrValue,
}

/// A route, and what it answers where that is asked for.
#[component]
fn RouteView(props: &RouteProps) -> Html {
    let client = use_client();
    let route = &props.route.0;
    let answer = use_state(|| None::<String>);
    let is_runnable = route.method == "GET" && !route.path.contains("/ID/") && !route.path.contains("/export/");
    let onrun = {
        let (path, answer) = (route.path.clone(), answer.clone());
        move |_: MouseEvent| {
            let (client, path, answer) = (client.clone(), path.clone(), answer.clone());
            spawn_local(async move { answer.set(Some(client.look(&path).await)) });
        }
    };
    html! {
        <section class="panel api-route">
            <header class="panel-head"><h2><b>{ &route.method }</b>{ " " }<code>{ &route.path }</code></h2></header>
            <p>{ route.summary }</p>
            <p class="hint">{ &route.who }</p>
            <pre tabindex="0"><code>{ &props.text }</code></pre>
            if is_runnable {
                <div class="form-actions"><button type="button" class="button button-small" onclick={onrun} aria-label={words::run(&route.method, &route.path)}>{ words::RUN }</button></div>
            }
            if let Some(answer) = &*answer {
                <pre tabindex="0" class="api-answer"><code>{ answer }</code></pre>
            }
        </section>
    }
}

/// The fields, as a body has them.
fn fields(collection: &Collection) -> Html {
    let rows = collection.fields.iter().map(|field| {
        let mut says: Vec<&str> = Vec::new();
        says.extend(field.required.then_some("required"));
        says.extend(field.nullable.then_some("nullable"));
        says.extend(field.indexed.then_some("indexed"));
        html! {
            <tr key={field.name.to_string()}>
                <th scope="row"><code>{ field.name.to_string() }</code></th>
                <td>{ field.kind.word() }</td>
                <td>{ says.join(", ") }</td>
            </tr>
        }
    });
    html! {
        <section class="panel" aria-labelledby="api-fields">
            <header class="panel-head"><h2 id="api-fields">{ words::API_FIELDS }</h2></header>
            <div class="panel-scroll" tabindex="0" role="group" aria-label={words::API_FIELDS}>
                <table class="routes facts-table">
                    <thead><tr><th scope="col">{ words::NAME }</th><th scope="col">{ words::TYPE }</th><th scope="col">{ words::MEANS }</th></tr></thead>
                    <tbody>{ for rows }</tbody>
                </table>
            </div>
        </section>
    }
}
