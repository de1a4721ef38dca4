//! Users, for admins: who there is. One of them, and one to be, are in [`form`].

mod form;

use common::{Call, endpoints::users, name::RoleName, user::User};
use yew::prelude::*;

pub use self::form::{NewUserPage, UserPage};
use super::sessions::moment;
use crate::{
    hooks::{use_caller, use_load},
    keys,
    pages::records::collections_place,
    route::{Place, Route},
    ui::{
        icon::{Shape, icon},
        link::Link,
        page::PageHead,
        state::{failure, loading},
    },
    words::{self, account},
};

/// The list of users, as what stands above others.
fn users_place() -> (AttrValue, Place) {
    (account::USERS_TITLE.into(), (Route::Users, String::new()))
}

/// What stands above a page about a user.
pub fn above_user(user: Option<&User>) -> Vec<(AttrValue, Place)> {
    let page = user.map(|user| (user.username.to_string().into(), (Route::User { id: user.id }, String::new())));
    [collections_place(), users_place()].into_iter().chain(page).collect()
}

/// The page.
#[component]
pub fn UsersPage() -> Html {
    let is_admin = use_caller().is_admin();
    let (list, again) = use_load(is_admin, |client, is_admin| async move {
        // Who is no admin is told so without asking.
        if !is_admin {
            return Ok(Vec::new());
        }
        Ok(client.send(Call::<users::List>::new((), ())).await?.body.results)
    });
    let body = match (&list.value, &list.error) {
        _ if !is_admin => html! { <p class="notice">{ account::NO_ADMIN }</p> },
        (_, Some(error)) => failure(error, &again),
        (None, None) => loading(),
        (Some(users), None) => table(users),
    };
    html! {
        <div class="page page-table">
            <PageHead title={account::USERS_TITLE} above={vec![collections_place()]}>
                if is_admin {
                    <Link to={Route::NewUser} class="button button-primary" shortcut={keys::NEW}>
                        { icon(Shape::Plus) }{ account::NEW_USER }
                    </Link>
                }
            </PageHead>
            { body }
        </div>
    }
}

fn table(users: &[User]) -> Html {
    let heads = account::USER_COLUMNS;
    let [_, admin, active, last, roles] = heads;
    let row = |user: &User| {
        let said: Vec<&str> = user.roles.iter().map(RoleName::as_str).collect();
        html! {
            <tr key={user.id.to_string()}>
                <td title={user.username.to_string()}>
                    <Link to={Route::User { id: user.id }} row=true row_shortcut={keys::EDIT}><bdi>{ user.username.to_string() }</bdi></Link>
                </td>
                <td data-label={admin}>
                    if user.is_admin { { words::YES } } else { <span class="nothing">{ words::NO }</span> }
                </td>
                <td data-label={active}>
                    if user.is_active { { words::YES } } else { <span class="tag tag-warn">{ words::NO }</span> }
                </td>
                <td data-label={last}>
                    if let Some(last) = &user.last_login { { moment(last) } } else { <span class="nothing">{ account::NEVER }</span> }
                </td>
                <td data-label={roles} title={said.join(" ")}>{ said.join(" ") }</td>
                <td class="row-acts">
                    <Link
                        to={Route::UserSessions { id: user.id }}
                        class="button button-small"
                        label={account::sessions_of(user)}
                        row_shortcut={keys::SESSIONS}
                    >{ account::SESSIONS_TITLE }</Link>
                </td>
            </tr>
        }
    };
    html! {
        <div class="table-frame">
            <table class="records people">
                <thead><tr>
                    { for heads.map(|head| html! { <th key={head} scope="col"><span>{ head }</span></th> }) }
                    <th scope="col"><span class="hidden">{ account::SESSIONS_TITLE }</span></th>
                </tr></thead>
                <tbody>{ for users.iter().map(row) }</tbody>
            </table>
        </div>
    }
}
