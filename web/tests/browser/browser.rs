//! A real browser, driven as a person would: it waits for what is to be seen, and never longer.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use fantoccini::{
    Client, ClientBuilder, Locator,
    actions::{InputSource, KeyAction, KeyActions},
    wd::{Capabilities, WebDriverCompatibleCommand},
};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::{Group, PATIENCE, Server, given, wait_for_line};

/// The Ctrl key, and what lets go of it, as the driver writes them.
const CONTROL: char = '\u{e009}';
const RELEASE: char = '\u{e000}';

/// The browser, through its driver.
pub(crate) struct Browser {
    client: Client,
    address: String,
    _profile: TempDir,
    _driver: Group,
}

impl Browser {
    /// Starts one with a fresh profile.
    pub(crate) async fn start(server: &Server) -> Self {
        let mut driver = Group::spawn(Command::new(given("E2E_CHROMEDRIVER")).arg("--port=0"));
        let lines = driver.lines();
        let port = wait_for_line(&lines, |line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        let profile = TempDir::new().unwrap();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
            "--lang=en-US",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"binary": given("E2E_CHROMIUM"), "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let capabilities: Capabilities = serde_json::from_value(capabilities).unwrap();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let client = builder.capabilities(capabilities).connect(&format!("http://127.0.0.1:{port}")).await.unwrap();
        let browser = Self { client, address: server.address.clone(), _profile: profile, _driver: driver };
        browser.look(1400, 900, false).await;
        browser
    }

    /// The size of the window's inside, and whether the system is dark.
    pub(crate) async fn look(&self, width: u32, height: u32, is_dark: bool) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.devtools("Emulation.setDeviceMetricsOverride", size).await;
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    async fn devtools(&self, command: &'static str, parameters: Value) {
        self.raw("goog/cdp/execute", json!({"cmd": command, "params": parameters})).await;
    }

    /// Has every answer come so many milliseconds later.
    pub(crate) async fn delay(&self, milliseconds: u32) {
        let network =
            json!({"offline": false, "latency": milliseconds, "downloadThroughput": -1, "uploadThroughput": -1});
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.emulateNetworkConditions", network).await;
    }

    /// Has the browser fetch nothing from addresses like these from now on. `*` stands for anything.
    pub(crate) async fn block(&self, addresses: &[&str]) {
        self.devtools("Network.enable", json!({})).await;
        self.devtools("Network.setCacheDisabled", json!({"cacheDisabled": true})).await;
        self.devtools("Network.setBlockedURLs", json!({"urls": addresses})).await;
    }

    async fn raw(&self, path: &'static str, body: Value) -> Value {
        self.client.issue_cmd(Raw { path, body }).await.unwrap()
    }

    /// Goes to an address as if it had been typed.
    pub(crate) async fn go(&self, path: &str) {
        let address = if path.starts_with('/') { format!("{}{path}", self.address) } else { path.to_owned() };
        self.client.goto(&address).await.unwrap();
    }

    /// Loads the page again.
    pub(crate) async fn reload(&self) {
        self.client.refresh().await.unwrap();
    }

    /// Presses the browser's back button.
    pub(crate) async fn back(&self) {
        self.client.back().await.unwrap();
    }

    /// Opens another tab, which is looked at from now on, and says how to get back to this one.
    pub(crate) async fn new_tab(&self) -> fantoccini::wd::WindowHandle {
        let here = self.client.window().await.unwrap();
        let tab = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(tab.handle).await.unwrap();
        here
    }

    /// Looks at a tab, and says how to get back to the one before.
    pub(crate) async fn switch(&self, tab: fantoccini::wd::WindowHandle) -> fantoccini::wd::WindowHandle {
        let here = self.client.window().await.unwrap();
        self.client.switch_to_window(tab).await.unwrap();
        here
    }

    /// Waits until a script has something to return.
    pub(crate) async fn wait(&self, script: &str) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.client.execute(script, vec![]).await {
                Ok(Value::Null | Value::Bool(false)) | Err(_) if Instant::now() < end => {}
                Ok(Value::Null | Value::Bool(false)) | Err(_) => {
                    let page = self.client.execute("return location.href + '\\n' + document.body.innerText", vec![]);
                    panic!("in vain: {script}\n{}", page.await.unwrap().as_str().unwrap_or_default());
                }
                Ok(value) => return value,
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until an element is there, and gives its text.
    pub(crate) async fn text(&self, css: &str) -> String {
        let found = format!("const e = document.querySelector({}); return e && '=' + e.innerText", json!(css));
        self.wait(&found).await.as_str().unwrap()[1..].to_owned()
    }

    /// Waits until an element has this text.
    pub(crate) async fn see(&self, css: &str, text: &str) {
        let (css, text) = (json!(css), json!(text));
        self.wait(&format!("return [...document.querySelectorAll({css})].some(e => e.innerText.includes({text}))"))
            .await;
    }

    /// Waits until no element is there.
    pub(crate) async fn absent(&self, css: &str) {
        self.wait(&format!("return !document.querySelector({})", json!(css))).await;
    }

    /// Waits until the address is this, without the server's part.
    pub(crate) async fn at(&self, path_and_query: &str) {
        self.wait(&format!("return location.pathname + location.search === {}", json!(path_and_query))).await;
    }

    /// Waits until an element is there, and clicks it. A page that is drawn anew in between is waited for.
    pub(crate) async fn click(&self, css: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let found = self.client.find(Locator::Css(css)).await;
            let clicked = match found {
                Ok(element) => element.click().await.map_err(|error| error.to_string()),
                Err(error) => Err(error.to_string()),
            };
            match clicked {
                Ok(()) => return,
                Err(error) if Instant::now() > end => panic!("cannot click {css}: {error}"),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }

    /// Waits until an input is there, and types over what it holds.
    pub(crate) async fn fill(&self, css: &str, text: &str) {
        self.text(css).await;
        let typed = if text.is_empty() { "\u{e017}" } else { text };
        let keys = format!("{CONTROL}a{RELEASE}{typed}");
        self.client.find(Locator::Css(css)).await.unwrap().send_keys(&keys).await.unwrap();
    }

    /// Chooses a value in a list.
    pub(crate) async fn choose(&self, css: &str, value: &str) {
        self.text(css).await;
        self.client.find(Locator::Css(css)).await.unwrap().select_by_value(value).await.unwrap();
    }

    /// Presses keys one after the other, wherever the focus is.
    pub(crate) async fn press(&self, keys: &str) {
        let actions = keys.chars().fold(KeyActions::new("keyboard".to_owned()), |actions, value| {
            actions.then(KeyAction::Down { value }).then(KeyAction::Up { value })
        });
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Waits until the page offers a shortcut, and presses its key.
    pub(crate) async fn shortcut(&self, key: &str) {
        self.wait(&format!("return document.querySelector('[data-key=\"{key}\"]:not([disabled])')?.tagName")).await;
        self.press(key).await;
    }

    /// Presses a key while Ctrl is held.
    pub(crate) async fn press_with_control(&self, value: char) {
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: CONTROL })
            .then(KeyAction::Down { value })
            .then(KeyAction::Up { value })
            .then(KeyAction::Up { value: CONTROL });
        self.client.perform_actions(actions).await.unwrap();
    }

    /// Runs a script's promise to its end.
    pub(crate) async fn run(&self, script: &str) -> Value {
        let script =
            format!("const done = arguments[0]; (async () => {{ {script} }})().then(done, e => done(String(e)))");
        self.client.execute_async(&script, vec![]).await.unwrap()
    }

    /// Signs in on the page at hand.
    pub(crate) async fn sign_in(&self, username: &str, password: &str) {
        self.fill("input[name=username]", username).await;
        self.fill("input[name=password]", password).await;
        self.press("\u{e007}").await;
    }

    /// A picture of the window's inside.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
    }

    /// What this browser calls itself from now on.
    pub(crate) async fn call_itself(&self, name: &str) {
        self.devtools("Network.setUserAgentOverride", json!({"userAgent": name})).await;
    }

    /// Leaves out what was written to the console so far.
    pub(crate) async fn forget_console(&self) {
        self.raw("se/log", json!({"type": "browser"})).await;
    }

    /// Ends the story: nothing may have been written to the console but the browser's own note on these refused calls. 0
    /// stands for calls that were not answered, 1 for files that were blocked.
    pub(crate) async fn end(self, refused: &[u16]) {
        let entries = self.raw("se/log", json!({"type": "browser"})).await;
        let is_expected = |entry: &Value| {
            let message = entry["message"].as_str().unwrap_or_default();
            let is_refusal = entry["source"] == "network"
                && refused.iter().any(|status| match status {
                    // A stream that was cut off says so in its own words.
                    0 => [
                        "net::ERR_CONNECTION_",
                        "net::ERR_SOCKET_NOT_CONNECTED",
                        "net::ERR_INCOMPLETE_CHUNKED_ENCODING",
                    ]
                    .iter()
                    .any(|word| message.contains(word)),
                    1 => message.contains("net::ERR_BLOCKED_BY_CLIENT"),
                    status => message.contains(&format!("a status of {status} ")),
                });
            // Signing out asks the browser to empty its cache, and it says that it did.
            is_refusal || entry["level"] == "INFO" && message.contains("Clear-Site-Data")
        };
        let unexpected: Vec<&Value> = entries.as_array().unwrap().iter().filter(|entry| !is_expected(entry)).collect();
        assert!(unexpected.is_empty(), "on the console: {unexpected:#?}");
        self.client.close().await.unwrap();
    }
}

/// A command of Chromium's driver that is not in the standard.
#[derive(Debug)]
struct Raw {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Raw {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
