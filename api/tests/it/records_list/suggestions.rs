//! What was probably meant by a name that there is not; of what the caller may not see nothing is told.

use serde_json::json;

use crate::support::Coffer;

#[tokio::test]
async fn an_unknown_name_is_told_with_what_would_work() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("makers", json!([{"name": "name", "type": "text"}])).await;
    let own = json!({"name": "secrets", "fields": [{"name": "password", "type": "text"}], "access": {"list": [], "view": []}});
    admin.post("/api/collections/", &own).await.is(201);
    let fields = json!([
        {"name": "title", "type": "text"}, {"name": "price", "type": "decimal", "places": 2, "nullable": true}, {"name": "baked", "type": "date", "nullable": true},
        {"name": "maker", "type": "reference", "collection": "makers", "nullable": true}, {"name": "secret", "type": "reference", "collection": "secrets", "nullable": true},
    ]);
    admin.collection("snacks", fields).await;
    let unknown = "There is no query parameter of this name here.";
    for (query, told) in [
        ("prise=3", format!("prise: {unknown} Did you mean \"price\"?")),
        ("price__gtt=3", format!("price__gtt: {unknown} Did you mean \"price__gt\"?")),
        ("title__like=x", format!("title__like: {unknown} Did you mean \"title__icontains\"?")),
        ("title[contains]=x", format!("title[contains]: {unknown} Did you mean \"title__contains\"?")),
        ("title.startswith=x", format!("title.startswith: {unknown} Did you mean \"title__startswith\"?")),
        ("maker__nmae=x", format!("maker__nmae: {unknown} Did you mean \"maker__name\"?")),
        ("owner__name=x", format!("owner__name: {unknown} Did you mean \"owner__username\"?")),
        ("sort=price", format!("sort: {unknown} Did you mean \"ordering\"?")),
        ("per_page=3", format!("per_page: {unknown} Did you mean \"page_size\"?")),
        ("zzz=3", format!("zzz: {unknown}")),
        (
            "baked__jahr=3",
            format!(
                "baked__jahr: {unknown} Behind \"baked\" may stand exact, ne, gt, gte, lt, lte, in, range, isnull, isempty, year, month, day, week, week_day, quarter, iso_year."
            ),
        ),
        ("ordering=maker.name", "ordering: There is no field \"maker.name\". Did you mean \"maker__name\"?".to_owned()),
        ("ordering=price+desc", "ordering: There is no field \"price desc\". Did you mean \"-price\"?".to_owned()),
        ("fields=prise", "fields: There is no field \"prise\". Did you mean \"price\"?".to_owned()),
        ("fields=maker.name", "fields: There is no field \"maker.name\".".to_owned()),
        (
            "filter=prise+%3D+3",
            "filter: At character 1: prise: There is no field of this name. Did you mean \"price\"?".to_owned(),
        ),
        (
            "filter=maker.nmae+%3D+3",
            "filter: At character 1: maker.nmae: There is no field of this name. Did you mean \"maker.name\"?"
                .to_owned(),
        ),
        ("price%3E3", format!("price>3: {unknown} A condition with signs stands in filter, as in filter=price > 3.")),
    ] {
        assert_eq!(admin.get(&format!("/api/records/snacks/?{query}")).await.faults(), [told], "{query}");
    }
    let grouped = admin.get("/api/records/snacks/aggregate/?group_by=prise").await.faults();
    assert_eq!(grouped, ["group_by: There is no field \"prise\". Did you mean \"price\"?"]);
    // Today, in UTC.
    admin.record("snacks", json!({"baked": "2020-01-01"})).await;
    let earlier = admin.get("/api/records/snacks/?filter=baked+%3C+now()").await.is(200);
    assert_eq!(earlier["count"], 1);
    // Names in a collection that is hidden are not told.
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let told = bob.get("/api/records/snacks/?secret__pasword=x").await;
    assert!(!told.text().contains("password"), "{}", told.text());
}
