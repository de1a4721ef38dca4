//! Aggregates and facets: exact, under the caller's rules, off the keys of indexes where these serve.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Client, Coffer};

/// Makers, and 600 snacks of them: kinds, exact prices, days in two years.
async fn snacks(admin: &Client, indexed: bool) -> Vec<Value> {
    admin.collection("makers", json!([{"name": "name", "type": "text"}, {"name": "country", "type": "text"}])).await;
    let fields = json!([
        {"name": "number", "type": "integer"}, {"name": "kind", "type": "choice", "choices": ["sweet", "salty", "sour", "bitter"], "nullable": true, "indexed": indexed},
        {"name": "price", "type": "decimal", "places": 2, "nullable": true, "indexed": indexed}, {"name": "at", "type": "datetime", "nullable": true, "indexed": indexed},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true}, {"name": "tags", "type": "choice", "choices": ["a", "b"], "many": true},
        {"name": "data", "type": "json", "nullable": true},
    ]);
    let definition =
        json!({"name": "snacks", "fields": fields, "access": {"create": ["signed_in"], "list": ["signed_in"]}});
    admin.post("/api/collections/", &definition).await.is(201);
    let makers = json!([{"name": "Golden", "country": "IS"}, {"name": "Plain", "country": "DE"}]);
    let makers = admin.post("/api/records/makers/", &makers).await.is(201);
    let ids: Vec<Value> = makers.as_array().unwrap().iter().map(|maker| maker["id"].clone()).collect();
    let tags = [json!([]), json!(["a"]), json!(["a", "b"])];
    let record = |n: usize| {
        json!({
            "number": n, "kind": (!n.is_multiple_of(10)).then_some(["sweet", "salty", "sour"][n % 3]),
            "price": (!n.is_multiple_of(7)).then(|| format!("{}.{:02}", n % 25, n % 100)),
            "at": (!n.is_multiple_of(11)).then(|| format!("{}-{:02}-{:02}T{:02}:30:00Z", 2025 + n % 2, 1 + n % 12, 1 + n % 28, n % 24)),
            "maker": (!n.is_multiple_of(5)).then(|| ids[n % 2].clone()), "tags": tags[n % 3],
        })
    };
    let records: Vec<Value> = (0..600).map(record).collect();
    admin.post("/api/records/snacks/", &json!(records)).await.is(201);
    records
}

async fn asked(client: &Client, query: &str) -> Value {
    client.get(&format!("/api/records/snacks/aggregate/?{query}")).await.is(200)
}

/// Groups counted and summed in the plainest way.
fn grouped(records: &[Value], key: impl Fn(&Value) -> Value) -> BTreeMap<String, (u64, i64)> {
    let mut groups: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for record in records {
        let group = groups.entry(key(record).to_string()).or_default();
        group.0 += 1;
        group.1 += record["price"].as_str().map_or(0, |price| price.replace('.', "").parse::<i64>().unwrap());
    }
    groups
}

