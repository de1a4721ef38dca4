//! An import that is under way or over, read from its operation: the page can be left and loaded again meanwhile.

use std::rc::Rc;

use common::{
    Call,
    collection::Collection,
    endpoints::operations,
    id::OperationId,
    operation::{Operation, OperationState},
    text::label,
};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::{faults::faults, file, going_on};
use crate::{
    hooks::{use_client, use_load, use_toasts, use_user},
    route::Route,
    table_locations,
    toast::ToastEvent,
    ui::{
        link::Link,
        state::{failure, loading},
    },
    undo::done,
    words::many as words,
};

/// Milliseconds between two looks.
const MOMENT: u32 = 500;

#[derive(Properties, PartialEq)]
pub(super) struct ProgressProps {
    pub(super) collection: Rc<Collection>,
    pub(super) operation: OperationId,
}

/// How far it is, and what became of it.
#[component]
pub(super) fn Progress(props: &ProgressProps) -> Html {
    let ProgressProps { collection, operation } = props;
    let (client, toasts) = (use_client(), use_toasts());
    let user = use_user().map(|user| user.id);
    let looks = use_state(|| 0_u32);
    let (answer, again) = use_load((*operation, *looks), |client, (operation, _)| async move {
        Ok(client.send(Call::<operations::Get>::new((operation,), ())).await?.body)
    });
    let state = answer.value.as_deref().map(|one| one.state);
    use_effect_with((state, answer.run), {
        let looks = looks.clone();
        move |(state, _)| {
            if state.is_none_or(|state| !state.is_over()) {
                spawn_local(async move {
                    TimeoutFuture::new(MOMENT).await;
                    looks.set(*looks + 1);
                });
            }
        }
    });
    let is_over = state.is_some_and(OperationState::is_over)
        || answer.error.as_ref().is_some_and(|error| matches!(error.status(), 403 | 404));
    // Somebody who sees for the first time that it is over is offered the way back.
    use_effect_with((is_over, user, *operation), {
        let (toasts, name, one) = (toasts.clone(), collection.name.clone(), answer.value.clone());
        move |(is_over, user, operation)| {
            let (true, Some(user)) = (is_over, user) else { return };
            let is_news = going_on::kept(*user, &name) == Some(*operation);
            going_on::forget(*user, &name);
            let import = one.as_deref().and_then(|one| one.import.as_deref());
            if let Some(import) = import.filter(|import| is_news && import.created + import.updated > 0) {
                let title = words::import_title(&label(name.as_str()));
                toasts.emit(done(words::counted(import), Some(*operation), title));
            }
        }
    });
    let one = match (&answer.value, &answer.error) {
        (Some(one), _) => one.clone(),
        (None, Some(error)) => return failure(error, &again),
        (None, None) => return loading(),
    };
    let stop = {
        let (client, toasts, operation) = (client.clone(), toasts.clone(), *operation);
        move |_: MouseEvent| {
            let (client, toasts) = (client.clone(), toasts.clone());
            spawn_local(async move {
                if let Err(error) = client.send(Call::<operations::Stop>::new((operation,), ())).await {
                    toasts.emit(ToastEvent::Failed(error.to_string()));
                }
            });
        }
    };
    let fetch = {
        let (operation, name) = (*operation, format!("{}.rejected.csv", collection.name));
        move |_: MouseEvent| file::fetch_rejected(&client, &toasts, operation, &name)
    };
    draw(&one, collection, stop, fetch)
}

fn draw(
    one: &Operation,
    collection: &Collection,
    stop: impl Fn(MouseEvent) + 'static,
    fetch: impl Fn(MouseEvent) + 'static,
) -> Html {
    let (to, query) = table_locations::table(&collection.name);
    let import = one.import.as_deref();
    let rejected = import.is_some_and(|import| import.rejected > 0);
    let title = words::stands(one);
    let (done, of, told) = words::import_progress(one);
    let class = match one.state {
        OperationState::Failed => "notice notice-bad",
        OperationState::Stopped | OperationState::Stopping => "notice notice-warn",
        _ => "notice",
    };
    html! {
        <>
            <div {class} role="status">
                <p class="notice-title">{ title }</p>
                if !one.state.is_over() {
                    <progress class="progress" aria-label={words::RUNNING} max={of.unwrap_or(1).max(1).to_string()} value={of.map(|_| done.to_string())}></progress>
                    <p>{ told }</p>
                }
                if let Some(import) = import.filter(|_| one.state == OperationState::Done) {
                    <p>{ words::counted(import) }</p>
                }
                if let Some(error) = &one.error {
                    <p dir="auto">{ error }</p>
                }
                <div class="notice-actions">
                    if one.state.is_over() {
                        <Link {to} {query} class="button button-primary">{ words::TO_TABLE }</Link>
                        <Link to={Route::Import { name: collection.name.clone() }} class="button">{ words::ANOTHER }</Link>
                        if rejected {
                            <button type="button" class="button" onclick={fetch}>{ words::REJECTED }</button>
                        }
                    } else if one.state != OperationState::Stopping {
                        <button type="button" class="button button-danger" onclick={stop}>{ words::STOP }</button>
                    }
                </div>
            </div>
            { import.map(faults).unwrap_or_default() }
        </>
    }
}
