//! References by name: in tables, forms, the list to choose from, changes, and what refers to a record; and how wide columns are.

use std::{env, fs, path::PathBuf};

use serde_json::json;

use crate::{
    browser::Browser,
    seed::{ENTER, api_script, set_up},
    server::Server,
};

const DOWN: &str = "\u{e015}";
const PAGE_DOWN: &str = "\u{e00f}";

/// Fourteen makers, which are called by their city, and snacks of two of them.
async fn with_makers() -> (Server, Browser) {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    let script = api_script(
        "await call('/api/collections/', {name: 'makers', fields: [{name: 'code', type: 'text'}, {name: 'city', type: 'text', display: true}]});
        await call('/api/collections/', {name: 'snacks', fields: [{name: 'title', type: 'text'},
            {name: 'maker', type: 'reference', collection: 'makers', nullable: true}]});
        const makers = await call('/api/records/makers/', [...Array(14).keys()].map(n => ({code: 'M' + n, city: 'City ' + String(n).padStart(2, '0')})));
        const snacks = await call('/api/records/snacks/', [...Array(7).keys()].map(n => ({title: 'Snack ' + n, maker: makers[n % 2].id})));
        return [makers[0].id, snacks[0].id]",
    );
    browser.run(&script).await;
    browser.go("/c/snacks").await;
    browser.text("table.records td").await;
    (server, browser)
}

async fn keep(browser: &Browser, name: &str) {
    let Some(folder) = env::var_os("COFFER_SCREENSHOTS").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).unwrap();
    for (width, height) in [(390, 844), (1280, 800)] {
        for (is_dark, tone) in [(false, "light"), (true, "dark")] {
            browser.look(width, height, is_dark).await;
            fs::write(folder.join(format!("{name}-{width}-{tone}.png")), browser.picture().await).unwrap();
        }
    }
    browser.look(1280, 800, false).await;
}

