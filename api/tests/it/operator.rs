//! What an operator does with a server that others rely on: backups by a timer, a restore, alerts.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, chown},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use serde_json::json;

use crate::support::{
    command,
    server::{Server, coffer, said},
};

/// Whom the service's files belong to in the tests that root runs.
const SERVICE: u32 = 65_532;

fn backup(file: &Path, data: &Path) -> String {
    said(&coffer(&["backup", file.to_str().unwrap()], data))
}

/// Everything below a folder, itself too.
fn below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![folder.to_owned()];
    if fs::symlink_metadata(folder).unwrap().is_dir() {
        found.extend(fs::read_dir(folder).unwrap().flat_map(|entry| below(&entry.unwrap().path())));
    }
    found
}

#[tokio::test]
async fn a_backup_of_a_running_server_takes_its_data_directory_and_no_password() {
    let dir = tempfile::tempdir().unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("coffer.backup"));
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("words", json!([{"name": "word", "type": "text"}])).await;
    // More than a piece or two.
    for _ in 0..20 {
        admin.record("words", json!({"word": "x".repeat(100_000)})).await;
    }
    let made = backup(&file, &data);
    assert!(made.starts_with("0: ") && made.contains("20 records"), "{made}");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    // The server goes on, and so does what is made next; its word is asked for again each time.
    admin.record("words", json!({"word": "later"})).await;
    assert!(backup(&file, &data).contains("21 records"));

    let elsewhere = dir.path().join("no such folder/coffer.backup");
    let refused = backup(&elsewhere, &data);
    assert!(refused.starts_with("1: ") && refused.contains("no such folder"), "{refused}");
    server.stop();
    let log = fs::read_to_string(dir.path().join("data.log")).unwrap();
    assert_eq!(log.matches("a backup is being taken by a user of this machine").count(), 2, "{log}");
    assert!(backup(&file, &data).contains("21 records"), "of the store itself");
    let restored = dir.path().join("restored");
    let made = said(&coffer(&["restore", file.to_str().unwrap()], &restored));
    assert!(made.starts_with("0: ") && made.contains("21 records"), "{made}");
}

#[tokio::test]
async fn who_is_neither_the_server_nor_root_gets_no_backup_of_a_running_server() {
    if !rustix::process::geteuid().is_root() {
        return; // only root can be somebody else
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data, &[]);
    // Even where the folder was opened to them.
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    let program = dir.path().join("coffer");
    fs::copy(command().get_program(), &program).unwrap();
    let theirs = dir.path().join("theirs");
    fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(SERVICE), Some(SERVICE)).unwrap();
    let mut stranger = Command::new(&program);
    stranger.arg("backup").arg(theirs.join("coffer.backup")).arg("--data").arg(&data).uid(SERVICE).gid(SERVICE);
    let refused = said(&stranger.output().unwrap());
    assert!(refused.starts_with("1: "), "{refused}");
    assert_eq!(fs::read_dir(&theirs).unwrap().count(), 0);
    drop(server);
}

#[tokio::test]
async fn root_and_the_services_own_user_restore_alike() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let (data, file) = (dir.path().join("data"), dir.path().join("coffer.backup"));
    let mut server = Server::start(&data, &[]);
    let admin = server.set_up().await;
    admin.collection("words", json!([{"name": "word", "type": "text"}])).await;
    admin.record("words", json!({"word": "fond"})).await;
    assert!(backup(&file, &data).starts_with("0: "));
    server.stop();
    let is_root = rustix::process::geteuid().is_root();
    let program = dir.path().join("coffer");
    fs::copy(command().get_program(), &program).unwrap();
    for as_service in [false, true] {
        // The folder as `install -d -o coffer -g coffer -m 700` leaves it.
        let restored = dir.path().join(format!("restored-{as_service}"));
        fs::create_dir(&restored).unwrap();
        fs::set_permissions(&restored, fs::Permissions::from_mode(0o700)).unwrap();
        let mut restore = Command::new(&program);
        restore.arg("restore").arg(&file).arg("--data").arg(&restored);
        if is_root {
            chown(&restored, Some(SERVICE), Some(SERVICE)).unwrap();
            if as_service {
                chown(&file, Some(SERVICE), Some(SERVICE)).unwrap();
                restore.uid(SERVICE).gid(SERVICE);
            }
        }
        let made = said(&restore.output().unwrap());
        assert!(made.starts_with("0: ") && made.contains("Restored 1 record"), "{made}");
        if is_root {
            for path in below(&restored) {
                assert_eq!(fs::symlink_metadata(&path).unwrap().uid(), SERVICE, "{}", path.display());
            }
            let mut check = Command::new(&program);
            let checked =
                said(&check.arg("check").arg("--data").arg(&restored).uid(SERVICE).gid(SERVICE).output().unwrap());
            assert!(checked.starts_with("0: "), "{checked}");
        }
    }
}

/// `coffer init`'s rules would never fire if they named what the server does not tell.
#[tokio::test]
async fn alerts_name_metrics_that_there_are() {
    let dir = tempfile::tempdir().unwrap();
    let start = dir.path().join("start");
    assert!(command().arg("init").arg(&start).output().unwrap().status.success());
    let rules = fs::read_to_string(start.join("coffer.rules.yml")).unwrap();
    let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    let expressions = rules.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let named: BTreeSet<&str> = expressions
        .flat_map(|line| line.split(|letter| !is_name(letter)))
        .filter(|word| word.starts_with("coffer_"))
        .collect();
    assert!(named.len() > 4, "{rules}");
    let mut server = Server::start(&dir.path().join("data"), &[]);
    let admin = server.set_up().await;
    // The disk is looked at with the first sample.
    let mut metrics = admin.get("/metrics").await.text();
    while !metrics.contains("coffer_disk_free_bytes") {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        metrics = admin.get("/metrics").await.text();
    }
    let sources: String = crate::invariants::sources::files("api", "rs").into_iter().map(|(_, text)| text).collect();
    for name in named {
        // The certificate's is told where there is one.
        let is_told = metrics.lines().any(|line| line.starts_with(name))
            || (name.contains("certificate") && sources.contains(&format!("\"{name}\"")));
        assert!(is_told, "{name} is not in\n{metrics}");
    }
    let scrape = fs::read_to_string(start.join("prometheus.yml")).unwrap();
    assert!(scrape.contains("coffer.rules.yml") && scrape.contains("COFFER_METRICS_LISTEN=127.0.0.1:9180"), "{scrape}");
    assert!(scrape.contains("targets: [\"127.0.0.1:9180\"]"), "{scrape}");
}
