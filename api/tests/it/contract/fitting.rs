//! How each endpoint is called so that it does what it is for. Endpoints are told apart by their types: a path may change.

use common::{
    Endpoint,
    endpoint::EndpointInfo,
    endpoints::{
        backup, batch, changes, collections, events, guess, health, keys, log, metrics, migrations, operations, paths,
        records, root, schema, sessions, settings, setup, storage, tokens, users, views,
    },
};
use serde_json::{Value, json};

use crate::support::{ADMIN, Client, Coffer, PASSWORD, text};

/// Whether `info` is about the endpoint `E`.
pub(crate) fn is<E: Endpoint>(info: &EndpointInfo) -> bool {
    (&info.method, info.path) == (&E::METHOD, E::PATH)
}

/// Whether an endpoint is one of these.
macro_rules! is_any {
    ($info:expr, $($endpoint:ty),+ $(,)?) => {
        $($crate::contract::is::<$endpoint>($info))||+
    };
}

pub(crate) use is_any;

/// The endpoint's path with values for its parameters.
pub(crate) fn filled(info: &EndpointInfo, parameters: &[(&str, &str)]) -> String {
    parameters.iter().fold(info.path.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
}

/// How an endpoint is called so that it does what it is for, and by whom.
#[expect(clippy::too_many_lines, reason = "some for each endpoint")]
pub(crate) async fn fitting(
    coffer: &Coffer,
    admin: &Client,
    info: &EndpointInfo,
    n: usize,
) -> (Client, String, Option<Value>) {
    let name = format!("things{n}");
    let credentials = json!({"username": ADMIN, "password": PASSWORD});
    let (mut client, mut body) = (admin.clone(), None);
    let (mut parameters, mut query) = (vec![("collection", "snacks".to_owned())], String::new());
    if is_any!(info, root::Get, tokens::Keys, health::Healthy, health::Ready, sessions::SignOut) {
        client = coffer.stranger();
    } else if is_any!(info, tokens::Obtain, sessions::SignIn) {
        client = coffer.stranger();
        body = Some(credentials);
    } else if is_any!(info, tokens::Refresh, tokens::Blacklist, tokens::Verify) {
        client = coffer.stranger();
        let pair = client.post(tokens::Obtain::PATH, &credentials).await.is(200);
        body = Some(json!({"refresh": pair["refresh"], "token": pair["access"]}));
    } else if is_any!(
        info,
        sessions::Refresh,
        sessions::List,
        sessions::EndOthers,
        users::List,
        users::Invitations,
        users::Me,
        collections::List,
        changes::List,
        events::Stream,
        events::Ticket,
        migrations::List,
        operations::List,
        paths::List,
        views::List,
        backup::Get,
        keys::List,
        log::Get,
        log::Lines,
        settings::List,
        metrics::Recent,
        metrics::Get,
        records::Root,
        schema::Get,
        records::List,
        records::Aggregate,
        records::Export,
        records::Trash,
        records::Describe,
        storage::Compact,
    ) {
        // As they stand.
    } else if is_any!(info, sessions::End) {
        let other = coffer.sign_in(ADMIN).await;
        let sessions = other.get(sessions::List::PATH).await.is(200);
        let current = sessions["results"].as_array().unwrap().iter().find(|session| session["current"] == true);
        parameters.push(("id", text(current.unwrap(), "id")));
    } else if is_any!(info, users::UpdateMe) {
        client = coffer.user(admin, &name, json!({})).await;
        body = Some(json!({"username": format!("{name}.too")}));
    } else if is_any!(info, users::ChangePassword) {
        client = coffer.user(admin, &name, json!({})).await;
        body = Some(json!({"current_password": PASSWORD, "new_password": "three owls on the old roof"}));
    } else if is_any!(info, users::Create) {
        body = Some(json!({"username": name, "password": PASSWORD}));
    } else if is_any!(info, users::Invite) {
        body = Some(json!({"roles": ["editor"]}));
    } else if is_any!(info, users::TakeBack) {
        let made = admin.post(users::Invite::PATH, &json!({})).await.is(201);
        parameters.push(("id", text(&made, "id")));
    } else if is_any!(info, users::Get, users::Update, users::Unlock, users::Delete) {
        parameters.push(("id", coffer.user(admin, &name, json!({})).await.id));
        body = is_any!(info, users::Update).then(|| json!({"roles": ["editor"]}));
    } else if is_any!(info, storage::Get) {
        admin.post(storage::Compact::PATH, &json!({})).await.is(200);
    } else if is_any!(info, changes::Trim) {
        body = Some(json!({"older_than": "90d"}));
    } else if is_any!(info, batch::Run) {
        body = Some(json!({"items": [{"action": "create", "collection": "snacks", "record": {"title": "Nuts"}}]}));
    } else if is_any!(info, records::Import, guess::Guess) {
        body = Some(json!([{"title": "Nuts"}]));
    } else if is_any!(info, operations::Rejected) {
        let rows = json!([{"title": "Nuts"}, {"nothing": 1}]);
        let done = admin.post("/api/records/snacks/import/?on_error=skip", &rows).await.is(200);
        parameters.push(("id", text(&done, "operation")));
    } else if is_any!(info, operations::Get, operations::Stop, operations::Resume) {
        let begun = admin.post(changes::Trim::PATH, &json!({"older_than": "90d"})).await.is(202);
        parameters.push(("id", text(&begun, "id")));
    } else if is_any!(info, changes::Erase) {
        body = Some(json!({"field": {"collection": "snacks", "name": "title"}}));
    } else if is_any!(info, changes::Operation, changes::Revert) {
        let made = admin.post("/api/records/snacks/", &json!({"title": "Nuts"})).await;
        parameters.push(("operation", made.header("operation").to_owned()));
    } else if is_any!(info, tokens::Inspect) {
        body = Some(json!({"token": "e30.e30.e30"}));
    } else if is_any!(info, log::Set) {
        body = Some(json!({"level": "debug"}));
    } else if is_any!(info, collections::Create) {
        body = Some(json!({"name": name}));
    } else if is_any!(info, collections::Get, collections::Replace, collections::Update, collections::Delete) {
        admin.collection(&name, json!([])).await;
        if is_any!(info, collections::Replace) {
            body = Some(json!({"name": name, "description": "Things."}));
        } else if is_any!(info, collections::Update) {
            body = Some(json!({"description": "Things."}));
        }
        parameters = vec![("collection", name)];
    } else if is_any!(info, collections::AddField, collections::UpdateField, collections::DropField) {
        admin.collection(&name, json!([{"name": "title", "type": "text"}])).await;
        if is_any!(info, collections::AddField) {
            body = Some(json!({"name": "price", "type": "integer"}));
        } else if is_any!(info, collections::UpdateField) {
            body = Some(json!({"name": "label"}));
        }
        parameters = vec![("collection", name), ("field", "title".to_owned())];
    } else if is_any!(info, migrations::Apply) {
        body = Some(json!({"collection": name, "name": "0001_initial", "steps": [{"create": name}]}));
    } else if is_any!(info, migrations::Revert) {
        let file = json!({"collection": name, "name": "0001_initial", "steps": [{"create": name}]});
        admin.post(migrations::Apply::PATH, &file).await.is(200);
        parameters = vec![("collection", name), ("name", "0001_initial".to_owned())];
    } else if is_any!(info, paths::Create) {
        body = Some(json!({"path": format!("/api/{name}/"), "collection": "snacks"}));
    } else if is_any!(info, paths::Get, paths::Replace, paths::Update, paths::Delete) {
        let path = json!({"path": format!("/api/{name}/"), "collection": "snacks"});
        parameters.push(("id", text(&admin.post(paths::Create::PATH, &path).await.is(201), "id")));
        body = is_any!(info, paths::Replace, paths::Update).then(|| path);
    } else if is_any!(info, views::Create) {
        body = Some(json!({"name": "Sweet", "collection": "snacks", "filter": "title = \"Popcorn\""}));
    } else if is_any!(info, views::Get, views::Replace, views::Update, views::Delete) {
        let view = json!({"name": "Sweet", "collection": "snacks"});
        parameters.push(("id", text(&admin.post(views::Create::PATH, &view).await.is(201), "id")));
        body = is_any!(info, views::Replace, views::Update).then(|| view);
    } else if is_any!(info, records::Create) {
        body = Some(json!({"title": "Popcorn"}));
    } else if is_any!(info, records::UpdateMany, records::DeleteMany) {
        let record = admin.record("snacks", json!({"title": "Crisps"})).await;
        body = is_any!(info, records::UpdateMany).then(|| json!({"title": "Chips"}));
        query = format!("?max=1&id={}", text(&record, "id"));
    } else if is_any!(
        info,
        records::Get,
        records::DescribeOne,
        records::Replace,
        records::Update,
        records::Delete,
        records::History
    ) {
        let record = admin.record("snacks", json!({"title": "Crisps"})).await;
        parameters.push(("id", text(&record, "id")));
        body = is_any!(info, records::Replace, records::Update).then(|| json!({"title": "Chips"}));
    } else if is_any!(info, records::Restore) {
        let record = admin.record("snacks", json!({"title": "Crisps"})).await;
        admin.delete(&crate::support::path("snacks", &record)).await.is(204);
        parameters.extend([("id", text(&record, "id")), ("revision", record["revision"].to_string())]);
    } else {
        assert!(!is_any!(info, setup::Create), "set-up works once, before there is an admin");
        panic!("say how {info:?} is called");
    }
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
    (client, filled(info, &parameters) + &query, body)
}
