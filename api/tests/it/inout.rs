//! Records in and out as files, and many at once.

mod batch;
mod columns;
mod conditional;
mod deleting;
mod ended;
mod exchange;
mod export;
mod idempotency;
mod import;
mod large;
mod many;
mod numbers;
#[cfg(feature = "e2e")]
mod real;
mod tree;
mod values;

use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{
    ADMIN, Client, PASSWORD,
    server::{Server, serve_with_cheap_passwords},
};

/// A server that is killed and started again over its data.
struct Killed {
    server: Option<Server>,
    data: PathBuf,
    _folder: TempDir,
}

impl Killed {
    /// A new one, with its admin signed in.
    async fn new() -> (Self, Client) {
        let folder = tempfile::tempdir().unwrap();
        let mut killed = Self { server: None, data: folder.path().join("data"), _folder: folder };
        let server = killed.start();
        let body = json!({"code": server.setup_code(), "username": ADMIN, "password": PASSWORD});
        server.stranger().post("/api/setup/", &body).await.is(201);
        let admin = server.stranger().signed_in(ADMIN).await;
        (killed, admin)
    }

    fn start(&mut self) -> &mut Server {
        let server = Server::spawn(&self.data, &mut serve_with_cheap_passwords(&self.data, &["--rate-limit", "off"]));
        self.server.insert(server)
    }

    /// Kills it and starts it again; gives the admin, who signs in anew.
    async fn again(&mut self) -> Client {
        drop(self.server.take());
        self.start().stranger().signed_in(ADMIN).await
    }
}
