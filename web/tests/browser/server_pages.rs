//! The pages about the server: settings and keys, the log as it grows, and a token explained.

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{ENTER, PASSWORD, api_script, api_script_of, make_snacks, set_up},
    server::Server,
};

#[tokio::test]
async fn an_admin_sees_settings_keys_and_the_log_and_has_a_token_explained() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.see("#panel-notable", "Failures and slow lists").await;

    browser.shortcut("S").await;
    browser.at("/server/settings").await;
    browser.see(".facts-table th code", "access-lifetime").await;
    browser.see(".facts-table td", "set, and not shown").await;
    browser.see(".facts-table td", "HS256").await;
    browser.see("pre", "coffer restore FILE").await;
    // What somebody has said stands before the defaults.
    let first =
        "return document.querySelector('#panel-settings').closest('section').querySelector('tbody tr .tag')?.innerText";
    assert_eq!(browser.wait(first).await, "command line");

    browser.click("a[href='/server/log']").await;
    browser.at("/server/log").await;
    browser.see(".log code", "method=POST route=/api/records/{collection}/ status=201").await;
    // It grows by itself, and who looks at it does not fill it.
    browser.run(&api_script("await call('/api/users/me/', undefined, 'GET'); return 1")).await;
    browser.see(".log code", "route=/api/users/me/ status=200").await;
    assert_eq!(
        browser.run("return document.querySelector('.log').innerText.includes('route=/api/log/lines/')").await,
        false
    );
    let at_end = "const log = document.querySelector('.log');
        return log.scrollTop + log.clientHeight + 24 >= log.scrollHeight";
    browser.wait(at_end).await;
    browser.choose("#log-level", "warn").await;
    browser.see(".toast", "The log tells warn now").await;
    browser.see(".log .log-warn", "warn").await;
    browser.choose("#log-least", "error").await;
    browser.see(".hint", "There are no such lines yet.").await;
    browser.choose("#log-least", "trace").await;
    browser.choose("#log-level", "info").await;
    browser.see(".toast", "The log tells info now").await;

    browser.click("a[href='/server/token']").await;
    browser.at("/server/token").await;
    browser.click(".form-actions button[type=button]").await;
    browser.see(".notice-good", "It is an access token, and would be let in now").await;
    browser.see(".token-claims td", "good until ").await;
    browser.see(".panel p", "Made by this server's HS256 key").await;
    browser.fill("#token", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjF9.AAAA").await;
    browser.click(".form-actions button[type=submit]").await;
    browser.see(".notice-bad", "It is refused: ").await;
    browser.see(".token-claims td code", "\"HS256\"").await;
    browser.see("#token-signature", "Signature").await;
    // It is in no address.
    browser.at("/server/token").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn who_is_no_admin_has_the_token_page_alone() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let make = format!("await call('/api/users/', {{username: 'bob', password: {}}}); return 1", json!(PASSWORD));
    assert_eq!(browser.run(&api_script(&make)).await, 1);
    browser.click(".who button:last-child").await;
    browser.sign_in("bob", PASSWORD).await;
    browser.see("h1", "Dashboard").await;
    browser.absent("[data-key=S]").await;
    browser.go("/sessions").await;
    browser.click("a[href='/server/token']").await;
    browser.see("h1", "Token").await;
    browser.absent(".tabs").await;
    let refresh = format!(
        "const pair = await (await fetch('/api/token/', {{method: 'POST', headers: {{'content-type': 'application/json'}},
            body: JSON.stringify({{username: 'bob', password: {}}})}})).json(); return pair.refresh",
        json!(PASSWORD)
    );
    let token = browser.run(&refresh).await;
    browser.fill("#token", token.as_str().unwrap()).await;
    browser.click(".form-actions button[type=submit]").await;
    browser.see(".notice-good", "It is a refresh token, and would be traded now").await;
    browser.go("/server/settings").await;
    browser.see("h1", "Token").await;
    let refused = "const answer = await fetch('/api/settings/', {headers: {authorization: 'Bearer ' + access}}); return answer.status";
    assert_eq!(browser.run(&api_script_of("bob", refused)).await, 403);
    browser.end(&[403]).await;
}

