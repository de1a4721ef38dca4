//! Users, for admins: who there is. One of them, and one to be, are in [`form`].

mod form;

use common::{Call, endpoints::users, name::RoleName, people, query::ListQuery, table::TableState, user::User};
use yew::prelude::*;

pub(crate) use self::form::{NewUserPage, UserPage};
use super::people::moment;
use crate::{
    hooks::{use_caller, use_load},
    keys,
    pages::records::{
        collections_breadcrumb,
        filter::FilterLine,
        grid::heads,
        listing::{Listing, shown_state, use_asked},
    },
    route::Route,
    ui::{
        icon::{Shape, icon},
        link::Link,
        page::PageHead,
    },
    words::{self, account},
};

/// The page.
#[component]
pub(crate) fn UsersPage() -> Html {
    let is_admin = use_caller().is_admin();
    let table = use_memo((), |()| people::users());
    let (query, ongo) = use_asked(&table, people::check, Route::Users);
    // A user who is not an admin is told so without a request.
    let (list, again) = use_load(query.clone().ok().filter(|_| is_admin), |client, query| async move {
        let Some(query) = query else { return Ok(None) };
        let page = client.send(Call::<users::List>::new((), ()).query(query.clone())).await?.body;
        Ok(Some((query, page)))
    });
    let users = list.value.as_deref().and_then(Option::as_ref);
    let state = shown_state(&query, users.map(|(shown, page)| (shown, page.count)));
    let body = Listing {
        query: &query,
        error: list.error.as_ref(),
        again: &again,
        route: Route::Users,
        ongo: &ongo,
        state: &state,
        rows: users.map(|(_, page)| (!page.results.is_empty(), rows(&page.results, list.busy, &state, &ongo))),
        nothing: Html::default(),
    };
    let body = if is_admin {
        body.draw()
    } else {
        html! { <p class="notice">{ account::NO_ADMIN }</p> }
    };
    html! {
        <div class="page page-table">
            <PageHead title={account::USERS_TITLE} above={vec![collections_breadcrumb()]}>
                if is_admin {
                    <Link to={Route::Invitations} class="button">{ account::INVITATIONS }</Link>
                    <Link to={Route::NewUser} class="button button-primary" shortcut={keys::NEW}>
                        { icon(Shape::Plus) }{ account::NEW_USER }
                    </Link>
                }
            </PageHead>
            if is_admin && query.is_ok() {
                <FilterLine collection={table} state={TableState { query: query.clone().unwrap_or_default(), ..state }} {ongo} />
            }
            { body }
        </div>
    }
}

fn rows(users: &[User], busy: bool, state: &TableState, ongo: &Callback<ListQuery>) -> Html {
    let columns = people::user_columns();
    let label = |i: usize| columns[i].label.clone();
    let row = |user: &User| {
        let said: Vec<&str> = user.roles.iter().map(RoleName::as_str).collect();
        html! {
            <tr key={user.id.to_string()}>
                <td title={user.username.to_string()}>
                    <Link to={Route::User { id: user.id }} row=true row_shortcut={keys::EDIT}><bdi>{ user.username.to_string() }</bdi></Link>
                </td>
                <td data-label={label(1)}>
                    if user.is_admin { { words::YES } } else { <span class="nothing">{ words::NO }</span> }
                </td>
                <td data-label={label(2)}>
                    if user.is_active { { words::YES } } else { <span class="tag tag-warn">{ words::NO }</span> }
                </td>
                <td data-label={label(3)}>
                    if let Some(last) = &user.last_login { { moment(last) } } else { <span class="nothing">{ account::NEVER }</span> }
                </td>
                <td data-label={label(4)} title={said.join(" ")}>{ said.join(" ") }</td>
                <td data-label={label(5)}>{ moment(&user.created_at) }</td>
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
        <div class={classes!("table-frame", busy.then_some("is-busy"))} aria-busy={busy.to_string()}>
            <table class="records people">
                <thead><tr>
                    { heads(&columns, state, ongo) }
                    <th scope="col"><span class="hidden">{ account::SESSIONS_TITLE }</span></th>
                </tr></thead>
                <tbody>{ for users.iter().map(row) }</tbody>
            </table>
        </div>
    }
}
