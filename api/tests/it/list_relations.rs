//! Lists that look through references: filters and orderings by what other records say, and their expansion; and what is seen
//! of records that the caller may not view.

use serde_json::{Value, json};

use crate::support::{Client, Coffer, text};

const BOOKS: &str = "/api/records/books/";
/// JSON that a number read as one would change.
const DIGITS: &str = r#"{"a":1.10,"b":[12345678901234567890123,1e3,-0.0]}"#;

struct Shop {
    coffer: Coffer,
    admin: Client,
    /// May see their own makers only.
    otto: Client,
}

/// Countries, makers of which everybody sees their own, and books.
async fn shop() -> Shop {
    let (coffer, admin) = Coffer::with_admin().await;
    admin
        .collection(
            "countries",
            json!([{"name": "name", "type": "text"}, {"name": "founded", "type": "date", "nullable": true}]),
        )
        .await;
    let own = json!({"list": ["owner"], "view": ["owner"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"]});
    let fields = json!([
        {"name": "name", "type": "text"},
        {"name": "country", "type": "reference", "collection": "countries", "nullable": true},
        {"name": "age", "type": "integer", "nullable": true},
    ]);
    admin.post("/api/collections/", &json!({"name": "makers", "fields": fields, "access": own})).await.is(201);
    let fields = json!([
        {"name": "title", "type": "text"},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true},
        {"name": "after", "type": "reference", "collection": "books", "nullable": true},
        {"name": "at", "type": "datetime", "nullable": true},
    ]);
    admin.collection("books", fields).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let country = async |name: &str, founded: Value| {
        text(&admin.record("countries", json!({"name": name, "founded": founded})).await, "id")
    };
    let (norway, peru) = (country("Norway", json!("1814-05-17")).await, country("Peru", Value::Null).await);
    let maker = async |by: &Client, name: &str, country: Value, age: i64| {
        text(&by.record("makers", json!({"name": name, "country": country, "age": age})).await, "id")
    };
    let ann = maker(&otto, "Ann", json!(norway), 30).await;
    let bob = maker(&admin, "Bob", json!(peru), 20).await;
    let cleo = maker(&otto, "cleo", Value::Null, 40).await;
    let mut after = Value::Null;
    for (title, maker, at) in [
        ("Ice", json!(ann), "2025-12-31T23:59:59.5Z"),
        ("Sun", json!(bob), "2026-01-01T00:00:00Z"),
        ("Fog", json!(cleo), "2026-03-05T10:00:00Z"),
        ("Nil", Value::Null, "2027-03-05T00:00:00Z"),
        ("Dew", json!(ann), "2026-03-06T10:00:00Z"),
    ] {
        let book = admin.record("books", json!({"title": title, "maker": maker, "at": at, "after": after})).await;
        after = book["id"].clone();
    }
    Shop { coffer, admin, otto }
}

async fn titles(client: &Client, query: &str) -> String {
    let titles = client.column(&format!("{BOOKS}?{query}"), "title").await;
    titles.iter().map(|title| title.as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn all_that_is_wrong_with_a_list_is_told_at_once() {
    let Shop { coffer: _coffer, admin, otto } = shop().await;
    let own = "bad=1&at__gte=x";
    let far = "maker__age=x&maker__nothing=1&maker__country__founded__gte=2024-13-01&maker__nowhere=";
    let (order, expand) = ("ordering=maker__nothing,nothing,-title", "expand=nobody");
    let all = [
        "at__gte",
        "bad",
        "expand",
        "maker__age",
        "maker__country__founded__gte",
        "maker__nothing",
        "maker__nowhere",
        "ordering",
    ];
    let told = async |client: &Client, query: &str| -> Vec<String> {
        client.get(&format!("{BOOKS}?{query}")).await.refused(400).errors.0.keys().cloned().collect()
    };
    assert_eq!(told(&admin, &format!("{own}&{far}&{order}&{expand}")).await, all);
    assert_eq!(told(&otto, &format!("{own}&{far}&{order}&{expand}")).await, all);
    let some = |without: &[&str]| -> Vec<&str> { all.into_iter().filter(|name| !without.contains(name)).collect() };
    assert_eq!(told(&admin, &format!("{far}&{order}")).await, some(&["at__gte", "bad", "expand"]));
    assert_eq!(told(&admin, &format!("{far}&{expand}")).await, some(&["at__gte", "bad", "ordering"]));
    assert_eq!(told(&admin, far).await, some(&["at__gte", "bad", "expand", "ordering"]));
    assert_eq!(told(&admin, &format!("{own}&{order}")).await, ["at__gte", "bad", "ordering"]);
    let faults = admin.get(&format!("{BOOKS}?ordering=maker__nothing,nothing,maker")).await.faults();
    assert_eq!(faults.len(), 2, "{faults:?}");
    let words = "filter=maker.age%20%3D%20%22x%22%20and%20nothing%20%3D%201%20and%20maker.nothing%20%3D%201";
    let faults = admin.get(&format!("{BOOKS}?{words}&bad=1")).await.faults();
    assert_eq!(faults.len(), 4, "{faults:?}");
    for list in ["export/?", "aggregate/?count=*&"] {
        let problem = admin.get(&format!("{BOOKS}{list}{own}&maker__age=x")).await.refused(400);
        let names: Vec<_> = problem.errors.0.keys().collect();
        assert_eq!(names, ["at__gte", "bad", "maker__age"], "{list}");
    }
    let problem =
        admin.patch(&format!("{BOOKS}?at__gte=x&maker__age=x&max=9"), &json!({"title": 3, "nope": 1, "at": "x"})).await;
    let names: Vec<String> = problem.refused(400).errors.0.keys().cloned().collect();
    assert_eq!(names, ["at", "at__gte", "maker__age", "nope"]);
    // What is not known is passed over where somebody says so; the rest is told.
    let lenient = admin.get(&format!("{BOOKS}?maker__age=20&at__gte=2020-01-01&{}", "maker__nowhere=")).await;
    lenient.refused(400);
}

#[tokio::test]
async fn filters_and_orderings_look_through_references() {
    let Shop { admin, coffer: _coffer, .. } = shop().await;
    for (query, found) in [
        ("maker__name=Ann", "Ice Dew"),
        ("maker__name__icontains=AN", "Ice Dew"),
        ("maker__name__ne=Ann", "Sun Fog Nil"),
        ("maker__name__in=Ann,Bob", "Ice Sun Dew"),
        ("maker__name__iregex=%5E%5Bab%5D", "Ice Sun Dew"),
        ("maker__age__gt=25", "Ice Fog Dew"),
        ("maker__age__range=20,30", "Ice Sun Dew"),
        ("maker__country__name=Peru", "Sun"),
        ("maker__country__isnull=true", "Fog Nil"),
        ("maker__country__founded__year=1814", "Ice Dew"),
        ("maker__country__founded__isnull=true", "Sun Fog Nil"),
        ("after__title=Ice", "Sun"),
        ("after__maker__name=Ann", "Sun"),
        ("after__after__maker__country__name=Norway", "Fog"),
        ("maker__isnull=true", "Nil"),
        ("maker__created_at__year__gte=2020", "Ice Sun Fog Dew"),
        // By code point: capitals come first.
        ("ordering=maker__name", "Nil Ice Dew Sun Fog"),
        ("ordering=-maker__age,title", "Fog Dew Ice Sun Nil"),
        ("ordering=maker__country__name,-title", "Nil Fog Ice Dew Sun"),
        ("ordering=maker__name&maker__age__lt=40", "Ice Dew Sun"),
        ("owner__username=ada&title=Ice", "Ice"),
        ("owner__username=otto", ""),
        ("owner__username__in=otto,ada&title__in=Ice,Sun", "Ice Sun"),
        ("maker__owner__username__icontains=TT", "Ice Fog Dew"),
        ("maker__owner__username__ne=otto", "Sun Nil"),
        ("maker__owner__username__isnull=true", "Nil"),
        ("ordering=-maker__owner__username,title", "Dew Fog Ice Sun Nil"),
    ] {
        assert_eq!(titles(&admin, query).await, found, "{query}");
    }
    for (query, place) in [
        ("maker__zzz=1", "maker__zzz"),
        ("maker__name__zzz=1", "maker__name__zzz"),
        ("maker__age__contains=1", "maker__age__contains"),
        ("maker__age=x", "maker__age"),
        ("title__name=x", "title__name"),
        ("owner__email=ada", "owner__email"),
        ("ordering=maker__zzz", "ordering"),
        ("after__after__after__after__after__title=x", "after__after__after__after__after__title"),
        ("maker__name__regex=(", "maker__name__regex"),
    ] {
        assert!(admin.get(&format!("{BOOKS}?{query}")).await.refused(400).errors.0.contains_key(place), "{query}");
    }
    // By cursor too.
    let first = admin.get(&format!("{BOOKS}?cursor=&page_size=3&ordering=maker__name")).await.is(200);
    let next = first["next"].as_str().unwrap().strip_prefix(&admin.base).unwrap().to_owned();
    let second = admin.get(&next).await.is(200);
    let title =
        |page: &Value| page["results"].as_array().unwrap().iter().map(|row| text(row, "title")).collect::<Vec<_>>();
    assert_eq!([title(&first), title(&second)].concat().join(" "), "Nil Ice Dew Sun Fog");
}

#[tokio::test]
async fn what_the_caller_may_not_view_is_null_for_them() {
    let Shop { admin, otto, coffer } = shop().await;
    assert_eq!(titles(&otto, "maker__name=Bob").await, "");
    assert_eq!(titles(&otto, "maker__name__isnull=true").await, "Sun Nil");
    assert_eq!(titles(&otto, "maker__country__name=Peru").await, "");
    assert_eq!(titles(&otto, "maker__age__lt=100&ordering=maker__age").await, "Ice Dew Fog");
    assert_eq!(titles(&otto, "ordering=-maker__age").await, "Fog Dew Ice Nil Sun");
    let page = otto.get(&format!("{BOOKS}?expand=maker.country")).await.is(200);
    let makers: Vec<Value> =
        page["results"].as_array().unwrap().iter().map(|row| row["maker"]["name"].clone()).collect();
    assert_eq!(makers, [json!("Ann"), Value::Null, json!("cleo"), Value::Null, json!("Ann")]);
    assert_eq!(page["results"][1]["maker"], Value::Null);
    let countries = otto.get("/api/records/countries/?expand=makers_via_country").await.is(200);
    assert_eq!(countries["results"][0]["makers_via_country"][0]["name"], "Ann");
    assert_eq!(countries["results"][1]["makers_via_country"], json!([]), "Bob is the admin's");

    // A collection that is hidden altogether is one of which nothing is told, not even which names its fields have.
    let hidden = json!({"access": {"list": ["nobody"], "view": ["nobody"]}});
    admin.patch("/api/collections/makers/", &hidden).await.is(200);
    for name in ["maker__name", "maker__zzz", "maker__born__year", "maker__country__name"] {
        assert_eq!(titles(&otto, &format!("{name}=Ann")).await, "", "{name}");
        assert_eq!(
            titles(&otto, &format!("{name}__isnull=true&ordering={name}")).await.split(' ').count(),
            5,
            "{name}"
        );
    }
    for expanded in ["maker", "maker.country", "maker.zzz"] {
        let page = otto.get(&format!("{BOOKS}?expand={expanded}")).await.is(200);
        assert!(page["results"].as_array().unwrap().iter().all(|row| row["maker"].is_null()), "{page}");
    }
    otto.get("/api/records/countries/?expand=makers_via_country").await.refused(400);
    coffer.stranger().get(&format!("{BOOKS}?maker__name=Ann")).await.refused(401);
}

#[tokio::test]
async fn references_are_expanded_there_and_back() {
    let Shop { admin, otto, coffer: _coffer } = shop().await;
    let page = admin.get(&format!("{BOOKS}?expand=maker,maker.country,after&title=Dew")).await.is(200);
    let row = &page["results"][0];
    assert_eq!((&row["maker"]["name"], &row["maker"]["country"]["name"]), (&json!("Ann"), &json!("Norway")));
    assert_eq!((&row["after"]["title"], row["after"]["maker"].is_null()), (&json!("Nil"), true));
    assert!(row["maker"]["revision"].is_u64(), "{row}");
    let page = admin
        .get("/api/records/makers/?expand=books_via_maker.after,country.makers_via_country&ordering=name")
        .await
        .is(200);
    let ann = &page["results"][0];
    let books: Vec<_> = ann["books_via_maker"]
        .as_array()
        .unwrap()
        .iter()
        .map(|book| (text(book, "title"), book["after"]["title"].clone()))
        .collect();
    assert_eq!(books, [("Ice".to_owned(), Value::Null), ("Dew".to_owned(), json!("Nil"))]);
    assert_eq!(ann["country"]["makers_via_country"][0]["name"], "Ann");
    assert_eq!(page["results"][2]["books_via_maker"].as_array().unwrap().len(), 1);
    assert_eq!(page["results"][2]["country"], Value::Null);

    let page = admin.get("/api/records/makers/?expand=books_via_maker&fields=books_via_maker&name=Bob").await.is(200);
    let row = page["results"][0].as_object().unwrap();
    assert_eq!((row.len(), &row["books_via_maker"][0]["title"]), (1, &json!("Sun")));
    let page = otto.get("/api/records/makers/?expand=owner&fields=name").await.is(200);
    assert_eq!(page["results"][0]["owner"]["username"], "otto");
    assert!(page["results"][0].get("age").is_none(), "{page}");
    let page = otto.get(&format!("{BOOKS}?expand=owner,maker.owner&title=Ice")).await.is(200);
    let row = &page["results"][0];
    assert_eq!((&row["owner"]["username"], &row["maker"]["owner"]["username"]), (&json!("ada"), &json!("otto")));
    assert_eq!(row["owner"].as_object().unwrap().len(), 2, "an id and a name");

    for bad in [
        "zzz",
        "title",
        "maker.zzz",
        "owner.id",
        "books_via_zzz",
        "makers_via_maker",
        "a.b.c.d.e",
        "maker..country",
        "revision",
    ] {
        let refused = admin.get(&format!("{BOOKS}?expand={bad}")).await.refused(400);
        assert!(refused.errors.0.contains_key("expand"), "{bad}");
    }
    admin.get("/api/users/?expand=owner").await.refused(400);
}

#[tokio::test]
async fn what_rows_refer_to_is_told_by_name_as_far_as_it_may_be_viewed() {
    let Shop { admin, otto, coffer: _coffer } = shop().await;
    let names = async |client: &Client, query: &str| client.get(&format!("{BOOKS}?{query}")).await.is(200);
    let page = names(&admin, "named=true&ordering=title").await;
    let told = |page: &Value, member: &str| -> Vec<Value> {
        let rows = page["results"].as_array().unwrap().iter();
        rows.map(|row| row[member].as_str().map_or(json!("none"), |id| page["names"][id].clone())).collect()
    };
    assert_eq!(told(&page, "id"), ["Dew", "Fog", "Ice", "Nil", "Sun"]);
    assert_eq!(told(&page, "maker"), ["Ann", "cleo", "Ann", "none", "Bob"]);
    assert_eq!(told(&page, "after"), ["Nil", "Sun", "none", "Fog", "Ice"]);
    assert_eq!(told(&page, "owner"), ["ada"; 5]);
    // Of makers he may view his own.
    let page = names(&otto, "named=true&ordering=title").await;
    assert_eq!(told(&page, "maker"), [json!("Ann"), json!("cleo"), json!("Ann"), json!("none"), Value::Null]);
    // Nothing is told of what is not sent, on any kind of page.
    let page = names(&admin, "named=1&fields=id,maker&ordering=title&limit=1").await;
    assert_eq!((page["names"].as_object().unwrap().len(), told(&page, "maker")), (2, vec![json!("Ann")]));
    let page = names(&admin, "named=true&cursor=&ordering=title&page_size=2").await;
    assert_eq!(told(&page, "maker"), ["Ann", "cleo"]);
    let next = page["next"].as_str().unwrap().strip_prefix(&admin.base).unwrap();
    assert_eq!(told(&admin.get(next).await.is(200), "maker"), ["Ann", "none"]);
    assert!(names(&admin, "named=false").await.get("names").is_none());

    // A maker is called by another field from now on, whatever that is called later; a text that is long is cut.
    let fields = "/api/collections/makers/fields/";
    admin.patch(&format!("{fields}age/"), &json!({"display": true})).await.is(200);
    let page = names(&admin, "named=true&ordering=title").await;
    assert_eq!(told(&page, "maker"), ["30", "40", "30", "none", "20"]);
    admin.patch(&format!("{fields}age/"), &json!({"name": "years"})).await.is(200);
    let page = names(&admin, "named=true&ordering=title").await;
    assert_eq!(told(&page, "maker"), ["30", "40", "30", "none", "20"]);
    let two = admin.patch(&format!("{fields}name/"), &json!({"display": true})).await;
    assert_eq!(two.faults().len(), 1, "one field is enough");
    let definition = admin.get("/api/collections/makers/").await.is(200);
    assert_eq!((&definition["fields"][2]["display"], definition["fields"][0].get("display")), (&json!(true), None));
    let long = admin.record("makers", json!({"name": "x".repeat(500)})).await;
    let page = admin.get(&format!("/api/records/makers/?named=true&id={}", text(&long, "id"))).await.is(200);
    assert_eq!(told(&page, "id"), [json!("x".repeat(200))]);
    let groups = admin.get(&format!("{BOOKS}aggregate/?group_by=maker&ordering=-count")).await.is(200);
    let most = groups["results"][0]["maker"].as_str().unwrap();
    assert_eq!(groups["names"][most], "30", "groups are named alike");

    for refused in ["named=maybe", "named=true&named=true"] {
        assert!(admin.get(&format!("{BOOKS}?{refused}")).await.refused(400).errors.0.contains_key("named"));
    }
    for other in
        ["/api/users/?named=true", "/api/records/books/export/?named=true", "/api/records/books/aggregate/?named=true"]
    {
        assert!(admin.get(other).await.refused(400).errors.0.contains_key("named"), "{other}");
    }
}

#[tokio::test]
async fn numbers_and_lists_of_ids_are_told_by_name_too() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let counted =
        json!({"name": "tags", "ids": "integer", "fields": [{"name": "word", "type": "text", "display": true}]});
    admin.post("/api/collections/", &counted).await.is(201);
    for word in ["sweet", "sour"] {
        admin.record("tags", json!({"word": word})).await;
    }
    let fields = json!([
        {"name": "tags", "type": "reference", "collection": "tags", "many": true},
        {"name": "main", "type": "reference", "collection": "tags", "nullable": true},
    ]);
    admin.collection("posts", fields).await;
    admin.record("posts", json!({"tags": [1, 2], "main": 2})).await;
    let page = admin.get("/api/records/posts/?named=true&fields=tags,main").await.is(200);
    let names = page["names"].as_object().unwrap();
    for (key, name) in [("tags.1", "sweet"), ("tags.2", "sour"), ("main.2", "sour")] {
        assert_eq!(names[key], name, "{page}");
    }
    let page = admin.get("/api/records/tags/?named=true&ordering=word").await.is(200);
    assert_eq!((&page["names"]["id.1"], &page["names"]["id.2"]), (&json!("sweet"), &json!("sour")));
}

#[tokio::test]
async fn what_is_expanded_has_a_bound() {
    let (_coffer, admin) = Coffer::with_admin().await;
    admin
        .collection(
            "makers",
            json!([{"name": "name", "type": "text"}, {"name": "t", "type": "json", "max_bytes": 300_000}]),
        )
        .await;
    admin.collection("books", json!([{"name": "maker", "type": "reference", "collection": "makers", "nullable": true}, {"name": "t", "type": "json", "max_bytes": 300_000}])).await;
    let maker = text(&admin.record("makers", json!({"name": "M", "t": "x".repeat(200_000)})).await, "id");
    let rows: Vec<Value> = (0..100).map(|_| json!({"maker": maker, "t": "x"})).collect();
    admin.post(BOOKS, &rows.into()).await.is(201);
    let refused = admin.get(&format!("{BOOKS}?expand=maker&page_size=100")).await.refused(400);
    assert!(refused.detail.contains("page_size="), "{refused:?}");
    let mut next = Some(format!("{BOOKS}?expand=maker&limit=100"));
    let mut rows = 0;
    while let Some(at) = next {
        let answer = admin.get(&at).await;
        assert!(answer.body.len() < 8_500_000);
        let page = answer.is(200);
        rows += page["results"].as_array().unwrap().len();
        next = page["next"].as_str().map(|link| link.strip_prefix(&admin.base).unwrap().to_owned());
    }
    assert_eq!(rows, 100);
    let large: Vec<Value> = (0..45).map(|_| json!({"maker": maker, "t": "x".repeat(200_000)})).collect();
    admin.post(BOOKS, &large.into()).await.is(201);
    let refused = admin.get("/api/records/makers/?expand=books_via_maker").await.refused(400);
    assert!(refused.errors.0.contains_key("expand"), "{refused:?}");
}

#[tokio::test]
async fn dates_and_their_parts_are_asked_for_as_in_django() {
    let Shop { admin, coffer: _coffer, .. } = shop().await;
    for (query, found) in [
        ("at__gte=2026-01-01", "Sun Fog Nil Dew"),
        ("at__lt=2026-01-01", "Ice"),
        ("at__date=2026-03-05", "Fog"),
        ("at__date__gt=2026-03-05", "Nil Dew"),
        ("at__year=2026", "Sun Fog Dew"),
        ("at__year__in=2025,2027", "Ice Nil"),
        ("at__month=3", "Fog Nil Dew"),
        ("at__day__lte=5", "Sun Fog Nil"),
        ("at__month=3&at__year=2026", "Fog Dew"),
        ("at__year__isnull=false&ordering=-at__day", "Ice Dew Nil Fog Sun"),
        ("ordering=at__month,-at", "Sun Nil Dew Fog Ice"),
        ("title__regex=%5E.%5Bec%5D", "Ice Dew"),
        ("title__iregex=ICE%7Cfog", "Ice Fog"),
        ("title__exact=Ice", "Ice"),
    ] {
        assert_eq!(titles(&admin, query).await, found, "{query}");
    }
    for (query, place) in [
        ("at__year=x", "at__year"),
        ("at__hour=x", "at__hour"),
        ("title__year=3", "title__year"),
        ("at__date=yesterday", "at__date"),
        ("title__regex=(", "title__regex"),
        ("title__regex=(%3F%3Da)", "title__regex"),
        ("at__regex=2", "at__regex"),
    ] {
        assert!(admin.get(&format!("{BOOKS}?{query}")).await.refused(400).errors.0.contains_key(place), "{query}");
    }
}

#[tokio::test]
async fn one_record_is_expanded_and_cut_as_a_row_of_a_list_is() {
    let Shop { admin, otto, coffer: _coffer } = shop().await;
    let rows = admin.get(&format!("{BOOKS}?expand=maker.country,owner&title=Ice")).await.is(200)["results"].take();
    let row = rows[0].clone();
    let at = format!("{BOOKS}{}/", text(&row, "id"));
    let answer = admin.get(&format!("{at}?expand=maker.country,owner")).await;
    assert_eq!(answer.header("etag"), "", "the revision says nothing of what is expanded");
    assert_eq!(answer.is(200), row);
    let cut = admin.get(&format!("{at}?fields=title,revision")).await;
    assert_eq!(cut.header("etag"), format!("\"{}\"", row["revision"]));
    assert_eq!(cut.is(200), json!({"title": "Ice", "revision": row["revision"]}));
    assert_eq!(admin.get(&format!("{at}?fields=title&expand=maker")).await.is(200).as_object().unwrap().len(), 2);
    for (query, place) in [
        ("expand=zzz", "expand"),
        ("fields=zzz", "fields"),
        ("page=1", "page"),
        ("expand=maker&expand=owner", "expand"),
    ] {
        assert!(admin.get(&format!("{at}?{query}")).await.refused(400).errors.0.contains_key(place), "{query}");
    }
    // Bob is the admin's: nothing to otto.
    let sun = admin.get(&format!("{BOOKS}?title=Sun")).await.is(200)["results"][0].take();
    let seen = otto.get(&format!("{BOOKS}{}/?expand=maker", text(&sun, "id"))).await.is(200);
    assert_eq!((seen["maker"].clone(), seen["title"].clone()), (Value::Null, json!("Sun")));
}

#[tokio::test]
async fn numbers_in_json_fields_have_their_digits_wherever_a_record_stands() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let definition = format!(
        r#"{{"name":"makers","fields":[{{"name":"name","type":"text"}},{{"name":"data","type":"json","default":{DIGITS}}}]}}"#
    );
    let send = async |method: reqwest::Method, path: &str, body: String| {
        let request = admin.request(method, path).header("content-type", "application/json").body(body);
        crate::support::Answer::of(request).await
    };
    let made = send(reqwest::Method::POST, "/api/collections/", definition.clone()).await;
    assert!(made.text().contains(DIGITS), "{}", made.text());
    made.is(201);
    assert!(admin.get("/api/collections/makers/").await.text().contains(DIGITS));
    let changed = send(reqwest::Method::PATCH, "/api/collections/makers/", definition.replace("1.10", "1.100")).await;
    assert!(changed.text().contains(&DIGITS.replace("1.10", "1.100")), "{}", changed.text());
    let wrong = definition.replace(r#""type":"text""#, r#""type":"integer","max":12345678901234567890123"#);
    send(reqwest::Method::PATCH, "/api/collections/makers/", wrong).await.refused(400);
    send(reqwest::Method::PUT, "/api/collections/makers/", definition).await.is(200);

    let maker = admin.record("makers", json!({"name": "Ann"})).await;
    let fields = json!([{"name": "name", "type": "text"}, {"name": "data", "type": "json"},
        {"name": "maker", "type": "reference", "collection": "makers"}]);
    admin.collection("books", fields).await;
    let book = format!(r#"{{"name":"Ann","maker":{},"data":{DIGITS}}}"#, maker["id"]);
    let book = send(reqwest::Method::POST, BOOKS, book).await.is(201);
    for (path, times) in [
        ("/api/records/makers/", 1),
        (&format!("/api/records/makers/{}/", text(&maker, "id")), 1),
        ("/api/records/books/?expand=maker", 2),
        ("/api/records/books/?expand=maker&fields=maker", 1),
        (&format!("/api/records/books/{}/?expand=maker", text(&book, "id")), 2),
        ("/api/records/makers/?expand=books_via_maker.maker", 3),
        ("/api/records/books/?left_join=makers:name=name", 2),
        ("/api/records/books/?left_join=makers:name=name&expand=maker&fields=data", 3),
    ] {
        let text = admin.get(path).await.text();
        assert_eq!(text.matches(DIGITS).count(), times, "{path}: {text}");
    }
}
