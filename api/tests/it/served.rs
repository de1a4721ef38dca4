//! Questions that an index serves are answered by it: by what `explain` counts, not by time. Beside each stands how many keys and records it may read
//! at most, of 3,000.

use serde_json::{Value, json};

use crate::support::{Client, Coffer};

const RECORDS: usize = 3000;

async fn orders(admin: &Client) {
    admin.collection("countries", json!([{"name": "name", "type": "text", "unique": true}])).await;
    let country = json!({"name": "country", "type": "reference", "collection": "countries"});
    admin.collection("makers", json!([{"name": "name", "type": "text"}, country])).await;
    let fields = json!([
        {"name": "n", "type": "integer"}, {"name": "kind", "type": "text"}, {"name": "price", "type": "integer", "nullable": true, "indexed": true},
        {"name": "placed", "type": "date", "indexed": true}, {"name": "title", "type": "text", "indexed": true},
        {"name": "slug", "type": "text", "unique": "ignore_case"}, {"name": "code", "type": "text", "unique": true, "nullable": true},
        {"name": "maker", "type": "reference", "collection": "makers"},
    ]);
    let indexes = json!([{"fields": ["kind", "-price"]}, {"fields": ["owner", "price"]}, {"fields": ["created_at"]}]);
    let access = json!({"list": ["signed_in"], "view": ["signed_in"], "create": ["signed_in"]});
    let definition = json!({"name": "orders", "fields": fields, "indexes": indexes, "access": access});
    admin.post("/api/collections/", &definition).await.is(201);
    let ids = |made: Value| made.as_array().unwrap().iter().map(|row| row["id"].clone()).collect::<Vec<_>>();
    let rows: Vec<Value> = (0..20).map(|i| json!({"name": format!("c{i}")})).collect();
    let countries = ids(admin.post("/api/records/countries/", &json!(rows)).await.is(201));
    let rows: Vec<Value> = (0..200).map(|i| json!({"name": format!("m{i}"), "country": countries[i % 20]})).collect();
    let makers = ids(admin.post("/api/records/makers/", &json!(rows)).await.is(201));
    let row = |n: usize| {
        json!({
            "n": n, "kind": format!("k{}", n * 7 % 10), "price": (!n.is_multiple_of(11)).then_some(n * 7919 % 1000),
            "placed": format!("20{:02}-{:02}-{:02}", n * 31 % 24, 1 + n * 17 % 12, 1 + n * 13 % 28), "title": format!("t{}", n * 7 % 500),
            "slug": format!("Slug-{n}"), "code": n.is_multiple_of(2).then(|| format!("c{n}")), "maker": makers[n * 3 % 200],
        })
    };
    let rows: Vec<Value> = (0..RECORDS).map(row).collect();
    for some in rows.chunks(1000) {
        admin.post("/api/records/orders/", &json!(some)).await.is(201);
    }
}

