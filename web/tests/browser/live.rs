//! What others change comes by itself: in every tab, over one stream, with a mark, and never under who types.

use std::{env, fs, path::Path};

use serde_json::json;

use crate::{
    browser::Browser,
    proxy::{Keeps, Proxy},
    seed::{PASSWORD, api_script, api_script_of, make_snacks, set_up},
    server::Server,
};

/// More tabs than a browser opens connections to one server over HTTP/1.1.
const TABS: usize = 12;

/// Makes a second admin, who changes things by the API.
async fn make_bob(browser: &Browser) {
    let bob = json!({"username": "bob", "password": PASSWORD, "is_admin": true});
    browser.run(&api_script(&format!("await call('/api/users/', {bob}); return 1"))).await;
}

/// Bob changes a record.
async fn bob_changes(browser: &Browser, id: &str, values: serde_json::Value) {
    let script = api_script_of("bob", &format!("await call('/api/records/snacks/{id}/', {values}, 'PATCH'); return 1"));
    assert_eq!(browser.run(&script).await, 1);
}

/// So many tabs have come so far that they are told what others change: one holds the lock, the others wait for it.
async fn wait_for_stream(browser: &Browser, tabs: usize) {
    let script = format!(
        "return navigator.locks.query().then(({{held, pending}}) =>
            [...held, ...pending].filter(({{name}}) => name.startsWith('coffer-events-')).length === {tabs})"
    );
    browser.wait(&script).await;
}

#[tokio::test]
async fn twelve_tabs_have_one_stream_and_each_shows_what_others_change() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let ids = make_snacks(&browser, json!([{"title": "Popcorn", "price": 3}, {"title": "Pretzel", "price": 1}])).await;
    make_bob(&browser).await;
    browser.go("/c/snacks").await;
    browser.see("table.records td", "Pretzel").await;
    let mut tabs = Vec::new();
    for _ in 1..TABS {
        tabs.push(browser.new_tab().await);
        browser.go("/c/snacks").await;
        browser.see("table.records td", "Pretzel").await;
    }
    wait_for_stream(&browser, TABS).await;
    bob_changes(&browser, &ids[0], json!({"title": "Popped corn"})).await;
    let mut shows_marks = 0;
    for (number, tab) in tabs.into_iter().enumerate() {
        browser.see("table.records td", "Popped corn").await;
        shows_marks +=
            usize::from(browser.run("return !!document.querySelector('tr[class^=changed-]')").await == json!(true));
        if number == 0 {
            browser.see(".changes", "1 change by others").await;
            take_picture(&browser, "changed").await;
        }
        browser.switch(tab).await;
    }
    assert!(shows_marks > 0, "a row has its mark");
    let metrics = format!("{}/metrics", server.address);
    let count = api_script(&format!(
        "const text = await (await fetch('{metrics}', {{headers: {{authorization: 'Bearer ' + access}}}})).text();
        return text.split('\\n').find(line => line.startsWith('coffer_event_streams ')) ?? text.slice(0, 200)"
    ));
    assert_eq!(browser.run(&count).await, "coffer_event_streams 1");

    // Counts on the first page, and what is gone.
    browser.go("/collections").await;
    browser.see(".collection-size", "2 records").await;
    let gone = format!("await call('/api/records/snacks/{}/', null, 'DELETE'); return 1", ids[1]);
    browser.run(&api_script_of("bob", &gone)).await;
    browser.see(".collection-size", "1 record").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn who_edits_a_record_is_told_who_changed_what_and_goes_on_typing() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let ids = make_snacks(&browser, json!([{"title": "Popcorn", "price": 3}])).await;
    make_bob(&browser).await;
    browser.go(&format!("/c/snacks/{}", ids[0])).await;
    browser.fill("#field-title", "Sweet popcorn").await;
    wait_for_stream(&browser, 1).await;
    let place = "return ['#field-title', 'button[type=submit]', '.form-delete']
        .map(css => document.querySelector(css).getBoundingClientRect().top).join()";
    let before = browser.run(place).await;
    bob_changes(&browser, &ids[0], json!({"price": 4, "note": "Warm"})).await;
    browser.see(".newer", "bob changed Price and Note meanwhile.").await;
    take_picture(&browser, "form").await;
    assert_eq!(browser.run(place).await, before, "nothing moved: neither what is typed nor a button under the pointer");
    assert_eq!(
        browser.run("return document.activeElement.id + document.activeElement.value").await,
        "field-titleSweet popcorn"
    );
    browser.click("button[type=submit]").await;
    browser.see(".conflict", "Price: 4 was 3").await;
    browser.click(".conflict .button-primary").await;
    browser.see("table.records td", "Sweet popcorn").await;
    browser.see("table.records td", "Warm").await;
    browser.end(&[412]).await;
}

