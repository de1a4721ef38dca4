//! Stores and backups of earlier versions: each is opened by the present build, checked, and says what it said then. A folder of
//! `api/tests/fixtures/` holds the data directory (`data.tar.gz`), a backup of it (`coffer.backup`), and what its server answered
//! (`expected.json`: users with their passwords, refresh tokens, and answers by user and path). `api/examples/fixture.rs` makes one.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use common::validate::canonical_datetime;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    random::{Random, seed},
    support::{
        Client,
        server::{Server, coffer, said, store_dir},
    },
};

/// What a fixture's tokens were made with.
const LIFETIMES: [&str; 4] = ["--refresh-lifetime", "36500d", "--session-lifetime", "36500d"];

struct Fixture {
    folder: PathBuf,
    expected: Value,
}

/// All fixtures, the oldest first.
fn fixtures() -> Vec<Fixture> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut folders: Vec<PathBuf> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(!folders.is_empty());
    let read = |folder: &PathBuf| serde_json::from_slice(&fs::read(folder.join("expected.json")).unwrap()).unwrap();
    folders.into_iter().map(|folder| Fixture { expected: read(&folder), folder }).collect()
}

impl Fixture {
    /// A copy of its data directory.
    fn store(&self) -> TempDir {
        let dir = tempfile::tempdir().unwrap();
        let archive = self.folder.join("data.tar.gz");
        let unpacked = Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(dir.path()).status().unwrap();
        assert!(unpacked.success());
        dir
    }

    /// Serves a store of it, asks what was asked then, and checks the store before and after.
    async fn answers(&self, data: &Path) {
        let what = self.folder.display();
        let check = || {
            let said = said(&coffer(&["check"], data));
            assert!(said.starts_with("0: "), "{what}: {said}");
        };
        check();
        let server = Server::start(data, &LIFETIMES);
        let answers = self.expected["answers"].as_object().unwrap();
        assert!(answers.len() > 1, "{what}");
        for user in self.expected["users"].as_array().unwrap() {
            let name = user["username"].as_str().unwrap();
            let body = json!({"username": name, "password": user["password"]});
            let pair = server.stranger().post("/api/token/", &body).await;
            if user["signs_in"] == false {
                pair.refused(401);
                continue;
            }
            let access = pair.is(200)["access"].as_str().map(str::to_owned);
            let client = Client { access, ..server.stranger() };
            let Some(answers) = answers.get(name) else { continue };
            for (path, expected) in answers.as_object().unwrap() {
                let answer = client.get(path).await;
                assert_eq!(expected["status"], answer.status, "{what}: {path} for {name}");
                let body: Value = serde_json::from_slice(&answer.body).unwrap();
                // Signing in is in the journal.
                let more = if path.starts_with("/api/changes/") { Rows::More } else { Rows::Same };
                if let Err(difference) = holds(&body, &expected["body"], more) {
                    panic!("{what}: {path} for {name}: {difference}");
                }
            }
        }
        server.stop();
        check();
    }

    /// The refresh tokens of sessions that went on, or that had ended.
    fn tokens(&self, of: &str) -> Vec<&str> {
        self.expected["sessions"][of].as_array().unwrap().iter().map(|token| token.as_str().unwrap()).collect()
    }
}

/// Whether a list may have become longer at its end.
#[derive(Clone, Copy, PartialEq)]
enum Rows {
    Same,
    More,
}

/// Whether everything that was answered then is answered now. Later versions may say more of a thing, and write moments in one form: with six
/// digits of a fraction, or none.
fn holds(now: &Value, then: &Value, rows: Rows) -> Result<(), String> {
    match (now, then) {
        (Value::Object(now), Value::Object(then)) => then.iter().try_for_each(|(name, then)| {
            let now = now.get(name).ok_or_else(|| format!("{name} is missing"))?;
            // Moments in their one form may have more digits than they had, and all of them count.
            if name == "bytes" && now.as_u64().zip(then.as_u64()).is_some_and(|(now, then)| now >= then) {
                return Ok(());
            }
            holds(now, then, rows).map_err(|difference| format!("{name}: {difference}"))
        }),
        (Value::Array(now), Value::Array(then))
            if now.len() == then.len() || (rows == Rows::More && now.len() > then.len()) =>
        {
            let mut pairs = now.iter().zip(then).enumerate();
            pairs.try_for_each(|(i, (now, then))| {
                holds(now, then, Rows::Same).map_err(|difference| format!("{i}: {difference}"))
            })
        }
        (Value::String(now), Value::String(then)) if canonical_datetime(then).is_some_and(|then| then == *now) => {
            Ok(())
        }
        (now, then) if now == then => Ok(()),
        (now, then) => Err(format!("{now} was {then}")),
    }
}

