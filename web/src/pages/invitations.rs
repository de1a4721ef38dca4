//! Invitations: an admin makes a link, sees those that nobody has used yet, and takes one back; and the page that such a link leads to.

use common::{
    Call,
    endpoints::{
        tokens::Credentials,
        users::{self, Invitation, NewInvitation, NewUser, OpenInvitation},
    },
    form::{Form, Widget},
    id::InvitationId,
    name::RoleName,
    query::encode,
};
use futures_util::future::FutureExt;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    hooks::{use_caller, use_client, use_load, use_query, use_root, use_title, use_toasts},
    pages::{
        people::{above_user, moment},
        sign_in::insecure_note,
    },
    route::{Route, parameter},
    toast::ToastEvent,
    ui::{
        field::InputView,
        form::{form_errors, submit},
        form_state::use_form,
        icon::mark,
        link::Link,
        page::PageHead,
        state::{failure, loading},
    },
    words::{self, account},
};

/// The page of an admin.
#[component]
pub(crate) fn InvitationsPage() -> Html {
    let is_admin = use_caller().is_admin();
    let (client, toasts) = (use_client(), use_toasts());
    let made = use_state(Vec::<Invitation>::new);
    let (open, again) = use_load((is_admin, made.len()), |client, (is_admin, _)| async move {
        if !is_admin {
            return Ok(Vec::new());
        }
        Ok(client.send(Call::<users::Invitations>::new((), ())).await?.body.results)
    });
    let onmade = {
        let made = made.clone();
        Callback::from(move |new: Invitation| made.set(made.iter().cloned().chain([new]).collect()))
    };
    let onback = {
        let again = again.clone();
        Callback::from(move |id: InvitationId| {
            let (client, toasts, again) = (client.clone(), toasts.clone(), again.clone());
            spawn_local(async move {
                let outcome = client.send(Call::<users::TakeBack>::new((id,), ())).await;
                toasts.emit(match outcome {
                    Ok(_) => ToastEvent::Said(account::TAKEN_BACK.to_owned()),
                    Err(error) => ToastEvent::Failed(error.to_string()),
                });
                again.emit(());
            });
        })
    };
    let list = match (open.value.as_deref(), open.failure()) {
        (_, Some(error)) => failure(error, &again),
        (Some(open), None) => rows(open, &onback),
        (None, None) => loading(),
    };
    html! {
        <div class="page page-narrow">
            <PageHead title={account::INVITATIONS} description={account::INVITATIONS_LEAD} above={above_user(None)} />
            if is_admin {
                <InviteForm key={made.len()} {onmade} />
                if let Some(new) = made.last() {
                    <div class="notice notice-good" role="status">
                        <p>{ account::INVITED }{ " " }{ account::INVITED_OFF }</p>
                        <pre class="invitation" tabindex="0"><code>{ link(new) }</code></pre>
                    </div>
                }
                { list }
            } else {
                <p class="notice">{ account::NO_ADMIN }</p>
            }
        </div>
    }
}

/// The address that an invitation is sent as.
fn link(new: &Invitation) -> String {
    let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
    format!("{origin}/sign-up?{}", encode(&[("invitation".to_owned(), new.invitation.clone())]))
}

fn rows(open: &[OpenInvitation], onback: &Callback<InvitationId>) -> Html {
    if open.is_empty() {
        return html! { <p class="hint">{ account::NO_INVITATIONS }</p> };
    }
    let row = |one: &OpenInvitation| {
        let roles: Vec<&str> = one.roles.iter().map(RoleName::as_str).collect();
        let (id, onback) = (one.id, onback.clone());
        html! {
            <tr key={one.id.to_string()}>
                <td data-label={account::MADE}>{ moment(&one.created_at) }</td>
                <td data-label={account::GOOD_UNTIL}>{ moment(&one.expires_at) }</td>
                <td data-label={account::ROLES}>{ roles.join(" ") }</td>
                <td class="row-acts">
                    <button type="button" class="button button-small" onclick={move |_: MouseEvent| onback.emit(id)}>{ account::TAKE_BACK }</button>
                </td>
            </tr>
        }
    };
    html! {
        <div class="table-frame">
            <table class="records people">
                <thead><tr>
                    <th scope="col">{ account::MADE }</th>
                    <th scope="col">{ account::GOOD_UNTIL }</th>
                    <th scope="col">{ account::ROLES }</th>
                    <th scope="col"><span class="hidden">{ account::TAKE_BACK }</span></th>
                </tr></thead>
                <tbody>{ for open.iter().map(row) }</tbody>
            </table>
        </div>
    }
}

