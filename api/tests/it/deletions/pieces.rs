//! A record with all that hangs on it goes in pieces, children first, and comes back in pieces.

use std::sync::Arc;

use base::{Clock, Entropy, IdSource};
use coffer::domain::{
    Core, Error, collections,
    journal::{self, Actor, Written},
    keyspace,
    operations::Runner,
    records, undo,
};
use common::{
    access::Caller,
    clean::Manner,
    id::{OperationId, RecordId},
    name::CollectionName,
    operation::OperationState,
    reader::Body,
    record::OneOrMany,
};
use serde_json::{Value, json};
use store::{Batch, Options, Scan, Store};

struct Site {
    core: Core,
    admin: Caller,
    dir: tempfile::TempDir,
}

fn name(text: &str) -> CollectionName {
    text.parse().unwrap()
}

impl Site {
    /// Orders with lines, each of which may be a part of another, with notes on lines that lose their line, and with bills that hold lines.
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options::sled(dir.path().join("store"))).unwrap();
        let clock = Clock::system();
        let ids = IdSource::new(clock.clone(), Entropy::system());
        let id = serde_json::from_value(json!(ids.next_id())).unwrap();
        let admin = Caller::User { id, is_admin: true, roles: Vec::new() };
        let user = json!({"id": admin.user_id(), "username": "ada", "roles": [], "is_admin": true, "is_active": true,
            "created_at": "", "last_login": null, "password_hash": ""});
        let key = keyspace::user(admin.user_id().unwrap());
        let mut batch = Batch::new();
        batch
            .put(key, user.to_string())
            .put(keyspace::username("ada"), admin.user_id().unwrap().to_string())
            .add(keyspace::active_admins(), 1);
        store.commit(batch).await.unwrap();
        let core = Core { cascade_at_once: 20, revert_at_once: 20, delete_at_once: 20, ..Core::new(store, clock, ids) };
        let refers = |name: &str, collection: &str, on_delete: &str| json!({"name": name, "type": "reference", "collection": collection, "on_delete": on_delete, "nullable": true, "unique": false});
        for (name, fields) in [
            ("orders", json!([{"name": "number", "type": "integer", "unique": true}])),
            (
                "lines",
                json!([{"name": "text", "type": "text"}, refers("order", "orders", "cascade"), refers("of", "lines", "cascade")]),
            ),
            ("notes", json!([refers("line", "lines", "set_null"), refers("order", "orders", "set_null")])),
            ("bills", json!([refers("line", "lines", "restrict"), refers("order", "orders", "cascade")])),
        ] {
            let definition = Body::from_json(json!({"name": name, "fields": fields})).unwrap();
            collections::create(&core, &admin, definition).await.unwrap();
        }
        Self { core, admin, dir }
    }

    fn by(&self) -> Actor<'_> {
        Actor::local(&self.admin)
    }

    async fn create(&self, collection: &str, body: Value) -> RecordId {
        let body = OneOrMany::One(serde_json::from_value(body).unwrap());
        let made = records::create(&self.core, self.by(), &name(collection), body, Manner::json(&self.admin)).await;
        made.unwrap()[0].id
    }

    async fn counts(&self) -> Vec<u64> {
        let mut counts = Vec::new();
        for collection in ["orders", "lines", "notes", "bills"] {
            let found = collections::get(&self.core, &self.admin, &name(collection)).await.unwrap();
            counts.push(found.count.unwrap());
        }
        counts
    }

    /// What an operation of its own does, to its end.
    async fn to_the_end(
        &self,
        doing: impl Future<Output = Result<Option<OperationId>, Error>>,
    ) -> Result<OperationId, Error> {
        let own = OperationId::from_uuid(self.core.ids.next_id());
        if let Some(operation) = journal::in_operation(own, &Written::default(), doing).await? {
            assert_eq!(operation, own);
            Runner::new(&self.core).finish(own, &mut |_| ()).await?;
        }
        Ok(own)
    }

    async fn delete(&self, collection: &str, id: RecordId) -> Result<OperationId, Error> {
        let deleting = async {
            let left = Box::pin(records::delete(&self.core, &self.admin, &name(collection), id, None)).await?;
            Ok(left.map(|operation| operation.id))
        };
        self.to_the_end(deleting).await
    }

    async fn revert(&self, operation: OperationId) -> Result<OperationId, Error> {
        let reverting = async {
            let reverted = Box::pin(undo::revert(&self.core, self.by(), operation, undo::How::default())).await?;
            Ok((reverted.state != OperationState::Done).then_some(reverted.operation))
        };
        self.to_the_end(reverting).await
    }

    async fn is_sound(&self) {
        let report = coffer::domain::check::check(&self.core.store, &mut |_| ()).await.unwrap();
        assert!(report.is_sound(), "{:?}", report.findings);
    }
}

