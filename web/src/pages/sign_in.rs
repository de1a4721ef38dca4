//! Signing in: a page of its own, and a form that also stands over a page whose session has ended.

use common::{
    Call,
    endpoints::{root, tokens::Credentials},
    form::Form,
    reader::Body,
};
use serde_json::Value;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    hooks::{use_client, use_load, use_title},
    model::{Changes, use_model},
    ui::{
        field::InputView,
        form::{FormErrors, Submit, focus_first_error},
        icon::Mark,
    },
    words,
};

/// The page.
#[component]
pub fn SignInPage() -> Html {
    use_title(words::sign_in::TITLE);
    let (root, _) =
        use_load((), |client, ()| async move { Ok(client.send(Call::<root::Get>::new((), ())).await?.body) });
    let must_set_up = root.value.as_deref().is_some_and(|root| root.setup_required);
    html! {
        <main class="gate">
            <div class="gate-card">
                <div class="gate-head"><Mark /><h1>{ words::sign_in::TITLE }</h1></div>
                if must_set_up {
                    <p class="notice">{ words::sign_in::SET_UP_FIRST }</p>
                }
                <InsecureNote />
                <SignInForm />
            </div>
        </main>
    }
}

/// What to expect where the browser will not keep the session's cookie.
#[component]
pub fn InsecureNote() -> Html {
    let is_secure = web_sys::window().is_none_or(|window| window.is_secure_context());
    html! {
        if !is_secure {
            <p class="notice">{ words::sign_in::PLAIN_HTTP }</p>
        }
    }
}

/// Props of [`SignInForm`].
#[derive(Properties, PartialEq)]
pub struct SignInFormProps {
    /// The name to begin with.
    #[prop_or_default]
    pub username: AttrValue,
}

/// The form. Where signing in leads is for the frame to say.
#[component]
pub fn SignInForm(props: &SignInFormProps) -> Html {
    let client = use_client();
    let form = use_model(|| {
        let mut form = Form::sign_in();
        if !props.username.is_empty() {
            form.set(0, props.username.to_string());
        }
        form
    });
    let busy = use_state(|| false);
    let changes = Changes::of(&form);
    let onedit = {
        let changes = changes.clone();
        Callback::from(move |(index, text): (usize, String)| changes.apply(move |form| form.set(index, text)))
    };
    let onsubmit = {
        let (form, busy) = (form.clone(), busy.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if *busy {
                return;
            }
            let mut next = form.0.clone();
            let body = next.submit();
            changes.apply(move |form| *form = next);
            let Some(credentials) = body.and_then(|body| Credentials::from_json(Value::Object(body)).ok()) else {
                return focus_first_error();
            };
            busy.set(true);
            let (client, changes, busy) = (client.clone(), changes.clone(), busy.clone());
            spawn_local(async move {
                if let Err(error) = client.sign_in(credentials).await {
                    changes.apply(move |form| refuse(form, &error));
                    busy.set(false);
                }
            });
        }
    };
    let is_known = !props.username.is_empty();
    let inputs = form.0.inputs.iter().enumerate().map(|(index, input)| {
        let autocomplete = if input.name() == "password" { "current-password" } else { "username" };
        let focus = (index == 0) != is_known;
        html! { <InputView key={index} input={input.clone()} {index} onedit={onedit.clone()} {autocomplete} {focus} brief=true /> }
    });
    html! {
        <form class="form" {onsubmit} novalidate=true>
            <FormErrors errors={form.0.errors.clone()} />
            { for inputs }
            <Submit label={words::sign_in::TITLE} busy={*busy} class="button-wide" />
        </form>
    }
}

/// Puts an error where it belongs in a form.
pub fn refuse(form: &mut Form, error: &common::CallError) {
    match error.problem() {
        Some(problem) => form.refuse(problem),
        None => form.errors = vec![error.to_string()],
    }
}