#[derive(Properties, PartialEq)]
struct InviteFormProps {
    onmade: Callback<Invitation>,
}

#[component]
fn InviteForm(props: &InviteFormProps) -> Html {
    let client = use_client();
    let state = use_form(Form::new_invitation);
    let onmade = props.onmade.clone();
    let onsubmit = state.onsubmit(move |new: NewInvitation| {
        let (client, onmade) = (client.clone(), onmade.clone());
        async move {
            onmade.emit(client.send(Call::<users::Invite>::new((), new)).await?.body);
            Ok(())
        }
        .boxed_local()
    });
    let onedit = state.onedit();
    let inputs = state.form().inputs.iter().cloned().enumerate();
    html! {
        <form class="form" {onsubmit} novalidate=true>
            { form_errors(&state.form().errors) }
            { for inputs.map(|(index, input)| html! { <InputView key={index} {input} {index} onedit={onedit.clone()} autocomplete="off" focus=false /> }) }
            <div class="form-actions">{ submit(account::INVITE, state.is_busy(), "") }</div>
        </form>
    }
}

/// The page that a link leads to.
#[component]
pub(crate) fn SignUpPage() -> Html {
    use_title(account::SIGN_UP);
    let client = use_client();
    let root = use_root();
    let awaits = use_state(|| false);
    let invitation = parameter(&use_query(), "invitation").filter(|invitation| !invitation.is_empty());
    let state = use_form(Form::sign_up);
    let onsubmit = {
        let (invitation, awaits) = (invitation.clone(), awaits.setter());
        state.onsubmit(move |new: NewUser| {
            let (client, awaits) = (client.clone(), awaits.clone());
            let new = NewUser { invitation: invitation.clone(), ..new };
            async move {
                let credentials = Credentials { username: new.username.to_string(), password: new.password.clone() };
                let user = client.send(Call::<users::Create>::new((), new)).await?.body;
                if user.is_active {
                    return client.sign_in(credentials).await;
                }
                awaits.set(true);
                Ok(())
            }
            .boxed_local()
        })
    };
    let onedit = state.onedit();
    let inputs = state.form().inputs.iter().cloned().enumerate().map(|(index, mut input)| {
        let autocomplete = match input.name() {
            "username" => "username",
            "email" => "email",
            _ => "new-password",
        };
        if let Some(root) = root.value.as_ref().filter(|_| input.widget == Widget::NewPassword) {
            input.set_min_password_length(root.min_password_length);
        }
        html! { <InputView key={index} {input} {index} onedit={onedit.clone()} {autocomplete} focus={index == 0} /> }
    });
    let body = if *awaits {
        html! { <p class="notice" role="status">{ account::AWAITS }</p> }
    } else {
        html! {
            <form class="form" {onsubmit} novalidate=true>
                { form_errors(&state.form().errors) }
                if invitation.is_none() {
                    <p class="notice">{ account::NO_INVITATION }</p>
                }
                { for inputs }
                { submit(account::SIGN_UP, state.is_busy(), "button-wide") }
            </form>
        }
    };
    html! {
        <main class="gate">
            <div class="gate-card">
                <div class="gate-head">{ mark() }<h1>{ account::SIGN_UP }</h1></div>
                { insecure_note() }
                { body }
                <p><Link to={Route::SignIn}>{ words::sign_in::TITLE }</Link></p>
            </div>
        </main>
    }
}