#[tokio::test]
async fn what_an_index_can_serve_is_read_off_it() {
    let (_coffer, admin) = Coffer::with_admin().await;
    orders(&admin).await;
    let mut faults = Vec::new();
    for (query, keys, tested) in [
        // Ranges, alone and in their own order, from both ends.
        ("price__gt=500", 150, 150),
        ("price__gt=990", 60, 0),
        ("price__gt=500&count=false", 150, 150),
        ("price__lt=500&ordering=-price", 30, 0),
        ("price__range=100,200&ordering=price", 30, 0),
        ("price__isnull=true", 30, 0),
        ("price__isnull=false&ordering=price", 30, 0),
        ("title__startswith=t1&ordering=-title", 30, 0),
        ("placed__year=2010&ordering=placed", 30, 0),
        ("created_at__gte=2020-01-01T00:00:00Z&ordering=-created_at", 70, 70),
        // One value, then an order: by an index over both, from both ends.
        ("kind=k3&ordering=-price", 30, 0),
        ("kind=k3&ordering=price", 30, 0),
        ("kind=k3&price__gt=100&ordering=-price", 30, 0),
        // Several values, each in the order.
        ("kind__in=k1,k2,k3&ordering=-price", 100, 0),
        ("kind__in=k1,k2,k3&ordering=price", 100, 0),
        ("filter=kind+%3D+k1+or+kind+%3D+k2&ordering=-price", 100, 0),
        ("kind__in=k1,k2&price__gt=100&ordering=-price", 100, 0),
        ("kind__in=k1,k2&ordering=-price&offset=200&limit=20", 400, 0),
        ("price__in=7,14,21", 100, 0),
        // An order by one index, and conditions of another: the rows are tested as they come.
        ("price__gt=100&ordering=-placed", 150, 150),
        ("price__gt=100&ordering=placed&count=false", 150, 150),
        ("title__startswith=t&ordering=-price", 150, 150),
        ("placed__year__gte=2005&ordering=title", 150, 150),
        ("price__isnull=false&ordering=placed", 150, 150),
        // Or looked up, where few match.
        ("price__range=100,200&ordering=-placed", 1200, 300),
        ("filter=price+%3C+50+or+title+%3D+t7&ordering=-placed", 1200, 300),
        // What differs in case alone is one unique value.
        ("slug=Slug-77", 2, 1),
        ("slug__iexact=SLUG-77", 2, 0),
        ("slug__in=Slug-1,Slug-2", 4, 2),
        ("code=c8", 2, 0),
        // Through references.
        ("maker__country__name=c7", 400, 0),
        ("maker__country__name=c7&ordering=-price", 1200, 300),
        ("maker__country__name__in=c7,c8", 800, 0),
        // By cursor.
        ("kind__in=k1,k2&ordering=-price&cursor=", 100, 0),
        ("price__gt=100&ordering=-placed&cursor=", 150, 150),
    ] {
        let page = admin.get(&format!("/api/records/orders/?explain=true&{query}")).await.is(200);
        let explain = &page["explain"];
        let read = |name: &str| usize::try_from(explain[name].as_u64().unwrap()).unwrap();
        if read("keys_read") > keys || read("records_tested") > tested || page["results"] == json!([]) {
            faults.push(format!(
                "{query}: {keys}, {tested}: {explain}, {} rows",
                page["results"].as_array().unwrap().len()
            ));
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// Where all matches stand at the other end, testing rows in their order is given up for another way.
#[tokio::test]
async fn matches_at_the_other_end_are_found_without_reading_all_before_them() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = json!([
        {"name": "n", "type": "integer", "indexed": true}, {"name": "m", "type": "integer", "indexed": true},
        {"name": "more", "type": "text"},
    ]);
    admin.collection("rows", fields).await;
    for some in (0..8000_i64).collect::<Vec<_>>().chunks(1000) {
        let rows: Vec<Value> = some.iter().map(|n| json!({"n": n, "m": n, "more": "x"})).collect();
        admin.post("/api/records/rows/", &json!(rows)).await.is(201);
    }
    // Where ids are looked up, keys alone are read on the way, which takes less than to read and sort the records that match.
    for (query, first, most) in [
        ("n__gte=7000", 7000, 4000),
        ("n__gte=7000&ordering=m", 7000, 8500),
        ("n__gte=7000&ordering=m&count=false", 7000, 8500),
        ("n__gte=7000&ordering=m&cursor=", 7000, 8500),
        ("n__lt=1000&ordering=-m", 999, 8500),
        ("n__gte=7000&more=x", 7000, 4000),
    ] {
        let page = admin.get(&format!("/api/records/rows/?explain=true&page_size=20&{query}")).await.is(200);
        assert_eq!(
            (&page["results"][0]["n"], page["results"].as_array().unwrap().len()),
            (&json!(first), 20),
            "{query}"
        );
        if let Some(count) = page["count"].as_u64() {
            assert_eq!(count, 1000, "{query}");
        }
        let read = |what: &str| page["explain"][what].as_u64().unwrap();
        assert!(read("keys_read") < most && read("records_tested") < 4000, "{query}: {}", page["explain"]);
    }
}

#[tokio::test]
async fn what_no_index_serves_is_told_with_the_one_that_would() {
    let (coffer, admin) = Coffer::with_admin().await;
    orders(&admin).await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    bob.record(
        "orders",
        json!({"n": 1, "kind": "k1", "placed": "2020-01-01", "title": "x", "slug": "x", "maker": null}),
    )
    .await;
    for (query, proposed) in [
        ("n=7", json!(["n"])),
        ("n__in=7,8", json!(["n"])),
        ("n__gt=7&kind=k1", json!(["kind", "n"])),
        ("updated_at__gt=2020-01-01T00:00:00Z", json!(["updated_at"])),
        ("ordering=-updated_at", json!(["updated_at"])),
        // A unique value that may be null has no entry for those.
        ("ordering=code", json!(["code"])),
        ("price__gt=100&ordering=-placed", json!(null)),
        ("kind=k1&ordering=title", json!(["kind", "title"])),
        ("title__icontains=7", json!(null)),
        ("kind__in=k1,k2&ordering=-price", json!(null)),
    ] {
        let page = admin.get(&format!("/api/records/orders/?explain=true&{query}")).await.is(200);
        assert_eq!(page["explain"]["would_help"], proposed, "{query}: {}", page["explain"]);
    }
}
