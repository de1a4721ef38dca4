//! Signing in: a page of its own, and a form that also stands over a page whose session has ended.

use common::{endpoints::tokens::Credentials, form::Form, words::SESSION_ENDED};
use futures_util::future::FutureExt;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    hooks::{use_client, use_frame, use_root, use_title},
    session::Phase,
    ui::{
        dialog::Dialog,
        field::InputView,
        form::{form_errors, submit},
        form_state::use_form,
        icon::mark,
    },
    words,
};

/// The page, or where a session has ended, a dialog over the page that stays.
#[component]
pub(crate) fn SignInView() -> Html {
    let frame = use_frame();
    let Phase::Expired(user) = &frame.session.phase else { return html! { <SignInPage /> } };
    let client = frame.client.clone();
    let leave = move |_: MouseEvent| {
        let client = client.clone();
        spawn_local(async move {
            // There is no session left that could fail to end.
            let _ = client.sign_out().await;
        });
    };
    html! {
        <Dialog title={words::sign_in::TITLE} focus="input[name=password]">
            <p>{ words::sign_in::EXPIRED }</p>
            <SignInForm username={user.username.to_string()} />
            <button type="button" class="button button-quiet button-wide" onclick={leave}>{ words::sign_in::LEAVE }</button>
        </Dialog>
    }
}

#[component]
fn SignInPage() -> Html {
    use_title(words::sign_in::TITLE);
    let must_set_up = use_root().value.as_deref().is_some_and(|root| root.setup_required);
    let is_lost = use_frame().session.phase == Phase::SignedOut { is_lost: true };
    html! {
        <main class="gate">
            <div class="gate-card">
                <div class="gate-head">{ mark() }<h1>{ words::sign_in::TITLE }</h1></div>
                if is_lost {
                    <p class="notice" role="status">{ SESSION_ENDED }</p>
                }
                if must_set_up {
                    <p class="notice">{ words::sign_in::SET_UP_FIRST }</p>
                }
                { insecure_note() }
                <SignInForm />
            </div>
        </main>
    }
}

/// What to expect where the browser will not keep the session's cookie.
pub(crate) fn insecure_note() -> Html {
    let is_secure = web_sys::window().is_none_or(|window| window.is_secure_context());
    html! {
        if !is_secure {
            <p class="notice">{ words::sign_in::PLAIN_HTTP }</p>
        }
    }
}

#[derive(Properties, PartialEq)]
struct SignInFormProps {
    /// The name to begin with.
    #[prop_or_default]
    username: AttrValue,
}

/// The form. Where signing in leads is for the frame to say.
#[component]
fn SignInForm(props: &SignInFormProps) -> Html {
    let client = use_client();
    let state = use_form(|| {
        let mut form = Form::sign_in();
        if !props.username.is_empty() {
            form.set(0, props.username.to_string());
        }
        form
    });
    let onsubmit = state.onsubmit(move |credentials: Credentials| {
        let client = client.clone();
        async move { client.sign_in(credentials).await }.boxed_local()
    });
    let (onedit, is_known) = (state.onedit(), !props.username.is_empty());
    let inputs = state.form().inputs.iter().enumerate().map(|(index, input)| {
        let autocomplete = if input.name() == "password" { "current-password" } else { "username" };
        let focus = (index == 0) != is_known;
        html! {
            <InputView key={index} within="sign-in" input={input.clone()} {index} onedit={onedit.clone()} {autocomplete} {focus} />
        }
    });
    html! {
        <form class="form" {onsubmit} novalidate=true>
            { form_errors(&state.form().errors) }
            { for inputs }
            { submit(words::sign_in::TITLE, state.is_busy(), "button-wide") }
        </form>
    }
}
