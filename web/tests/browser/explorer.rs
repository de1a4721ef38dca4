//! Addresses of the API as pages: read, followed, written to, and copied from; with a session and without one.

use std::{env, fs, path::PathBuf};

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{ENTER, PASSWORD, api_script, make_snacks, set_up},
    server::Server,
};

/// A text that would do something, were it taken for anything but a text.
const HOSTILE: &str =
    "<img src=x onerror=document.title='owned'> \"}</pre><script>document.title='owned'</script> \u{202e}kcans";

#[tokio::test]
async fn an_address_is_read_and_followed_and_written_to() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let mut records: Vec<_> = (0..30).map(|n| json!({"title": format!("Snack {n:02}"), "price": n})).collect();
    records.push(json!({"title": HOSTILE.chars().take(60).collect::<String>(), "note": HOSTILE}));
    let ids = make_snacks(&browser, json!(records)).await;

    // A list: status, headers, rows that lead on, pages, filters.
    browser.go("/api/records/snacks/?ordering=title&page_size=10").await;
    browser.see("h1", "GET /api/records/snacks/?ordering=title&page_size=10").await;
    browser.see(".status", "200").await;
    browser.click("details summary").await;
    browser.see(".headers dt", "x-request-id").await;
    browser.see(".headers dd", "application/json").await;
    browser.click("a[rel=next]").await;
    browser.at("/api/records/snacks/?ordering=title&page_size=10&page=2").await;
    browser.see(".body pre", "Snack 15").await;
    browser.click("a[rel=prev]").await;
    browser.see(".body pre", "Snack 03").await;
    browser.choose("#explorer-parameter", "title").await;
    browser.fill("#explorer-value", "Snack 07").await;
    browser.press(ENTER).await;
    browser.see(".body pre", "\"count\": 1,").await;
    browser.see(".chips code", "title=Snack 07").await;
    browser.click(&format!(".body a[href='/api/records/snacks/{}/']", ids[7])).await;
    browser.at(&format!("/api/records/snacks/{}/", ids[7])).await;
    browser.see(".body pre", "\"title\": \"Snack 07\"").await;

    // PUT begins with what is there; the form and the text are one.
    browser.choose("#explorer-method", "PUT").await;
    browser.wait("return JSON.parse(document.querySelector('#explorer-body').value).title === 'Snack 07'").await;
    browser.fill("#explorer-title", "It's a snack").await;
    browser.wait("return JSON.parse(document.querySelector('#explorer-body').value).title === \"It's a snack\"").await;
    browser.see("pre", "'title=It'\\''s a snack'").await;
    browser.see("pre", "-H \"Authorization: Bearer $ACCESS\"").await;
    browser.click(".request-line button").await;
    browser.see("h1", "PUT /api/records/snacks/").await;
    browser.see(".body pre", "\"title\": \"It's a snack\"").await;
    browser.wait("return document.activeElement.id === 'explorer-answer'").await;
    browser.at(&format!("/api/records/snacks/{}/", ids[7])).await;

    // What is refused says so, as it came.
    browser.choose("#explorer-method", "PATCH").await;
    browser.fill("#explorer-body", r#"{"price": -1}"#).await;
    browser.click(".request-line button").await;
    browser.see(".status-bad", "400").await;
    browser.see(".body pre", "\"price\":").await;
    browser.choose("#explorer-method", "OPTIONS").await;
    browser.click(".request-line button").await;
    browser.see(".body pre", "\"actions\":").await;
    browser.choose("#explorer-method", "DELETE").await;
    browser.fill("#explorer-body", "").await;
    browser.click(".request-line button").await;
    browser.see(".status", "204").await;
    browser.see(".hint", "The answer has no body.").await;

    // Without a mouse: the method, the body and the button are reached by Tab.
    browser.go("/api/records/snacks/").await;
    browser.see(".status", "200").await;
    browser.run("document.querySelector('#explorer-method').focus()").await;
    browser.press("PO").await;
    browser.wait("return document.querySelector('#explorer-title')").await;
    browser.press("\u{e004}\u{e004}\u{e004}New").await;
    browser.wait("return JSON.parse(document.querySelector('#explorer-body').value).title === 'New'").await;
    browser.press(ENTER).await;
    browser.see(".status", "201").await;

    // What people wrote is text.
    browser.go(&format!("/api/records/snacks/{}/", ids[30])).await;
    browser.see(".body pre", "<img src=x onerror=").await;
    assert_eq!(browser.run("return document.querySelectorAll('.explorer img, .explorer script').length").await, 0);
    assert!(!browser.run("return document.title").await.as_str().unwrap().contains("owned"));

    // As nobody, and what is not there.
    browser.click(".check input").await;
    browser.see(".status-bad", "401").await;
    browser.click(".check input").await;
    browser.see(".status-good", "200").await;
    browser.go("/api/nothing/").await;
    browser.see(".status-bad", "404").await;
    // A program in a page gets JSON, and so does format=json.
    let kinds = "const kind = async (path, accept) => (await fetch(path, {headers: {accept}})).headers.get('content-type');
        return [await kind('/api/', '*/*'), await kind('/api/?format=json', 'text/html'), await kind('/api/', 'text/html')].join()";
    assert_eq!(browser.run(kinds).await, "application/json,application/json,text/html; charset=utf-8");
    browser.end(&[400, 401, 404]).await;
}

