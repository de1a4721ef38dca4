//! The stories.

use serde_json::json;

use crate::{
    PASSWORD,
    stage::{Browser, Server},
};

const ENTER: &str = "\u{e007}";

/// Opens the set-up link and makes the first admin.
async fn set_up(browser: &Browser, server: &Server) {
    browser.go(&server.said).await;
    browser.sign_in("ada", PASSWORD).await;
    browser.see("h1", "Collections").await;
}

/// A script that calls the API as a program would, with tokens of its own.
fn api_script(body: &str) -> String {
    format!(
        "let access;
        const call = async (path, body) => {{
            const headers = {{'content-type': 'application/json', ...(access && {{authorization: 'Bearer ' + access}})}};
            const answer = await fetch(path, {{method: 'POST', headers, body: JSON.stringify(body)}});
            if (!answer.ok) throw await answer.text();
            return answer.json();
        }};
        access = (await call('/api/token/', {{username: 'ada', password: {}}})).access;
        {body}",
        json!(PASSWORD)
    )
}

/// Makes a collection of snacks over the API, with these records, and gives their ids.
async fn make_snacks(browser: &Browser, records: serde_json::Value) -> Vec<String> {
    let collection = json!({"name": "snacks", "fields": [
        {"name": "title", "type": "text", "required": true, "max_length": 60},
        {"name": "price", "type": "integer", "min": 0, "nullable": true},
        {"name": "note", "type": "text", "multiline": true},
    ]});
    let script = api_script(&format!(
        "await call('/api/collections/', {collection});
        return (await call('/api/records/snacks/', {records})).map(record => record.id)"
    ));
    let ids = browser.run(&script).await;
    ids.as_array().unwrap_or_else(|| panic!("{ids}")).iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}

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
    browser.press("n").await;
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
    browser.press("n").await;
    browser.at("/c/snacks/new").await;
    browser.fill("#field-title", "Popcorn, fresh from the pan").await;
    browser.see("#field-title-error", "no more than 20 characters").await;
    browser.fill("#field-title", "Popcorn").await;
    browser.gone("[aria-invalid=true]").await;
    browser.fill("#field-price", "-3").await;
    browser.see("#field-price-error", "greater than or equal to 0").await;
    browser.fill("#field-price", "3").await;
    browser.choose("#field-kind", "salty").await;
    browser.click("button[type=submit]").await;
    browser.at("/c/snacks").await;
    browser.see(".toast", "Created “Popcorn”.").await;
    browser.see("th:nth-child(2)", "Kind").await;

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
            browser.press("d").await;
        } else {
            browser.click(".form-delete").await;
        }
        browser.see(".toast", "Deleted “Popcorn”.").await;
        browser.see(".empty", "No records yet").await;
        if by_key {
            browser.press("u").await;
        } else {
            browser.click(".toast [data-key=u]").await;
        }
        browser.see("table.records td", "Popcorn").await;
    }

    // A form that is left with something unsent keeps it; cancelling does not.
    browser.press("n").await;
    browser.fill("#field-title", "Half a thou").await;
    browser.back().await;
    browser.at("/c/snacks").await;
    browser.press("n").await;
    browser.see(".notice", "something unsent").await;
    browser.wait("return document.querySelector('#field-title').value === 'Half a thou'").await;
    browser.click(".form-actions a").await;
    browser.at("/c/snacks").await;
    browser.press("n").await;
    browser.wait("return document.querySelector('#field-title')?.value === ''").await;
    browser.gone(".notice").await;
    browser.click(".form-actions a").await;
    browser.at("/c/snacks").await;

    // Out, and nothing of it is left here.
    browser.click(".who button:last-child").await;
    browser.at("/sign-in?next=%2Fc%2Fsnacks").await;
    browser.gone(".toast").await;
    assert_eq!(browser.run("return localStorage.length").await, 0);
    browser.reload().await;
    browser.sign_in("ada", PASSWORD).await;
    browser.at("/c/snacks").await;
    browser.see("table.records td", "Popcorn").await;

    // A field that goes is named before anything is saved.
    browser.press("e").await;
    browser.at("/collections/snacks/edit").await;
    browser.click("[aria-label='Remove: Price']").await;
    browser.see(".notice-warn", "Saving takes away “Price”").await;
    browser.click(".form-actions a").await;
    browser.at("/c/snacks").await;

    // The collection goes only when its name is typed.
    browser.press("e").await;
    browser.at("/collections/snacks/edit").await;
    browser.wait("return document.querySelector('.danger button').disabled").await;
    browser.fill("#danger-name", "snacks").await;
    browser.press(ENTER).await;
    browser.at("/").await;
    browser.see(".empty", "No collections yet").await;
    browser.end(&[]).await;
}

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
    browser.click("th:nth-child(2) .sort").await;
    browser.at("/c/snacks?ordering=price").await;
    browser.click("th:nth-child(2) .sort").await;
    browser.at("/c/snacks?ordering=-price").await;
    browser.see("tbody tr:first-child td.number", "9").await;
    browser.wait("return document.querySelector('th:nth-child(2)').ariaSort === 'descending'").await;
    browser.press("/").await;
    browser.press("price<").await;
    browser.see("#filter-error", "A valid integer is required.").await;
    browser.press("8").await;
    browser.press(ENTER).await;
    browser.at("/c/snacks?price__lt=8&ordering=-price").await;
    browser.see(".pager-range", "1–20 of 40").await;
    browser.press("\u{e00c}").await; // Esc leaves the filter
    browser.press("]").await;
    browser.at("/c/snacks?price__lt=8&ordering=-price&page=2").await;
    browser.see(".pager-range", "21–40 of 40").await;

    // A reload shows the same, and so does the way back from a record.
    browser.reload().await;
    browser.see(".pager-range", "21–40 of 40").await;
    browser.wait("return document.querySelector('#filter').value === 'price<8'").await;
    browser.click("table.records td a").await;
    browser.text("#field-title").await;
    browser.press("b").await;
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
    browser.click(".popover-frame:nth-last-child(2) button").await;
    browser.see(".join-form", "Notes").await;
    browser.choose("#join-their-field", "about").await;
    browser.click(".join-form .button-primary").await;
    browser.at("/c/snacks?left_join=notes%3Atitle%3Dabout").await;
    browser.see("tbody tr:nth-child(8) td:last-child", "crunchy; stale").await;
    browser.see(".pager-range", "1–20 of 50").await;

    // Nothing matches; what the line cannot say is still shown; what cannot be shown is said.
    browser.go("/c/snacks?search=zzz").await;
    browser.see(".empty", "Nothing matches").await;
    browser.go("/c/snacks?title__endswith=7").await;
    browser.see(".pager-range", "1–5 of 5").await;
    browser.see(".filter", "title__endswith=7").await;
    browser.go("/c/snacks?page=99").await;
    browser.see(".empty", "This page is empty").await;
    browser.click(".empty .button").await;
    browser.at("/c/snacks").await;
    browser.go("/c/snacks?zzz=1").await;
    browser.see(".notice", "zzz").await;
    browser.go("/c/Snacks/../../etc").await;
    browser.see("h1", "There is no such page").await;
    browser.go("/c/nothing").await;
    browser.see(".notice", "Not found").await;
    browser.end(&[400, 404]).await;
}

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
    browser.gone(".conflict").await;
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
async fn a_session_that_ends_takes_no_typed_text_with_it() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/c/snacks/new").await;
    browser.fill("#field-title", "Typed before the end").await;
    // The session ends behind the app's back.
    browser.run("await fetch('/api/session/', {method: 'DELETE', headers: {'x-coffer': '1'}})").await;
    browser.click("button[type=submit]").await;
    browser.see("dialog", "Your session has ended").await;
    browser.fill("dialog input[name=password]", "something else entirely").await;
    browser.press(ENTER).await;
    browser.see("dialog .notice", "No active account").await;
    browser.fill("dialog input[name=password]", PASSWORD).await;
    browser.press(ENTER).await;
    browser.gone("dialog").await;
    browser.click("button[type=submit]").await;
    browser.see("table.records td", "Typed before the end").await;

    // Another tab signs out, and this one knows.
    let first = browser.new_tab().await;
    browser.go("/").await;
    browser.see("h1", "Collections").await;
    browser.click(".who button:last-child").await;
    browser.at("/sign-in").await;
    let second = browser.switch(first).await;
    browser.at("/sign-in?next=%2Fc%2Fsnacks").await;
    // And it signs in again with the other.
    browser.switch(second).await;
    browser.sign_in("ada", PASSWORD).await;
    browser.see("h1", "Collections").await;
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
        browser.see("h1", "Collections").await;
        browser.reload().await;
    }
    browser.see("h1", "Collections").await;
    browser.end(&[]).await;
}

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
