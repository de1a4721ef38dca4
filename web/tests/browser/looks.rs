//! Every page of the demo, in light and dark, narrow and wide: nothing sticks out of the window. With `COFFER_SCREENSHOTS`
//! naming a folder, the README's pictures are written there on the way.

use std::{env, fs, path::PathBuf};

use crate::{browser::Browser, server::Server};

/// The pages, and what each shows once it is there.
const PAGES: [(&str, &str); 19] = [
    ("/", ".plot"),
    ("/collections", ".collection"),
    ("/c/snacks?ordering=title", "table.records td"),
    ("/c/synonyms?left_join=antonyms%3Aword%3Dword", "table.records td"),
    ("/c/snacks/new", "#field-title"),
    ("/collections/snacks/edit", ".card"),
    ("/collections/new", "#collection-name"),
    ("/users", "table.people td"),
    ("/users/new", "#field-username"),
    ("/sessions", "table.people td"),
    ("/password", "#field-current_password"),
    ("/server/settings", ".facts-table td"),
    ("/server/log", ".log li"),
    ("/server/token", "#token"),
    ("/server/migrations", "#migration-file"),
    ("/changes", ".change"),
    ("/server/access", ".facts-table td"),
    ("/server/api?collection=snacks", ".api-route"),
    ("/nowhere", "h1"),
];

#[tokio::test]
async fn nothing_sticks_out_at_any_width_in_light_and_dark() {
    let server = Server::demo();
    let browser = Browser::start(&server).await;
    browser.go("/").await;
    browser.sign_in("demo", &server.said).await;
    browser.text(".plot").await;
    for (width, height) in [(360, 740), (768, 1024), (1400, 900)] {
        for is_dark in [false, true] {
            browser.look(width, height, is_dark).await;
            for (path, shown) in PAGES {
                browser.go(path).await;
                browser.text(shown).await;
                let overhang = browser.run("return document.documentElement.scrollWidth - innerWidth").await;
                assert!(overhang.as_i64().unwrap() <= 0, "{path} is too wide by {overhang} at {width}");
                let red = "return parseInt(getComputedStyle(document.body).backgroundColor.split('(')[1])";
                assert_eq!(browser.run(red).await.as_i64().unwrap() < 128, is_dark, "{path}");
            }
        }
    }
    if let Some(folder) = env::var_os("COFFER_SCREENSHOTS").map(PathBuf::from) {
        fs::create_dir_all(&folder).unwrap();
        for (is_dark, name) in [(false, "web-light.png"), (true, "web-dark.png")] {
            browser.look(1200, 760, is_dark).await;
            browser.go("/c/snacks?ordering=title").await;
            browser.text("table.records td").await;
            fs::write(folder.join(name), browser.picture().await).unwrap();
        }
        // Its plots show what this test has asked for so far.
        browser.look(1200, 760, false).await;
        browser.go("/").await;
        browser.text(".routes td").await;
        fs::write(folder.join("web-dashboard-light.png"), browser.picture().await).unwrap();
    }
    browser.end(&[404]).await;
}
