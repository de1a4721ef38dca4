//! Writes that are held back by a change of a definition which nobody works on yet.

use base::{Clock, Entropy, IdSource};
use coffer::domain::{
    Core, Error, check, collections,
    journal::Actor,
    keyspace,
    operations::{self, Runner},
    records,
};
use common::{
    access::Caller,
    clean::Manner,
    collection::{DefinitionAnswer, DefinitionQuery},
    name::CollectionName,
    operation::OperationState,
    reader::Body,
    record::OneOrMany,
};
use serde_json::{Value, json};
use store::{Batch, Options, Store};

struct Site {
    core: Core,
    admin: Caller,
    rows: CollectionName,
}

impl Site {
    async fn new() -> Self {
        let store = Store::open(Options::memory()).unwrap();
        let clock = Clock::system();
        let core = Core::new(store, clock.clone(), IdSource::new(clock, Entropy::system()));
        let id = serde_json::from_value(json!(core.ids.next_id())).unwrap();
        let admin = Caller::User { id, is_admin: true, roles: Vec::new() };
        let user = json!({"id": admin.user_id(), "username": "ada", "roles": [], "is_admin": true, "is_active": true,
            "created_at": "", "last_login": null, "password_hash": ""});
        let mut batch = Batch::new();
        batch
            .put(keyspace::user(admin.user_id().unwrap()), user.to_string())
            .put(keyspace::username("ada"), admin.user_id().unwrap().to_string())
            .add(keyspace::active_admins(), 1);
        core.store.commit(batch).await.unwrap();
        let fields = json!([
            {"name": "a", "type": "text", "max_length": 20, "nullable": true},
            {"name": "b", "type": "integer"},
        ]);
        let definition = Body::from_json(json!({"name": "rows", "fields": fields})).unwrap();
        collections::create(&core, &admin, definition).await.unwrap();
        Self { core, admin, rows: "rows".parse().unwrap() }
    }

    async fn create(&self, body: Value) -> Result<(), Error> {
        let body = OneOrMany::One(serde_json::from_value(body).unwrap());
        let by = Actor::local(&self.admin);
        records::create(&self.core, by, &self.rows, body, Manner::json(&self.admin)).await.map(drop)
    }
}

#[tokio::test]
async fn a_change_that_holds_writes_holds_them_from_its_beginning() {
    for (field, change, fits) in [
        ("a", json!({"unique": "ignore_case"}), json!({"a": "other", "b": 5})),
        ("b", json!({"unique": true}), json!({"a": "x", "b": 6})),
        ("b", json!({"max": 5}), json!({"a": "x", "b": 1})),
    ] {
        let site = Site::new().await;
        for n in 0..3 {
            site.create(json!({"a": format!("Text {n}"), "b": n})).await.unwrap();
        }
        let query = DefinitionQuery { hold: true, respond_async: true, ..DefinitionQuery::default() };
        let patch = change.as_object().unwrap();
        let field = field.parse().unwrap();
        let begun =
            collections::update_field(&site.core, &site.admin, &site.rows, &field, patch, &query, None).await.unwrap();
        let DefinitionAnswer::Begun(operation) = begun else { panic!("{change}: it is not waited for") };
        let seen = operations::get(&site.core, operation.id).await.unwrap();
        assert_eq!((seen.state, seen.done), (OperationState::Waiting, 0), "{change}");
        let unfit =
            if change.get("max").is_some() { json!({"a": "text 1", "b": 9}) } else { json!({"a": "text 1", "b": 1}) };
        let held = site.create(unfit).await;
        assert!(matches!(held, Err(Error::HeldBack(_))), "{change}: {held:?}");
        site.create(fits.clone()).await.unwrap();
        assert!(matches!(site.create(fits).await, Err(Error::HeldBack(_))) || change.get("max").is_some());
        Runner::new(&site.core).finish(operation.id, &mut |_| ()).await.unwrap();
        assert_eq!(operations::get(&site.core, operation.id).await.unwrap().state, OperationState::Done, "{change}");
        let report = check::check(&site.core.store, &mut |_| ()).await.unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
    }
}
