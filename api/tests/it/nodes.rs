//! Several servers over one database: what one of them did holds on the others with the next request.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    postgres_server::Server as Postgres,
    support::{
        self, ADMIN, Client, command,
        server::{Server, said, serve_with_cheap_passwords},
    },
};

/// A database, and what its servers need to be servers of one store.
struct Cluster {
    postgres: Postgres,
    dir: TempDir,
}

impl Cluster {
    fn new() -> Self {
        let (postgres, dir) = (Postgres::start(), tempfile::tempdir().unwrap());
        support::server::write_signing_key(&dir.path().join("signing.key"));
        fs::write(dir.path().join("database.url"), postgres.url()).unwrap();
        Self { postgres, dir }
    }

    fn arguments(&self) -> [String; 4] {
        let path = |name| self.dir.path().join(name).display().to_string();
        ["--database-url-file".into(), path("database.url"), "--signing-key-file".into(), path("signing.key")]
    }

    /// One more server.
    fn node(&self, name: &str) -> Server {
        let arguments = self.arguments();
        let mut options: Vec<&str> = arguments.iter().map(String::as_str).collect();
        options.push("--database-create");
        let data = self.dir.path().join(name);
        Server::spawn(&data, &mut serve_with_cheap_passwords(&data, &options))
    }

    /// A command over the same store.
    fn coffer(&self, arguments: &[&str]) -> String {
        let mut command = command();
        command.args(arguments).arg("--data").arg(self.dir.path().join("tools"));
        said(&command.args(&self.arguments()[..2]).output().unwrap())
    }
}

fn at(client: &Client, server: &Server) -> Client {
    Client { base: server.base.clone(), ..client.clone() }
}

#[tokio::test]
async fn what_one_server_did_holds_on_the_other_with_the_next_request() {
    let cluster = Cluster::new();
    let (mut here, there) = (cluster.node("here"), cluster.node("there"));
    // A code that one of them printed holds on the other.
    let body = json!({"code": here.setup_code(), "username": ADMIN, "password": support::PASSWORD});
    there.stranger().post("/api/setup/", &body).await.is(201);
    here.stranger().post("/api/setup/", &body).await.is(409);
    let admin = here.sign_in(ADMIN).await;
    let other = at(&admin, &there);

    admin.collection("notes", json!([{"name": "title", "type": "text", "unique": true}])).await;
    for n in 0..50 {
        let title = format!("note {n}");
        let made = admin.record("notes", json!({"title": title})).await;
        let path = format!("/api/records/notes/{}/", made["id"].as_str().unwrap());
        assert_eq!(other.get(&path).await.is(200)["title"], title);
        other.post("/api/records/notes/", &json!({"title": title})).await.is(409);
    }
    assert_eq!(other.column("/api/records/notes/?page_size=100", "title").await.len(), 50);

    // A session that ends on one has ended on the other.
    for _ in 0..50 {
        let session = here.sign_in(ADMIN).await;
        let elsewhere = at(&session, &there);
        elsewhere.get("/api/users/me/").await.is(200);
        admin.delete("/api/sessions/").await.is(204);
        elsewhere.get("/api/users/me/").await.is(401);
    }
}