#[tokio::test]
async fn while_the_server_is_away_that_is_said_and_what_was_missed_comes_by_itself() {
    let mut server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let ids = make_snacks(&browser, json!([{"title": "Popcorn", "price": 3}])).await;
    make_bob(&browser).await;
    browser.go("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;
    wait_for_stream(&browser, 1).await;
    server.stop();
    browser.see(".away", "catches up by itself").await;
    browser.see("table.records td", "Popcorn").await;
    take_picture(&browser, "away").await;
    server.start_again();
    bob_changes(&browser, &ids[0], json!({"title": "Popped corn"})).await;
    browser.see("table.records td", "Popped corn").await;
    browser.absent(".away").await;
    browser.end(&[0]).await;
}

/// Something on the way keeps back what follows changes, and passes on all other requests.
async fn what_keeps_the_stream_back_is_told(keeps: Keeps) {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let ids = make_snacks(&browser, json!([{"title": "Popcorn", "price": 3}])).await;
    make_bob(&browser).await;
    let proxy = Proxy::before(&server.address, keeps);
    browser.go(&format!("{}/c/snacks", proxy.url)).await;
    browser.sign_in("ada", PASSWORD).await;
    browser.see("table.records td", "Popcorn").await;
    browser.see(".away", "a proxy on the way seems to keep them back").await;
    take_picture(&browser, "kept-back").await;
    bob_changes(&browser, &ids[0], json!({"title": "Popped corn"})).await;
    browser.see("table.records td", "Popped corn").await;
    browser.text(".away").await;
    proxy.open();
    browser.absent(".away").await;
    bob_changes(&browser, &ids[0], json!({"title": "Sweet popcorn"})).await;
    browser.see("table.records td", "Sweet popcorn").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn a_proxy_that_keeps_the_stream_back_is_told_of_and_rows_are_read_now_and_then() {
    what_keeps_the_stream_back_is_told(Keeps::Everything).await;
}

#[tokio::test]
async fn a_proxy_that_passes_on_the_head_of_the_stream_only_is_told_of_too() {
    what_keeps_the_stream_back_is_told(Keeps::Body).await;
}

#[tokio::test]
async fn a_proxy_that_passes_on_the_beginning_of_the_stream_only_is_told_of_too() {
    what_keeps_the_stream_back_is_told(Keeps::Rest).await;
}

#[tokio::test]
async fn where_somebody_else_deletes_the_row_with_the_focus_keys_go_on_from_its_place() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let snacks = ["Almonds", "Bagel", "Crisps", "Dates"].map(|title| json!({"title": title}));
    let ids = make_snacks(&browser, json!(snacks)).await;
    make_bob(&browser).await;
    browser.go("/c/snacks?ordering=title").await;
    browser.see("table.records td", "Dates").await;
    wait_for_stream(&browser, 1).await;
    let deletes = async |ids: &[String]| {
        let each = "await call(`/api/records/snacks/${id}/`, null, 'DELETE')";
        let all = format!("for (const id of {}) {each}; return 1", json!(ids));
        browser.run(&api_script_of("bob", &all)).await;
        for id in ids {
            browser.absent(&format!("table.records a[href$='{id}']")).await;
        }
    };
    let has_focus = async |title: &str| {
        browser.wait(&format!("return document.activeElement.closest('tr')?.innerText.includes('{title}')")).await;
    };
    browser.press("jj").await;
    has_focus("Bagel").await;
    // Of another row, nothing moves.
    deletes(&ids[0..1]).await;
    has_focus("Bagel").await;
    deletes(&ids[1..2]).await;
    has_focus("Crisps").await;
    browser.press("j").await;
    has_focus("Dates").await;
    deletes(&ids[3..4]).await;
    has_focus("Crisps").await;
    browser.end(&[]).await;
}

/// With `COFFER_SCREENSHOTS` naming a folder, a picture is left there.
async fn take_picture(browser: &Browser, name: &str) {
    if let Some(folder) = env::var_os("COFFER_SCREENSHOTS") {
        fs::write(Path::new(&folder).join(format!("live-{name}.png")), browser.picture().await).unwrap();
    }
}
