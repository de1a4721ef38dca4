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
    // "Not found." would be said twice, and leads nowhere.
    let is_gone = error.status() == 404;
    let (title, text) = if is_gone {
        (words::not_found::GONE_TITLE.to_owned(), words::not_found::GONE.to_owned())
    } else {
        (words::failure_title(error), error.to_string())
    };
    html! {
        <div class="notice notice-bad" role="alert">
            <p class="notice-title">{ title }</p>
            <p dir="auto">{ text }</p>
            { for details(error) }
            <div class="notice-actions">
                if is_gone {
                    { go_back() }
                }
                if may_come {
                    <button type="button" class="button" onclick={again}>{ words::TRY_AGAIN }</button>
                }
                { other }
            </div>
        </div>
    }
}

/// The button to the page before this one, where the tab has one.
pub(crate) fn go_back() -> Html {
    let history = web_sys::window().and_then(|window| window.history().ok());
    let Some(history) = history.filter(|history| history.length().is_ok_and(|pages| pages > 1)) else {
        return Html::default();
    };
    let onclick = move |_: MouseEvent| {
        let _ = history.back();
    };
    html! { <button type="button" class="button" {onclick}>{ words::not_found::GO_BACK }</button> }
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
