//! Where somebody is signed in: one's own sessions, and for admins anyone's. Ending one is asked for twice.

mod device;

use std::rc::Rc;

use common::{
    Call, CallError,
    endpoints::{sessions, users},
    id::{SessionId, UserId},
    page::{DEFAULT_PAGE_SIZE, Page},
    people::{self, SessionsQuery},
    query::{ListQuery, SessionQuery},
    table::TableState,
    text::single_line,
    user::{Session, User},
};
use futures_util::future::try_join;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    client::Client,
    hooks::{use_client, use_load, use_toasts, use_user},
    keys,
    pages::{
        people::{above_user, moment},
        records::{
            collections_breadcrumb,
            filter::FilterLine,
            grid::heads,
            listing::{Listing, is_narrowed, shown_state, use_asked},
        },
    },
    route::{Route, ServerPage},
    toast::ToastEvent,
    ui::{confirm::Confirm, link::Link, page::PageHead, state::empty},
    words::account,
};

/// Props of [`SessionsPage`].
#[derive(Properties, PartialEq)]
pub(crate) struct SessionsPageProps {
    /// The user whose sessions are shown; without it, the signed-in user.
    #[prop_or_default]
    pub(crate) of: Option<UserId>,
}

/// The sessions that are to be ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    One {
        id: SessionId,
        is_this_one: bool,
    },
    /// All others of one's own; all of somebody else's.
    Others,
}

/// The page.
#[component]
pub(crate) fn SessionsPage(props: &SessionsPageProps) -> Html {
    let own = use_user().map(|user| user.id);
    // An admin who comes here by the list of users sees their own as their own.
    let of = props.of.filter(|of| own != Some(*of));
    let route = of.map_or(Route::Sessions, |id| Route::UserSessions { id });
    let table = use_memo((), |()| people::sessions());
    let (query, ongo) = use_asked(&table, people::check, route.clone());
    let (list, again) = use_load((of, query.clone().ok()), |client, (of, query)| async move {
        let Some(list) = query else { return Ok(None) };
        let found = load(&client, of, list.clone()).await?;
        Ok(Some((list, found)))
    });
    let (client, toasts) = (use_client(), use_toasts());
    let asked = use_state(|| None::<Ending>);
    let onconfirm = {
        let (asked, again) = (asked.clone(), again.clone());
        Callback::from(move |()| {
            let Some(ending) = *asked else { return };
            asked.set(None);
            let (client, toasts, again) = (client.clone(), toasts.clone(), again.clone());
            spawn_local(async move {
                toasts.emit(match end(&client, ending, of).await {
                    Ok(()) => ToastEvent::Said(account::SESSIONS_ENDED.to_owned()),
                    // Sign-in stands over the page by now.
                    Err(error) if error.status() == 401 => return,
                    Err(error) => ToastEvent::Failed(error.to_string()),
                });
                again.emit(());
            });
        })
    };
    let onask = {
        let asked = asked.clone();
        Callback::from(move |ending| asked.set(Some(ending)))
    };
    let onclose = {
        let asked = asked.clone();
        Callback::from(move |()| asked.set(None))
    };
    let shown = list.value.as_deref().and_then(Option::as_ref);
    let user = shown.and_then(|(_, (user, _))| user.clone());
    let page = shown.map(|(_, (_, page))| page);
    let state = shown_state(&query, shown.map(|(query, (_, page))| (query, page.count)));
    let others = page.is_some_and(|page| {
        page.count > page.results.len() as u64 || page.results.iter().any(|session| !session.current)
    });
    let body = Listing {
        query: &query,
        error: list.error.as_ref(),
        again: &again,
        route,
        ongo: &ongo,
        state: &state,
        rows: page.map(|page| (!page.results.is_empty(), rows(&page.results, list.busy, &state, &ongo, &onask))),
        nothing: empty("", account::NO_SESSIONS, Html::default()),
    };
    let body = body.draw();
    // Most people have a handful, and nothing to look for in them.
    let is_long = state.count > DEFAULT_PAGE_SIZE || is_narrowed(&state.query);
    let (title, lead, above) = match (of, &user) {
        (None, _) => (account::SESSIONS_TITLE.to_owned(), account::SESSIONS_LEAD, vec![collections_breadcrumb()]),
        (Some(_), None) => (account::SESSIONS_TITLE.to_owned(), "", above_user(None)),
        (Some(_), Some(user)) => (account::sessions_of(user), account::SESSIONS_OF_LEAD, above_user(Some(user))),
    };
    let end_others = if of.is_none() { account::END_OTHERS } else { account::END_ALL };
    html! {
        <div class="page page-table">
            <PageHead {title} description={lead} {above}>
                if of.is_none() {
                    <Link to={Route::Server { page: ServerPage::Token }} class="button button-quiet">{ account::EXPLAIN_TOKEN }</Link>
                }
                if others {
                    <button
                        type="button"
                        class="button button-danger"
                        data-key={keys::END_OTHERS.name}
                        onclick={onask.reform(|_: MouseEvent| Ending::Others)}
                    >{ end_others }</button>
                }
            </PageHead>
            if is_long {
                <FilterLine collection={table} state={TableState { query: query.clone().unwrap_or_default(), ..state }} {ongo} />
            }
            { body }
            if let Some(ending) = *asked {
                <Confirm
                    title={if ending == Ending::Others { end_others } else { account::END_TITLE }}
                    text={question(ending, user.as_deref())}
                    submit={if ending == Ending::Others { end_others } else { account::END }}
                    {onconfirm}
                    {onclose}
                />
            }
        </div>
    }
}