#[tokio::test]
async fn references_are_shown_and_chosen_by_name() {
    let (_server, browser) = with_makers().await;
    browser.see("tbody tr:nth-child(1) td:nth-child(3)", "City 00").await;
    keep(&browser, "references-table").await;
    // One click follows it, and there is what refers to it, and whose it is.
    browser.click("tbody tr:nth-child(1) td:nth-child(3) a").await;
    browser.see("h1", "City 00").await;
    browser.see(".referred h3", "Snacks, as Maker 4 records").await;
    browser.see(".facts", "ada").await;
    keep(&browser, "references-record").await;
    browser.click(".referred li a").await;
    browser.see(".reference-label", "City 0").await;
    browser.back().await;
    browser.see("h1", "City 00").await;

    // Another is chosen by keys alone: words narrow the list, arrows go on to the next page.
    browser.go("/c/snacks/new").await;
    browser.fill("#field-title", "Crisps").await;
    browser.click(".with-button button").await;
    browser.see(".picker-foot", "Page 1 of 2: 14 records.").await;
    browser.see("[role=option]:nth-child(10)", "City 09").await;
    keep(&browser, "references-picker").await;
    browser.press(PAGE_DOWN).await;
    browser.see("[role=option][aria-selected=true]", "City 10").await;
    browser.press(DOWN).await;
    browser.see("[role=option][aria-selected=true]", "City 11").await;
    browser.press("M0").await;
    browser.see(".picker-foot", "1 record").await;
    browser.see("[role=option][aria-selected=true]", "City 00").await;
    browser.press(ENTER).await;
    browser.absent("dialog").await;
    browser.see(".reference-label", "City 00").await;
    browser.click("button[type=submit]").await;
    browser.see("tbody tr:nth-child(8)", "City 00").await;

    // What changed is told by name too.
    browser.click("tbody tr:nth-child(8) td:nth-child(2) a").await;
    browser.see("h1", "Crisps").await;
    browser.click(".page-head a[href*='changes']").await;
    browser.see(".diff", "City 00").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn columns_are_made_wider_by_key_and_by_dragging_and_kept_with_a_view() {
    let (_server, browser) = with_makers().await;
    browser.text(".beside").await;
    let width = "document.querySelector('table.records thead th:nth-child(2)').offsetWidth";
    let before = browser.run(&format!("return {width}")).await;
    let key = "const head = document.querySelector('table.records thead th:nth-child(2) .sort'); head.focus();
        head.dispatchEvent(new KeyboardEvent('keydown', {key: 'ArrowLeft', shiftKey: true, bubbles: true, cancelable: true}))";
    browser.run(key).await;
    browser.wait(&format!("return {width} < {before}")).await;
    let drag = "const head = document.querySelector('table.records thead th:nth-child(2)'), right = head.getBoundingClientRect().right;
        const tell = (kind, x) => head.dispatchEvent(new PointerEvent(kind, {clientX: x, bubbles: true, cancelable: true}));
        tell('pointerdown', right - 2); tell('pointermove', right + 40); tell('pointerup', right + 100); head.querySelector('.sort').click()";
    let narrow = browser.run(&format!("return {width}")).await;
    browser.run(drag).await;
    browser.wait(&format!("return Math.abs({width} - {narrow} - 100) < 12")).await;
    browser.at("/c/snacks").await;
    let wide = browser.run(&format!("return {width}")).await;
    // Rows that are loaded anew leave it as it is.
    browser.click("table.records thead th:nth-child(2) .sort").await;
    browser.at("/c/snacks?ordering=title").await;
    browser.wait(&format!("return {width} === {wide}")).await;
    keep(&browser, "widths").await;

    browser.click(".beside .popover-frame:nth-child(1) > button").await;
    browser.fill("#view-keep", "Wide").await;
    browser.click(".view-keep button").await;
    browser.see(".toast", "Kept the view Wide.").await;
    browser.press("\u{e00c}").await;
    browser.click(".beside .popover-frame:nth-child(2) > button").await;
    browser.click(".popover > button:last-of-type").await;
    browser.wait(&format!("return {width} !== {wide}")).await;
    browser.reload().await;
    browser.text(".beside").await;
    browser.click(".beside .popover-frame:nth-child(1) > button").await;
    browser.click(".popover .picker-row").await;
    browser.wait(&format!("return {width} === {wide}")).await;
    browser.end(&[]).await;
}

/// RFC 7515, appendix A.1.
const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const KEY: &str =
    r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;

#[tokio::test]
async fn a_token_is_checked_against_a_key_that_is_given_and_neither_is_sent() {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    browser.go("/server/token").await;
    browser.fill("#token", TOKEN).await;
    browser.run("performance.clearResourceTimings()").await;
    for (key, said) in [
        (KEY, "It is signed by the key that you gave, but it has expired."),
        ("another secret", "It is not signed by the key that you gave."),
        ("-----BEGIN PUBLIC KEY----- MCow -----END PUBLIC KEY-----", "which takes a secret, and this is a public key"),
    ] {
        browser.fill("#token-key", key).await;
        browser.click("button[type=submit]").await;
        browser.see("[role=status] .notice", said).await;
    }
    // Public keys, as the browser itself makes them.
    let signed = "return (async () => {
        const coded = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
        const text = value => coded(new TextEncoder().encode(JSON.stringify(value)));
        const found = [];
        for (const [alg, make, sign] of [
            ['ES256', {name: 'ECDSA', namedCurve: 'P-256'}, {name: 'ECDSA', hash: 'SHA-256'}],
            ['RS256', {name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256'}, {name: 'RSASSA-PKCS1-v1_5'}],
            ['PS384', {name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-384'}, {name: 'RSA-PSS', saltLength: 48}],
        ]) {
            const pair = await crypto.subtle.generateKey(make, true, ['sign', 'verify']);
            const message = text({alg}) + '.' + text({sub: 'x'});
            const signature = await crypto.subtle.sign(sign, pair.privateKey, new TextEncoder().encode(message));
            const pem = btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey))));
            found.push([message + '.' + coded(signature), JSON.stringify(await crypto.subtle.exportKey('jwk', pair.publicKey)),
                `-----BEGIN PUBLIC KEY-----\\n${pem}\\n-----END PUBLIC KEY-----`]);
        }
        return found;
    })()";
    let signed = browser.run(signed).await;
    for of_one in signed.as_array().unwrap() {
        browser.fill("#token", of_one[0].as_str().unwrap()).await;
        for key in [&of_one[1], &of_one[2]] {
            browser.fill("#token-key", key.as_str().unwrap()).await;
            browser.click("button[type=submit]").await;
            browser.see(".notice-good", "signed by the key that you gave, and good by its times").await;
        }
    }
    keep(&browser, "token-key").await;
    let sent = "return performance.getEntriesByType('resource').filter(sent => sent.name.includes('/inspect/')).length";
    assert_eq!(browser.run(sent).await, json!(0));
    browser.end(&[]).await;
}