/// The deletion of a line empties one member of the note, that of the order another, in commits far apart.
#[tokio::test]
async fn a_record_that_two_pieces_changed_comes_back() {
    let site = Site::new().await;
    let order = site.create("orders", json!({"number": 1})).await;
    let mut last = site.create("lines", json!({"order": order})).await;
    for _ in 0..700 {
        last = site.create("lines", json!({"of": last})).await;
    }
    site.create("notes", json!({"line": last, "order": order})).await;
    let deleted = site.delete("orders", order).await.unwrap();
    assert_eq!(site.counts().await, [0, 0, 1, 0]);
    let undone = site.revert(deleted).await.unwrap();
    assert_eq!(site.counts().await, [1, 701, 1, 0]);
    site.is_sound().await;
    site.revert(undone).await.unwrap();
    assert_eq!(site.counts().await, [0, 0, 1, 0]);
    site.is_sound().await;
}

#[tokio::test]
async fn what_is_too_much_for_one_commit_goes_in_pieces_and_comes_back() {
    let site = Site::new().await;
    let order = site.create("orders", json!({"number": 1})).await;
    let other = site.create("orders", json!({"number": 2})).await;
    let kept = site.create("lines", json!({"text": "kept", "order": other})).await;
    site.create("notes", json!({"line": kept})).await;
    // A long chain, and a broad one; a line that goes by two ways; bills that hold lines back, and go with the order.
    let mut last = site.create("lines", json!({"order": order})).await;
    for _ in 0..150 {
        last = site.create("lines", json!({"of": last})).await;
    }
    for n in 0..150 {
        let line = site.create("lines", json!({"text": format!("{n}"), "order": order, "of": last})).await;
        if n % 10 == 0 {
            site.create("notes", json!({"line": line, "order": order})).await;
            site.create("bills", json!({"line": line, "order": order})).await;
        }
    }
    assert_eq!(site.counts().await, [2, 302, 16, 15]);
    let would = records::would_delete(&site.core, &site.admin, &name("orders"), order, None).await.unwrap();
    let told: Vec<_> =
        would.into_inner().into_iter().map(|it| (it.collection.unwrap().to_string(), it.count)).collect();
    for expected in [("orders", 1), ("lines", 301), ("bills", 15), ("notes", 15)] {
        assert!(told.contains(&(expected.0.to_owned(), expected.1)), "{told:?}");
    }
    let deleted = site.delete("orders", order).await.unwrap();
    assert_eq!(site.counts().await, [1, 1, 16, 0]);
    site.is_sound().await;
    let undone = site.revert(deleted).await.unwrap();
    assert_eq!(site.counts().await, [2, 302, 16, 15]);
    site.is_sound().await;
    site.revert(undone).await.unwrap();
    assert_eq!(site.counts().await, [1, 1, 16, 0]);
    site.is_sound().await;
}

#[tokio::test]
async fn what_holds_a_part_back_holds_all_back() {
    let site = Site::new().await;
    let order = site.create("orders", json!({"number": 1})).await;
    let mut lines = Vec::new();
    for _ in 0..60 {
        lines.push(site.create("lines", json!({"order": order})).await);
    }
    site.create("bills", json!({"line": lines[59]})).await;
    let before = site.counts().await;
    let refused = site.delete("orders", order).await.unwrap_err();
    assert!(matches!(refused, Error::Taken(_)), "{refused:?}");
    assert_eq!(site.counts().await, before);
    let refused = records::would_delete(&site.core, &site.admin, &name("orders"), order, None).await;
    assert!(matches!(refused, Err(Error::Taken(_))));
}

#[tokio::test]
async fn records_that_refer_to_each_other_in_a_circle_go_together() {
    let site = Site::new().await;
    let first = site.create("lines", json!({})).await;
    let mut last = first;
    for _ in 0..40 {
        last = site.create("lines", json!({"of": last})).await;
    }
    let body = serde_json::from_value(json!({"of": last})).unwrap();
    let sending = records::Sending { body: &body, is_partial: true, manner: Manner::json(&site.admin) };
    records::update(&site.core, site.by(), &name("lines"), first, sending, None).await.unwrap();
    let deleted = site.delete("lines", last).await.unwrap();
    assert_eq!(site.counts().await, [0, 0, 0, 0]);
    site.is_sound().await;
    site.revert(deleted).await.unwrap();
    assert_eq!(site.counts().await, [0, 41, 0, 0]);
    site.is_sound().await;
}

#[tokio::test]
async fn a_deleted_collection_leaves_nothing_behind() {
    let site = Arc::new(Site::new().await);
    let order = site.create("orders", json!({"number": 1})).await;
    for n in 0..50 {
        let line = site.create("lines", json!({"text": format!("{n}"), "order": order})).await;
        site.create("bills", json!({"line": line, "order": order})).await;
    }
    let deleting = async {
        let left = Box::pin(collections::delete(&site.core, &site.admin, &name("bills"), None)).await?;
        Ok(left.map(|operation| operation.id))
    };
    site.to_the_end(deleting).await.unwrap();
    site.is_sound().await;
    // Collections: orders 1, lines 2, notes 3, bills 4.
    let bills = coffer::domain::numbers::CollectionNumber(4);
    for prefix in [keyspace::records(bills), keyspace::indexes(bills), keyspace::uniques(bills), keyspace::count(bills)]
    {
        assert_eq!(site.core.store.scan(Scan::prefix(&prefix)).await.unwrap(), []);
    }
    let _ = site.dir.path();
}
