//! The server under test: the real binary on a port of its own with an empty data directory, three accounts and a collection,
//! all made through the API.

use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt as _};

use reqwest::{Client, Method, header::CONTENT_TYPE};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    leaks,
    server::{Server, http_client, serve_with_cheap_passwords},
};

/// The key that both sides sign with.
const KEY: &[u8] = b"6Jq0vT8rXw2mB5zK9cN3yH7dF1gL4sPa-conformance-run";

/// One of the three accounts.
pub(crate) struct Account {
    pub username: String,
    pub password: String,
    pub id: String,
}

/// What a sign-in gave.
pub(crate) struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// A server that is up, with its accounts and its key.
pub(crate) struct Bench {
    pub client: Client,
    pub base: String,
    pub key: &'static [u8],
    pub accounts: BTreeMap<String, Account>,
    _server: Server,
    _data: TempDir,
}

impl Bench {
    /// Starts a server and gives it what the cases need.
    pub(crate) async fn start(rotation: &str) -> Self {
        let data = tempfile::tempdir().unwrap();
        let key_file = data.path().join("signing-key");
        fs::write(&key_file, [KEY, b"\n"].concat()).unwrap();
        fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
        let key_file = key_file.to_str().unwrap();
        let options = ["--rotation", rotation, "--signing-key-file", key_file];
        let data_dir = data.path().join("data");
        let mut server = Server::spawn(&data_dir, &mut serve_with_cheap_passwords(&data_dir, &options));
        let code = server.setup_code();
        // Each request on a connection of its own, straight to the server, and no redirect passed over.
        let client = http_client().pool_max_idle_per_host(0).build().unwrap();
        let base = server.base.clone();
        let mut bench = Self { client, base, key: KEY, accounts: BTreeMap::new(), _server: server, _data: data };
        bench.furnish(&code).await;
        bench
    }

    async fn furnish(&mut self, code: &str) {
        let [admin, user, inactive] =
            ["ada", "ulla", "ina"].map(|name| json!({"username": name, "password": format!("{name} grows quinces 7")}));
        let mut first = admin.clone();
        first["code"] = json!(code);
        let made = self.call(Method::POST, "/api/setup/", None, &first).await;
        self.remember("admin", &admin, &made);
        let access = self.sign_in("admin").await.access;
        for (name, account) in [("user", user), ("inactive", inactive)] {
            let made = self.call(Method::POST, "/api/users/", Some(&access), &account).await;
            self.remember(name, &account, &made);
        }
        let path = format!("/api/users/{}/", self.accounts["inactive"].id);
        self.call(Method::PATCH, &path, Some(&access), &json!({"is_active": false})).await;
        let snacks = json!({
            "name": "snacks",
            "fields": [{"name": "title", "type": "text", "required": true}],
            "access": {
                "list": ["signed_in"], "view": ["signed_in"], "create": ["signed_in"], "update": ["owner"], "delete": ["owner"],
            },
        });
        self.call(Method::POST, "/api/collections/", Some(&access), &snacks).await;
    }

    /// A new session of one of the accounts.
    pub(crate) async fn sign_in(&self, account: &str) -> Tokens {
        let Account { username, password, .. } = &self.accounts[account];
        let credentials = json!({"username": username, "password": password});
        let pair = self.call(Method::POST, "/api/token/", None, &credentials).await;
        let member = |name: &str| pair[name].as_str().unwrap().to_owned();
        Tokens { access: member("access"), refresh: member("refresh") }
    }

    async fn call(&self, method: Method, path: &str, access: Option<&str>, body: &Value) -> Value {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(access) = access {
            request = request.bearer_auth(access);
        }
        let request = request.header(CONTENT_TYPE, "application/json").body(body.to_string()).build().unwrap();
        leaks::remember_sent(&request);
        let response = self.client.execute(request).await.unwrap();
        let status = response.status();
        let answer = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {answer}");
        serde_json::from_str(&answer).unwrap()
    }

    fn remember(&mut self, name: &str, account: &Value, made: &Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let account = Account {
            username: text(&account["username"]),
            password: text(&account["password"]),
            id: text(&made["id"]),
        };
        self.accounts.insert(name.to_owned(), account);
    }
}
