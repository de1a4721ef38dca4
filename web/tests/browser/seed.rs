//! What stories begin with.

use serde_json::{Value, json};

use crate::{browser::Browser, server::Server};

/// The password of everybody in these stories.
pub(crate) const PASSWORD: &str = "nine small copper kettles";
/// The Enter key, as the driver writes it.
pub(crate) const ENTER: &str = "\u{e007}";

/// Opens the set-up link and makes the first admin.
pub(crate) async fn set_up(browser: &Browser, server: &Server) {
    browser.go(&server.said).await;
    browser.sign_in("ada", PASSWORD).await;
    browser.see("h1", "Dashboard").await;
}

/// A script that calls the API as a program would, with tokens of its own.
pub(crate) fn api_script(body: &str) -> String {
    api_script_of("ada", body)
}

/// The same with somebody's tokens.
pub(crate) fn api_script_of(user: &str, body: &str) -> String {
    format!(
        "let access;
        const call = async (path, body, method = 'POST') => {{
            const headers = {{'content-type': 'application/json', ...(access && {{authorization: 'Bearer ' + access}})}};
            const answer = await fetch(path, {{method, headers, body: body && JSON.stringify(body)}});
            if (!answer.ok) throw await answer.text();
            return answer.status === 204 ? null : answer.json();
        }};
        access = (await call('/api/token/', {{username: {}, password: {}}})).access;
        {body}",
        json!(user),
        json!(PASSWORD)
    )
}

/// Makes a collection of snacks over the API, with these records, and gives their ids.
pub(crate) async fn make_snacks(browser: &Browser, records: Value) -> Vec<String> {
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
