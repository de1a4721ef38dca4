//! Who may do what with the records of each collection.

use common::{
    Call,
    access::Action,
    api_page::{rules_of, said},
    endpoints::collections,
    text::label,
};
use yew::prelude::*;

use super::tabs;
use crate::{
    hooks::use_load,
    route::{Route, ServerPage},
    ui::{
        link::Link,
        page::PageHead,
        state::{failure, loading},
    },
    words::server as words,
};

/// The page.
#[component]
pub(super) fn AccessPage() -> Html {
    let (list, again) = use_load((), |client, ()| async move {
        Ok(client.send(Call::<collections::List>::new((), ())).await?.body.results)
    });
    let body = match (list.value.as_deref(), list.failure()) {
        (_, Some(error)) => failure(error, &again),
        (None, None) => loading(),
        (Some(list), None) => {
            let rows = list.iter().map(|one| {
                let cells = Action::ALL.iter().map(|action| html! { <td key={action.name()}>{ said(rules_of(&one.access, *action)) }</td> });
                html! {
                    <tr key={one.name.to_string()}>
                        <th scope="row"><Link to={Route::EditCollection { name: one.name.clone() }}><bdi>{ label(one.name.as_str()) }</bdi></Link></th>
                        { for cells }
                    </tr>
                }
            });
            html! {
                <section class="panel" aria-labelledby="panel-access">
                    <header class="panel-head"><h2 id="panel-access">{ words::ACCESS }</h2></header>
                    <p class="hint">{ words::ACCESS_LEAD }</p>
                    <div class="panel-scroll" tabindex="0" role="group" aria-label={words::ACCESS}>
                        <table class="routes facts-table">
                            <thead><tr><th scope="col">{ words::COLLECTION }</th>{ for Action::ALL.iter().map(|action| html! { <th scope="col" key={action.name()}>{ action.name() }</th> }) }</tr></thead>
                            <tbody>{ for rows }</tbody>
                        </table>
                    </div>
                </section>
            }
        }
    };
    html! {
        <div class="page page-board">
            <PageHead title={words::TITLE} />
            { tabs(ServerPage::Access) }
            { body }
        </div>
    }
}