#[tokio::test]
async fn who_is_not_signed_in_sees_what_everybody_may_and_secrets_stay_where_they_are_typed() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    let publish = api_script(
        "await call('/api/collections/snacks/', {access: {list: ['anyone'], view: ['anyone']}}, 'PATCH');
        for (const path of ['/api/v1/snacks/', '/snacks/']) await call('/api/paths/', {path, collection: 'snacks', list: 'array', members: ['id', {name: 'title'}]});
        return 1",
    );
    assert_eq!(browser.run(&publish).await, 1);
    browser.click(".who button:last-child").await;
    browser.see("h1", "Sign in").await;

    // Published paths, within the API and outside of it.
    browser.go("/api/v1/snacks/").await;
    browser.see(".body pre", "\"name\": \"Popcorn\"").await;
    browser.click(".body a[href^='/api/v1/snacks/']").await;
    browser.see("h1", "GET /api/v1/snacks/").await;
    browser.see(".body pre", "\"name\": \"Popcorn\"").await;
    browser.go("/snacks/").await;
    browser.see(".body pre", "\"name\": \"Popcorn\"").await;
    browser.go("/nowhere/").await;
    browser.see("h1", "There is no such page").await;

    // Signing in leads back.
    browser.go("/api/users/me/").await;
    browser.see(".status-bad", "401").await;
    browser.click(".page-head a.button").await;
    browser.sign_in("ada", PASSWORD).await;
    browser.at("/api/users/me/").await;
    browser.see(".body pre", "\"username\": \"ada\"").await;

    // A password is sent, and stands neither in the text, nor in what is copied, nor in the address.
    browser.go("/api/token/").await;
    browser.see(".status-bad", "405").await;
    browser.choose("#explorer-method", "POST").await;
    browser.fill("#explorer-username", "ada").await;
    browser.fill("#explorer-password", PASSWORD).await;
    browser.see("pre", "password=…").await;
    let told = format!(
        "return document.body.innerHTML.includes({0}) || location.href.includes({0}) || JSON.stringify(history.state).includes({0}) || document.querySelector('#explorer-body').value.includes({0})",
        json!(PASSWORD)
    );
    assert_eq!(browser.run(&told).await, false);
    assert_eq!(browser.run("return document.querySelector('#explorer-password').type").await, "password");
    browser.press(ENTER).await;
    browser.see(".status-good", "200").await;
    browser.see(".body pre", "\"access\":").await;
    browser.at("/api/token/").await;
    assert_eq!(browser.run(&told).await, false);
    browser.wait("return document.querySelector('#explorer-password').value === ''").await;
    // Neither is it there after the way back and forth.
    browser.go("/api/").await;
    browser.see(".body a", "/api/users/").await;
    browser.back().await;
    browser.at("/api/token/").await;
    browser.see("h1", "/api/token/").await;
    assert_eq!(
        browser
            .run(&told.replace(
                " || document.querySelector('#explorer-body').value.includes",
                " || (document.querySelector('#explorer-body')?.value ?? '').includes"
            ))
            .await,
        false
    );
    browser.end(&[401, 404, 405]).await;
}

#[tokio::test]
async fn it_fits_a_phone_in_light_and_dark() {
    let server = Server::demo();
    let browser = Browser::start(&server).await;
    browser.go("/").await;
    browser.sign_in("demo", &server.said).await;
    browser.text(".plot").await;
    let folder = env::var_os("COFFER_SCREENSHOTS").map(PathBuf::from);
    for (width, height) in [(390, 844), (1280, 900)] {
        for is_dark in [false, true] {
            browser.look(width, height, is_dark).await;
            for (path, shown) in [
                ("/api/", ".body a"),
                ("/api/records/snacks/?page_size=3", ".filter-line"),
                ("/api/schema/", ".body pre"),
            ] {
                browser.go(path).await;
                browser.text(shown).await;
                browser.see(".status", "200").await;
                let overhang = browser.run("return document.documentElement.scrollWidth - innerWidth").await;
                assert!(overhang.as_i64().unwrap() <= 0, "{path} is too wide by {overhang} at {width}");
                if let Some(folder) = folder.as_ref().filter(|_| path.contains("snacks")) {
                    fs::create_dir_all(folder).unwrap();
                    let name = format!("api-{width}-{}", if is_dark { "dark" } else { "light" });
                    fs::write(folder.join(format!("{name}.png")), browser.picture().await).unwrap();
                    browser.choose("#explorer-method", "POST").await;
                    browser.text("#explorer-title").await;
                    browser.run("document.querySelector('#explorer-request').scrollIntoView()").await;
                    fs::write(folder.join(format!("{name}-form.png")), browser.picture().await).unwrap();
                    browser.run("document.querySelector('#explorer-ways').scrollIntoView()").await;
                    fs::write(folder.join(format!("{name}-ways.png")), browser.picture().await).unwrap();
                }
            }
        }
    }
    browser.end(&[]).await;
}
