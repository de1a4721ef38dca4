//! What is told of how a list was read: with `explain=true`, in the log and in the metrics.

use std::{
    io,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
    time::Duration,
};

use base::{Clock, Entropy, IdSource};
use coffer::domain::{Core, collections, journal::Actor, records};
use common::{
    access::Caller,
    clean::Manner,
    query::{ListQuery, Query as _, decode},
    reader::Body,
    record::OneOrMany,
};
use serde_json::{Value, json};
use store::{Options, Store};

use crate::support::{Client, Coffer};

/// 600 snacks: of every kind 200, prices from 0 to 49 and every seventh null.
async fn snacks(admin: &Client) {
    let fields = json!([
        {"name": "number", "type": "integer"}, {"name": "kind", "type": "text", "indexed": true}, {"name": "title", "type": "text"},
        {"name": "price", "type": "integer", "nullable": true, "indexed": true}, {"name": "data", "type": "json", "nullable": true},
    ]);
    let access = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"]});
    admin.post("/api/collections/", &json!({"name": "snacks", "fields": fields, "access": access})).await.is(201);
    let record = |number: usize| {
        let kind = ["sweet", "salty", "sour"][number % 3];
        json!({"number": number, "kind": kind, "title": format!("t{}", number % 100), "price": (!number.is_multiple_of(7)).then_some(number % 50)})
    };
    let records: Vec<Value> = (0..600).map(record).collect();
    admin.post("/api/records/snacks/", &json!(records)).await.is(201);
}

async fn explained(client: &Client, query: &str) -> Value {
    let plain = client.get(&format!("/api/records/snacks/?page_size=5&{query}")).await.is(200);
    let mut told = client.get(&format!("/api/records/snacks/?page_size=5&{query}&explain=true")).await.is(200);
    let explain = told.as_object_mut().unwrap().remove("explain").unwrap();
    assert_eq!((&plain["results"], &plain["count"]), (&told["results"], &told["count"]), "{query}");
    assert!(plain.get("explain").is_none() && explain.is_object(), "{query}");
    explain
}

#[tokio::test]
async fn explain_tells_which_index_was_read_how_much_of_it_and_which_would_have_helped() {
    let (coffer, admin) = Coffer::with_admin().await;
    snacks(&admin).await;
    let mut faults = Vec::new();
    // The query; the indexes, what of them was read, what was tested, whether it was sorted, what would have helped; records tested.
    for (query, indexes, reads, tests, sorts, helps, tested) in [
        ("", json!([]), "all records", json!([]), false, json!(null), 0),
        ("ordering=-id", json!([]), "all records, from its end", json!([]), false, json!(null), 0),
        ("ordering=-price", json!([["price"]]), "all of the index, from its end", json!([]), false, json!(null), 0),
        ("price__gte=40&ordering=price", json!([["price"]]), "a part of the index", json!([]), false, json!(null), 0),
        ("kind=sweet", json!([["kind"]]), "a part of the index", json!([]), false, json!(null), 0),
        ("title=t7", json!([]), "all records", json!(["title"]), false, json!(["title"]), 600),
        ("title__contains=7", json!([]), "all records", json!(["title__contains"]), false, json!(null), 600),
        ("search=t7", json!([]), "all records", json!(["search"]), false, json!(null), 600),
        ("number__gt=3&ordering=title", json!([]), "all records", json!(["number__gt"]), true, json!(["title"]), 600),
        ("ordering=-title", json!([]), "all records", json!([]), true, json!(["title"]), 600),
        (
            "kind=sweet&title=t7",
            json!([["kind"]]),
            "a part of the index",
            json!(["title"]),
            false,
            json!(["kind", "title"]),
            200,
        ),
        ("filter=title+%3D+t7", json!([]), "all records", json!(["filter"]), false, json!(["title"]), 600),
    ] {
        let explain = explained(&admin, query).await;
        let wanted = json!({
            "indexes": indexes, "reads": reads, "tests_each_record_for": tests, "sorts": sorts, "would_help": helps, "records_tested": tested,
        });
        let told = wanted.as_object().unwrap().keys().map(|name| (name.clone(), explain[name].clone()));
        if Value::Object(told.collect()) != wanted {
            faults.push(format!("{query}: {explain}"));
        }
        assert!(explain["microseconds"].as_u64().is_some_and(|took| took > 0), "{explain}");
    }
    assert!(faults.is_empty(), "{faults:#?}");
    let explain = explained(&admin, "kind=sweet").await;
    assert_eq!(explain["keys_read"], 5, "no more than the page: {explain}");
    assert!(explained(&admin, "title=zzz").await["keys_read"].as_u64().unwrap() >= 600);

    // By cursor, by limit and on the last page too; a next page goes on explaining.
    for way in ["cursor=", "limit=3", "page=last", "count=false"] {
        let page = admin.get(&format!("/api/records/snacks/?kind=sweet&explain=1&{way}")).await.is(200);
        assert_eq!(page["explain"]["indexes"], json!([["kind"]]), "{way}: {page}");
        if let Some(next) = page["next"].as_str() {
            let next = admin.get(next.strip_prefix(&admin.base).unwrap()).await.is(200);
            assert_eq!(next["explain"]["indexes"], json!([["kind"]]), "{way}");
        }
    }

    // Somebody who lists their own is not told how much there is.
    let bob = coffer.user(&admin, "bob", json!({})).await;
    bob.post("/api/records/snacks/", &json!({"kind": "sweet"})).await.is(201);
    let explain = explained(&bob, "kind=sweet").await;
    assert_eq!(
        (&explain["indexes"], &explain["reads"]),
        (&json!([["owner"]]), &json!("your own records")),
        "{explain}"
    );
    for name in ["keys_read", "records_tested", "microseconds"] {
        assert!(explain.get(name).is_none(), "{name}: {explain}");
    }

    let refused = admin.get("/api/records/snacks/?explain=maybe").await.refused(400);
    assert!(refused.errors.0["explain"][0].message.contains("explain__exact"), "{refused:?}");
    admin.get("/api/records/snacks/?explain=true&explain=true").await.refused(400);
    let refused = admin.get("/api/users/?explain=true").await.refused(400);
    assert!(refused.errors.0.contains_key("explain"), "{refused:?}");
    assert!(admin.get("/metrics").await.text().contains("\ncoffer_slow_queries_total "));
}

