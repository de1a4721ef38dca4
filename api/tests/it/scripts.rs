//! The commands for scripts: what they write, what they do without a terminal, and the exit codes.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    proxy::{Keeps, Proxy},
    support::{ADMIN, Client, Coffer, PASSWORD, command, server::said},
};

/// A folder of a user who works with one server.
struct User<'a> {
    home: tempfile::TempDir,
    coffer: &'a Coffer,
}

impl<'a> User<'a> {
    fn new(coffer: &'a Coffer) -> Self {
        Self { home: tempfile::tempdir().unwrap(), coffer }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command();
        command.env("COFFER_STATE_DIR", self.home.path().join("state"));
        command.env("COFFER_CONFIG_DIR", self.home.path().join("config"));
        command.env("COFFER_SERVER", &self.coffer.base).current_dir(self.home.path()).args(arguments);
        command
    }

    /// The exit code, and what it says on both streams, with `input` on standard input.
    fn with(&self, arguments: &[&str], input: &str) -> String {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // One that reads nothing may have ended.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        said(&child.wait_with_output().unwrap())
    }

    fn run(&self, arguments: &[&str]) -> String {
        self.with(arguments, "")
    }

    fn signed_in(self) -> Self {
        let told = self.with(&["sign-in", "--user", ADMIN, "--password-stdin"], &format!("{PASSWORD}\n"));
        assert!(told.starts_with("0: "), "{told}");
        self
    }
}

async fn goods() -> (Coffer, Client) {
    let (coffer, admin) = Coffer::with_admin().await;
    let fields = json!([
        {"name": "title", "type": "text", "required": true, "unique": true},
        {"name": "price", "type": "decimal", "places": 2, "nullable": true},
        {"name": "stock", "type": "integer", "default": 0},
    ]);
    admin.collection("goods", fields).await;
    (coffer, admin)
}

