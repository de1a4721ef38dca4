//! `GET /api/records/{collection}/`: pages, orderings, filters, search and fields, over values whose order is easy to get wrong.

use std::cmp::Ordering;

use common::{Call, endpoints::records, name::CollectionName, query::ListQuery};
use serde_json::{Value, json};

use crate::support::{Client, Coffer, text};

mod filters;
mod suggestions;

const ROWS: &str = "/api/records/rows/";

/// Rows with a field of every type that has an order, each once with an index and once without.
const TYPES: [(&str, &str); 8] = [
    ("text", r"{}"),
    ("integer", r"{}"),
    ("decimal", r"{}"),
    ("boolean", r"{}"),
    ("date", r"{}"),
    ("datetime", r"{}"),
    ("email", r"{}"),
    ("choice", r#"{"choices": ["nut", "cake", "Cake", "ç"]}"#),
];

/// Values of a type in ascending order, null first. Text goes by code points.
fn ascending(kind: &str) -> Vec<Value> {
    let values = match kind {
        "text" => json!([null, "", "\"", "10", "9", "B", "a", "a b", "ab", "é", "عربى", "日本", "😀"]),
        "integer" => json!([null, -9_007_199_254_740_992_i64, -10, -9, 0, 9, 10, 9_007_199_254_740_992_i64]),
        "decimal" => {
            json!([null, "-10.5", "-9", "-0.01", "0", "0.001", "0.01", "9", "9.5", "10", "1000000000000000000000"])
        }
        "boolean" => json!([null, false, true]),
        "date" => json!([null, "0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31"]),
        "datetime" => json!([
            null,
            "0001-01-01T00:00:00Z",
            "1969-12-31T23:59:59.999999Z",
            "2024-01-01T00:00:00Z",
            "2024-01-01T00:00:00.000001Z",
            "2024-01-01T00:00:00.500000Z",
            "2024-01-01T00:00:01Z",
            "9999-12-31T23:59:59Z"
        ]),
        "email" => json!([null, "", "a@b.example", "b@a.example"]),
        "choice" => json!([null, "Cake", "cake", "nut", "ç"]),
        _ => panic!("{kind} has no order"),
    };
    values.as_array().unwrap().clone()
}

async fn with_rows(fields: Value, rows: &[Value]) -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("rows", fields).await;
    for chunk in rows.chunks(1000) {
        admin.post(ROWS, &json!(chunk)).await.is(201);
    }
    (coffer, admin)
}

/// All rows of a list, page after page by its links.
async fn all_pages(client: &Client, path: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = client.get(&path).await.is(200);
        rows.extend(page["results"].as_array().unwrap().clone());
        next = page["next"].as_str().map(|link| link.strip_prefix(&client.base).unwrap().to_owned());
    }
    rows
}

fn column(rows: &[Value], name: &str) -> Vec<Value> {
    rows.iter().map(|row| row[name].clone()).collect()
}

#[tokio::test]
async fn pages_follow_each_other_by_links_that_keep_the_rest() {
    let rows: Vec<Value> = (0..45).map(|n| json!({"n": n})).collect();
    let (_coffer, admin) = with_rows(json!([{"name": "n", "type": "integer"}]), &rows).await;
    let first = admin.get(ROWS).await.is(200);
    assert_eq!((first["count"].as_u64(), first["results"].as_array().unwrap().len()), (Some(45), 20));
    assert_eq!(first["previous"], Value::Null);
    assert_eq!(text(&first, "next"), format!("{}{ROWS}?page=2", admin.base));
    assert_eq!(column(&all_pages(&admin, ROWS).await, "n"), (0..45).map(Value::from).collect::<Vec<_>>());

    let query = "?ordering=-n&n__gte=5&page_size=7&fields=n&search=&page=3";
    let third = admin.get(&format!("{ROWS}{query}")).await.is(200);
    assert_eq!(column(third["results"].as_array().unwrap(), "n"), (24..=30).rev().map(Value::from).collect::<Vec<_>>());
    for (link, page) in [("next", "4"), ("previous", "2")] {
        let link = text(&third, link);
        let (path, raw) = link.split_once('?').unwrap();
        assert_eq!(path, format!("{}{ROWS}", admin.base));
        let mut pairs: Vec<&str> = raw.split('&').collect();
        pairs.sort_unstable();
        assert_eq!(pairs, ["fields=n", "n__gte=5", "ordering=-n", &format!("page={page}"), "page_size=7", "search="]);
    }
    let back = text(&admin.get(&format!("{ROWS}?page=2")).await.is(200), "previous");
    assert_eq!(admin.get(back.strip_prefix(&admin.base).unwrap()).await.is(200)["results"], first["results"]);
    assert_eq!(admin.get(&format!("{ROWS}?page=3")).await.is(200)["next"], Value::Null);
    assert_eq!(admin.get(&format!("{ROWS}?page_size=45")).await.is(200)["next"], Value::Null);
    assert_eq!(
        admin.get(&format!("{ROWS}?n=99")).await.is(200),
        json!({"count": 0, "next": null, "previous": null, "results": []})
    );
}

