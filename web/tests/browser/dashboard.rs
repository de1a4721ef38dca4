//! The dashboard: an admin sees the server, and its changes as they are made; others see what is theirs.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{PASSWORD, api_script, make_snacks, set_up},
    server::Server,
};

#[tokio::test]
async fn an_empty_server_leads_to_a_collection_and_a_full_one_shows_what_happens() {
    let mut server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    browser.see(".start", "No collections yet").await;
    browser.see(".start code", "coffer import goods.csv --to goods --create").await;
    browser.see(".figure", "Disk left").await;

    // What is made elsewhere is here by itself: the collection, its records, the lines of the feed.
    make_snacks(&browser, json!([{"title": "Popcorn"}, {"title": "Olives"}])).await;
    browser.see(".stock", "Snacks").await;
    browser.see(".stock-count", "2").await;
    browser.see(".stock-grown", "+2 in 24 h").await;
    browser.see(".feed li", "ada created 2 records in snacks").await;
    browser.absent(".start").await;

    // Each plot is a table too: of a twelfth of its span a row, the newest first.
    browser.wait("return document.querySelectorAll('.plot').length === 6").await;
    let rows = "return [...document.querySelectorAll('.plot table')].every(table =>
        table.caption.innerText !== undefined && table.tBodies[0].rows.length === 12 && table.tBodies[0].rows[0].cells[0].innerText === 'now')";
    browser.wait(rows).await;
    browser.click(".page-title button[aria-pressed]:not(.segments button)").await;
    browser
        .wait("return document.querySelectorAll('.plot-table').length === 6 && !document.querySelector('.plot-area')")
        .await;
    browser.click(".segments button:last-child").await;
    browser.see(".plot tbody th", "55 min ago").await;
    // Requests by route come with the second reading.
    browser.see(".routes th", "/api/metrics/").await;

    // A server that is silent leaves its last words, in grey, with their time.
    server.stop();
    browser.see(".notice-warn", "What you see is old").await;
    browser.see(".figure-old .figure-note", "as of ").await;
    server.start_again();
    browser.absent(".figure-old").await;
    browser.absent(".notice-warn").await;
    browser.end(&[0]).await;
}

#[tokio::test]
async fn who_is_no_admin_sees_what_is_theirs() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    let share = format!(
        "await call('/api/users/', {{username: 'bob', password: {}}});
        const collection = await (await fetch('/api/collections/snacks/', {{headers: {{authorization: 'Bearer ' + access}}}})).json();
        await call('/api/collections/snacks/', {{access: {{...collection.access, list: ['signed_in'], view: ['signed_in']}}}}, 'PATCH');
        return 1",
        json!(PASSWORD)
    );
    assert_eq!(browser.run(&api_script(&share)).await, 1);
    browser.click(".who button:last-child").await;
    browser.sign_in("bob", PASSWORD).await;
    browser.see("h1", "Dashboard").await;
    browser.see(".figure", "Records").await;
    browser.see(".stock", "Snacks").await;
    browser.see(".feed a", "Popcorn").await;
    browser.absent(".plot, .routes").await;
    browser.end(&[]).await;
}
