//! The app comes in parts: the first page with the first of them, the others while it is looked at. And the app as trunk builds it, in one file.

use crate::{browser::Browser, server::Server};

/// The names of the later parts that the page has fetched.
const FETCHED: &str = "return ['record', 'editor', 'accounts', 'server'].filter(part =>
    performance.getEntriesByType('resource').some(file => file.name.includes(`/${part}-`) && file.name.endsWith('.wasm')))";

#[tokio::test]
async fn later_parts_come_after_the_first_page_and_one_that_does_not_come_is_tried_again() {
    let server = Server::demo();
    let browser = Browser::start(&server).await;
    browser.go("/c/snacks").await;
    browser.sign_in("demo", &server.said).await;
    browser.text("table.records td").await;
    // Nobody asked for them yet.
    browser.wait(&format!("return (() => {{ {FETCHED} }})().length === 4")).await;

    browser.block(&["*/editor-*.wasm"]).await;
    browser.go("/c/snacks").await;
    browser.text("table.records td").await;
    browser.shortcut("e").await;
    browser.at("/collections/snacks/edit").await;
    browser.see("[role=alert]", "could not be fetched").await;
    browser.block(&[]).await;
    browser.click("[role=alert] button").await;
    browser.see("h1", "Snacks").await;
    browser.text(".card").await;

    // What is there opens without a word to the server.
    browser.go("/c/snacks").await;
    browser.text("table.records td").await;
    browser.wait(&format!("return (() => {{ {FETCHED} }})().length === 4")).await;
    browser.run("performance.clearResourceTimings(); return 1").await;
    browser.click("a[href='/password']").await;
    browser.text("#field-current_password").await;
    let files = "return performance.getEntriesByType('resource').filter(file => !file.name.includes('/api/')).length";
    assert_eq!(browser.run(files).await, 0);
    // wasm-split's script tells the console of a part that did not come.
    browser.forget_console().await;
    browser.end(&[1]).await;
}

#[tokio::test]
async fn the_app_in_one_file_works_as_the_one_in_parts() {
    let server = Server::demo_in_one_file();
    let browser = Browser::start(&server).await;
    browser.go("/c/snacks").await;
    browser.sign_in("demo", &server.said).await;
    browser.text("table.records td").await;
    browser.shortcut("n").await;
    browser.text("#field-title").await;
    browser.back().await;
    browser.shortcut("e").await;
    browser.text(".card").await;
    browser.go("/sessions").await;
    browser.text("table.people td").await;
    browser.end(&[]).await;
}