#[tokio::test]
async fn the_api_of_a_collection_is_shown_with_its_names_and_runs() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let ids = make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/c/snacks").await;
    browser.text("table.records td").await;
    browser.click(".page-head [aria-expanded]").await;
    browser.click("a[href^='/server/api']").await;
    browser.see("h1", "API").await;
    browser.see(".api-route code", &format!("/api/records/snacks/{}/", ids[0])).await;
    browser.see(".api-route pre", "http -A bearer -a \"$ACCESS\" POST").await;
    browser.click(".segments button:nth-child(2)").await;
    browser.see(".api-route pre", "curl -X POST").await;
    browser.see(".api-route .hint", "create: signed in").await;
    // The request that is shown answers what it would.
    browser.click(".api-route button").await;
    browser.see(".api-answer", "\"title\": \"Popcorn\"").await;
    browser.see(".facts-table th code", "price").await;

    browser.go("/server/access").await;
    browser.see(".facts-table th", "Snacks").await;
    browser.see(".facts-table td", "signed in").await;
    browser.click(".facts-table th a").await;
    browser.at("/collections/snacks/edit").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn the_palette_leads_to_pages_and_collections_by_words() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.see(".stock", "Snacks").await;
    browser.press_with_control('k').await;
    browser.see(".dialog [role=option]", "Collections").await;
    browser.fill("#palette", "sna open").await;
    browser.wait("return document.querySelectorAll('.dialog [role=option]').length === 1").await;
    browser.press(ENTER).await;
    browser.at("/c/snacks").await;
    browser.absent(".dialog").await;
    browser.text("table.records td").await;
    browser.press_with_control('k').await;
    browser.fill("#palette", "nothing like this").await;
    browser.see(".dialog .hint", "Nothing is called so.").await;
    // Records by their words too, of what was typed last.
    browser.fill("#palette", "popc").await;
    browser.see("#palette-list", "Popcorn · Snacks").await;
    browser.fill("#palette", "log").await;
    browser.press(ENTER).await;
    browser.at("/server/log").await;
    browser.press_with_control('k').await;
    browser.text("#palette").await;
    browser.press("\u{e00c}").await;
    browser.absent(".dialog").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn an_admin_sees_what_a_migration_would_do_applies_it_and_takes_it_back() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;
    browser.go("/server/settings").await;
    browser.click("a[href='/server/migrations']").await;
    browser.at("/server/migrations").await;
    browser.see(".panel .hint", "None is applied here.").await;
    let choose = |text: &str| {
        format!(
            "const input = document.querySelector('#migration-file'), files = new DataTransfer();
            files.items.add(new File([{}], '0001_label.toml'));
            input.files = files.files;
            input.dispatchEvent(new Event('change', {{bubbles: true}}));
            return 1",
            json!(text)
        )
    };
    browser.run(&choose("[[steps]]\nchange = \"snacks\"\n[steps.rename]\nname = \"label\"\n")).await;
    browser.wait("return document.querySelector('#migration-folder')?.value === 'snacks'").await;
    browser.click(".panel button[type=submit]").await;
    browser.see(".toast", "name").await;
    browser.fill("#migration-folder", "other").await;
    browser.run(&choose("[[steps]]\nchange = \"snacks\"\n[steps.rename]\ntitle = \"label\"\n")).await;
    browser.wait("return document.querySelector('#migration-folder')?.value === 'snacks'").await;
    browser.click(".panel button[type=submit]").await;
    browser.see(".migration-plan .notice-title", "Applying snacks/0001_label would:").await;
    browser.click(".migration-plan .button-primary").await;
    browser.see(".facts-table code", "snacks/0001_label").await;
    browser.see(".facts-table td", "change snacks: rename").await;
    browser.absent(".migration-plan").await;
    let fields = |name: &str| {
        api_script(&format!(
            "const found = await call('/api/collections/snacks/', undefined, 'GET'); return found.fields.some(field => field.name === '{name}')"
        ))
    };
    assert_eq!(browser.run(&fields("label")).await, true);
    browser.click(".facts-table button").await;
    browser.see(".migration-plan .notice-title", "Taking snacks/0001_label back would:").await;
    browser.click(".migration-plan .button-primary").await;
    browser.see(".panel .hint", "None is applied here.").await;
    assert_eq!(browser.run(&fields("title")).await, true);
    browser.end(&[400]).await;
}
