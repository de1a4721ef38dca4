//! Users, for admins: who there is. One of them, and one to be, are in [`form`].

mod form;

use common::{Call, endpoints::users, name::RoleName, page::DEFAULT_PAGE_SIZE, query::encode, user::User};
use web_sys::HtmlInputElement;
use yew::prelude::*;

pub use self::form::{NewUserPage, UserPage};
use super::sessions::moment;
use crate::{
    hooks::{use_caller, use_go, use_load, use_query},
    keys,
    pages::records::collections_place,
    route::{Place, Route, parameter},
    ui::{
        icon::{Icon, Shape},
        link::Link,
        page::PageHead,
        state::{Empty, Failure, Loading},
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
    let go = use_go();
    let search = parameter(&use_query(), SEARCH).unwrap_or_default();
    let onsearch = Callback::from(move |event: InputEvent| {
        let typed = event.target_unchecked_into::<HtmlInputElement>().value();
        let query = if typed.is_empty() { String::new() } else { encode(&[(SEARCH.to_owned(), typed)]) };
        go.instead(&(Route::Users, query));
    });
    let rows = list.value.as_deref().map_or(&[][..], Vec::as_slice);
    let found: Vec<&User> = rows.iter().filter(|user| is_found(user, &search)).collect();
    let body = match (&list.value, &list.error) {
        _ if !is_admin => html! { <p class="notice">{ account::NO_ADMIN }</p> },
        (_, Some(error)) => html! { <Failure error={error.clone()} {again} /> },
        (None, None) => html! { <Loading /> },
        (Some(_), None) if found.is_empty() => {
            html! { <Empty title={words::table::NO_MATCH_TITLE} text={account::NO_MATCH} /> }
        }
        (Some(_), None) => table(&found),
    };
    // On one screen one finds them by looking.
    let is_long = rows.len() as u64 > DEFAULT_PAGE_SIZE || !search.is_empty();
    html! {
        <div class="page page-table">
            <PageHead title={account::USERS_TITLE} above={vec![collections_place()]}>
                if is_admin {
                    <Link to={Route::NewUser} class="button button-primary" shortcut={keys::NEW}>
                        <Icon shape={Shape::Plus} />{ account::NEW_USER }
                    </Link>
                }
            </PageHead>
            if is_admin && is_long {
                <div class="filter"><div class="filter-line">
                    <span class="filter-icon"><Icon shape={Shape::Search} /></span>
                    <input
                        class="input"
                        type="search"
                        id="filter"
                        dir="auto"
                        aria-label={account::SEARCH}
                        placeholder={account::SEARCH}
                        value={search}
                        oninput={onsearch}
                        data-key={keys::FILTER.name}
                        autocomplete="off"
                    />
                </div></div>
            }
            { body }
        </div>
    }
}

const SEARCH: &str = "search";

/// All words occur in the name or in roles.
fn is_found(user: &User, search: &str) -> bool {
    let roles = user.roles.iter().map(RoleName::as_str);
    let said = [user.username.as_str()].into_iter().chain(roles).collect::<Vec<_>>().join(" ").to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| said.contains(word))
}

fn table(users: &[&User]) -> Html {
    let heads = account::USER_COLUMNS;
    let [_, admin, active, last, roles] = heads;
    let row = |user: &&User| {
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn users_are_found_by_name_and_role() {
        let bob: User = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000002", "username": "Bob", "roles": ["editor", "cook"],
            "is_admin": false, "is_active": true, "created_at": "", "last_login": null
        }))
        .unwrap();
        for (search, found) in [("", true), ("bo", true), ("EDIT b", true), ("cook zoe", false)] {
            assert_eq!(is_found(&bob, search), found, "{search}");
        }
    }
}