#[tokio::test]
async fn stores_of_earlier_versions_say_what_they_said() {
    for fixture in fixtures() {
        let dir = fixture.store();
        let data = dir.path().join("data");
        fixture.answers(&data).await;
        let server = Server::start(&data, &LIFETIMES);
        for (of, status) in [("live", 200), ("ended", 401)] {
            for token in fixture.tokens(of) {
                let answer = server.stranger().post("/api/token/refresh/", &json!({"refresh": token})).await;
                assert_eq!(answer.status, status, "{of}: {}", answer.text());
            }
        }
        // It goes on from where it was.
        let admin = server.stranger().signed_in("ada").await;
        let changes = fixture.expected["answers"]["ada"]["/api/changes/"]["body"]["results"].as_array().unwrap();
        let made = admin.record("old", json!({"title": "written by a later version"})).await;
        assert!(made["revision"].as_u64() > changes.last().unwrap()["revision"].as_u64());
        server.stop();
        let said = said(&coffer(&["check"], &data));
        assert!(said.starts_with("0: "), "{said}");
    }
}

#[tokio::test]
async fn backups_of_earlier_versions_are_restored_as_they_were() {
    for fixture in fixtures() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let restored = said(&coffer(&["restore", fixture.folder.join("coffer.backup").to_str().unwrap()], &data));
        assert!(restored.starts_with("0: "), "{restored}");
        fixture.answers(&data).await;
        let server = Server::start(&data, &LIFETIMES);
        for token in fixture.tokens("live") {
            server.stranger().post("/api/token/refresh/", &json!({"refresh": token})).await.refused(401);
        }
    }
}

/// Copies a directory.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

#[tokio::test]
async fn a_conversion_that_was_ended_at_any_step_goes_on_or_begins_again() {
    for fixture in fixtures() {
        let (old, new) = (fixture.store(), fixture.store());
        let (old, new) = (store_dir(&old.path().join("data")), store_dir(&new.path().join("data")));
        said(&coffer(&["check"], new.parent().unwrap()));
        // What lies there at each step, by the end of its name: the old store or the new one.
        let steps: [&[(&str, &Path)]; 5] = [
            &[("", &old), (".converting", &new)],
            &[("", &old), (".converted", &new)],
            &[(".before-conversion", &old), (".converted", &new)],
            &[("", &new), (".before-conversion", &old)],
            &[(".before-conversion", &old)],
        ];
        for step in steps {
            let dir = fixture.store();
            let data = dir.path().join("data");
            let place = store_dir(&data);
            fs::remove_dir_all(&place).unwrap();
            for (end, store) in step {
                copy(store, &place.with_extension(end.trim_start_matches('.')));
            }
            if step[0].0.is_empty() {
                assert!(place.exists());
            }
            fixture.answers(&data).await;
            let left: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            let left: Vec<_> =
                left.iter().filter_map(|name| name.to_str()).filter(|name| name.starts_with("store.")).collect();
            assert!(left.is_empty(), "{step:?} leaves {left:?}");
        }
    }
}

#[tokio::test]
async fn a_conversion_that_is_killed_again_and_again_ends_whole() {
    let fixture = &fixtures()[0];
    let dir = fixture.store();
    let data = dir.path().join("data");
    let mut random = Random::new(seed("conversion"));
    for _ in 0..12 {
        let mut converting = crate::support::command();
        converting.args(["check", "--data"]).arg(&data).stdout(Stdio::null()).stderr(Stdio::null());
        let mut converting = converting.spawn().unwrap();
        tokio::time::sleep(Duration::from_micros(random.next() % 60_000)).await;
        let _ = converting.kill();
        converting.wait().unwrap();
    }
    fixture.answers(&data).await;
}
