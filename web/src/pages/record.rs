//! One record, or one to be: what is loaded for its form. The form is drawn in [`form`], its state is
//! [`draft`], what it does is [`work`]; that somebody else wrote a newer version is [`newer`]; what two people's changes make of each other is [`conflict`].

mod conflict;
mod draft;
mod form;
mod newer;
mod referrers;
mod work;

use std::rc::Rc;

use common::{
    Call,
    access::{Action, Decision},
    endpoints::{collections, records},
    id::RecordId,
    name::CollectionName,
    query::encode,
    table, text,
};
use futures_util::future::try_join;
use yew::prelude::*;

use crate::{
    hooks::{use_caller, use_load},
    pages::records::{NameProps, collections_breadcrumb},
    route::{Location, Route},
    table_locations,
    ui::{
        link::Link,
        page::PageHead,
        state::{empty, failure, loading},
    },
    words,
};

/// The pages above a record's.
fn above(name: &CollectionName) -> Vec<(AttrValue, Location)> {
    vec![collections_breadcrumb(), (text::label(name.as_str()).into(), table_locations::table(name))]
}

/// The page of a record to be.
#[component]
pub(crate) fn NewRecordPage(props: &NameProps) -> Html {
    let caller = use_caller();
    let (collection, again) = use_load(props.name.clone(), |client, name| async move {
        Ok(client.send(Call::<collections::Get>::new((name,), ())).await?.body)
    });
    let body = match (&collection.value, &collection.error) {
        (Some(collection), _) if collection.access.decide(Action::Create, &caller) == Decision::Denied => {
            html! { <p class="notice">{ words::record::FORBIDDEN }</p> }
        }
        (Some(collection), _) => html! { <form::RecordForm collection={collection.clone()} /> },
        (None, Some(error)) => failure(error, &again),
        (None, None) => loading(),
    };
    html! {
        <div class="page page-narrow">
            <PageHead title={words::record::NEW} above={above(&props.name)} />
            { body }
        </div>
    }
}

/// Props of [`RecordPage`].
#[derive(Properties, PartialEq)]
pub(crate) struct RecordPageProps {
    pub(crate) name: CollectionName,
    pub(crate) id: RecordId,
}

/// The page of a record.
#[component]
pub(crate) fn RecordPage(props: &RecordPageProps) -> Html {
    let (loaded, again) = use_load((props.name.clone(), props.id), |client, (name, id)| async move {
        let collection = client.send(Call::<collections::Get>::new((name.clone(),), ()));
        let record = client.send(Call::<records::Get>::new((name, id), ()));
        let (collection, record) = try_join(collection, record).await?;
        Ok((Rc::new(collection.body), record.body))
    });
    let history =
        encode(&[("collection".to_owned(), props.name.to_string()), ("record".to_owned(), props.id.to_string())]);
    let (title, body) = match (loaded.value.as_deref(), &loaded.error) {
        (Some((collection, record)), _) => {
            let form = html! { <form::RecordForm collection={collection.clone()} record={record.clone()} /> };
            (table::title_of(collection, record), form)
        }
        (None, Some(error)) => (text::label(props.name.as_str()), failure(error, &again)),
        (None, None) => (text::label(props.name.as_str()), loading()),
    };
    html! {
        <div class="page page-narrow">
            <PageHead {title} above={above(&props.name)}>
                <Link to={Route::Changes} query={history} class="button button-quiet button-small">{ words::changes::HISTORY }</Link>
            </PageHead>
            { body }
            if loaded.value.is_some() {
                <referrers::ReferredTo name={props.name.clone()} id={props.id} />
            }
        </div>
    }
}

/// The placeholder for a form without inputs.
fn no_fields() -> Html {
    empty("", words::record::NO_FIELDS, Html::default())
}
