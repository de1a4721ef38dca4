//! The address says what is shown.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{ENTER, api_script, make_snacks, set_up},
    server::Server,
};

/// A script that makes a second collection, with two notes about one snack.
fn make_notes() -> String {
    let collection =
        json!({"name": "notes", "fields": [{"name": "text", "type": "text"}, {"name": "about", "type": "text"}]});
    let records = json!([{"text": "crunchy", "about": "Snack 07"}, {"text": "stale", "about": "Snack 07"}]);
    api_script(&format!("await call('/api/collections/', {collection}); return call('/api/records/notes/', {records})"))
}

#[tokio::test]
async fn addresses_say_what_is_shown_and_survive_reload_and_back() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let records: Vec<_> = (0..50).map(|n| json!({"title": format!("Snack {n:02}"), "price": n % 10})).collect();
    make_snacks(&browser, json!(records)).await;

    // Sorted, filtered and paged by hand; the address follows.
    browser.go("/c/snacks").await;
    browser.see(".pager-range", "1–20 of 50").await;
    browser.click("th:nth-child(3) .sort").await;
    browser.at("/c/snacks?ordering=price").await;
    browser.click("th:nth-child(3) .sort").await;
    browser.at("/c/snacks?ordering=-price").await;
    browser.see("tbody tr:first-child td.number", "9").await;
    browser.wait("return document.querySelector('th:nth-child(3)').ariaSort === 'descending'").await;
    browser.shortcut("/").await;
    browser.press("price<").await;
    browser.see("#filter-error", "Here a value is missing.").await;
    browser.press("8").await;
    browser.press(ENTER).await;
    browser.at("/c/snacks?price__lt=8&ordering=-price").await;
    browser.see(".pager-range", "1–20 of 40").await;
    browser.press("\u{e00c}").await; // Esc leaves the filter
    browser.shortcut("]").await;
    browser.at("/c/snacks?price__lt=8&ordering=-price&page=2").await;
    browser.see(".pager-range", "21–40 of 40").await;

    // A reload shows the same, and so does the way back from a record.
    browser.reload().await;
    browser.see(".pager-range", "21–40 of 40").await;
    browser.wait("return document.querySelector('#filter').value === 'price < 8'").await;
    browser.click("table.records td a").await;
    browser.text("#field-title").await;
    browser.shortcut("b").await;
    browser.at("/c/snacks?price__lt=8&ordering=-price&page=2").await;
    browser.see(".pager-range", "21–40 of 40").await;

    // The back button passes through all of it.
    for address in [
        "/c/snacks/",
        "?price__lt=8&ordering=-price&page=2",
        "?price__lt=8&ordering=-price",
        "?ordering=-price",
        "?ordering=price",
    ] {
        browser.back().await;
        browser.wait(&format!("return location.href.includes({})", json!(address))).await;
    }
    browser.back().await;
    browser.at("/c/snacks").await;
    browser.see(".pager-range", "1–20 of 50").await;

    // Another collection is joined by hand; every row stays.
    browser.go("/c/snacks").await;
    browser.run(&make_notes()).await;
    browser.click(".beside .popover-frame:nth-child(3) > button").await;
    browser.see(".join-form", "Notes").await;
    browser.choose("#join-their-field", "about").await;
    browser.click(".join-form .button-primary").await;
    browser.at("/c/snacks?left_join=notes%3Atitle%3Dabout").await;
    browser.see("tbody tr:nth-child(8) td:last-child", "crunchy; stale").await;
    browser.see(".pager-range", "1–20 of 50").await;
    // That it is on is said, with a way to end it.
    browser.see(".joins", "Notes: title = about").await;
    browser.click(".joins button").await;
    browser.at("/c/snacks").await;
    browser.absent(".joins").await;

    // Nothing matches; the line says what the address does; what cannot be shown is said.
    browser.go("/c/snacks?search=zzz").await;
    browser.see(".empty", "Nothing matches").await;
    browser.go("/c/snacks?search=NACK+07").await;
    browser.see(".pager-range", "1–1 of 1").await;
    let marked = "return [...document.querySelectorAll('td mark')].map(mark => mark.innerText).join('|')";
    assert_eq!(browser.run(marked).await, "nack|07");
    browser.go("/c/snacks?title__endswith=7").await;
    browser.see(".pager-range", "1–5 of 5").await;
    browser.wait("return document.querySelector('#filter').value === 'title endswith 7'").await;
    // While the next page is on its way, what is said of the rows is still of those that are shown.
    browser.go("/c/snacks").await;
    browser.see(".pager-range", "1–").await;
    browser.delay(300).await;
    browser
        .run(
            "const first = () => document.querySelector('table.records td').innerText;
            const look = () => window.seen.add(first() + document.querySelector('.pager-range').innerText);
            window.seen = new Set();
            look();
            new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true});
            return 1",
        )
        .await;
    browser.shortcut("]").await;
    browser.at("/c/snacks?page=2").await;
    browser.see(".pager-range", "21–").await;
    assert_eq!(browser.run("return window.seen.size").await, 2);
    browser.delay(0).await;
    browser.go("/c/snacks?page=99").await;
    browser.see(".empty", "This page is empty").await;
    browser.click(".empty .button").await;
    browser.at("/c/snacks").await;
    browser.go("/c/snacks?zzz=1").await;
    browser.see(".notice", "zzz").await;
    browser.go("/c/Snacks/../../etc").await;
    browser.see("h1", "There is no such page").await;
    browser.go("/c/nothing").await;
    browser.see(".notice", "nothing here that you may see").await;
    browser.click(".notice button").await;
    browser.see("h1", "There is no such page").await;
    browser.end(&[400, 404]).await;
}
