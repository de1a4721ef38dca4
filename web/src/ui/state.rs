//! What a page shows in place of data: that it is loading, that it could not be loaded, or that there is none.

use common::CallError;
use yew::prelude::*;

use crate::words;

/// It is on its way. Shown after a moment only, so that what comes at once does not flicker.
pub(crate) fn loading() -> Html {
    html! { <p class="loading" role="status">{ words::LOADING }</p> }
}

/// It could not be had: what happened, and a way to try again.
pub(crate) fn failure(error: &CallError, again: &Callback<()>) -> Html {
    failure_or(error, again, Html::default())
}

/// The same, with another way on.
pub(crate) fn failure_or(error: &CallError, again: &Callback<()>, other: Html) -> Html {
    let again = again.reform(|_: MouseEvent| ());
    // Such a request would be refused again, so there is no button to repeat it.
    let may_come = !matches!(error.status(), 400 | 403 | 404);
    html! {
        <div class="notice notice-bad" role="alert">
            <p class="notice-title">{ words::failure_title(error) }</p>
            <p dir="auto">{ error.to_string() }</p>
            { for details(error) }
            <div class="notice-actions">
                if may_come {
                    <button type="button" class="button" onclick={again}>{ words::TRY_AGAIN }</button>
                }
                { other }
            </div>
        </div>
    }
}

/// The messages by field, where there are some and no form has a place for them.
fn details(error: &CallError) -> Option<Html> {
    let problem = error.problem()?;
    let errors = problem.errors.0.iter().flat_map(|(name, errors)| errors.iter().map(move |error| (name, error)));
    // The sentence says the first of them already.
    let lines: Vec<_> = errors
        .filter(|(_, error)| !problem.detail.contains(&error.message))
        .map(|(name, error)| html! { <li><code>{ name.clone() }</code>{ ": " }{ error.message.clone() }</li> })
        .collect();
    (!lines.is_empty()).then(|| html! { <ul>{ for lines }</ul> })
}

/// There is none, and how there would be.
pub(crate) fn empty(title: &'static str, text: &'static str, way: Html) -> Html {
    html! {
        <div class="empty">
            <p class="empty-title">{ title }</p>
            <p>{ text }</p>
            <div class="notice-actions">{ way }</div>
        </div>
    }
}
