//! The first visit ever: the one-time code from the server's link makes the first admin, who is then signed in.

use common::{
    Call,
    endpoints::{
        setup::{self, SetUp},
        tokens::Credentials,
    },
    form::Form,
};
use futures_util::future::FutureExt;
use yew::prelude::*;

use crate::{
    hooks::{use_client, use_query, use_root, use_title},
    pages::sign_in::insecure_note,
    route::{Route, parameter},
    ui::{
        field::InputView,
        form::{form_errors, submit},
        form_state::use_form,
        icon::mark,
        link::Link,
    },
    words,
};

/// The page.
#[component]
pub(crate) fn SetUpPage() -> Html {
    use_title(words::set_up::TITLE);
    let root = use_root();
    let is_done = root.value.as_deref().is_some_and(|root| !root.setup_required);
    html! {
        <main class="gate">
            <div class="gate-card">
                if is_done {
                    <div class="gate-head">{ mark() }<h1>{ words::set_up::DONE_TITLE }</h1></div>
                    <p>{ words::set_up::DONE }</p>
                    <Link to={Route::SignIn} class="button button-primary button-wide">{ words::sign_in::TITLE }</Link>
                } else {
                    <div class="gate-head">{ mark() }<h1>{ words::set_up::TITLE }</h1></div>
                    <p class="lead">{ words::set_up::LEAD }</p>
                    { insecure_note() }
                    <SetUpForm min_password_length={root.value.as_ref().map(|root| root.min_password_length)} />
                }
            </div>
        </main>
    }
}

#[derive(Properties, PartialEq)]
struct SetUpFormProps {
    min_password_length: Option<u64>,
}

#[component]
fn SetUpForm(props: &SetUpFormProps) -> Html {
    let client = use_client();
    let code = parameter(&use_query(), "code").unwrap_or_default();
    let has_code = !code.is_empty();
    let state = use_form(|| {
        let mut form = Form::set_up();
        if has_code {
            form.set(0, code);
        }
        form
    });
    let onsubmit = state.onsubmit(move |body: SetUp| {
        let client = client.clone();
        async move {
            let credentials = Credentials { username: body.username.to_string(), password: body.password.clone() };
            client.send(Call::<setup::Create>::new((), body)).await?;
            client.sign_in(credentials).await
        }
        .boxed_local()
    });
    let is_code_shown = use_mut_ref(|| !has_code);
    let onedit = state.onedit();
    let inputs = state.form().inputs.iter().cloned().enumerate().filter_map(|(index, mut input)| {
        let is_code = input.name() == "code";
        // The code came with the link; it is shown only once something was wrong with it.
        *is_code_shown.borrow_mut() |= is_code && !input.errors.is_empty();
        if is_code && !*is_code_shown.borrow() {
            return None;
        }
        let autocomplete = match input.name() {
            "password" => "new-password",
            "username" => "username",
            _ => "off",
        };
        if let Some(length) = props.min_password_length {
            input.set_min_password_length(length);
        }
        let focus = is_code || (has_code && input.name() == "username");
        Some(html! { <InputView key={index} {input} {index} onedit={onedit.clone()} {autocomplete} {focus} /> })
    });
    html! {
        <form class="form" {onsubmit} novalidate=true>
            { form_errors(&state.form().errors) }
            if !has_code {
                <p class="notice">{ words::set_up::NO_CODE }</p>
            }
            { for inputs }
            { submit(words::set_up::SUBMIT, state.is_busy(), "button-wide") }
        </form>
    }
}
