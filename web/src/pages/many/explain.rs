//! How the rows of a table were found, in words.

use common::{Call, endpoints::records, query::ListQuery};
use yew::prelude::*;

use super::ChosenProps;
use crate::{
    hooks::use_load,
    ui::state::{failure, loading},
    words::many as words,
};

/// The sentences.
#[component]
pub(super) fn ExplainView(props: &ChosenProps) -> Html {
    let chosen = &props.chosen;
    let (answer, again) =
        use_load((chosen.collection.name.clone(), chosen.query.clone()), |client, (name, query)| async move {
            let query = ListQuery { explain: true, ..(*query).clone() };
            Ok(client.send(Call::<records::Explained>::new((name,), ()).query(query)).await?.body.explain.sentences())
        });
    match (&answer.value, &answer.error) {
        (Some(sentences), _) => html! {
            <>
                <p class="notice-title">{ words::EXPLAIN_TITLE }</p>
                <ul class="sentences">{ for sentences.iter().map(|sentence| html! { <li>{ sentence }</li> }) }</ul>
            </>
        },
        (None, Some(error)) => failure(error, &again),
        (None, None) => loading(),
    }
}