/// The sessions, with the user whose they are, where that is not the one who asks.
async fn load(
    client: &Client,
    of: Option<UserId>,
    list: ListQuery,
) -> Result<(Option<Rc<User>>, Page<Session>), CallError> {
    let list = client.send(Call::<sessions::List>::new((), ()).query(SessionsQuery { user: of, list }));
    let Some(of) = of else { return Ok((None, list.await?.body)) };
    let (user, list) = try_join(client.send(Call::<users::Get>::new((of,), ())), list).await?;
    Ok((Some(Rc::new(user.body)), list.body))
}

async fn end(client: &Client, ending: Ending, of: Option<UserId>) -> Result<(), CallError> {
    match ending {
        // Ending the session that asks is signing out, and no reason to wonder who did it.
        Ending::One { is_this_one: true, .. } => client.sign_out().await,
        Ending::One { id, .. } => client.send(Call::<sessions::End>::new((id,), ())).await.map(drop),
        Ending::Others => {
            let call = Call::<sessions::EndOthers>::new((), ()).query(SessionQuery { user: of });
            client.send(call).await.map(drop)
        }
    }
}

fn question(ending: Ending, of: Option<&User>) -> String {
    match (ending, of) {
        (Ending::One { is_this_one: true, .. }, _) => account::ASK_THIS_ONE.to_owned(),
        (Ending::One { .. }, _) => account::ASK_ONE.to_owned(),
        (Ending::Others, None) => account::ASK_OTHERS.to_owned(),
        (Ending::Others, Some(user)) => account::ask_all(user),
    }
}

fn rows(
    rows: &[Session],
    busy: bool,
    state: &TableState,
    ongo: &Callback<ListQuery>,
    onask: &Callback<Ending>,
) -> Html {
    let columns = people::session_columns();
    let label = |i: usize| columns[i].label.clone();
    let row = |row: &Session| {
        let ending = Ending::One { id: row.id, is_this_one: row.current };
        let called = single_line(&row.user_agent).into_owned();
        html! {
            <tr key={row.id.to_string()}>
                <td>if row.current { <span class="tag tag-good">{ account::THIS_ONE }</span> }</td>
                <td data-label={label(1)}>{ moment(&row.last_used) }</td>
                <td data-label={label(2)}>{ moment(&row.created_at) }</td>
                <td data-label={label(3)} class="code">
                    <bdi>{ single_line(&row.address).into_owned() }</bdi>
                    if let Some(warning) = row.warning() {
                        <span class="tag tag-warn" title={warning.clone()}>{ account::SHARED }</span>
                        <span class="hidden">{ warning }</span>
                    }
                </td>
                <td data-label={label(4)} class="heading" title={called.clone()}><bdi>{ device::name(&called) }</bdi></td>
                <td class="row-acts">
                    <button
                        type="button"
                        class="button button-small"
                        data-row=""
                        data-row-key={keys::DELETE.name}
                        aria-label={account::end_from(&device::name(&called), &row.address)}
                        onclick={onask.reform(move |_: MouseEvent| ending)}
                    >{ account::END }</button>
                </td>
            </tr>
        }
    };
    html! {
        <div class={classes!("table-frame", busy.then_some("is-busy"))} aria-busy={busy.to_string()}>
            <table class="records people">
                <thead><tr>
                    { heads(&columns, state, ongo) }
                    <th scope="col"><span class="hidden">{ account::END }</span></th>
                </tr></thead>
                <tbody>{ for rows.iter().map(row) }</tbody>
            </table>
        </div>
    }
}