#[tokio::test]
async fn the_typed_query_and_the_typed_page_say_the_same() {
    let rows: Vec<Value> = (0..25).map(|n| json!({"n": n})).collect();
    let (_coffer, admin) = with_rows(json!([{"name": "n", "type": "integer"}]), &rows).await;
    let collection: CollectionName = "rows".parse().unwrap();
    let query = ListQuery { page: 2, page_size: 10, fields: vec!["n".to_owned()], ..ListQuery::default() };
    let page = admin.send(Call::<records::List>::new((collection,), ()).query(query)).await.unwrap().body;
    assert_eq!((page.count, page.results.len()), (25, 10));
    assert!(page.next.is_some() && page.previous.is_some());
    assert_eq!(page.results[0].as_object().len(), 1);
}

#[tokio::test]
async fn n7_odd_parameters_are_refused_by_name() {
    let fields = json!([
        {"name": "n", "type": "integer"},
        {"name": "t", "type": "text"},
        {"name": "j", "type": "json"},
        {"name": "of", "type": "reference", "collection": "rows"},
    ]);
    let (_coffer, admin) = with_rows(fields, &[json!({"n": 1})]).await;
    for (query, parameter) in [
        ("fields=n&fields=n", "fields"),
        ("ordering=zzz", "ordering"),
        ("ordering=--n", "ordering"),
        ("ordering=j", "ordering"),
        ("fields=n,zzz", "fields"),
        ("zzz=1", "zzz"),
        ("n=one", "n"),
        ("n_after=1", "n_after"),
        ("n_min__gt=1", "n_min__gt"),
        ("ordering=n_min", "ordering"),
        ("n_min=1&n_min=2", "n_min"),
        ("t__hour=1", "t__hour"),
        ("created_at__hour=one", "created_at__hour"),
        ("created_at__time=1", "created_at__time"),
        ("n__like=1", "n__like"),
        ("n__contains=1", "n__contains"),
        ("n__range=1", "n__range"),
        ("n__range=1,2,3", "n__range"),
        ("n__in=1,x", "n__in"),
        ("n__isnull=perhaps", "n__isnull"),
        ("t__regex=(a", "t__regex"),
        ("__proto__=1", "__proto__"),
        ("constructor=1", "constructor"),
        ("%24where=1", "$where"),
        ("n%5B%24ne%5D=1", "n[$ne]"),
        ("owner__contains=0", "owner__contains"),
        ("owner=ada", "owner"),
        ("owner__exact=", "owner"),
        ("id__in=01920000-0000-7000-8000-000000000001,x", "id__in"),
        ("of=007", "of"),
        ("created_at__gt=yesterday", "created_at__gt"),
        ("left_join=zzz", "left_join"),
        ("left_join=rows:zzz=n", "left_join"),
        ("left_join=rows:n=zzz", "left_join"),
    ] {
        let refused = admin.get(&format!("{ROWS}?{query}")).await;
        assert_eq!(refused.status, 400, "{query}");
        assert!(refused.problem().errors.0.contains_key(parameter), "{query}: {refused:?}");
    }
    for page in ["0", "-1", "1e9", "2", "18446744073709551615", "18446744073709551616", "first", "NaN"] {
        let refused = admin.get(&format!("{ROWS}?page={page}")).await.refused(404);
        assert_eq!((refused.detail.as_str(), refused.code.as_ref()), ("Invalid page.", "invalid_page"), "{page}");
    }
    let terms: Vec<String> = (0..10_000).map(|n| format!("n__gt={n}")).collect();
    assert!([400, 414].contains(&admin.get(&format!("{ROWS}?{}", terms[..1000].join("&"))).await.status));
    admin.get(&format!("{ROWS}?ordering={}", vec!["n"; 100].join(","))).await.refused(400);
}

