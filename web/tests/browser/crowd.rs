//! More users, and more sessions of one, than a page has room for: they are searched, sorted and turned over as records are.

use crate::{
    browser::Browser,
    seed::{ENTER, PASSWORD, api_script, set_up},
    server::Server,
};

const ESCAPE: &str = "\u{e00c}";

#[tokio::test]
async fn many_users_and_many_sessions_are_searched_sorted_and_paged() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let made = api_script(
        "for (let i = 1; i <= 24; i++)
            await call('/api/users/', {username: 'user-' + String(i).padStart(2, '0'), password: 'a word that is long enough',
                roles: i % 2 ? ['cook'] : [], is_active: i != 7});
        return true",
    );
    browser.run(&made).await;

    browser.shortcut("U").await;
    browser.see(".pager-range", "1–20 of 25").await;
    browser.shortcut("]").await;
    browser.at("/users?page=2").await;
    browser.see(".pager-range", "21–25 of 25").await;
    browser.see("table.people td a", "user-20").await;

    // A heading sorts, and leads back to the first page.
    browser.click("th:first-child .sort").await;
    browser.at("/users?ordering=username").await;
    browser.see("table.people td a", "ada").await;
    browser.click("th:first-child .sort").await;
    browser.at("/users?ordering=-username").await;
    browser.see("table.people td a", "user-24").await;

    // Words and comparisons narrow the list down; the address keeps them through a visit to a user.
    browser.shortcut("/").await;
    browser.press(&format!("cook is_active=false{ENTER}")).await;
    browser.see(".pager-range", "1–1 of 1").await;
    browser.see("table.people td a", "user-07").await;
    browser.press(ESCAPE).await;
    browser.press("j").await;
    browser.press("e").await;
    browser.see("h1", "user-07").await;
    browser.back().await;
    browser.see(".pager-range", "1–1 of 1").await;
    browser.fill("#filter", "owner=x").await;
    browser.see("#filter-error", "Must be a valid UUID").await;
    browser.fill("#filter", &format!("nobody-of-this-name{ENTER}")).await;
    browser.see(".empty", "Nothing matches").await;
    browser.click(".empty a").await;
    browser.at("/users").await;
    browser.see(".pager-range", "1–20 of 25").await;

    // An address that asks for what users do not have says so, and leads to the whole list.
    browser.go("/users?password_hash__startswith=x").await;
    browser.see(".notice", "password_hash__startswith").await;
    browser.click(".notice a").await;
    browser.see(".pager-range", "1–20 of 25").await;
    browser.go("/users?page=9").await;
    browser.see(".empty", "This page is empty").await;
    browser.click(".empty button").await;
    browser.see(".pager-range", "1–20 of 25").await;

    // A handful of sessions is a plain list; many have the same tools.
    browser.go("/sessions").await;
    browser.see("table.people td", "this one").await;
    assert_eq!(browser.run("return document.querySelector('#filter')").await, serde_json::Value::Null);
    let signed_in = api_script(&format!(
        "for (let i = 0; i < 22; i++) await call('/api/token/', {{username: 'ada', password: '{PASSWORD}'}});
        return true"
    ));
    browser.run(&signed_in).await;
    browser.reload().await;
    // The visitor's, two scripts' own, and those that the last one made.
    browser.see(".pager-range", "1–20 of 2").await;
    browser.click("th:nth-child(2) .sort").await;
    browser.at("/sessions?ordering=last_used").await;
    browser.shortcut("/").await;
    browser.press(&format!("192.0.2.9{ENTER}")).await;
    browser.see(".empty", "Nothing matches").await;
    browser.click(".filter .button-quiet").await;
    browser.shortcut("]").await;
    browser.shortcut("a").await;
    browser.see("dialog", "All your sessions but this one will end.").await;
    browser.press(ENTER).await;
    browser.see(".toast", "Ended.").await;
    browser.end(&[404]).await;
}
