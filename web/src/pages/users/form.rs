//! The forms about a user: one to be, changes to one (a new password among them), and deleting one.

use std::rc::Rc;

use common::{
    Call,
    endpoints::users::{self, NewUser, UserPatch},
    form::Form,
    id::UserId,
    user::User,
};
use futures_util::future::FutureExt;
use yew::prelude::*;

use crate::{
    hooks::{use_caller, use_client, use_go, use_load, use_toasts, use_user},
    keys,
    pages::people::{above_user, users_breadcrumb},
    route::Route,
    toast::ToastEvent,
    ui::{
        confirm::Danger,
        form_state::{FormView, use_kept_form},
        link::Link,
        page::PageHead,
        state::{failure, loading},
    },
    words::account,
};

/// The page of a user to be.
#[component]
pub(crate) fn NewUserPage() -> Html {
    let is_admin = use_caller().is_admin();
    let (client, toasts, go) = (use_client(), use_toasts(), use_go());
    let state = use_kept_form(Form::new_user);
    let onsubmit = state.onsubmit(move |new: NewUser| {
        let (client, toasts, go) = (client.clone(), toasts.clone(), go.clone());
        async move {
            let user = client.send(Call::<users::Create>::new((), new)).await?.body;
            toasts.emit(ToastEvent::Said(account::user_made(user.username.as_str())));
            go.to(&Route::Users);
            Ok(())
        }
        .boxed_local()
    });
    html! {
        <div class="page page-narrow">
            <PageHead title={account::NEW_USER} above={above_user(None)} />
            if is_admin {
                <FormView {state} {onsubmit} submit={account::CREATE} back={users_breadcrumb().1} fresh={Form::new_user()} />
            } else {
                <p class="notice">{ account::NO_ADMIN }</p>
            }
        </div>
    }
}

/// Props of [`UserPage`].
#[derive(Properties, PartialEq)]
pub(crate) struct UserPageProps {
    pub(crate) id: UserId,
}

/// The page of a user.
#[component]
pub(crate) fn UserPage(props: &UserPageProps) -> Html {
    let (user, again) =
        use_load(props.id, |client, id| async move { Ok(client.send(Call::<users::Get>::new((id,), ())).await?.body) });
    let usage = user.value.as_ref().and_then(|user| user.usage.as_ref()).map(account::usage_of);
    let (title, body) = match (&user.value, &user.error) {
        (Some(user), _) => (user.username.to_string(), html! { <UserForm user={user.clone()} /> }),
        (None, Some(error)) => (account::USER.to_owned(), failure(error, &again)),
        (None, None) => (account::USER.to_owned(), loading()),
    };
    html! {
        <div class="page page-narrow">
            <PageHead {title} above={above_user(None)} description={usage.unwrap_or_default()}>
                if user.value.is_some() {
                    <Link to={Route::UserSessions { id: props.id }} class="button" shortcut={keys::SESSIONS}>{ account::SESSIONS_TITLE }</Link>
                }
            </PageHead>
            { body }
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct UserFormProps {
    user: Rc<User>,
}

#[component]
fn UserForm(props: &UserFormProps) -> Html {
    let (client, toasts, go) = (use_client(), use_toasts(), use_go());
    let is_own = use_user().is_some_and(|user| user.id == props.user.id);
    let state = use_kept_form(|| Form::edit_user(&props.user));
    let ondelete = {
        let (client, toasts, go, user) = (client.clone(), toasts.clone(), go.clone(), props.user.clone());
        move |()| {
            let (client, toasts, go, user) = (client.clone(), toasts.clone(), go.clone(), user.clone());
            async move {
                client.send(Call::<users::Delete>::new((user.id,), ())).await?;
                toasts.emit(ToastEvent::Said(account::user_deleted(&user)));
                go.to(&Route::Users);
                Ok(())
            }
            .boxed_local()
        }
    };
    let before = props.user.clone();
    let onsubmit = state.onsubmit(move |patch: UserPatch| {
        let (client, toasts, go, before) = (client.clone(), toasts.clone(), go.clone(), before.clone());
        async move {
            if patch != UserPatch::default() {
                let is_ended = patch.password.is_some() || before.is_active && patch.is_active == Some(false);
                let user = client.send(Call::<users::Update>::new((before.id,), patch)).await?.body;
                toasts.emit(ToastEvent::Said(account::user_saved(user.username.as_str(), is_ended)));
                client.know(user);
            }
            go.to(&Route::Users);
            Ok(())
        }
        .boxed_local()
    });
    let fresh = Form::edit_user(&props.user);
    html! {
        <>
            <FormView {state} {onsubmit} submit={account::SAVE} back={users_breadcrumb().1} {fresh} focus=false />
            <Danger
                title={account::DANGER}
                text={account::danger(is_own)}
                label={account::DANGER_CONFIRM}
                name={props.user.username.to_string()}
                {ondelete}
            />
        </>
    }
}
