//! Operations that are too large for one commit go back in pieces, in the background.

use std::{sync::Arc, time::Duration};

use base::{Clock, ClockHand, Entropy, IdSource};
use coffer::domain::{
    Core, Error, collections,
    journal::{self, Actor, Written, summary::summary},
    keyspace,
    operations::{self, Runner},
    records::{self, Sending},
    undo::{How, revert},
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
    undo::{Changed, OperationQuery},
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
    /// Begins to undo an operation; gives the one that does.
    async fn reverting(&self, operation: OperationId) -> OperationId {
        let own = OperationId::from_uuid(self.core.ids.next_id());
        let reverting = revert(&self.core, self.by(), operation, How::default());
        journal::in_operation(own, &Written::default(), reverting).await.unwrap();
        own
    }

    async fn new() -> Self {
        Self::at(Clock::system()).await
    }

    async fn at(clock: Clock) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options::sled(dir.path().join("store"))).unwrap();
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

    async fn delete(&self, collection: &str, id: RecordId) {
        records::delete(&self.core, &self.admin, &name(collection), id, None).await.unwrap();
    }

    /// An operation of a commit a second, as an import is: an order and so many lines.
    async fn import(&self, lines: usize, hand: &ClockHand) -> OperationId {
        let (import, written) = (OperationId::from_uuid(self.core.ids.next_id()), Written::default());
        let importing = async {
            let order = self.create("orders", json!({"number": 1})).await;
            for n in 0..lines {
                hand.advance(Duration::from_secs(1));
                self.create("lines", json!({"text": format!("{n}"), "order": order})).await;
            }
        };
        journal::in_operation(import, &written, importing).await;
        import
    }

    /// Removes from the journal what is older than so many seconds.
    async fn trim(&self, seconds: u64) {
        let begun = operations::trim_changes(&self.core, self.by(), Duration::from_secs(seconds)).await.unwrap();
        Runner::new(&self.core).finish(begun.id, &mut |_| ()).await.unwrap();
    }

    /// How many entries of an operation are told, and whether that is said not to be all.
    async fn told(&self, operation: OperationId) -> (u64, bool) {
        let told = summary(&self.core, &self.admin, operation, &OperationQuery::default()).await.unwrap();
        (told.counts.total(), told.is_partial)
    }

    /// It cannot be undone, and nothing is done for it.
    async fn is_cut(&self, operation: OperationId) {
        let before = (self.count("orders").await, self.count("lines").await);
        for changed in [Changed::Refuse, Changed::Skip, Changed::Overwrite] {
            let refused = self.revert(operation, changed).await.unwrap_err();
            assert!(matches!(refused, Error::Trimmed), "{refused:?}");
        }
        assert_eq!((self.count("orders").await, self.count("lines").await), before);
        assert!(self.told(operation).await.1, "what is left of it is not all of it");
    }

    async fn count(&self, collection: &str) -> u64 {
        collections::get(&self.core, &self.admin, &name(collection)).await.unwrap().count.unwrap()
    }

    /// Undoes an operation; where it is large, to the end.
    async fn revert(&self, operation: OperationId, changed: Changed) -> Result<OperationId, Error> {
        let own = OperationId::from_uuid(self.core.ids.next_id());
        let written = Written::default();
        let how = How { changed, ..How::default() };
        let reverting = revert(&self.core, self.by(), operation, how);
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
    assert!(
        matches!(refused, Error::ChangedSince(since) if since.count == 2),
        "the line, and the order that it hangs on"
    );
    assert_eq!(site.count("lines").await, 40, "nothing was undone");
    site.revert(import, Changed::Skip).await.unwrap();
    assert_eq!((site.count("orders").await, site.count("lines").await), (1, 1), "a line and its order are left");
}

