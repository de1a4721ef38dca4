//! Values in forms, and members and parameters that nobody asked for.

use super::*;

#[tokio::test]
async fn records_take_forms_as_browsers_send_them() {
    let (_coffer, admin) = Coffer::with_admin().await;
    things(&admin).await;
    let written = "title=Pop+corn&count=3&price=1.5&good=on&day=2024-01-01&at=2024-01-01T12:00&mail=&link=&size=a%2Cb&tags=a&tags=c&other=&more=%7B%22v%22%3A1.10%7D&note=a%0D%0Ab";
    let kept = json!({
        "title": "Pop corn", "count": 3, "price": "1.50", "exact": null, "good": true, "day": "2024-01-01", "at": "2024-01-01T12:00:00Z", "mail": "",
        "link": "", "size": "a,b", "tags": ["a", "c"], "other": null, "note": "a\r\nb"
    });
    let made = admin.raw(Method::POST, THINGS, FORM, written).await;
    let record = made.is(201);
    assert!(made.text().contains(r#""more":{"v":1.10}"#), "{}", made.text());
    for (name, value) in kept.as_object().unwrap() {
        assert_eq!(record[name], *value, "{name}");
    }
    let at = path("things", &record);
    // A box that is not checked is not in a form: false in a whole one, as it was in a patch.
    let unchecked = admin.raw(Method::PATCH, &at, FORM, "title=b").await.is(200);
    assert_eq!((&unchecked["good"], &unchecked["tags"]), (&json!(true), &json!(["a", "c"])));
    let unchecked = admin.raw(Method::PUT, &at, FORM, "title=b").await.is(200);
    assert_eq!((&unchecked["good"], &unchecked["tags"]), (&json!(false), &json!([])));
    // The revision that came with the page decides.
    let stale = format!("title=c&revision={}", record["revision"]);
    assert_eq!(admin.raw(Method::PUT, &at, FORM, stale).await.refused(412).code, "stale");
    let fresh = format!("title=c&revision={}&id={}", unchecked["revision"], text(&record, "id").to_uppercase());
    admin.raw(Method::PUT, &at, FORM, fresh).await.is(200);

    let parts = [("title", None, "Löffel, groß"), ("tags", None, "a"), ("tags", None, "b"), ("count", None, "")];
    let with = |name: &'static str, content: &'static str| {
        multipart(&[&parts[..], &[("photo", Some(name), content)]].concat())
    };
    let record = admin.raw(Method::POST, THINGS, PARTS, multipart(&parts)).await.is(201);
    let kept = (&record["title"], &record["tags"], &record["good"], &record["count"]);
    assert_eq!(kept, (&json!("Löffel, groß"), &json!(["a", "b"]), &json!(false), &Value::Null));
    let faults = admin.raw(Method::POST, THINGS, PARTS, with("a.png", "x")).await.faults();
    assert_eq!(faults, ["photo: Files are not kept here. Send a text, or leave it out."]);
    // An input for a file that nobody chose one in.
    admin.raw(Method::POST, THINGS, PARTS, with("", "")).await.is(201);
    let faults = admin.raw(Method::POST, THINGS, FORM, "title=a&title=b&count=x&more={&zzz=1").await.faults();
    assert_eq!(
        faults,
        [
            "count: A valid integer is required.",
            "more: Value must be valid JSON.",
            "title: This field was sent more than once.",
            "zzz: There is no field of this name."
        ]
    );
    for (kind, body) in [
        ("multipart/form-data", "x"),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na"),
        ("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data\r\n\r\na\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", "nothing"),
    ] {
        assert_eq!(admin.raw(Method::POST, THINGS, kind, body).await.refused(400).code, "parse_error", "{kind} {body}");
    }
    let not_utf8 = b"--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\n\xff\r\n--b--\r\n".to_vec();
    admin.raw(Method::POST, THINGS, "multipart/form-data; boundary=b", not_utf8).await.refused(400);
}

#[tokio::test]
async fn token_routes_take_every_form_and_names_with_spaces_around() {
    let (coffer, admin) = Coffer::with_admin().await;
    coffer.user(&admin, "Bob", json!({})).await;
    let stranger = coffer.stranger();
    let fields = [("username", None, "Bob "), ("password", None, crate::support::PASSWORD)];
    let tokens = stranger.raw(Method::POST, "/api/token/", PARTS, multipart(&fields)).await.is(200);
    let written = format!("username=+Bob&password={}", crate::support::PASSWORD.replace(' ', "+"));
    stranger.raw(Method::POST, "/api/token/", FORM, written).await.is(200);
    stranger
        .post("/api/token/", &json!({"username": "\u{3000}Bob\n", "password": crate::support::PASSWORD}))
        .await
        .is(200);
    let refresh = multipart(&[("refresh", None, &text(&tokens, "refresh"))]);
    stranger.raw(Method::POST, "/api/token/refresh/", PARTS, refresh).await.is(200);
    // A password is never trimmed.
    let spaced = format!("{} ", crate::support::PASSWORD);
    stranger.post("/api/token/", &json!({"username": "Bob", "password": spaced})).await.is(401);
    let made =
        admin.post("/api/users/", &json!({"username": " carol ", "password": "  spaces around count  "})).await.is(201);
    assert_eq!(made["username"], "carol");
    stranger.post("/api/token/", &json!({"username": "carol", "password": "  spaces around count  "})).await.is(200);
    stranger.post("/api/token/", &json!({"username": "carol", "password": "spaces around count"})).await.is(401);
}

#[tokio::test]
async fn members_that_the_server_owns_are_left_alone_and_owners_are_oneself() {
    let (coffer, admin) = Coffer::with_admin().await;
    let access = json!({"list": ["signed_in"], "view": ["signed_in"], "create": ["signed_in"], "update": ["signed_in"], "delete": ["owner"]});
    admin
        .post(
            "/api/collections/",
            &json!({"name": "notes", "access": access, "fields": [{"name": "t", "type": "text"}]}),
        )
        .await
        .is(201);
    let bob = coffer.user(&admin, "bob", json!({})).await;
    let eve = coffer.user(&admin, "eve", json!({})).await;
    let notes = "/api/records/notes/";
    for value in [json!(null), json!("x"), json!(7)] {
        let body =
            json!({"t": "a", "id": value, "created_at": value, "updated_at": value, "revision": value, "owner": null});
        let made = bob.post(notes, &body).await.is(201);
        assert_eq!(made["owner"], bob.id);
        assert_ne!(made["id"], value);
    }
    let his = bob.post(notes, &json!({"t": "a", "owner": bob.id.to_uppercase()})).await.is(201);
    assert_eq!(bob.post(notes, &json!({"t": "a", "owner": eve.id})).await.faults().len(), 1);
    let at = path("notes", &his);
    // Whoever may change it sends back what it read, and takes nothing.
    let mut back = his.clone();
    back["t"] = json!("b");
    back["updated_at"] = json!("2001-01-01T00:00:00Z");
    let changed = eve.put(&at, &back).await.is(200);
    assert_eq!(
        (&changed["owner"], &changed["created_at"], &changed["t"]),
        (&his["owner"], &his["created_at"], &json!("b"))
    );
    assert_eq!(eve.put(&at, &back).await.refused(412).code, "stale", "the revision decides first");
    back["t"] = json!(true);
    assert_eq!(eve.put(&at, &back).await.refused(412).code, "stale", "before all else");
    assert_eq!(eve.patch(&at, &json!({"owner": eve.id})).await.faults().len(), 1);
    assert_eq!(eve.patch(&at, &json!({"owner": null})).await.is(200)["owner"], his["owner"]);
    assert_eq!(eve.patch(&at, &json!({"id": eve.id})).await.faults().len(), 1);
    assert_eq!(eve.patch(&at, &json!({"id": text(&his, "id").replace('-', ""), "t": "c"})).await.is(200)["t"], "c");
    // An admin gives it to somebody else, and the counts follow.
    assert_eq!(admin.patch(&at, &json!({"owner": eve.id})).await.is(200)["owner"], eve.id);
    assert_eq!(eve.get(&format!("{notes}?owner={}", eve.id)).await.is(200)["count"], 1);
    eve.delete(&at).await.is(204);
    let hers = admin.post(notes, &json!({"t": "for eve", "owner": eve.id})).await.is(201);
    assert_eq!(hers["owner"], eve.id);
    let nobody = "01920000-0000-7000-8000-000000000000";
    assert_eq!(admin.post(notes, &json!({"t": "a", "owner": nobody})).await.faults().len(), 1);
    assert_eq!(admin.patch(&path("notes", &hers), &json!({"owner": nobody})).await.faults().len(), 1);
}

#[tokio::test]
async fn unknown_members_and_parameters_are_refused_unless_somebody_says_otherwise() {
    let (_coffer, admin) = Coffer::with_admin().await;
    things(&admin).await;
    let body = json!({"title": "a", "csrfmiddlewaretoken": "x"});
    assert_eq!(admin.post(THINGS, &body).await.faults(), ["csrfmiddlewaretoken: There is no field of this name."]);
    assert_eq!(admin.get(&format!("{THINGS}?cachebuster=1")).await.faults().len(), 1);
    let prefer = async |admin: &Client, handling: &str| {
        let request = admin.request(Method::POST, THINGS).header("prefer", handling);
        Answer::of(request.header("content-type", "application/json").body(body.to_string())).await
    };
    let lenient = prefer(&admin, "handling=lenient").await;
    lenient.is(201);
    assert_eq!(lenient.header("preference-applied"), "handling=lenient");
    prefer(&admin, "handling=strict").await.refused(400);

    let (_coffer, admin) =
        Coffer::with_admin_and(&["--unknown-members", "ignore", "--unknown-parameters", "ignore"]).await;
    things(&admin).await;
    let made = admin.post(THINGS, &body).await.is(201);
    assert_eq!(made.get("csrfmiddlewaretoken"), None);
    admin.post(THINGS, &json!([body, body])).await.is(201);
    admin.raw(Method::POST, THINGS, FORM, "title=a&submit=Save").await.is(201);
    admin.patch("/api/users/me/", &json!({"first_name": "Ada"})).await.is(200);
    prefer(&admin, "handling=strict").await.refused(400);
    // What is wrong stays wrong.
    assert_eq!(admin.post(THINGS, &json!({"zzz": 1, "count": "x"})).await.faults().len(), 2);
    for ignored in ["cachebuster=1", "zzz__gte=3", "title__like=a", "zzz="] {
        assert_eq!(admin.get(&format!("{THINGS}?title=a&{ignored}")).await.is(200)["count"], 4, "{ignored}");
        admin.post(&format!("{THINGS}?{ignored}"), &body).await.refused(400);
        admin.patch(&format!("{}?{ignored}", path("things", &made)), &body).await.refused(400);
        admin.delete(&format!("{}?{ignored}", path("things", &made))).await.refused(400);
    }
    admin.get(&format!("{THINGS}?count__exact=x")).await.refused(400);
    admin.get("/api/users/?zzz=1").await.is(200);
    admin.get("/api/changes/?zzz=1").await.is(200);
}