#[tokio::test]
async fn every_type_is_ordered_by_its_own_order_with_an_index_and_without() {
    let mut fields = Vec::new();
    for (kind, more) in TYPES {
        for indexed in [true, false] {
            let mut field: Value = serde_json::from_str(more).unwrap();
            let name = format!("{kind}{}", if indexed { "_i" } else { "" });
            for (member, value) in
                [("name", json!(name)), ("type", json!(kind)), ("indexed", json!(indexed)), ("nullable", json!(true))]
            {
                field[member] = value;
            }
            fields.push(field);
        }
    }
    let longest = TYPES.iter().map(|(kind, _)| ascending(kind).len()).max().unwrap();
    // A fixed shuffle: 7 and the number of rows have no common factor.
    let count = 2 * longest + 1;
    assert_ne!(count % 7, 0);
    let rows: Vec<Value> = (0..count)
        .map(|n| {
            let n = n * 7 % count;
            let mut row = json!({});
            for (kind, _) in TYPES {
                let values = ascending(kind);
                let value = &values[n % values.len()];
                row[kind] = value.clone();
                row[format!("{kind}_i")] = value.clone();
            }
            row
        })
        .collect();
    let (_coffer, admin) = with_rows(json!(fields), &rows).await;
    for (kind, _) in TYPES {
        let order = ascending(kind);
        let rank = |value: &Value| order.iter().position(|known| known == value).unwrap();
        let mut expected = column(&rows, kind);
        expected.sort_by_key(rank);
        for name in [kind.to_owned(), format!("{kind}_i")] {
            let up = all_pages(&admin, &format!("{ROWS}?ordering={name}&page_size=6")).await;
            assert_eq!(column(&up, &name), expected, "{name}");
            let down = all_pages(&admin, &format!("{ROWS}?ordering=-{name}&page_size=6")).await;
            let reversed: Vec<Value> = expected.iter().rev().cloned().collect();
            assert_eq!(column(&down, &name), reversed, "-{name}");
            // A filter that everything passes takes another way to the same rows.
            let filtered = all_pages(&admin, &format!("{ROWS}?ordering={name}&page_size=6&id__isnull=false")).await;
            assert_eq!(filtered, up, "{name}");
            let filtered = all_pages(&admin, &format!("{ROWS}?ordering=-{name}&page_size=6&id__isnull=false")).await;
            assert_eq!(filtered, down, "-{name}");
        }
    }
    let by_two = all_pages(&admin, &format!("{ROWS}?ordering=-boolean,integer&page_size=200")).await;
    let rank = |row: &Value| {
        let integer = ascending("integer").iter().position(|known| *known == row["integer"]);
        let boolean = ascending("boolean").iter().position(|known| *known == row["boolean"]);
        (boolean.map(std::cmp::Reverse), integer)
    };
    assert!(by_two.windows(2).all(|pair| rank(&pair[0]).cmp(&rank(&pair[1])) != Ordering::Greater));
}

#[tokio::test]
async fn rows_are_in_order_of_creation_where_nothing_else_is_asked_for() {
    let rows: Vec<Value> = (0..30).map(|n| json!({"n": n})).collect();
    let (coffer, admin) = with_rows(json!([{"name": "n", "type": "integer"}]), &rows).await;
    let ulla = coffer.user(&admin, "ulla", json!({})).await;
    ulla.record("rows", json!({"n": 30})).await;
    let expected: Vec<Value> = (0..31).map(Value::from).collect();
    for query in
        ["", "&ordering=id", "&ordering=created_at", "&ordering=revision", "&search=", "&ordering=created_at,id"]
    {
        assert_eq!(admin.column(&format!("{ROWS}?page_size=200{query}"), "n").await, expected, "{query}");
    }
    let reversed: Vec<Value> = expected.iter().rev().cloned().collect();
    assert_eq!(admin.column(&format!("{ROWS}?page_size=200&ordering=-id"), "n").await, reversed);
    assert_eq!(admin.column(&format!("{ROWS}?owner={}", ulla.id), "n").await, [json!(30)]);
    assert_eq!(admin.column(&format!("{ROWS}?owner__ne={}&page_size=200", ulla.id), "n").await, expected[..30]);
}

#[tokio::test]
async fn only_the_fields_that_are_asked_for_are_sent() {
    let fields = json!([{"name": "t", "type": "text"}, {"name": "n", "type": "integer"}]);
    let (_coffer, admin) = with_rows(fields, &[json!({"t": "a", "n": 1})]).await;
    let members = async |query: &str| {
        let page = admin.get(&format!("{ROWS}?{query}")).await.is(200);
        page["results"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(members("fields=n,t").await, ["t", "n"]);
    assert_eq!(members("fields=id,revision").await, ["id", "revision"]);
    assert_eq!(
        members("fields=n&ordering=t&t=a").await,
        ["n"],
        "a field may be filtered and ordered by without being sent"
    );
    assert_eq!(members("fields=").await.len(), 7);
}
