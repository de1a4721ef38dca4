//! The server goes away and comes back, and clocks stand still: nothing typed is lost, and who is out stays out.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{PASSWORD, api_script, make_snacks, set_up},
    server::Server,
};

/// From now on the page notes which tokens it sends.
const WATCH: &str = "
    const send = window.fetch;
    window.sent = [];
    window.fetch = (...call) => {
        window.sent.push(call[0].headers?.get('authorization') ?? null);
        return send(...call);
    };
    return 1";

#[tokio::test]
async fn a_restart_of_the_server_takes_neither_typed_text_nor_the_session() {
    let mut server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/c/snacks/new").await;
    browser.fill("#field-title", "Typed before the end").await;

    server.stop();
    browser.click("button[type=submit]").await;
    browser.see(".notice-bad", "could not be reached").await;
    browser.wait("return document.querySelector('#field-title').value === 'Typed before the end'").await;

    server.start_again();
    browser.click("button[type=submit]").await;
    browser.see("table.records td", "Typed before the end").await;
    browser.reload().await;
    browser.see("table.records td", "Typed before the end").await;

    // Lists say that they could not be had, and come when they are asked for again.
    for (key, shown) in [("i", "this one"), ("U", "ada")] {
        server.stop();
        browser.shortcut(key).await;
        browser.see("main .notice-bad", "could not be reached").await;
        server.start_again();
        browser.click("main .notice-bad button").await;
        browser.see("table.people td", shown).await;
    }
    browser.end(&[0]).await;
}

#[tokio::test]
async fn a_sleep_that_outlasts_the_access_token_takes_no_typed_text() {
    // Tokens tell whole seconds, so one of a single second may end at once, and the next one before the list is asked for.
    let server = Server::with(&["--access-lifetime", "5s"]);
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;

    // To the page no time passes from here on, while it passes for the server.
    browser.run("const now = Date.now(); Date.now = () => now; return 1").await;
    browser.run(WATCH).await;
    browser.shortcut("n").await;
    browser.fill("#field-title", "Typed before the lid was closed").await;
    browser
        .wait(
            "const token = window.sent.findLast(token => token).split(' ')[1];
            const headers = {'content-type': 'application/json'};
            return fetch(new Request('/api/token/verify/', {method: 'POST', headers, body: JSON.stringify({token})}))
                .then(answer => answer.status === 401)",
        )
        .await;
    browser.run("window.sent = []; return 1").await;
    browser.click("button[type=submit]").await;
    browser.see("table.records td", "Typed before the lid was closed").await;
    let tokens = "return new Set(window.sent.filter(token => token)).size";
    assert_eq!(browser.run(tokens).await, 2, "the old token was refused, and the next one taken");

    // The other way round: the clock has gone on, and the token is traded before it is sent.
    browser.shortcut("n").await;
    browser.fill("#field-title", "Typed the evening before").await;
    browser.run("const now = Date.now(); Date.now = () => now + 12 * 3600 * 1000; window.sent = []; return 1").await;
    browser.click("button[type=submit]").await;
    browser.see("table.records td", "Typed the evening before").await;
    assert_eq!(browser.run("return window.sent[0]").await, json!(null), "the trade, which takes no token");
    browser.end(&[401]).await;
}

/// How many sessions the admin has; asking is one.
async fn sessions(browser: &Browser) -> u64 {
    let count = "const headers = {authorization: 'Bearer ' + access};
        return (await (await fetch('/api/sessions/', {headers})).json()).count";
    browser.run(&api_script(count)).await.as_u64().unwrap()
}

#[tokio::test]
async fn b9_signing_out_forgets_the_access_token_also_when_the_server_cannot_be_reached() {
    let mut server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/collections").await;
    browser.see(".collection", "Snacks").await;
    browser.run(WATCH).await;
    browser.click(".collection a").await;
    browser.see("table.records td", "Popcorn").await;
    assert_eq!(browser.run("return window.sent.some(token => token?.startsWith('Bearer '))").await, true);
    let before = sessions(&browser).await;

    // Out, with nobody to tell.
    server.stop();
    browser.run("window.sent = []; return 1").await;
    browser.click(".who button:last-child").await;
    browser.at("/sign-in?next=%2Fc%2Fsnacks").await;
    browser.see(".toast", "the server did not hear of it").await;
    browser.absent("table.records").await;

    // The server is back. The page, which was not loaded anew, has nothing to show to it.
    server.start_again();
    browser.back().await;
    browser.at("/sign-in?next=%2Fcollections").await;
    browser.text("input[name=username]").await;
    browser.absent(".collection, table.records").await;
    assert_eq!(browser.run("return window.sent.filter(token => token).length").await, 0);

    // The next visit ends the session, and what is left of it is nothing.
    assert_eq!(sessions(&browser).await, before + 1, "the one that asks; the server has not heard of the end");
    browser.reload().await;
    browser.wait("return localStorage.length === 0").await;
    browser.text("input[name=username]").await;
    assert_eq!(sessions(&browser).await, before + 1, "one more asks, and one has ended");
    let trade = "return (await fetch('/api/session/refresh/', {method: 'POST', headers: {'x-coffer': '1'}})).status";
    assert_eq!(browser.run(trade).await, 401, "the cookie is gone");
    browser.sign_in("ada", PASSWORD).await;
    browser.see(".collection", "Snacks").await;
    browser.end(&[0, 401]).await;
}
