//! Former names of fields and of choices: whoever still uses one is served as before, and everybody is answered with those of today.

use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, path};

const FIELD: &str = "/api/collections/snacks/fields/";

/// Snacks with a maker, whose fields and one choice of each got other names: title is name now, price is cost, maker is producer,
/// salty is savoury, and of the maker name is company.
async fn renamed() -> (Coffer, Client, Value) {
    let (coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    let fields = json!([{"name": "name", "type": "text", "unique": true, "searchable": true}]);
    admin.collection("makers", fields).await;
    admin
        .collection(
            "snacks",
            json!([
                {"name": "title", "type": "text", "unique": true},
                {"name": "price", "type": "integer", "indexed": true, "nullable": true},
                {"name": "kind", "type": "choice", "choices": ["sweet", "salty"], "indexed": true},
                {"name": "tags", "type": "choice", "choices": ["new", "old"], "many": true},
                {"name": "maker", "type": "reference", "collection": "makers", "nullable": true},
            ]),
        )
        .await;
    let oven = admin.record("makers", json!({"name": "Oven"})).await;
    for (title, price, kind) in [("Popcorn", 3, "salty"), ("Nuts", 5, "salty"), ("Cake", 9, "sweet")] {
        let record = json!({"title": title, "price": price, "kind": kind, "tags": ["old"], "maker": oven["id"]});
        admin.record("snacks", record).await;
    }
    for (old, new) in [("title", "name"), ("price", "cost"), ("maker", "producer")] {
        admin.patch(&format!("{FIELD}{old}/"), &json!({"name": new})).await.is(200);
    }
    admin.patch("/api/collections/makers/fields/name/", &json!({"name": "company"})).await.is(200);
    admin.patch(&format!("{FIELD}kind/"), &json!({"rename": {"salty": "savoury"}})).await.is(200);
    admin.patch(&format!("{FIELD}tags/"), &json!({"rename": {"old": "classic"}})).await.is(200);
    (coffer, admin, oven)
}

async fn kind(admin: &Client) -> Value {
    admin.get("/api/collections/snacks/").await.is(200)["fields"][2].clone()
}

async fn count(admin: &Client, query: &str) -> Value {
    admin.get(&format!("/api/records/snacks/?{query}")).await.is(200)["count"].clone()
}

#[tokio::test]
async fn a_choice_answers_to_its_former_name_until_that_is_dropped() {
    let (_coffer, admin, _) = renamed().await;
    assert_eq!(kind(&admin).await["choice_aliases"], json!({"salty": "savoury"}));
    // Bodies: one, several, a form, and what is there already.
    let made =
        admin.record("snacks", json!({"name": "Chips", "kind": "salty", "tags": ["old", "classic", "new"]})).await;
    assert_eq!((&made["kind"], &made["tags"]), (&json!("savoury"), &json!(["classic", "new"])));
    let address = path("snacks", &made);
    let same = admin.patch(&address, &json!({"kind": "salty"})).await.is(200);
    assert_eq!(same["revision"], made["revision"], "it is so already");
    let form = admin.request(Method::PATCH, &address).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    assert_eq!(Answer::of(form.body("kind=salty&tags=old")).await.is(200)["tags"], json!(["classic"]));
    admin.patch(&address, &json!({"kind": "bitter"})).await.refused(400);
    // Filters of every form.
    for (query, found) in [
        ("kind=salty", 3),
        ("kind=savoury", 3),
        ("kind__ne=salty", 1),
        ("kind__in=salty,sweet", 4),
        ("kind__iexact=SALTY", 3),
        ("kind=salty&kind=sweet", 4),
        ("filter=kind+%3D+salty", 3),
        ("filter=kind+in+(salty)+and+cost+%3E+3", 1),
        ("tags=old", 4),
        ("tags__ne=old", 0),
    ] {
        assert_eq!(count(&admin, query).await, found, "{query}");
    }
    let groups = admin.get("/api/records/snacks/aggregate/?group_by=kind&count=*&kind=salty").await.is(200);
    assert_eq!(groups["results"], json!([{"kind": "savoury", "count": 3}]));
    let document = admin.get("/api/schema/").await.text();
    assert!(document.contains("Former names are taken too: salty for savoury."));
    // Defaults, and what a change of the definition says of values.
    admin.patch(&format!("{FIELD}kind/"), &json!({"default": "salty"})).await.is(200);
    assert_eq!(kind(&admin).await["default"], "savoury");
    // A body that says nothing of former names leaves them, and another rename takes them along.
    let mut fields = admin.get("/api/collections/snacks/").await.is(200)["fields"].clone();
    for field in fields.as_array_mut().unwrap() {
        field.as_object_mut().unwrap().remove("choice_aliases");
    }
    admin.patch("/api/collections/snacks/", &json!({"fields": fields})).await.is(200);
    admin.patch(&format!("{FIELD}kind/"), &json!({"rename": {"savoury": "hearty"}})).await.is(200);
    assert_eq!(kind(&admin).await["choice_aliases"], json!({"salty": "hearty", "savoury": "hearty"}));
    assert_eq!(count(&admin, "kind=salty").await, 3);
    // Only what is no choice leads to one that is there.
    let said = json!({"choice_aliases": {"salty": "hearty", "sweet": "hearty", "x": "nothing"}});
    admin.patch(&format!("{FIELD}kind/"), &said).await.is(200);
    assert_eq!(kind(&admin).await["choice_aliases"], json!({"salty": "hearty"}));
    admin.patch(&format!("{FIELD}kind/"), &json!({"choice_aliases": ["salty"]})).await.refused(400);
    // Dropped, they are no choices any more.
    admin.patch(&format!("{FIELD}kind/"), &json!({"choice_aliases": {}})).await.is(200);
    assert_eq!(kind(&admin).await["choice_aliases"], Value::Null);
    admin.get("/api/records/snacks/?kind=salty").await.refused(400);
    admin.patch(&address, &json!({"kind": "salty"})).await.refused(400);
}

#[tokio::test]
async fn names_of_today_win_over_former_names_of_choices() {
    let (_coffer, admin, _) = renamed().await;
    let address = format!("{FIELD}kind/");
    // Two change names: each name is one of today.
    admin.patch(&address, &json!({"rename": {"savoury": "sweet", "sweet": "savoury"}})).await.is(200);
    assert_eq!(kind(&admin).await["choice_aliases"], json!({"salty": "sweet"}));
    assert_eq!(admin.column("/api/records/snacks/?kind=salty&ordering=name", "kind").await, ["sweet", "sweet"]);
    // A choice of that name comes back, as another one.
    admin.patch(&address, &json!({"choices": ["sweet", "savoury", "salty"]})).await.is(200);
    assert_eq!(kind(&admin).await["choice_aliases"], Value::Null);
    assert_eq!(count(&admin, "kind=salty").await, 0);
    // What a choice was called goes with it, and with the choices.
    admin.patch(&address, &json!({"rename": {"salty": "bitter"}})).await.is(200);
    admin.patch(&address, &json!({"choices": ["sweet", "savoury"]})).await.is(200);
    assert_eq!(kind(&admin).await["choice_aliases"], Value::Null);
    admin.patch(&address, &json!({"rename": {"savoury": "hearty"}})).await.is(200);
    admin.patch(&address, &json!({"type": "text"})).await.is(200);
    assert_eq!(kind(&admin).await["choice_aliases"], Value::Null);
    // Those of a collection say nothing of another one that is made like it.
    let fields = admin.get("/api/collections/snacks/").await.is(200)["fields"][3].clone();
    assert_eq!(fields["choice_aliases"], json!({"old": "classic"}));
    let made = admin.post("/api/collections/", &json!({"name": "others", "fields": [fields]})).await.is(201);
    assert_eq!(made["fields"][0]["choice_aliases"], Value::Null);
}

#[tokio::test]
async fn a_rename_of_a_choice_that_is_undone_leaves_both_names() {
    let (_coffer, admin, _) = renamed().await;
    let renamed = admin.patch(&format!("{FIELD}kind/"), &json!({"rename": {"savoury": "hearty"}})).await;
    admin.record("snacks", json!({"name": "Chips", "kind": "hearty"})).await;
    // What was written since is carried back: it is the same choice.
    admin.post(&format!("/api/changes/{}/revert/", renamed.header("operation")), &json!({})).await.is(200);
    let field = kind(&admin).await;
    assert_eq!(field["choices"], json!(["sweet", "savoury"]));
    assert_eq!(field["choice_aliases"], json!({"salty": "savoury", "hearty": "savoury"}));
    for name in ["salty", "savoury", "hearty"] {
        assert_eq!(count(&admin, &format!("kind={name}")).await, 3, "{name}");
    }
    // Dropping former names is undone by itself.
    let dropped = admin.patch(&format!("{FIELD}kind/"), &json!({"choice_aliases": {}})).await;
    admin.post(&format!("/api/changes/{}/revert/", dropped.header("operation")), &json!({})).await.is(200);
    assert_eq!(kind(&admin).await["choice_aliases"], field["choice_aliases"]);
}

#[tokio::test]
async fn batches_take_former_names() {
    let (_coffer, admin, oven) = renamed().await;
    let id = admin.get("/api/records/snacks/?title=Popcorn").await.is(200)["results"][0]["id"].clone();
    let items = json!([
        {"action": "create", "collection": "snacks", "record": {"title": "Chips", "price": 1, "kind": "salty", "maker": oven["id"]}},
        {"action": "update", "collection": "snacks", "id": id, "record": {"price": {"$add": 2}}},
        {"action": "upsert", "collection": "snacks", "key": "title", "record": {"title": "Nuts", "price": 6}},
        {"action": "upsert", "collection": "snacks", "key": "name", "record": {"title": "Cake", "price": 8}},
        {"action": "upsert", "collection": "snacks", "key": "title", "record": {"name": "Bread", "kind": "salty"}},
    ]);
    let done = admin.post("/api/batch/", &json!({"items": items})).await.is(200)["items"].clone();
    let got = |i: usize| (&done[i]["action"], &done[i]["record"]["name"], &done[i]["record"]["cost"]);
    assert_eq!(got(0), (&json!("create"), &json!("Chips"), &json!(1)));
    assert_eq!(done[0]["record"]["kind"], "savoury");
    assert_eq!(got(1), (&json!("update"), &json!("Popcorn"), &json!(5)));
    assert_eq!(got(2), (&json!("update"), &json!("Nuts"), &json!(6)));
    assert_eq!(got(3), (&json!("update"), &json!("Cake"), &json!(8)));
    assert_eq!(got(4), (&json!("create"), &json!("Bread"), &Value::Null));
    // Many at once: an array, and by conditions.
    let several = admin.post("/api/records/snacks/", &json!([{"title": "a", "kind": "salty"}, {"title": "b"}])).await;
    assert_eq!(several.is(201)[0]["kind"], "savoury");
    let many = admin.patch("/api/records/snacks/?kind=salty&price__gte=5&max=9", &json!({"price": 7})).await;
    assert!(many.status == 200, "{} {}", many.status, many.text());
    assert_eq!(count(&admin, "cost=7").await, 2);
}

#[tokio::test]
async fn files_of_records_take_former_names_in_and_out() {
    let (_coffer, admin, _) = renamed().await;
    let import = |query: &'static str, body: &'static str| {
        let request = admin.request(Method::POST, &format!("/api/records/snacks/import/?{query}"));
        let kind = if body.starts_with(['{', '[']) { "application/json" } else { "text/csv" };
        Answer::of(request.header(CONTENT_TYPE, kind).body(body))
    };
    let read = import("", "title,price,kind,maker.name\nChips,1,salty,Oven\n").await.is(200);
    assert_eq!((&read["created"], &read["read"]["columns"][0]["member"]), (&json!(1), &json!("name")));
    let read = import("key=title&on_conflict=update", "title,price\nChips,2\n").await.is(200);
    assert_eq!((&read["updated"], &read["created"]), (&json!(1), &json!(0)), "{read}");
    import("map=Wort=title&map=Preis=price", "Wort;Preis\nBrot;4\n").await.is(200);
    import("", r#"[{"title": "Rice", "price": 5, "kind": "salty", "tags": ["old"]}]"#).await.is(200);
    assert_eq!(count(&admin, "cost__in=2,4,5&producer__isnull=true").await, 2);
    assert_eq!(admin.column("/api/records/snacks/?title__in=Chips,Rice", "kind").await, ["savoury", "savoury"]);
    // Out: a column is called as it was asked for.
    let query =
        "format=csv&fields=title,price,maker&expand=maker&ordering=-price&kind=salty&price__gt=2&maker__isnull=false";
    let csv = admin.get(&format!("/api/records/snacks/export/?{query}")).await.text();
    let mut lines = csv.lines();
    assert_eq!(lines.next(), Some("title,price,maker.id,maker.company"), "{csv}");
    assert!(lines.next().unwrap().starts_with("Nuts,5,"), "{csv}");
    let all = admin.get("/api/records/snacks/export/?format=ndjson&title=Nuts").await.text();
    assert!(all.contains(r#""name":"Nuts""#) && all.contains(r#""kind":"savoury""#), "{all}");
}

#[tokio::test]
async fn whatever_is_asked_of_a_list_takes_former_names() {
    let (_coffer, admin, oven) = renamed().await;
    let list = async |query: &str| admin.get(&format!("/api/records/snacks/{query}")).await;
    // What was asked for by a former name is answered under it, alone.
    let page = list("?fields=title,price,maker&expand=maker&ordering=-price").await.is(200);
    let first = &page["results"][0];
    assert_eq!(
        (&first["title"], &first["price"], &first["maker"]["company"]),
        (&json!("Cake"), &json!(9), &json!("Oven"))
    );
    assert_eq!(first.as_object().unwrap().len(), 3, "{first}");
    for (query, found) in [
        ("?maker__name=Oven", 3),
        ("?maker=", 3),
        ("?price_min=4", 2),
        ("?price__range=4,6", 1),
        ("?maker__name__icontains=ove&ordering=maker__name", 3),
        ("?filter=price+%3E+4+and+maker.name+%3D+%22Oven%22", 2),
        ("?facets=price", 3),
    ] {
        assert_eq!(list(query).await.is(200)["count"], found, "{query}");
    }
    let pages = list("?ordering=price&page_size=2&cursor=").await.is(200);
    assert_eq!(pages["results"][0]["cost"], 3);
    let facets = list("?facets=price,kind&page_size=1").await.is(200)["facets"].clone();
    assert_eq!(facets.as_object().map(serde_json::Map::len), Some(2), "{facets}");
    let query = "aggregate/?group_by=maker__name,kind&sum=price&max=price&having=price__sum+%3E+8&ordering=-price__sum";
    let sums = list(query).await.is(200)["results"].clone();
    assert_eq!(sums[0], json!({"maker__name": "Oven", "kind": "sweet", "price__sum": 9, "price__max": 9}));
    let bars = list("aggregate/?bucket=price:5&count=*").await.is(200);
    assert_eq!(bars["results"].as_array().map(Vec::len), Some(2), "{bars}");
    let joined = list("?left_join=makers:maker=id&title=Cake").await.is(200);
    assert_eq!(joined["results"].as_array().map(Vec::len), Some(1), "{joined}");
    let back = format!("/api/records/makers/{}/?expand=snacks_via_maker", oven["id"].as_str().unwrap());
    let back = admin.get(&back).await.is(200);
    assert_eq!(back["snacks_via_maker"].as_array().map_or(0, Vec::len), 3, "{back}");
    // What a definition says of fields.
    let index = json!({"indexes": [{"fields": ["kind", "-price"]}]});
    let defined = admin.patch("/api/collections/snacks/", &index).await.is(200);
    assert_eq!(defined["indexes"][0]["fields"], json!(["kind", "-cost"]));
    admin.patch(&format!("{FIELD}price/"), &json!({"help": "In euros."})).await.is(200);
    admin.delete(&format!("{FIELD}price/?dry_run=true")).await.is(200);
}

#[tokio::test]
async fn published_paths_take_former_names_in_their_conditions_and_members() {
    let (_coffer, admin, _) = renamed().await;
    let members = json!([{"what": "title"}, {"euros": "price"}, {"by": "maker.name"}]);
    let path = json!({"path": "/shop/{maker}/snacks/", "collection": "snacks", "members": members, "lookup": "title",
        "where": {"maker.name": "{maker}", "kind": "salty"}});
    admin.post("/api/paths/", &path).await.is(201);
    let page = admin.get("/shop/Oven/snacks/?ordering=-euros").await.is(200);
    let rows = page.get("results").unwrap_or(&page);
    assert_eq!(rows[0], json!({"what": "Nuts", "euros": 5, "by": "Oven"}));
    assert_eq!(rows.as_array().map(Vec::len), Some(2));
    let made = admin.post("/shop/Oven/snacks/", &json!({"what": "Chips", "euros": 1})).await.is(201);
    assert_eq!(made["what"], "Chips");
    assert_eq!(count(&admin, "kind=savoury").await, 3);
    assert_eq!(admin.get("/shop/Oven/snacks/Nuts/").await.is(200)["euros"], 5);
    // They go on where a former name is dropped: what they name are the fields.
    for field in ["name", "cost", "producer"] {
        admin.patch(&format!("{FIELD}{field}/"), &json!({"aliases": []})).await.is(200);
    }
    assert_eq!(admin.get("/shop/Oven/snacks/Nuts/").await.is(200)["euros"], 5);
}