#[tokio::test]
async fn groups_are_counted_summed_and_told_exactly_with_and_without_indexes() {
    for indexed in [true, false] {
        let (_coffer, admin) = Coffer::with_admin().await;
        let records = snacks(&admin, indexed).await;
        let answer =
            asked(&admin, "group_by=kind&count=*&sum=price&avg=price,number&min=at&max=number&distinct=maker").await;
        let wanted = grouped(&records, |record| record["kind"].clone());
        assert_eq!(answer["count"], 4, "{answer}");
        assert_eq!(answer["results"][0]["kind"], Value::Null, "null is a group, and comes first");
        for row in answer["results"].as_array().unwrap() {
            let (count, cents) = wanted[&row["kind"].to_string()];
            assert_eq!(
                (&row["count"], &row["maker__distinct"]),
                (&json!(count), &json!(if row["kind"].is_null() { 0 } else { 2 }))
            );
            assert_eq!(row["price__sum"].as_str().unwrap().replace('.', ""), cents.to_string(), "{row}");
            assert!(
                row["number__avg"].is_number() && row["price__avg"].is_string() && row["number__max"].is_u64(),
                "{row}"
            );
        }
        // Each way to group, against the plainest, with the counts of keys where there are any.
        let month = |record: &Value| record["at"].as_str().map_or(Value::Null, |at| at[..7].into());
        let bar = |record: &Value| {
            let price = record["price"].as_str().map(|price| price.split('.').next().unwrap().parse::<u64>().unwrap());
            price.map_or(Value::Null, |price| format!("{}.00", price / 10 * 10).into())
        };
        for (query, column, wanted, counted) in [
            ("group_by=kind", "kind", wanted.clone(), true),
            ("group_by=at__month", "at__month", grouped(&records, month), true),
            ("bucket=price:10", "price__bucket", grouped(&records, bar), true),
            ("bucket=price:10&distinct=kind", "price__bucket", grouped(&records, bar), false),
            (
                "group_by=tags&tags=a",
                "tags",
                [("\"a\"".to_owned(), (400, 0)), ("\"b\"".to_owned(), (200, 0))].into(),
                false,
            ),
        ] {
            let answer = asked(&admin, &format!("{query}&explain=true&count=*")).await;
            let found: BTreeMap<String, u64> = answer["results"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| (row[column].to_string(), row["count"].as_u64().unwrap()))
                .collect();
            let wanted: BTreeMap<String, u64> = wanted.into_iter().map(|(key, (count, _))| (key, count)).collect();
            assert_eq!(found, wanted, "{query}");
            let explain = &answer["explain"];
            assert_eq!(explain["reads"] == "the counts of its keys", counted && indexed, "{query}: {explain}");
            if counted && indexed {
                assert!(explain["records_tested"].as_u64().unwrap() <= wanted.len() as u64, "{explain}");
            }
        }
        let berlin =
            asked(&admin, "group_by=at__day&time_zone=Europe/Berlin&at__isnull=false&limit=2&ordering=-at__day").await;
        assert_eq!(berlin["results"][0]["at__day"].as_str().map(str::len), Some(10), "{berlin}");
        // An hour is one of a day, and a week one of a year; as parts both are numbers, in filters alone.
        let hours = asked(&admin, "group_by=at__hour&at__isnull=false&limit=1").await;
        assert!(hours["results"][0]["at__hour"].as_str().is_some_and(|hour| hour.ends_with(":00Z")), "{hours}");
        let weeks = asked(&admin, "group_by=at__week&at__isnull=false&limit=1").await;
        assert!(weeks["results"][0]["at__week"].as_str().is_some_and(|week| week.contains("-W")), "{weeks}");
        // Which groups, in which order, and how many of them.
        let some = asked(&admin, "group_by=kind&sum=price&count=*&having=count+%3E+100+and+price__sum+%3E+0&ordering=-price__sum&limit=1&offset=1").await;
        assert_eq!((&some["count"], some["results"].as_array().unwrap().len()), (&json!(3), 1), "{some}");
        // All in one, of none too.
        assert_eq!(asked(&admin, "").await["results"], json!([{"count": 600}]));
        assert_eq!(
            asked(&admin, "number__lt=0&count=*&sum=price&max=at").await["results"],
            json!([{"count": 0, "price__sum": null, "at__max": null}])
        );
        assert_eq!(asked(&admin, "filter=kind+%3D+sweet&count=*").await["results"][0]["count"], wanted["\"sweet\""].0);
        // References by name, and what they lead to.
        let makers = asked(&admin, "group_by=maker&ordering=-count").await;
        let names: Vec<&Value> = makers["results"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|row| makers["names"].get(row["maker"].as_str()?))
            .collect();
        assert_eq!(names.len(), 2, "{makers}");
        let countries = asked(&admin, "group_by=maker.country,kind&count=*&limit=3").await;
        assert_eq!(countries["results"][0]["maker__country"], Value::Null, "{countries}");
        // In a list, beside its rows.
        let list = admin.get("/api/records/snacks/?facets=kind,maker,tags&page_size=1&number__lt=300").await.is(200);
        let facet = &list["facets"]["kind"];
        let total: u64 = facet.as_array().unwrap().iter().map(|value| value["count"].as_u64().unwrap()).sum();
        assert_eq!((total, &list["count"]), (300, &json!(300)), "{facet}");
        assert_eq!(facet.as_array().unwrap().last().unwrap(), &json!({"value": "bitter", "count": 0}), "{facet}");
        assert!(list["facets"]["maker"][0]["name"].is_string(), "{list}");
    }
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_what_would_work() {
    let (_coffer, admin) = Coffer::with_admin().await;
    snacks(&admin, false).await;
    for (query, told) in [
        ("group_by=zzz", "group_by: There is no field \"zzz\"."),
        ("group_by=data", "group_by: Values of \"data\" are too large to group by."),
        ("group_by=kind__month", "group_by: There is no field \"kind__month\"."),
        ("sum=kind", "sum: \"kind\" is no number."),
        ("min=data", "min: \"data\" has no order."),
        ("bucket=kind:3", "bucket: \"kind\" is no number."),
        ("bucket=price:0", "bucket: A width is a number above 0, as in bucket=price:10."),
        ("bucket=number:0.5", "bucket: The width of integers is an integer."),
        ("group_by=kind&ordering=price", "ordering: There is no column \"price\". There are kind, count."),
        ("group_by=kind&having=zzz+%3E+3", "having: At character 1: zzz: There is no field of this name."),
        (
            "group_by=at__day&time_zone=Mars",
            "time_zone: There is no time zone \"Mars\". Use a name such as Europe/Berlin.",
        ),
        ("group_by=kind,kind", "group_by: Two columns of the answer would be called \"kind\"."),
        ("zzz=3", "zzz: There is no query parameter of this name here."),
        ("page=2", "page: There is no query parameter of this name here."),
    ] {
        let refused = admin.get(&format!("/api/records/snacks/aggregate/?{query}")).await;
        assert_eq!(refused.refused(400).code, "invalid", "{query}");
        assert_eq!(refused.faults(), [told], "{query}");
    }
    let refused = admin.get("/api/records/snacks/?facets=data").await;
    assert_eq!(
        (refused.refused(400).code.as_ref(), refused.faults()),
        ("invalid", vec!["facets: Values of \"data\" are too large to group by.".to_owned()])
    );
    admin.get("/api/users/?facets=username").await.refused(400);
}

#[tokio::test]
async fn d1_an_aggregate_knows_only_what_the_caller_may_list_and_view() {
    let (coffer, admin) = Coffer::with_admin().await;
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let own = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"]});
    let makers = json!({"name": "makers", "fields": [{"name": "name", "type": "text"}], "access": own});
    admin.post("/api/collections/", &makers).await.is(201);
    let mut fields = vec![json!({"name": "kind", "type": "text", "indexed": true})];
    fields
        .push(json!({"name": "maker", "type": "reference", "collection": "makers", "nullable": true, "indexed": true}));
    for (name, access) in [("own", own.clone()), ("all", json!({"list": ["signed_in"], "create": ["signed_in"]}))] {
        admin.post("/api/collections/", &json!({"name": name, "fields": fields, "access": access})).await.is(201);
    }
    let hidden = admin.record("makers", json!({"name": "hidden"})).await;
    let seen = bob.record("makers", json!({"name": "seen"})).await;
    for name in ["own", "all"] {
        for (client, maker) in [(&admin, &hidden), (&admin, &seen), (&bob, &seen)] {
            client.record(name, json!({"kind": "x", "maker": maker["id"]})).await;
        }
        admin.record(name, json!({"kind": "secret"})).await;
    }
    let of = async |client: &Client, address: &str| client.get(&format!("/api/records/{address}")).await.is(200);
    let own = of(&bob, "own/aggregate/?group_by=kind,maker").await;
    assert_eq!(own["results"], json!([{"kind": "x", "maker": seen["id"], "count": 1}]));
    assert_eq!(own["names"], json!({seen["id"].as_str().unwrap(): "seen"}));
    assert_eq!(of(&bob, "own/aggregate/").await["results"], json!([{"count": 1}]));
    let kinds = of(&bob, "own/?facets=kind").await;
    assert_eq!(kinds["facets"], json!({"kind": [{"value": "x", "count": 1}]}));
    // A maker that bob may not view is none, however the groups are made.
    for measures in ["", "&count=*&distinct=kind"] {
        let all = of(&bob, &format!("all/aggregate/?group_by=maker&ordering=count{measures}")).await;
        let told: Vec<_> =
            all["results"].as_array().unwrap().iter().map(|row| (row["maker"].clone(), row["count"].clone())).collect();
        assert_eq!(told, [(Value::Null, json!(2)), (seen["id"].clone(), json!(2))], "{measures} {all}");
    }
    let all = of(&bob, "all/?facets=maker").await;
    assert_eq!(all["facets"]["maker"].as_array().unwrap().len(), 2, "{all}");
    let named = of(&bob, "all/aggregate/?group_by=maker.name").await;
    assert_eq!(named["results"], json!([{"maker__name": null, "count": 2}, {"maker__name": "seen", "count": 2}]));
}
