//! Saved views, columns and charts beside a table.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    seed::{make_snacks, set_up},
    server::Server,
};

async fn with_snacks() -> (Server, Browser) {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let snacks: Vec<Value> = (0..30).map(|n| json!({"title": format!("Snack {n:02}"), "price": n})).collect();
    make_snacks(&browser, Value::Array(snacks)).await;
    browser.go("/c/snacks").await;
    browser.text("table.records td").await;
    browser.text(".beside").await;
    (server, browser)
}

const VIEWS: &str = ".beside .popover-frame:nth-child(1) > button";
const COLUMNS: &str = ".beside .popover-frame:nth-child(2) > button";
const INSIGHTS: &str = ".beside > button";

#[tokio::test]
async fn a_table_is_kept_as_a_view_and_shown_again() {
    let (_server, browser) = with_snacks().await;
    browser.go("/c/snacks?price__gte=20&ordering=-price&fields=price,title").await;
    let heads = "return [...document.querySelectorAll('table.records thead .sort')].map(head => head.innerText).join()";
    browser.wait(&format!("return (() => {{ {heads} }})() === 'Price,Title'")).await;
    browser.text(".beside").await;
    browser.click(VIEWS).await;
    browser.see(".popover", "None yet.").await;
    browser.fill("#view-keep", "Dear").await;
    browser.click(".view-keep input[type=checkbox]").await;
    browser.click(".view-keep button").await;
    browser.see(".toast", "Kept the view Dear.").await;
    browser.see(".popover .picker-row[aria-pressed=true]", "price >= 20 · by -price · 2 columns · you share it").await;

    // Elsewhere it is chosen by one click.
    browser.go("/c/snacks").await;
    browser.see(".pager-range", "1–20 of 30").await;
    browser.text(".beside").await;
    browser.click(VIEWS).await;
    browser.click(".popover .picker-row").await;
    browser.at("/c/snacks?price__gte=20&ordering=-price&fields=price%2Ctitle").await;
    browser.see(".pager-range", "1–10 of 10").await;

    // Its keeper renames it, has it show something else, keeps it alone, and deletes it.
    browser.fill("#view-name", "Dearest").await;
    browser.click(".view-manage button[type=submit]").await;
    browser.see(".popover .picker-label", "Dearest").await;
    browser.press("\u{e00c}").await;
    browser.fill("#filter", "price >= 25").await;
    browser.press("\u{e007}").await;
    browser.see(".pager-range", "1–5 of 5").await;
    browser.click(VIEWS).await;
    browser.click(".view-actions button:nth-child(1)").await;
    browser.see(".popover .picker-row", "price >= 25").await;
    browser.click(".view-actions button:nth-child(1)").await;
    browser.see(".toast", "Dearest is yours alone now.").await;
    browser.click(".view-actions button:nth-child(2)").await;
    browser.click("dialog .button-danger").await;
    browser.see(".toast", "Deleted the view Dearest.").await;
    browser.see(".popover", "None yet.").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn columns_are_chosen_and_moved() {
    let (_server, browser) = with_snacks().await;
    browser.click(COLUMNS).await;
    browser.click(".view-columns li:nth-child(2) button").await;
    browser.wait("return document.querySelector('table.records thead .sort').innerText === 'Price'").await;
    browser.click(".view-columns li:nth-child(3) input").await;
    browser.at("/c/snacks?fields=price%2Ctitle%2Cupdated_at").await;
    browser.click(".popover > .button").await;
    browser.at("/c/snacks").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn charts_show_the_records_under_the_filter_and_a_bar_filters() {
    let (_server, browser) = with_snacks().await;
    browser.click(INSIGHTS).await;
    browser.see(".insights", "Created: records by hour").await;
    browser.see(".insights", "Price: records by steps of 5").await;
    browser.wait("return document.querySelectorAll('.insight:last-child .bar-column').length === 6").await;
    // By keyboard: the third bar.
    browser.run("document.querySelectorAll('.insight')[1].querySelector('.bar-column').focus(); return 1").await;
    browser.press("\u{e014}\u{e014}\u{e007}").await;
    browser.at("/c/snacks?price__gte=10&price__lt=15").await;
    browser.see(".pager-range", "1–5 of 5").await;
    browser.wait("return document.querySelectorAll('.insights .bar-column')[1] === undefined || document.querySelector('.insights').innerText.includes('steps of 1')").await;
    browser.click(".insights-head button").await;
    browser.see(".insights table", "10 – 11").await;
    // What is plotted is a part of the view.
    browser.click(VIEWS).await;
    browser.fill("#view-keep", "Plotted").await;
    browser.click(".view-keep button").await;
    browser.see(".toast", "Kept the view Plotted.").await;
    browser.go("/c/snacks").await;
    browser.text(".beside").await;
    browser.click(VIEWS).await;
    browser.click(".popover .picker-row").await;
    browser.see(".insights", "Price: records by steps of 1").await;
    browser.end(&[]).await;
}
