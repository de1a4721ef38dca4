//! Many records at once: rows that are chosen, changed, deleted and taken back; a file in, and one out.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    seed::{make_snacks, set_up},
    server::Server,
};

/// Notes what is downloaded, in place of a folder.
const WATCH_FILES: &str = "window.files = [];
    const address = URL.createObjectURL;
    URL.createObjectURL = blob => { window.blob = blob; return address.call(URL, blob); };
    HTMLAnchorElement.prototype.click = function () {
        const file = {name: this.download};
        window.files.push(file);
        window.blob.text().then(text => file.text = text);
    };
    return 1";

async fn with_snacks(snacks: Value) -> (Server, Browser) {
    let server = Server::empty();
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, snacks).await;
    browser.go("/c/snacks?ordering=title").await;
    browser.text("table.records td").await;
    (server, browser)
}

#[tokio::test]
async fn rows_are_chosen_changed_and_deleted_as_one_operation() {
    let snacks: Vec<Value> = (0..30).map(|n| json!({"title": format!("Snack {n:02}"), "price": n})).collect();
    let (_server, browser) = with_snacks(Value::Array(snacks)).await;

    // By keyboard: the first row, and those up to the fourth.
    browser.press("jx").await;
    browser.see(".chosen-count", "1 row chosen").await;
    browser.press("jjjX").await;
    browser.see(".chosen-count", "4 rows chosen").await;
    browser.click(".chosen-acts .button").await;
    browser.choose("#many-field", "1").await;
    browser.fill("#many-price", "7").await;
    browser.see("dialog .notice", "4 records in Snacks would be changed").await;
    browser.click("dialog button[type=submit]").await;
    browser.see(".toast", "Changed 4 records.").await;
    let sevens = "return [...document.querySelectorAll('table.records tbody tr')].slice(0, 5).map(row => row.cells[2].innerText).join()";
    browser.wait(&format!("return (() => {{ {sevens} }})() === '7,7,7,7,4'")).await;
    browser.absent(".chosen").await;
    browser.click(".toast button").await;
    browser.wait(&format!("return (() => {{ {sevens} }})() === '0,1,2,3,4'")).await;

    // All that match, which are more than the page shows; what would go is said before.
    browser.go("/c/snacks?price__gte=5").await;
    browser.see(".pager-range", "1–20 of 25").await;
    browser.click("th.choose input").await;
    browser.see(".chosen-count", "20 rows chosen").await;
    browser.see(".chosen", "Choose all 25 that match").await;
    browser.click(".chosen .button-quiet").await;
    browser.see(".chosen-count", "25 rows chosen").await;
    browser.shortcut("d").await;
    browser.see("dialog .notice", "25 records in Snacks would be deleted").await;
    browser.click("dialog button[type=submit]").await;
    browser.see(".toast", "Deleted 25 records.").await;
    browser.see(".empty", "Nothing matches").await;
    browser.click(".toast button").await;
    browser.see(".pager-range", "1–20 of 25").await;

    // Another filter means other rows.
    browser.click("th.choose input").await;
    browser.text(".chosen-count").await;
    browser.click(".filter .button-quiet").await;
    browser.at("/c/snacks").await;
    browser.absent(".chosen").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn a_filter_s_rows_and_the_chosen_ones_go_out_as_files() {
    let snacks = json!([{"title": "=1+1", "price": 3}, {"title": "Popcorn", "price": 9}, {"title": "Olives"}]);
    let (_server, browser) = with_snacks(snacks).await;
    browser.run(WATCH_FILES).await;
    let file = |number: usize, name: &str, text: &str| {
        let (name, text) = (json!(name), json!(text));
        format!(
            "const file = window.files[{number}]; return file?.text && file.name === {name} && file.text.includes({text})"
        )
    };
    browser.click(".actions .popover-frame > button").await;
    browser.click(".actions .picker-row:nth-child(1)").await;
    browser.wait(&file(0, "snacks.csv", "=1+1")).await;
    browser.click(".actions .picker-row:nth-child(2)").await;
    browser.wait(&file(1, "snacks.spreadsheet.csv", "'=1+1")).await;
    browser.press("\u{e00c}").await;
    browser.click("tbody tr:nth-child(2) .choose input").await;
    browser.click(".chosen .popover-frame > button").await;
    browser.click(".chosen .picker-row:nth-child(4)").await;
    browser.wait(&file(2, "snacks.ndjson", "Olives")).await;
    assert_eq!(browser.run("return window.files[2].text.trim().split('\\n').length").await, 1);
    browser.end(&[]).await;
}

/// Chooses a file, as the browser's own dialog would.
async fn choose_file(browser: &Browser, name: &str, text: &str) {
    browser.text("#import-file, .drop").await;
    let (name, text) = (json!(name), json!(text));
    let script = format!(
        "const input = document.querySelector('#import-file'), files = new DataTransfer();
        files.items.add(new File([{text}], {name}));
        input.files = files.files;
        input.dispatchEvent(new Event('change', {{bubbles: true}}));
        return 1"
    );
    browser.run(&script).await;
}

#[tokio::test]
async fn a_file_is_looked_at_mapped_checked_and_imported() {
    let (_server, browser) = with_snacks(json!([{"title": "Popcorn"}])).await;
    browser.shortcut("m").await;
    browser.at("/c/snacks/import").await;
    choose_file(&browser, "snacks.csv", "Titel;Price;Shelf\nNüsse;3;a\nMais;x;b\nOliven;4;c\n").await;

    // Headings that name no field are left out until they are mapped.
    browser.see(".preview td", "Nüsse").await;
    browser.see(".notice-warn", "3 rows").await;
    browser.choose(".preview th:nth-child(1) select", "title").await;
    browser.see(".notice-warn", "3 rows: 2 would be made, 1 does not fit.").await;
    browser.see(".faults td", "A valid integer is required.").await;
    browser.see(".faults tbody th", "3").await;
    browser.wait("return document.querySelector('.import button[type=submit]').disabled").await;
    browser.click("#import-skip").await;
    browser.see(".import button[type=submit]", "Import 2 rows").await;
    browser.click(".import button[type=submit]").await;
    browser.see(".notice-title", "The file is in").await;
    browser.see(".notice", "3 rows: 2 were made, 1 does not fit.").await;
    browser.run(WATCH_FILES).await;
    browser.click(".notice-actions button").await;
    browser.wait("return window.files[0]?.text?.includes('Mais')").await;
    // It is one operation.
    browser.click(".toast button").await;
    browser.click(".notice-actions a").await;
    browser.see(".pager-range", "1–1 of 1").await;
    browser.end(&[400]).await;
}

#[tokio::test]
async fn a_file_that_is_sent_again_after_a_lost_answer_goes_in_once() {
    let (_server, browser) = with_snacks(json!([{"title": "Popcorn"}])).await;
    browser.go("/c/snacks/import").await;
    let file = "title,price\nNuts,3\nOlives,4\n";
    choose_file(&browser, "snacks.csv", file).await;
    browser.see(".notice-title", "2 rows: 2 would be made.").await;
    // The answer to the next import is lost on its way.
    let lose = "const fetch = window.fetch;
        window.fetch = async (...of) => {
            const answer = await fetch.apply(window, of);
            if (!answer.url.endsWith('/import/')) { return answer; }
            window.fetch = fetch;
            throw new TypeError('lost');
        };
        return 1";
    browser.run(lose).await;
    browser.click(".import button[type=submit]").await;
    browser.text(".toast-bad, .toast").await;
    browser.click(".import button[type=submit]").await;
    browser.see(".notice-warn", "This file was imported at").await;
    browser.see(".import button[type=submit]", "Import 2 rows once more").await;
    // Chosen anew, it is still the same.
    choose_file(&browser, "copy.csv", file).await;
    browser.see(".import button[type=submit]", "Import 2 rows").await;
    browser.wait("return !document.querySelector('.import .notice-warn')").await;
    browser.click(".import button[type=submit]").await;
    browser.see(".notice-warn", "This file was imported at").await;
    // Once more, and once: this answer is lost, too.
    browser.run(lose).await;
    browser.click(".import button[type=submit]").await;
    browser.text(".toast-bad, .toast").await;
    browser.click(".import button[type=submit]").await;
    browser.see(".notice-warn", "This file was imported at").await;
    browser.go("/c/snacks").await;
    browser.see(".pager-range", "1–5 of 5").await;
    browser.end(&[]).await;
}

#[tokio::test]
async fn a_collection_is_made_of_a_file_whose_types_are_shown_first() {
    let (_server, browser) = with_snacks(json!([{"title": "Popcorn"}])).await;
    browser.go("/collections").await;
    browser.click("a[href='/collections/from-file']").await;
    choose_file(&browser, "Goods 2026.csv", "Titel,Preis,Code,Note\nNüsse,1.50,007,a\nMais,2,010,b\n").await;
    browser.see("#from-file-name", "").await;
    browser.wait("return document.querySelector('#from-file-name').value === 'goods_2026'").await;
    browser.see(".preview tbody tr:nth-child(2) td", "1.50 · 2").await;
    let kinds = "return [...document.querySelectorAll('.preview select')].map(select => select.value).join()";
    assert_eq!(browser.run(kinds).await, "text,decimal,text,text");
    // Another type, another name, and a column that is left out.
    browser.fill("#from-file-name", "goods").await;
    browser.fill(".preview tbody tr:nth-child(1) input", "title").await;
    browser.choose(".preview tbody tr:nth-child(3) select", "integer").await;
    browser.choose(".preview tbody tr:nth-child(4) select", "").await;
    browser.click(".import button[type=submit]").await;
    // The file is checked against it as any other.
    browser.see(".notice-title", "2 rows: 2 would be made.").await;
    browser.click(".import button[type=submit]").await;
    browser.see(".notice-title", "The file is in").await;
    browser.click(".notice-actions a").await;
    browser.see("tbody", "Nüsse").await;
    browser.at("/c/goods").await;
    let heads =
        "return [...document.querySelectorAll('thead .sort span:first-child')].map(head => head.textContent).join()";
    let heads = browser.run(heads).await;
    assert!(heads.as_str().is_some_and(|heads| heads.starts_with("Title,Preis,Code,")), "{heads}");
    browser.end(&[]).await;
}

#[tokio::test]
async fn columns_without_a_heading_of_their_own_are_mapped_by_their_position() {
    let (_server, browser) = with_snacks(json!([{"title": "Popcorn"}])).await;
    browser.go("/c/snacks/import").await;
    let file = ",price,price\nNuts,3,4\nCorn,5,6\n";
    choose_file(&browser, "r.csv", file).await;
    browser.see(".notice-warn", "2 do not fit").await;
    let heads = "return [...document.querySelectorAll('.preview-heading, .preview th[scope=row]')].map(head => head.textContent).join()";
    assert_eq!(browser.run(heads).await, "#1,price,#3");
    browser.choose(".preview th:nth-child(1) select", "title").await;
    browser.see(".notice-title", "2 rows: 2 would be made.").await;
    browser.click(".import button[type=submit]").await;
    browser.see(".notice-title", "The file is in").await;
    // A collection of its own has a field for each.
    browser.go("/collections/from-file").await;
    choose_file(&browser, "r.csv", file).await;
    browser.see(".preview tbody tr:nth-child(3) td", "4 · 6").await;
    assert_eq!(browser.run(heads).await, "#1,price,#3");
    let names = "return [...document.querySelectorAll('.preview td input')].map(input => input.value).join()";
    assert_eq!(browser.run(names).await, "column_1,price,price_2");
    browser.click(".import button[type=submit]").await;
    browser.see(".notice-title", "2 rows: 2 would be made.").await;
    browser.click(".import button[type=submit]").await;
    browser.see(".notice-title", "The file is in").await;
    browser.end(&[400]).await;
}
