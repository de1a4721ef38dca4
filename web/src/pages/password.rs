//! The own password: who changes it proves to know the one until now.

use common::{
    Call,
    endpoints::users::{self, PasswordChange},
    form::Form,
};
use futures_util::future::FutureExt;
use yew::prelude::*;

use crate::{
    hooks::{use_client, use_go, use_toasts, use_user},
    pages::records::collections_breadcrumb,
    route::Route,
    toast::ToastEvent,
    ui::{
        form_state::{FormView, use_form},
        page::PageHead,
    },
    words,
};

/// The page.
#[component]
pub(crate) fn PasswordPage() -> Html {
    let (client, toasts, go) = (use_client(), use_toasts(), use_go());
    let state = use_form(Form::change_password);
    let onsubmit = state.onsubmit(move |change: PasswordChange| {
        let (client, toasts, go) = (client.clone(), toasts.clone(), go.clone());
        async move {
            client.send(Call::<users::ChangePassword>::new((), change)).await?;
            toasts.emit(ToastEvent::Said(words::account::PASSWORD_CHANGED.to_owned()));
            go.to(&Route::Sessions);
            Ok(())
        }
        .boxed_local()
    });
    let username = use_user().map(|user| user.username.to_string());
    html! {
        <div class="page page-narrow">
            <PageHead title={words::account::PASSWORD_TITLE} above={vec![collections_breadcrumb()]} />
            <FormView {state} {onsubmit} submit={words::account::PASSWORD_SUBMIT} back={collections_breadcrumb().1} fresh={Form::change_password()}>
                // Tells a password manager whose password it is.
                <input class="hidden" type="text" name="username" value={username} autocomplete="username" readonly=true tabindex="-1" aria-hidden="true" />
            </FormView>
        </div>
    }
}
