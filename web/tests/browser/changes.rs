//! A record's versions, the trash and the journal: each change by field and word, and a way back.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{api_script, make_snacks, set_up},
    server::Server,
};

#[tokio::test]
async fn versions_and_deleted_records_are_shown_word_by_word_and_put_back() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let ids = make_snacks(&browser, json!([{"title": "Sweet popcorn"}, {"title": "Olives"}])).await;
    let change = format!(
        "await call('/api/records/snacks/{}/', {{title: 'Salty popcorn'}}, 'PATCH');
        await call('/api/records/snacks/{}/', undefined, 'DELETE'); return 1",
        ids[0], ids[1]
    );
    assert_eq!(browser.run(&api_script(&change)).await, 1);

    browser.go(&format!("/c/snacks/{}", ids[0])).await;
    browser.click(".actions a[href^='/changes']").await;
    browser.see("h1", "History").await;
    browser.see(".change-head", "ada changed version").await;
    browser.see(".diff del", "Sweet").await;
    browser.see(".diff ins", "Salty").await;
    // What is there now need not be put back; the one before can be.
    browser.wait("return document.querySelectorAll('.change').length === 2").await;
    assert_eq!(browser.run("return document.querySelectorAll('.change-head button').length").await, 1);
    browser.click(".change-head button").await;
    browser.see(".toast", "It is back.").await;
    browser.wait("return document.querySelectorAll('.change').length === 3").await;
    browser.see(".change:first-child .diff ins", "Sweet").await;

    browser.go("/c/snacks").await;
    browser.see("table.records td", "Sweet popcorn").await;
    browser.click(".page-head [aria-expanded]").await;
    browser.click("a[href*='trash=1']").await;
    browser.see("h1", "Trash").await;
    browser.see(".change-head", "ada deleted \"Olives\" in snacks").await;
    browser.click(".change-head button").await;
    browser.see(".hint", "The trash is empty").await;
    browser.go("/c/snacks").await;
    browser.see("table.records td", "Olives").await;

    browser.go("/").await;
    browser.click("a[href='/changes']").await;
    browser.see("h1", "Activity").await;
    browser.see(".change-head", "ada created collection snacks").await;
    browser.choose("#changes-kind", "delete").await;
    browser.at("/changes?action=delete").await;
    browser
        .wait("return [...document.querySelectorAll('.change-head')].every(e => e.innerText.includes('deleted'))")
        .await;
    browser.reload().await;
    browser.see(".change-head", "deleted \"Olives\"").await;
    browser.end(&[]).await;
}
