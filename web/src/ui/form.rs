//! The parts that all forms share: errors of the whole form, the warning about unsent changes, and the keys that send a form.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent};
use yew::prelude::*;

use crate::words;

/// The errors of a form as a whole.
pub(crate) fn form_errors(errors: &[String]) -> Html {
    html! {
        // The region is there before there is anything to say, or it would not be read out.
        <div role="alert">
            if !errors.is_empty() {
                <div class="notice notice-bad">
                    { for errors.iter().map(|error| html! { <p dir="auto">{ error }</p> }) }
                </div>
            }
        </div>
    }
}

/// Somebody comes back to a form with something unsent in it, and may want to start afresh.
pub(crate) fn kept(ondiscard: Callback<MouseEvent>) -> Html {
    html! {
        <div class="notice" role="status">
            <p>{ words::record::KEPT }</p>
            <div class="notice-actions">
                <button type="button" class="button" onclick={ondiscard}>{ words::record::DISCARD }</button>
            </div>
        </div>
    }
}

/// Sends the form on Ctrl+S, wherever in it the focus is. Presses its own button, so that what is disabled is not sent.
#[allow(clippy::needless_pass_by_value)] // as callbacks have it
pub(crate) fn send_on_ctrl_s(event: KeyboardEvent) {
    if !(event.ctrl_key() || event.meta_key()) || event.alt_key() || !event.key().eq_ignore_ascii_case("s") {
        return;
    }
    event.prevent_default();
    let form = event.current_target().and_then(|form| form.dyn_into::<HtmlElement>().ok());
    let button = form.and_then(|form| form.query_selector("button[type=submit]").ok().flatten());
    if let Some(button) = button.and_then(|button| button.dyn_into::<HtmlElement>().ok()) {
        button.click();
    }
}

/// Shows what is wrong, once the page has been drawn with it: puts the focus on the first input that is marked, or where
/// none is, brings what is said of the whole into sight.
pub(crate) fn focus_first_error() {
    gloo_timers::callback::Timeout::new(0, || {
        let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
        // The form behind an open dialog takes no keys.
        let dialog = document.query_selector("dialog[open]").ok().flatten();
        let Some(within) = dialog.or_else(|| document.body().map(Into::into)) else { return };
        let find = |css| {
            let found = within.query_selector(css).ok().flatten();
            found.and_then(|found| found.dyn_into::<HtmlElement>().ok())
        };
        if let Some(input) = find("[aria-invalid=true]") {
            let _ = input.focus();
        } else if let Some(notice) = find(".conflict, .notice-bad") {
            notice.scroll_into_view_with_bool(false);
        }
    })
    .forget();
}

/// The button that sends a form, out of reach while it is being sent.
pub(crate) fn submit(label: &'static str, busy: bool, class: &'static str) -> Html {
    html! {
        <button type="submit" class={classes!("button", "button-primary", class)} disabled={busy}>
            { if busy { words::SENDING } else { label } }
        </button>
    }
}
