//! From the set-up link to a collection with records, and all the way out again.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{ENTER, PASSWORD, make_snacks, set_up},
    server::Server,
};

#[tokio::test]
async fn a_newcomer_sets_up_defines_a_collection_and_keeps_records_in_it() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;

    // Without a user there is nothing but the way to set up.
    browser.go("/").await;
    browser.at("/sign-in").await;
    browser.see(".notice", "set-up link").await;
    set_up(&browser, &server).await;
    browser.at("/").await;

    // A collection, by keyboard where a key is offered.
    browser.shortcut("n").await;
    browser.fill("#collection-name", "Snacks!").await;
    browser.see("#collection-name-error", "Use a to z").await;
    browser.fill("#collection-name", "snacks").await;
    browser.fill("#collection-description", "Between two builds").await;
    browser.fill("#field-0-name", "title").await;
    browser.fill("#field-0-max_length", "20").await;
    browser.click("#add-field").await;
    browser.fill("#field-1-name", "price").await;
    browser.choose("#field-1-type", "integer").await;
    browser.fill("#field-1-min", "0").await;
    browser.click("#add-field").await;
    browser.fill("#field-2-name", "kind").await;
    browser.choose("#field-2-type", "choice").await;
    browser.fill("#field-2-choices", "sweet\nsalty").await;
    browser.click("[aria-label='Move up: Kind']").await;
    browser.click("input[name='list-Anyone']").await;
    browser.press_with_control('s').await;
    browser.at("/c/snacks").await;
    browser.see(".empty", "No records yet").await;

    // A record; what is wrong stands at its field while it is typed.
    browser.shortcut("n").await;
    browser.at("/c/snacks/new").await;
    browser.fill("#field-title", "Popcorn, fresh from the pan").await;
    browser.see("#field-title-error", "no more than 20 characters").await;
    browser.fill("#field-title", "Popcorn").await;
    browser.absent("[aria-invalid=true]").await;
    browser.fill("#field-price", "-3").await;
    browser.see("#field-price-error", "greater than or equal to 0").await;
    browser.fill("#field-price", "3").await;
    browser.choose("#field-kind", "salty").await;
    browser.click("button[type=submit]").await;
    browser.at("/c/snacks").await;
    browser.see(".toast", "Created “Popcorn”.").await;
    browser.see("th:nth-child(3)", "Kind").await;

    // Opened from its row, changed, saved.
    browser.press("j").await;
    browser.press(ENTER).await;
    browser.see("h1", "Popcorn").await;
    browser.fill("#field-price", "4").await;
    browser.press(ENTER).await;
    browser.at("/c/snacks").await;
    browser.see("table.records td.number", "4").await;

    // Deleted and brought back, once by the button and once by the key.
    for by_key in [false, true] {
        browser.click("table.records td a").await;
        browser.see("h1", "Popcorn").await;
        if by_key {
            browser.shortcut("d").await;
        } else {
            browser.click(".form-delete").await;
        }
        browser.see(".toast", "Deleted “Popcorn”.").await;
        browser.see(".empty", "No records yet").await;
        if by_key {
            browser.shortcut("u").await;
        } else {
            browser.click(".toast [data-key=u]").await;
        }
        browser.see("table.records td", "Popcorn").await;
    }

    // Out, and nothing of it is left here.
    browser.click(".who button:last-child").await;
    browser.at("/sign-in?next=%2Fc%2Fsnacks").await;
    browser.absent(".toast").await;
    browser.wait("return localStorage.length === 0").await;
    browser.reload().await;
    browser.sign_in("ada", PASSWORD).await;
    browser.at("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;

    // The collection goes only when its name is typed.
    browser.shortcut("e").await;
    browser.at("/collections/snacks/edit").await;
    browser.wait("return document.querySelector('.danger button').disabled").await;
    browser.fill("#danger-name", "snacks").await;
    browser.press(ENTER).await;
    browser.at("/collections").await;
    browser.see(".empty", "No collections yet").await;
    // And it comes back with its records.
    browser.see(".toast", "Deleted the collection “Snacks” with its records.").await;
    browser.click(".toast button").await;
    browser.see(".toast", "“Snacks” is back.").await;
    browser.go("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;
    // What changed is read again: a record may be asked for in the very moment in which it is deleted.
    browser.end(&[404]).await;
}

#[tokio::test]
async fn nothing_typed_or_kept_goes_without_a_word() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;

    // A form that is left with something unsent keeps it; cancelling does not.
    browser.shortcut("n").await;
    browser.fill("#field-title", "Half a thou").await;
    browser.back().await;
    browser.at("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;
    browser.shortcut("n").await;
    browser.see(".notice", "something unsent").await;
    browser.wait("return document.querySelector('#field-title').value === 'Half a thou'").await;
    browser.click(".form-actions a").await;
    browser.at("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;
    browser.shortcut("n").await;
    browser.wait("return document.querySelector('#field-title')?.value === ''").await;
    browser.absent(".notice").await;
    browser.click(".form-actions a").await;
    browser.at("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;

    // A field that goes is named before anything is saved.
    browser.shortcut("e").await;
    browser.at("/collections/snacks/edit").await;
    browser.click("[aria-label='Remove: Price']").await;
    browser.see(".notice-warn", "Saving takes away “Price”").await;
    browser.click(".form-actions a").await;
    browser.at("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;
    browser.end(&[]).await;
}
