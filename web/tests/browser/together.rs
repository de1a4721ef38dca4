//! Several windows and tabs at once, and sessions that end meanwhile.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{ENTER, PASSWORD, make_snacks, set_up},
    server::Server,
};

#[tokio::test]
async fn two_windows_at_one_record_lose_nothing() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let ids = make_snacks(&browser, json!([{"title": "Popcorn", "price": 3}, {"title": "Pretzel", "price": 1}])).await;
    let page = format!("/c/snacks/{}", ids[0]);
    browser.go(&page).await;
    browser.text("#field-title").await;
    let first = browser.new_tab().await;

    // The other window changes two fields.
    browser.go(&page).await;
    browser.fill("#field-title", "Sweet popcorn").await;
    browser.fill("#field-note", "Warm").await;
    browser.click("button[type=submit]").await;
    browser.see(".toast", "Saved.").await;

    // This one changed one of them too, and is told; what was typed is still there.
    let second = browser.switch(first).await;
    browser.fill("#field-title", "Salty popcorn").await;
    browser.click("button[type=submit]").await;
    browser.see(".conflict", "Title: Sweet popcorn was Popcorn").await;
    browser.see(".conflict li", "you changed it too").await;
    browser.see(".conflict", "Note: Warm was nothing").await;
    browser.wait("return document.querySelector('#field-title').value === 'Salty popcorn'").await;
    browser.wait("return document.querySelector('#field-note').value === 'Warm'").await;
    browser.click(".conflict .button-primary").await;
    browser.at("/c/snacks").await;
    browser.see("table.records td", "Salty popcorn").await;
    browser.see("table.records td", "Warm").await;

    // The other way round: theirs is taken.
    let first = browser.switch(second).await;
    browser.go(&page).await;
    browser.fill("#field-price", "5").await;
    let second = browser.switch(first).await;
    browser.go(&page).await;
    browser.fill("#field-price", "7").await;
    browser.click("button[type=submit]").await;
    browser.see("table.records td", "7").await;
    let first = browser.switch(second).await;
    browser.click("button[type=submit]").await;
    browser.see(".conflict", "Price: 7 was 3").await;
    browser.click(".conflict .button:last-child").await;
    browser.absent(".conflict").await;
    browser.wait("return document.querySelector('#field-price').value === '7'").await;

    // Gone meanwhile: it is saved as a new one.
    browser.fill("#field-price", "8").await;
    let second = browser.switch(first).await;
    browser.go(&page).await;
    browser.click(".form-delete").await;
    browser.see(".toast", "Deleted").await;
    browser.switch(second).await;
    browser.click("button[type=submit]").await;
    browser.see(".conflict", "deleted this record").await;
    browser.click(".conflict .button-primary").await;
    browser.see("table.records td", "Salty popcorn").await;
    browser.see("table.records td", "8").await;
    browser.end(&[412, 404]).await;
}

#[tokio::test]
async fn two_admins_at_one_collection_do_not_undo_each_other() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/collections/snacks/edit").await;
    browser.text("#collection-description").await;
    let first = browser.new_tab().await;
    browser.go("/collections/snacks/edit").await;
    browser.fill("#collection-description", "Theirs").await;
    browser.click(".form-actions button").await;
    browser.see(".toast", "Saved the collection “Snacks”.").await;

    browser.switch(first).await;
    browser.fill("#collection-description", "Mine").await;
    browser.click(".form-actions button").await;
    browser.click("#reload").await;
    browser.wait("return document.querySelector('#collection-description').value === 'Theirs'").await;
    browser.absent(".notice").await;
    browser.fill("#collection-description", "Both").await;
    browser.click(".form-actions button").await;
    browser.see(".lead", "Both").await;
    browser.end(&[412]).await;
}

#[tokio::test]
async fn a_session_that_ends_takes_no_typed_text_with_it() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/c/snacks/new").await;
    browser.fill("#field-title", "Typed before the end").await;
    // The session ends behind the app's back.
    browser.run("await fetch('/api/session/', {method: 'DELETE', headers: {'x-coffer': '1'}})").await;
    // The stream may have told it before: then a window lies over the button.
    browser.run("document.querySelector('button[type=submit]').click(); return 1").await;
    browser.see("dialog", "Your session has ended").await;
    browser.fill("dialog input[name=password]", "something else entirely").await;
    browser.press(ENTER).await;
    browser.see("dialog .notice", "No active account").await;
    browser.fill("dialog input[name=password]", PASSWORD).await;
    browser.press(ENTER).await;
    browser.absent("dialog").await;
    browser.click("button[type=submit]").await;
    browser.see("table.records td", "Typed before the end").await;

    // Another tab signs out, and this one knows.
    let first = browser.new_tab().await;
    browser.go("/").await;
    browser.see("h1", "Dashboard").await;
    browser.click(".who button:last-child").await;
    browser.at("/sign-in").await;
    let second = browser.switch(first).await;
    browser.at("/sign-in?next=%2Fc%2Fsnacks").await;
    // And it signs in again with the other.
    browser.switch(second).await;
    browser.sign_in("ada", PASSWORD).await;
    browser.see("h1", "Dashboard").await;
    browser.end(&[401]).await;
}

#[tokio::test]
async fn many_tabs_loading_at_once_keep_the_one_session() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let mut tabs = Vec::new();
    for _ in 0..4 {
        tabs.push(browser.new_tab().await);
        browser.run("open(location.origin); return 1").await;
        browser.go("/").await;
    }
    for tab in tabs {
        browser.switch(tab).await;
        browser.see("h1", "Dashboard").await;
        browser.reload().await;
    }
    browser.see("h1", "Dashboard").await;
    browser.end(&[]).await;
}
