//! What refers to a record: of each field that can, how many do, and the newest of them by name.

use common::{
    Call, CallError,
    endpoints::{collections, records},
    id::RecordId,
    name::CollectionName,
    query::{Query as _, encode},
    table::{Referrers, referring},
    text,
};
use futures_util::future::join_all;
use yew::prelude::*;

use crate::{client::Client, hooks::use_load, route::Route, ui::link::Link, words::record as words};

#[derive(Properties, PartialEq)]
pub(super) struct ReferredToProps {
    pub(super) name: CollectionName,
    pub(super) id: RecordId,
}

/// The lists; nothing where nothing refers to the record.
#[component]
pub(super) fn ReferredTo(props: &ReferredToProps) -> Html {
    let id = props.id;
    let (found, _) = use_load((props.name.clone(), id), |client, (name, id)| load(client, name, id));
    let found = found.value.as_deref().filter(|found| !found.is_empty());
    let list = |Referrers { by, count, newest }: &Referrers| {
        let table = Route::Records { name: by.collection.clone() };
        let label = words::referred_by(&text::label(by.collection.as_str()), &text::label(&by.field));
        let row = |(id, title): &(RecordId, String)| {
            let to = Route::Record { name: by.collection.clone(), id: *id };
            html! { <li key={id.to_string()}><Link {to}><bdi>{ title }</bdi></Link></li> }
        };
        html! {
            <div key={format!("{} {}", by.collection, by.field)} class="referred">
                <h3>{ label }{ " " }<small>{ text::count(*count, "record") }</small></h3>
                <ul>{ for newest.iter().map(row) }</ul>
                if *count > newest.len() as u64 {
                    <Link to={table} query={encode(&by.query(id).to_pairs())} class="button button-quiet button-small">{ words::ALL_REFERRERS }</Link>
                }
            </div>
        }
    };
    html! {
        if let Some(found) = found {
            <section class="referrers" aria-labelledby="referrers">
                <h2 id="referrers">{ words::REFERRED_TO }</h2>
                { for found.iter().map(list) }
            </section>
        }
    }
}

async fn load(client: Client, name: CollectionName, id: RecordId) -> Result<Vec<Referrers>, CallError> {
    let all = client.send(Call::<collections::List>::new((), ())).await?.body.results;
    let asked = referring(&name, &all).into_iter().take(Referrers::ASKED).map(|by| {
        let call = Call::<records::List>::new((by.collection.clone(),), ()).query(Referrers::query(&by, id));
        let client = client.clone();
        async move { (by, client.send(call).await) }
    });
    // What somebody may not list is not told to them.
    let told = join_all(asked).await.into_iter().filter_map(|(by, answer)| Some((by, answer.ok()?.body)));
    Ok(told.filter_map(|(by, page)| Referrers::of(by, &page)).collect())
}
