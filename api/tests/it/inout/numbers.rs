//! Adding to numbers: exact whoever adds at once, and never past a limit.

use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use crate::support::{Coffer, path};

#[tokio::test]
async fn adding_meets_the_limits_of_the_field() {
    let (_coffer, admin) = Coffer::with_admin().await;
    let fields = json!([
        {"name": "stock", "type": "integer", "min": 0, "max": 20}, {"name": "price", "type": "decimal", "places": 2, "nullable": true},
        {"name": "title", "type": "text"}, {"name": "data", "type": "json", "nullable": true},
    ]);
    admin.collection("snacks", fields).await;
    let snack = admin.record("snacks", json!({"stock": 3, "price": "1.10"})).await;
    let at = path("snacks", &snack);
    let add = async |field: &str, by: Value| admin.patch(&at, &json!({field: {"$add": by}})).await;
    assert_eq!(add("stock", json!(-2)).await.is(200)["stock"], 1);
    assert_eq!(add("stock", json!("4")).await.is(200)["stock"], 5);
    assert_eq!(add("price", json!(0.2)).await.is(200)["price"], "1.30");
    assert_eq!(add("price", json!("-2.05")).await.is(200)["price"], "-0.75");
    assert_eq!(add("stock", json!(-6)).await.faults(), ["stock: Ensure this value is greater than or equal to 0."]);
    assert_eq!(add("stock", json!(16)).await.faults(), ["stock: Ensure this value is less than or equal to 20."]);
    assert_eq!(
        add("price", json!("0.001")).await.faults(),
        ["price: Ensure that there are no more than 2 decimal places."]
    );
    for (field, by) in [
        ("stock", json!(1.5)),
        ("stock", json!("x")),
        ("stock", json!(null)),
        ("stock", json!(true)),
        ("price", json!("x")),
        ("title", json!(1)),
    ] {
        assert_eq!(add(field, by.clone()).await.refused(400).errors.0.keys().collect::<Vec<_>>(), [field], "{by}");
    }
    admin.patch(&at, &json!({"stock": {"$add": 1, "more": 2}})).await.refused(400);
    admin.patch(&at, &json!({"price": null})).await.is(200);
    assert!(add("price", json!(1)).await.faults()[0].contains("no number yet"));
    // It is data where any value is.
    assert_eq!(add("data", json!(1)).await.is(200)["data"], json!({"$add": 1}));
    admin.put(&at, &json!({"stock": {"$add": 1}})).await.refused(400);
    admin.post("/api/records/snacks/", &json!({"stock": {"$add": 1}})).await.refused(400);
    assert_eq!(admin.get(&at).await.is(200)["stock"], 5);
}

#[tokio::test]
async fn of_ten_thousand_sales_of_the_last_ten_items_ten_are_made() {
    let (_coffer, admin) = Coffer::with_admin_and(&["--rate-limit", "off"]).await;
    admin.collection("snacks", json!([{"name": "stock", "type": "integer", "min": 0}])).await;
    let at = path("snacks", &admin.record("snacks", json!({"stock": 10})).await);
    let sale = json!({"stock": {"$add": -1}});
    let sales = stream::iter(0..10_000).map(|_| admin.patch(&at, &sale));
    let statuses: Vec<u16> = sales.buffer_unordered(200).map(|answer| answer.status).collect().await;
    let count = |status| statuses.iter().filter(|it| **it == status).count();
    assert_eq!((count(200), count(400)), (10, 9990));
    assert_eq!(admin.get(&at).await.is(200)["stock"], 0);
    // Nor does anybody lose theirs where there is no end.
    let come = json!({"stock": {"$add": 1}});
    let many = stream::iter(0..300).map(|_| admin.patch(&at, &come));
    assert!(many.buffer_unordered(100).all(|answer| async move { answer.status == 200 }).await);
    assert_eq!(admin.get(&at).await.is(200)["stock"], 300);
}
