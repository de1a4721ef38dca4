//! Cursors: they go both ways, hold while rows come and go, and are good for their owner alone.

use super::*;

#[tokio::test]
async fn a_cursor_goes_back_where_it_came_from() {
    let (_coffer, admin) = with_rows(40).await;
    for query in QUERIES {
        let first = format!("{ROWS}?cursor=&page_size=6&{query}");
        let pages = walk(&admin, first.clone(), "next").await;
        let mut at = first;
        for _ in 1..pages.len() {
            let page = admin.get(&at).await.is(200);
            assert!(page.get("count").is_none(), "{page}");
            at = link(&admin, &page, "next").unwrap();
        }
        let mut back = walk(&admin, at, "previous").await;
        back.reverse();
        assert_eq!(back, pages, "{query}");
        let page = admin.get(&format!("{ROWS}?cursor=&page_size=6&{query}")).await.is(200);
        assert_eq!(page["previous"], Value::Null, "{query}");
    }
}

#[tokio::test]
async fn a_cursor_stays_where_it_is_while_rows_come_and_go() {
    let (_coffer, admin) = with_rows(60).await;
    for query in ["", "ordering=-id", "ordering=n", "ordering=-n,t", "t__ne=zzz", "d__isnull=false&ordering=d"] {
        let before: Vec<String> = ids(&admin.get(&format!("{ROWS}?page_size=1000&{query}")).await.is(200));
        let (mut seen, mut gone) = (Vec::new(), BTreeSet::new());
        let mut next = Some(format!("{ROWS}?cursor=&page_size=5&{query}"));
        let mut turn = 0;
        while let Some(path_of_page) = next {
            let page = admin.get(&path_of_page).await.is(200);
            let rows = ids(&page);
            seen.extend(rows.clone());
            next = link(&admin, &page, "next");
            // The row that the cursor stands at goes, and so does one that is yet to come; new ones come everywhere.
            let to_come = before.iter().rev().find(|id| !seen.contains(id) && !gone.contains(*id));
            for id in rows.last().into_iter().chain(to_come).cloned().collect::<Vec<_>>() {
                if gone.len() < 12 && gone.insert(id.clone()) {
                    admin.delete(&format!("{ROWS}{id}/")).await.is(204);
                }
            }
            if turn < 6 {
                admin.record("rows", row(turn)).await;
            }
            turn += 1;
        }
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), seen.len(), "{query}: a row came twice");
        let missing: Vec<_> = before.iter().filter(|id| !gone.contains(*id) && !distinct.contains(id)).collect();
        assert!(missing.is_empty(), "{query}: {missing:?}");
    }
    // Everything behind the cursor goes, and comes back.
    let page = admin.get(&format!("{ROWS}?cursor=&page_size=1000&k=y")).await.is(200);
    assert_eq!(page["next"], Value::Null);
    let page = admin.get(&format!("{ROWS}?cursor=&page_size=5&k=y")).await.is(200);
    let next = link(&admin, &page, "next").unwrap();
    for id in walk(&admin, next.clone(), "next").await.concat() {
        admin.delete(&format!("{ROWS}{id}/")).await.is(204);
    }
    let empty = admin.get(&next).await.is(200);
    assert_eq!((ids(&empty).len(), &empty["next"]), (0, &Value::Null));
    let back = admin.get(&link(&admin, &empty, "previous").unwrap()).await.is(200);
    assert_eq!(ids(&back), ids(&page), "the row at the cursor is one of those before it");
}

#[tokio::test]
async fn a_cursor_is_good_for_its_user_its_list_and_its_query_only() {
    let (coffer, admin) = with_rows(9).await;
    admin.collection("others", json!([{"name": "n", "type": "integer"}])).await;
    let otto = coffer.user(&admin, "otto", json!({})).await;
    let page = admin.get(&format!("{ROWS}?cursor=&page_size=3&ordering=n&t__ne=a")).await.is(200);
    let next = link(&admin, &page, "next").unwrap();
    let cursor = form_urlencoded::parse(next.split_once('?').unwrap().1.as_bytes())
        .find(|(name, _)| name == "cursor")
        .unwrap()
        .1
        .into_owned();
    admin.get(&next).await.is(200);
    admin.get(&format!("{ROWS}?cursor={cursor}&ordering=n&t__ne=a&fields=n&page_size=1")).await.is(200);
    let half = &cursor[..cursor.len() - 1];
    for (client, query) in [
        (&otto, format!("{ROWS}?cursor={cursor}&ordering=n&t__ne=a")),
        (&admin, format!("{ROWS}?cursor={cursor}&ordering=-n&t__ne=a")),
        (&admin, format!("{ROWS}?cursor={cursor}&ordering=n")),
        (&admin, format!("{ROWS}?cursor={cursor}&ordering=n&t__ne=b")),
        (&admin, format!("{ROWS}?cursor={cursor}&ordering=n&t__ne=a&search=a")),
        (&admin, format!("/api/records/others/?cursor={cursor}")),
        (&admin, format!("{ROWS}?cursor={half}&ordering=n&t__ne=a")),
        (&admin, format!("{ROWS}?cursor=cD0yMDIx&ordering=n")),
        (&admin, format!("{ROWS}?cursor=%00")),
    ] {
        assert_eq!(client.get(&query).await.refused(404).code, "invalid_cursor", "{query}");
    }
    for (query, parameter) in [
        ("cursor=&page=2", "cursor"),
        ("cursor=&limit=2", "cursor"),
        ("limit=2&page=2&offset=1", "limit"),
        ("limit=2&page_size=3", "limit"),
    ] {
        assert!(admin.get(&format!("{ROWS}?{query}")).await.refused(400).errors.0.contains_key(parameter), "{query}");
    }
    admin.get("/api/users/?cursor=").await.refused(400);

    // What a place is, is its row's values: those of very long texts do not fit into an address.
    let texts: Vec<Value> = (0..4).map(|name| json!({"name": format!("t{name}"), "type": "text"})).collect();
    admin.collection("long", texts.into()).await;
    for start in ["a", "b"] {
        let row: Value = (0..4)
            .map(|name| (format!("t{name}"), json!(start.repeat(9000))))
            .collect::<serde_json::Map<_, _>>()
            .into();
        admin.record("long", row).await;
    }
    admin.get("/api/records/long/?cursor=&page_size=1&ordering=t0,t1").await.is(200);
    let refused = admin.get("/api/records/long/?cursor=&page_size=1&ordering=t0,t1,t2,t3").await.refused(400);
    assert!(refused.errors.0.contains_key("ordering"), "{refused:?}");
}