fn id(told: &str) -> String {
    let value: Value = serde_json::from_str(told.strip_prefix("0: ").expect(told)).unwrap();
    value["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_record_is_made_read_changed_and_deleted() {
    let (coffer, _admin) = goods().await;
    let user = User::new(&coffer).signed_in();
    let nuts = id(&user.run(&["create", "goods", "title=Nuts", "price:=3.50", "--json"]));
    assert_eq!(
        user.run(&["records", "get", "goods", &nuts, "--fields", "price,title"]),
        "0: price  3.50\ntitle  Nuts\n"
    );
    assert!(user.run(&["update", "goods", &nuts, "stock=12", "price:=null", "--csv"]).contains("Nuts,,12,"));
    assert_eq!(user.run(&["get", "goods", &nuts, "--fields", "stock", "--jsonl"]), "0: {\"stock\":12}\n");

    let stale = user.run(&["update", "goods", &nuts, "stock:=1", "--if-revision", "1"]);
    assert!(stale.starts_with("6: coffer: ") && stale.contains("412"), "{stale}");
    let taken = user.run(&["create", "goods", "title=Nuts"]);
    assert!(taken.starts_with("6: coffer: ") && taken.contains("title"), "{taken}");
    let wrong = user.run(&["create", "goods", "title=Corn", "price=much", "stock:=1.5"]);
    assert!(wrong.starts_with("1: coffer: ") && wrong.contains("price") && wrong.contains("stock"), "{wrong}");
    assert_eq!(wrong.lines().count(), 1, "{wrong}");

    assert_eq!(user.run(&["delete", "goods", &nuts, "--dry-run"]), format!("0: {nuts}: 1 would go\n"));
    assert!(user.run(&["delete", "goods", &nuts]).starts_with(&format!("0: {nuts} is deleted; operation ")));
    for arguments in [["get", "goods", nuts.as_str()], ["delete", "goods", &nuts]] {
        let gone = user.run(&arguments);
        assert!(gone.starts_with("5: coffer: ") && gone.contains("404"), "{gone}");
    }
    let many = user.with(
        &["create", "goods", "--from", "-", "--jsonl"],
        "{\"title\": \"a\"}\n{\"title\": \"b\", \"price\": 1.10}\n",
    );
    assert_eq!(many.matches("\"title\"").count(), 2, "{many}");
    let all_or_none = user.with(&["create", "goods", "--from", "-"], "[{\"title\": \"c\"}, {\"title\": \"b\"}]");
    assert!(!all_or_none.starts_with("0: ") && all_or_none.contains("coffer: "), "{all_or_none}");
    assert_eq!(user.run(&["list", "goods", "--fields", "title,price", "--csv"]), "0: title,price\na,\nb,1.10\n");
}

#[tokio::test]
async fn a_list_has_the_columns_that_were_asked_for_in_that_order() {
    let (coffer, admin) = goods().await;
    let user = User::new(&coffer).signed_in();
    assert_eq!(user.run(&["list", "goods"]), "0: ");
    assert_eq!(user.run(&["list", "goods", "--json"]), "0: []\n");
    assert_eq!(user.run(&["list", "goods", "--csv", "--fields", "price,title"]), "0: price,title\n");
    let rows = json!([{"title": "Nuts", "price": "3.50"}, {"title": "Corn\n\u{1b}[2J\u{202e}", "price": "12.00"}]);
    admin.post("/api/records/goods/", &rows).await.is(201);
    let ask = |more: &[&str]| {
        user.run(&[&["list", "goods", "--fields", "price,title", "--ordering", "-title"], more].concat())
    };
    assert_eq!(ask(&[]), "0: price  title\n 3.50  Nuts\n12.00  Corn \u{fffd}[2J\u{fffd}\n");
    assert_eq!(ask(&["--jsonl", "--limit", "1"]), "0: {\"price\":\"3.50\",\"title\":\"Nuts\"}\n");
    // Without --fields it is all that a record has, for who is no admin too.
    let all = "id,title,price,stock,owner,created_at,updated_at,revision\n";
    assert!(user.run(&["list", "goods", "--csv"]).starts_with(&format!("0: {all}")));
    coffer.user(&admin, "bob", json!({})).await;
    let bob = user.with(&["list", "goods", "--csv", "--user", "bob", "--password-stdin"], PASSWORD);
    assert!(bob.starts_with(&format!("0: {all}")), "{bob}");
    assert_eq!(ask(&["--tsv", "--filter", "price < 4"]), "0: price\ttitle\n3.50\tNuts\n");
    assert_eq!(ask(&["--csv", "--search", "nuts"]), "0: price,title\n3.50,Nuts\n");
    for (more, place) in [(["--fields", "nothing"], "fields"), (["--ordering", "nothing"], "ordering")] {
        let told = user.run(&["list", "goods", more[0], more[1]]);
        assert!(told.starts_with("1: coffer: ") && told.contains(place), "{told}");
    }
    for arguments in
        [&["list", "goods", "--filter", "price <"][..], &["list", "goods", "--json", "--csv"], &["list", "Goods!"]]
    {
        assert!(user.run(arguments).starts_with("2: "), "{arguments:?}");
    }
}

#[tokio::test]
async fn all_rows_come_as_they_are_read_and_a_closed_pipe_is_quiet() {
    let (coffer, admin) = goods().await;
    let user = User::new(&coffer).signed_in();
    for part in 0..3 {
        let rows: Vec<Value> =
            (0..1000).map(|n| json!({"title": format!("{part}-{n:04} {}", "x".repeat(200))})).collect();
        admin.post("/api/records/goods/", &json!(rows)).await.is(201);
    }
    for (form, lines) in [("--jsonl", 3000), ("--csv", 3001), ("--json", 3002)] {
        let told = user.run(&["list", "goods", "--all", form]);
        assert_eq!(told.lines().count(), lines, "{form}");
    }
    let first = user.run(&["list", "goods", "--fields", "title", "--jsonl"]);
    assert!(first.contains("coffer: these are the first 100") && first.matches("title").count() == 100, "{first}");
    for arguments in [&["list", "goods", "--all"][..], &["list", "goods", "--all", "--json"], &["export", "goods"]] {
        let mut child = user.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        assert_eq!(said(&child.wait_with_output().unwrap()), "0: ", "{arguments:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_keeps_events_back_is_noticed() {
    let (coffer, _admin) = goods().await;
    let user = User::new(&coffer);
    let followers = [Keeps::Everything, Keeps::Body, Keeps::Rest].map(|keeps| {
        let proxy = Proxy::before(&coffer.base, keeps);
        let mut command = user.command(&["events", "--user", ADMIN, "--password-stdin"]);
        command.env("COFFER_SERVER", &proxy.url).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut follower = command.spawn().unwrap();
        follower.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
        follower
    });
    for mut follower in followers {
        let mut told = String::new();
        BufReader::new(follower.stderr.take().unwrap()).read_line(&mut told).unwrap();
        follower.kill().unwrap();
        follower.wait().unwrap();
        assert_eq!(told, format!("coffer: {}\n", common::words::KEPT_BACK));
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_told_so_and_nothing_is_asked() {
    let (coffer, admin) = goods().await;
    let user = User::new(&coffer);
    for arguments in [
        &["list", "goods"][..],
        &["create", "goods", "title=a"],
        &["export", "goods"],
        &["events", "--count", "1"],
        &["import", "goods.csv", "--to", "goods"],
    ] {
        std::fs::write(user.home.path().join("goods.csv"), "title\na\n").unwrap();
        let told = user.run(arguments);
        assert!(told.starts_with("3: coffer: ") && told.contains("coffer sign-in"), "{arguments:?}: {told}");
    }
    for arguments in [
        &["sign-in"][..],
        &["sign-in", "--password-stdin"],
        &["sign-in", "--user", ADMIN],
        &["list", "goods", "--user", ADMIN],
        &["list", "goods", "--password-stdin"],
        &["create", "goods"],
        &["create", "goods", "title"],
        &["update", "goods", "01920000-0000-7000-8000-000000000001", "--from", "nowhere"],
    ] {
        let told = user.run(arguments);
        assert!(told.starts_with("2: "), "{arguments:?}: {told}");
    }
    let wrong = user.with(&["sign-in", "--user", ADMIN, "--password-stdin"], "wrong\n");
    assert!(wrong.starts_with("3: coffer: ") && !wrong.contains("wrong\n"), "{wrong}");
    let nobody = user.run(&["list", "goods", "--server", "http://127.0.0.1:1"]);
    assert!(nobody.starts_with("4: coffer: no server answers on http://127.0.0.1:1"), "{nobody}");

    // What anyone may see needs no session.
    admin.patch("/api/collections/goods/", &json!({"access": {"list": ["anyone"], "view": ["anyone"]}})).await.is(200);
    admin.record("goods", json!({"title": "Nuts"})).await;
    assert_eq!(user.run(&["list", "goods", "--fields", "title"]), "0: title\nNuts\n");
    // Somebody who is named signs in for one command, and no session is kept.
    let named = user.with(&["create", "goods", "title=a", "--user", ADMIN, "--password-stdin", "--json"], PASSWORD);
    assert!(named.starts_with("0: "), "{named}");
    assert!(!user.home.path().join("state/sessions").exists());
}

#[tokio::test]
async fn a_session_is_kept_under_a_profile_and_ends_when_it_is_signed_out() {
    use std::os::unix::fs::PermissionsExt as _;
    let (coffer, _admin) = goods().await;
    let user = User::new(&coffer);
    let sign_in = ["sign-in", "--server", &coffer.base, "--user", ADMIN, "--password-stdin", "--profile", "work"];
    assert!(user.with(&sign_in, PASSWORD).starts_with("0: "));
    let kept = |folder: &Path| {
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap()).collect();
        files.retain(|file| file.path().extension().is_some_and(|end| end == "json"));
        files
    };
    let files = kept(&user.home.path().join("state/sessions"));
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(user.run(&["list", "goods", "--server", "work", "--json"]), "0: []\n");
    let profiles = std::fs::read_to_string(user.home.path().join("config/servers.toml")).unwrap();
    assert!(
        profiles.contains("[work]") && profiles.contains(&coffer.base) && !profiles.contains(PASSWORD),
        "{profiles}"
    );
    let unknown = user.run(&["list", "goods", "--server", "nothing"]);
    assert!(unknown.starts_with("2: ") && unknown.contains("no profile nothing"), "{unknown}");
    assert!(user.run(&["sign-out", "--server", "work"]).starts_with("0: "));
    assert!(user.run(&["sign-out", "--server", "work"]).starts_with("0: "));
    assert!(user.run(&["list", "goods", "--server", "work"]).starts_with("3: "));
}

#[tokio::test]
async fn several_commands_at_once_share_a_session_whose_token_has_to_be_renewed() {
    let (coffer, _admin) = goods().await;
    let user = User::new(&coffer).signed_in();
    let folder = user.home.path().join("state/sessions");
    let files = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path());
    let file = files.into_iter().find(|path| path.extension().is_some_and(|end| end == "json")).unwrap();
    let session = || serde_json::from_slice::<Value>(&std::fs::read(&file).unwrap()).unwrap();
    for _ in 0..3 {
        let mut old = session();
        (old["renew_at"], old["access_until"]) = (json!(0), json!(0));
        std::fs::write(&file, old.to_string()).unwrap();
        let children: Vec<_> = (0..4)
            .map(|_| {
                let mut command = user.command(&["list", "goods", "--json"]);
                command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            assert_eq!(said(&child.wait_with_output().unwrap()), "0: []\n");
        }
        assert_ne!(session()["refresh"], old["refresh"]);
    }
}