#[tokio::test]
async fn what_others_refer_to_and_what_refers_to_nothing_is_found_before_a_large_operation_goes_back() {
    let site = Site::new().await;
    let (import, written) = (OperationId::from_uuid(site.core.ids.next_id()), Written::default());
    let order = journal::in_operation(import, &written, async {
        let order = site.create("orders", json!({"number": 1})).await;
        for n in 0..40 {
            site.create("lines", json!({"text": format!("{n}"), "order": order})).await;
        }
        order
    })
    .await;
    // A line of somebody else, which would go along: a deletion takes it, undoing does not.
    let other = site.create("lines", json!({"text": "other", "order": order})).await;
    let refused = site.revert(import, Changed::Refuse).await.unwrap_err();
    assert!(
        matches!(refused, Error::ChangedSince(since) if since.count == 1 && since.examples[0].reason == "referred")
    );
    assert_eq!((site.count("orders").await, site.count("lines").await), (1, 41), "nothing was undone");
    site.delete("lines", other).await;

    // Lines that come back and their order does not.
    let undone = site.revert(import, Changed::Refuse).await.unwrap();
    assert_eq!((site.count("orders").await, site.count("lines").await), (0, 0));
    let keep = site.create("orders", json!({"number": 2})).await;
    let importing = OperationId::from_uuid(site.core.ids.next_id());
    let mut lines = Vec::new();
    for n in 0..40 {
        lines.push(site.create("lines", json!({"text": format!("{n}"), "order": keep})).await);
    }
    let written = Written::default();
    journal::in_operation(importing, &written, async {
        for line in lines {
            site.delete("lines", line).await;
        }
    })
    .await;
    site.delete("orders", keep).await;
    let refused = site.revert(importing, Changed::Refuse).await.unwrap_err();
    assert!(
        matches!(refused, Error::ChangedSince(since) if since.count > 0 && since.examples[0].reason == "missing_reference")
    );
    assert_eq!(site.count("lines").await, 0, "nothing came back");
    // An order that goes back with its lines is none of these.
    site.revert(undone, Changed::Refuse).await.unwrap();
    assert_eq!((site.count("orders").await, site.count("lines").await), (1, 40));
}

#[tokio::test]
async fn what_a_trim_cut_through_is_not_undone_in_part() {
    let (clock, hand) = Clock::held(1_800_000_000);
    let site = Site::at(clock).await;
    let import = site.import(60, &hand).await;
    assert_eq!(site.told(import).await, (61, false));
    // Of its commits, the first thirty.
    site.trim(30).await;
    assert_eq!(site.told(import).await, (31, true));
    site.is_cut(import).await;

    // Also where so little is left that it would go back at once.
    site.trim(5).await;
    assert_eq!(site.told(import).await, (6, true));
    site.is_cut(import).await;
}

#[tokio::test]
async fn what_was_undone_in_pieces_is_not_done_again_in_part() {
    let (clock, hand) = Clock::held(1_800_000_000);
    let site = Site::at(clock).await;
    let import = site.import(60, &hand).await;
    let own = site.reverting(import).await;
    Runner::new(&site.core).finish(own, &mut |_| hand.advance(Duration::from_secs(1))).await.unwrap();
    assert_eq!((site.count("orders").await, site.count("lines").await), (0, 0));
    site.trim(20).await;
    site.is_cut(own).await;
}

#[tokio::test]
async fn a_trim_while_pieces_are_done_cuts_through_them_too() {
    let (clock, hand) = Clock::held(1_800_000_000);
    let site = Site::at(clock).await;
    let import = site.import(60, &hand).await;
    let own = site.reverting(import).await;
    let runner = Runner::new(&site.core);
    for _ in 0..10 {
        assert!(runner.one_piece(own).await.unwrap());
    }
    assert!(site.count("lines").await > 0);
    // What it did so far goes, and all that it is to undo.
    hand.advance(Duration::from_secs(2));
    site.trim(1).await;
    let ended = runner.finish(own, &mut |_| ()).await;
    assert!(matches!(ended, Err(Error::Trimmed)), "it does not say that all is done: {ended:?}");
    assert!(operations::get(&site.core, own).await.unwrap().error.is_some());

    // The same of one that goes on.
    let (import, written) = (OperationId::from_uuid(site.core.ids.next_id()), Written::default());
    let importing = async {
        site.create("lines", json!({"text": "before"})).await;
        hand.advance(Duration::from_secs(2));
        site.trim(1).await;
        site.create("lines", json!({"text": "after"})).await;
    };
    journal::in_operation(import, &written, importing).await;
    site.is_cut(import).await;
}
