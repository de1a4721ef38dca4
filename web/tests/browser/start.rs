//! How a visit begins: with a frame and a sign-in form that need no WebAssembly, and with no more calls than it takes.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    seed::{ENTER, PASSWORD, make_snacks, set_up},
    server::Server,
};

/// The form as it stands: elements in order with their attributes and texts, with a mark such as `novalidate` there or not.
const FORM: &str = "const look = element => {
        const attributes = [...element.attributes].map(({name, value}) => [name, value === name ? '' : value]).sort();
        const children = [...element.childNodes].map(child => child.nodeType === 3 ? child.data : child.nodeType === 1 ? look(child) : '');
        return [element.localName, attributes, children.filter(child => child !== '')];
    };
    return JSON.stringify([document.title, document.activeElement.id, look(document.querySelector('main'))])";

/// The paths of the API that were asked for since the page was loaded.
const ASKED: &str = "return performance.getEntriesByType('resource').map(file => new URL(file.name))
    .filter(url => url.pathname.startsWith('/_coffer/api/')).map(url => url.pathname.slice(8) + url.search).sort()";

/// What can be done to a form that no session comes of, each with what it leads to.
async fn states(browser: &Browser, server: &mut Server) -> Vec<Value> {
    let mut states = Vec::new();
    browser.text("input[name=password]").await;
    browser.wait("return document.activeElement.id === 'sign-in-username'").await;
    states.push(browser.run(FORM).await);
    browser.press(ENTER).await;
    browser.wait("return document.querySelectorAll('[aria-invalid=true]').length === 2").await;
    states.push(browser.run(FORM).await);
    browser.fill("input[name=username]", "x").await;
    states.push(browser.run(FORM).await);
    browser.fill("input[name=password]", "not the password").await;
    browser.click("button[aria-pressed]").await;
    states.push(browser.run(FORM).await);
    browser.click("button[aria-pressed]").await;
    browser.press(ENTER).await;
    browser.click("button[type=submit]").await;
    browser.see("[role=alert]", "No active account").await;
    states.push(browser.run(FORM).await);
    server.stop();
    browser.click("button[type=submit]").await;
    browser.see("[role=alert]", "could not be reached").await;
    states.push(browser.run(FORM).await);
    server.start_again();
    states
}

#[tokio::test]
async fn the_sign_in_form_that_is_there_at_once_is_the_apps_own() {
    let mut server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    browser.text(".empty").await;
    // The app's own form, after a sign-out; and the page's, of which the app has no part.
    browser.click(".who button:last-child").await;
    let of_app = states(&browser, &mut server).await;
    browser.block(&["*.wasm"]).await;
    browser.go("/sign-in").await;
    let of_page = states(&browser, &mut server).await;
    for (number, (app, page)) in of_app.iter().zip(&of_page).enumerate() {
        assert_eq!(app, page, "after step {number}");
    }
    browser.forget_console().await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn a_visit_asks_for_everything_once_and_for_nothing_twice() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    let refresh = "/api/session/refresh/";
    for (address, shown, asked) in [
        ("/collections", ".collection", vec!["/api/collections/", refresh]),
        ("/c/snacks", "table.records td", vec!["/api/collections/snacks/", "/api/records/snacks/?named=true", refresh]),
        (
            "/c/snacks?ordering=-title&page_size=25",
            "table.records td",
            vec!["/api/collections/snacks/", "/api/records/snacks/?ordering=-title&page_size=25&named=true", refresh],
        ),
        (
            "/c/snacks?search=corn&ordering=-title",
            "table.records mark",
            vec![
                "/api/collections/snacks/",
                "/api/records/snacks/?search=corn&ordering=-title&highlight=true&named=true",
                refresh,
            ],
        ),
    ] {
        browser.go(address).await;
        browser.text(shown).await;
        assert_eq!(browser.run(ASKED).await, json!(asked), "{address}");
    }

    // From the sign-in form that the page came with: its answer is the session, and no token is traded.
    browser.click(".who button:last-child").await;
    browser.text("input[name=password]").await;
    browser.go("/c/snacks").await;
    browser.sign_in("ada", PASSWORD).await;
    browser.see("table.records td", "Popcorn").await;
    let asked = ["/api/", "/api/collections/snacks/", "/api/records/snacks/?named=true", "/api/session/"];
    assert_eq!(browser.run(ASKED).await, json!(asked));
    browser.at("/c/snacks").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn a_refresh_that_no_answer_came_to_is_not_sent_again_by_itself() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    browser.text(".empty").await;
    browser.block(&["*/api/session/refresh/"]).await;
    browser.reload().await;
    browser.see("[role=alert]", "could not be reached").await;
    let refreshes =
        "return performance.getEntriesByType('resource').filter(file => file.name.endsWith('/refresh/')).length";
    assert_eq!(browser.run(refreshes).await, json!(1));
    browser.block(&[]).await;
    browser.click("[role=alert] button").await;
    browser.text(".empty").await;
    browser.end(&[1]).await;
}

#[tokio::test]
async fn a_tab_that_waits_at_the_sign_in_form_goes_on_when_another_signs_in() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    browser.text(".empty").await;
    browser.click(".who button:last-child").await;
    browser.text("input[name=password]").await;
    browser.go("/sessions").await;
    browser.at("/sign-in?next=%2Fsessions").await;
    let first = browser.new_tab().await;
    browser.go("/").await;
    browser.sign_in("ada", PASSWORD).await;
    browser.text(".empty").await;
    browser.switch(first).await;
    browser.at("/sessions").await;
    browser.text("table.people td").await;
    browser.end(&[]).await;
}
