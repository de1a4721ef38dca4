//! Operations that are too large for one commit go back in pieces, in the background.

use std::sync::Arc;

use base::{Clock, Entropy, IdSource};
use coffer::domain::{
    Core, Error, collections,
    journal::{self, Actor, Written},
    keyspace,
    operations::Runner,
    records::{self, Sending},
    undo::revert,
};
use common::{
    access::Caller,
    clean::Manner,
    id::{OperationId, RecordId},
    name::CollectionName,
    operation::OperationState,
    query::RecordQuery,
    reader::Body,
    record::{OneOrMany, Record},
    undo::Changed,
};
use serde_json::{Value, json};
use store::{Batch, Options, Store};

struct Site {
    core: Core,
    admin: Caller,
    _dir: tempfile::TempDir,
}

fn name(text: &str) -> CollectionName {
    text.parse().unwrap()
}

impl Site {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options::sled(dir.path().join("store"))).unwrap();
        let clock = Clock::system();
        let ids = IdSource::new(clock.clone(), Entropy::system());
        let id = serde_json::from_value(json!(ids.next_id())).unwrap();
        let admin = Caller::User { id, is_admin: true, roles: Vec::new() };
        // Who asks is looked at again with each piece.
        let user = json!({"id": admin.user_id(), "username": "ada", "roles": [], "is_admin": true, "is_active": true,
            "created_at": "", "last_login": null, "password_hash": ""});
        let key = keyspace::user(admin.user_id().unwrap());
        store.commit(Batch::with(|batch| batch.put(key, user.to_string()))).await.unwrap();
        let core = Core { revert_at_once: 20, ..Core::new(store, clock, ids) };
        let order = json!({"name": "order", "type": "reference", "collection": "orders", "on_delete": "cascade", "nullable": true});
        for (name, fields) in [
            ("orders", json!([{"name": "number", "type": "integer"}])),
            ("lines", json!([{"name": "text", "type": "text"}, order])),
        ] {
            let definition = Body::from_json(json!({"name": name, "fields": fields})).unwrap();
            collections::create(&core, &admin, definition).await.unwrap();
        }
        Self { core, admin, _dir: dir }
    }

    fn by(&self) -> Actor<'_> {
        Actor::local(&self.admin)
    }

    async fn create(&self, collection: &str, body: Value) -> RecordId {
        let body = OneOrMany::One(serde_json::from_value(body).unwrap());
        let made = records::create(&self.core, self.by(), &name(collection), body, Manner::json(&self.admin)).await;
        made.unwrap()[0].id
    }

    async fn count(&self, collection: &str) -> u64 {
        collections::get(&self.core, &self.admin, &name(collection)).await.unwrap().count.unwrap()
    }

    /// Undoes an operation; where it is large, to the end.
    async fn revert(&self, operation: OperationId, changed: Changed) -> Result<OperationId, Error> {
        let own = OperationId::from_uuid(self.core.ids.next_id());
        let written = Written::default();
        let reverting = revert(&self.core, self.by(), operation, changed, false);
        let reverted = journal::in_operation(own, &written, reverting).await?;
        assert_eq!(reverted.operation, own);
        if reverted.state == OperationState::Running {
            Runner::new(&self.core).finish(own, &mut |_| ()).await?;
        }
        Ok(own)
    }
}

#[tokio::test]
async fn a_large_operation_goes_back_in_pieces_and_forth_again() {
    let site = Arc::new(Site::new().await);
    // One operation of many commits, as an import is.
    let import = OperationId::from_uuid(site.core.ids.next_id());
    let written = Written::default();
    let (order, first) = journal::in_operation(import, &written, async {
        let order = site.create("orders", json!({"number": 1})).await;
        let mut first = None;
        for n in 0..40 {
            let line = site.create("lines", json!({"text": format!("{n}"), "order": order})).await;
            first.get_or_insert(line);
        }
        (order, first.unwrap())
    })
    .await;
    assert_eq!((site.count("orders").await, site.count("lines").await), (1, 40));

    let undone = site.revert(import, Changed::Refuse).await.unwrap();
    assert_eq!((site.count("orders").await, site.count("lines").await), (0, 0));
    site.revert(undone, Changed::Refuse).await.unwrap();
    assert_eq!((site.count("orders").await, site.count("lines").await), (1, 40));
    let back = records::get(&site.core, &site.admin, &name("orders"), order, &RecordQuery::default()).await.unwrap();
    assert!(String::from_utf8_lossy(&back.json).contains("\"number\":1"));

    // What was changed since is found before anything is done.
    let body: Record = serde_json::from_value(json!({"text": "changed"})).unwrap();
    let sending = Sending { body: &body, is_partial: true, manner: Manner::json(&site.admin) };
    records::update(&site.core, site.by(), &name("lines"), first, sending, None).await.unwrap();
    let refused = site.revert(import, Changed::Refuse).await.unwrap_err();
    assert!(matches!(refused, Error::ChangedSince(since) if since.count == 1));
    assert_eq!(site.count("lines").await, 40, "nothing was undone");
    site.revert(import, Changed::Skip).await.unwrap();
    assert_eq!((site.count("orders").await, site.count("lines").await), (1, 1), "a line and its order are left");
}
