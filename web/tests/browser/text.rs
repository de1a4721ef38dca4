//! What records say is text and nothing else.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{api_script, make_snacks, set_up},
    server::Server,
};

#[tokio::test]
async fn records_are_text_whatever_they_say() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let titles = [
        "<img src=x onerror=\"window.hacked=1\">",
        "../../etc/passwd",
        "C:\\con\\..\\nul",
        "שלום עולם",
        "مرحبا \u{202e}dlrow",
        "👩‍👩‍👧‍👦 Zoë ﷽ ẞ",
        "{{constructor.constructor('window.hacked=1')()}}",
        "%2e%2e%2f#?&=+",
    ];
    let records: Vec<_> = titles.iter().map(|title| json!({"title": title, "note": "a\nb"})).collect();
    let ids = make_snacks(&browser, json!(records)).await;
    browser.go("/c/snacks").await;
    browser.see(".pager-range", "1–8 of 8").await;
    for title in titles {
        // The mark that turns the direction of what follows is shown as a mark.
        browser.see("table.records td a", &title.replace('\u{202e}', "\u{fffd}")).await;
    }
    for (title, id) in titles.iter().zip(&ids) {
        browser.go(&format!("/c/snacks/{id}")).await;
        browser.wait(&format!("return document.querySelector('#field-title')?.value === {}", json!(title))).await;
        browser.wait("return document.querySelector('#field-note').value === 'a\\nb'").await;
    }
    assert_eq!(browser.run("return window.hacked === undefined").await, true);
    browser.end(&[]).await;
}

#[tokio::test]
async fn a_program_that_calls_itself_markup_is_shown_as_text() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let name = "<img src=x onerror=\"window.hacked=1\">";
    browser.call_itself(name).await;
    browser.run(&api_script("return 1")).await;
    browser.go("/sessions").await;
    browser.see("table.people td", name).await;
    assert_eq!(browser.run("return window.hacked === undefined").await, true);
    browser.end(&[]).await;
}