#[tokio::test]
async fn where_several_nodes_apply_the_same_migrations_one_does_it_and_the_others_wait() {
    let cluster = Cluster::new();
    let mut node = cluster.node("node");
    let admin = node.set_up().await;
    admin.collection("notes", json!([{"name": "title", "type": "text"}, {"name": "pages", "type": "text"}])).await;
    for _ in 0..3 {
        let rows: Value = (0..1000).map(|n| json!({"title": format!("a{n} b"), "pages": n.to_string()})).collect();
        admin.post("/api/records/notes/", &rows).await.is(201);
    }
    let migrations = cluster.dir.path().join("migrations");
    let file = |name: &str, text: &str| {
        fs::create_dir_all(migrations.join("notes")).unwrap();
        fs::write(migrations.join("notes").join(name), text).unwrap();
    };
    file(
        "0001_pages.toml",
        "[[steps]]\nchange = \"notes\"\n[steps.alter.pages]\ntype = \"integer\"\nconvert = \"number\"\n",
    );
    file("0002_names.toml", "after = [\"notes/0001_pages\"]\n[[steps]]\nupdate = \"notes\"\nset = { title = \"c\" }\n");
    let dir = migrations.display().to_string();
    let said: Vec<String> = std::thread::scope(|threads| {
        let apply = || cluster.coffer(&["migrate", "apply", "--dir", &dir]);
        let all: Vec<_> = (0..3).map(|_| threads.spawn(apply)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for said in &said {
        assert!(said.starts_with("0: "), "{said}");
    }
    let known = admin.get("/api/migrations/").await.is(200);
    let names: Vec<_> = known["results"].as_array().unwrap().iter().map(|one| (&one["name"], &one["state"])).collect();
    assert_eq!(names, [(&json!("0001_pages"), &json!("applied")), (&json!("0002_names"), &json!("applied"))]);
    let operations = admin.get("/api/operations/?page_size=100").await.is(200);
    let begun = operations["results"].as_array().unwrap().iter().filter(|one| one["kind"] == "migrate").count();
    assert_eq!(begun, 2, "each was applied once: {operations}");
}

#[tokio::test]
async fn without_its_database_a_server_answers_nothing_from_memory_and_goes_on_when_it_is_back() {
    let mut cluster = Cluster::new();
    let mut node = cluster.node("node");
    let admin = node.set_up().await;
    admin.collection("notes", json!([{"name": "title", "type": "text"}])).await;
    let path =
        format!("/api/records/notes/{}/", admin.record("notes", json!({"title": "a"})).await["id"].as_str().unwrap());
    admin.get(&path).await.is(200);
    cluster.postgres.kill();
    for path in [path.as_str(), "/api/records/notes/", "/api/users/me/", "/readyz"] {
        let answer = admin.request(reqwest::Method::GET, path).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().contains_key("retry-after")), (503, true), "{path}");
        let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(problem["code"], "database_unavailable", "{path}");
    }
    admin.get("/healthz").await.is(200);
    cluster.postgres.restart();
    cluster.postgres.wait();
    while !admin.request(reqwest::Method::GET, "/readyz").send().await.unwrap().status().is_success() {}
    admin.get(&path).await.is(200);
    admin.record("notes", json!({"title": "b"})).await;
}

#[tokio::test]
async fn a_store_moves_into_a_database_and_back_by_a_backup() {
    let cluster = Cluster::new();
    let mut node = cluster.node("node");
    let admin = node.set_up().await;
    admin.collection("notes", json!([{"name": "title", "type": "text", "unique": true}])).await;
    for n in 0..40 {
        admin.record("notes", json!({"title": format!("note {n}")})).await;
    }
    drop(node);
    let file = |name: &str| cluster.dir.path().join(name).display().to_string();
    let done = |told: String| assert!(told.starts_with("0: "), "{told}");
    done(cluster.coffer(&["backup", &file("database.backup")]));
    done(cluster.coffer(&["check"]));
    assert!(cluster.coffer(&["restore", &file("database.backup")]).contains("not empty"));
    let on_disk = |arguments: &[&str], data: &str| {
        said(&command().args(arguments).arg("--data").arg(Path::new(&file(data))).output().unwrap())
    };
    done(on_disk(&["restore", &file("database.backup")], "disk"));
    done(on_disk(&["check"], "disk"));
    done(on_disk(&["backup", &file("disk.backup")], "disk"));

    let again = Cluster::new();
    done(again.coffer(&["restore", &file("disk.backup")]));
    done(again.coffer(&["check"]));
    let node = again.node("node");
    let back = node.sign_in(ADMIN).await;
    let titles = back.column("/api/records/notes/?page_size=100&ordering=title", "title").await;
    assert_eq!(titles.len(), 40);
}

#[test]
fn a_password_of_the_database_is_refused_where_others_can_read_it() {
    let url = "postgres://coffer:hunter2@db.example/coffer";
    let told = said(&command().args(["serve", "--database-url", url]).output().unwrap());
    assert!(
        told.starts_with("2: ") && told.contains("--database-password-file") && !told.contains("hunter2"),
        "{told}"
    );
    let told = said(
        &command().args(["check"]).env("COFFER_DATABASE_URL", "postgres://a:hunter2@h/b?nonsense=1").output().unwrap(),
    );
    assert!(told.starts_with("1: ") && !told.contains("hunter2"), "{told}");
    let told = said(&command().args(["serve"]).env("COFFER_DATABASE_URL", url).output().unwrap());
    assert!(told.starts_with("1: ") && told.contains("--signing-key-file") && !told.contains("hunter2"), "{told}");
}