/// What a hidden collection beside it holds decides nothing: neither does where keys happen to stand.
#[tokio::test]
async fn d1_what_stands_beside_a_collection_does_not_decide_how_it_is_read() {
    let mut told = Vec::new();
    for hidden in [0, 40, 90, 300] {
        let (_coffer, admin) = Coffer::with_admin().await;
        let more =
            json!([{"name": "t", "type": "text", "indexed": true}, {"name": "n", "type": "integer", "indexed": true}]);
        admin.post("/api/collections/", &json!({"name": "before", "fields": more})).await.is(201);
        let fields = json!([
            {"name": "t", "type": "text", "indexed": true}, {"name": "d", "type": "date"}, {"name": "n", "type": "integer", "indexed": true},
            {"name": "k", "type": "choice", "choices": ["a", "b"], "indexed": true}]);
        admin.post("/api/collections/", &json!({"name": "open", "fields": fields})).await.is(201);
        let rows = |count: usize| -> Vec<Value> { (0..count).map(|n| json!({"t": format!("x{n}"), "n": n})).collect() };
        for _ in 0..2 {
            admin.post("/api/records/before/", &json!(rows(hidden))).await;
        }
        let row = |n: usize| json!({"t": format!("x{n}"), "d": format!("2020-01-{:02}", n + 1), "n": n, "k": "a"});
        admin.post("/api/records/open/", &json!((0..12).map(row).collect::<Vec<_>>())).await.is(201);
        let mut plans = Vec::new();
        for query in [
            "ordering=d",
            "ordering=-updated_at",
            "k=a",
            "n__gt=5&ordering=d",
            "t__gt=x3&k=a",
            "k=a&n__lt=4&t__startswith=x&ordering=-d",
            "filter=n+%3D+1+or+k+%3D+b",
            "search=x3",
        ] {
            let explain =
                admin.get(&format!("/api/records/open/?{query}&explain=true")).await.is(200)["explain"].clone();
            plans.push((query, explain["indexes"].clone(), explain["reads"].clone()));
        }
        told.push(plans);
    }
    for plans in &told[1..] {
        assert_eq!(*plans, told[0]);
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn l1_a_slow_list_is_told_with_the_names_and_without_the_values_that_it_asks_for() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    // As in the tests of the access log: another subscriber keeps other threads from answering for this one.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let _guard = tracing::subscriber::set_default(subscriber);

    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(Options::sled(dir.path().join("store"))).unwrap();
    let (clock, _hand) = Clock::held(1_800_000_000);
    let ids = IdSource::new(clock.clone(), Entropy::system());
    let id = serde_json::from_value(json!(ids.next_id())).unwrap();
    let admin = Caller::User { id, is_admin: true, roles: Vec::new() };
    let mut core = Core::new(store, clock, ids);
    let fields = json!([{"name": "title", "type": "text"}, {"name": "price", "type": "integer"}]);
    let definition = Body::from_json(json!({"name": "snacks", "fields": fields})).unwrap();
    collections::create(&core, &admin, definition).await.unwrap();
    let name = "snacks".parse().unwrap();
    for number in 0..3 {
        let body = OneOrMany::One(serde_json::from_value(json!({"title": "canary", "price": number})).unwrap());
        records::create(&core, Actor::local(&admin), &name, body, Manner::json(&admin)).await.unwrap();
    }
    let query = "title=canary&price__gt=0&filter=price+%3C+9+or+title+~+canary&search=canary&ordering=-price";
    let query = ListQuery::from_pairs(decode(query)).unwrap();
    // On a clock that stands nothing takes long.
    records::list(&core, &admin, &name, &query, None).await.unwrap();
    assert_eq!(core.slow_queries.load(Relaxed), 0);
    core.slow_query = Duration::ZERO;
    records::list(&core, &admin, &name, &query, None).await.unwrap();
    assert_eq!(core.slow_queries.load(Relaxed), 1);
    let remembered = core.newest_slow.all();
    assert_eq!((remembered.len(), remembered[0].collection.as_str(), remembered[0].records_tested), (1, "snacks", 3));
    assert_eq!(remembered[0].query, "title&price__gt&price__lt&title__icontains&search&ordering=-price");
    assert_eq!(remembered[0].would_help, Some(vec!["title".to_owned(), "-price".to_owned()]));
    assert!(!serde_json::to_string(&remembered).unwrap().contains("canary"));

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains("canary"), "{text}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let slow: Vec<_> = lines.iter().filter(|line| line["fields"]["message"] == "a slow query").collect();
    assert_eq!(slow.len(), 1, "{text}");
    let fields = &slow[0]["fields"];
    assert_eq!((&slow[0]["level"], &fields["collection"]), (&json!("WARN"), &json!("snacks")));
    assert_eq!(fields["query"], "title&price__gt&price__lt&title__icontains&search&ordering=-price");
    assert_eq!((&fields["rows"], &fields["milliseconds"]), (&json!(3), &json!(0)));
}
