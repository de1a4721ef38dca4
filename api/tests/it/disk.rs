//! A disk that gets full, and what an operator is told about the files of a store.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    ADMIN, Client, PASSWORD, path,
    server::{Server, coffer, said},
};

/// A small disk, for as long as this lives.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this user may not mount one.
    fn mount(at: &Path, size: &str) -> Option<Self> {
        Self::of_kind(at, "tmpfs", &format!("size={size}"))
    }

    fn of_kind(at: &Path, kind: &str, options: &str) -> Option<Self> {
        fs::create_dir_all(at).unwrap();
        let mounted = Command::new("mount").args(["-t", kind, "-o", options, kind]).arg(at).output();
        mounted.is_ok_and(|output| output.status.success()).then(|| Self(at.to_owned()))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).output();
    }
}

fn many(text: &str) -> Value {
    (0..20).map(|n| json!({"title": format!("{text} {n} {}", "filler ".repeat(700))})).collect()
}

/// Writes until it is told that the disk is full; gives the paths of what was acknowledged.
async fn fill(client: &Client, text: &str) -> Vec<String> {
    let mut made = Vec::new();
    loop {
        let request = client.request(Method::POST, "/api/records/notes/").header("content-type", "application/json");
        let answer = request.body(many(text).to_string()).send().await.unwrap();
        let status = answer.status();
        let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        if status != 201 {
            assert_eq!((status.as_u16(), &body["code"]), (507, &json!("disk_full")));
            let detail = body["detail"].as_str().unwrap();
            assert!(detail.contains("coffer journal trim") && detail.contains("coffer compact"), "{detail}");
            return made;
        }
        made.extend(body.as_array().unwrap().iter().map(|record| path("notes", record)));
    }
}

#[tokio::test]
async fn d8_a_full_disk_is_no_dead_end() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(&dir.path().join("disk"), "96m") else {
        eprintln!("this user may not mount a disk, so this was left out");
        return;
    };
    let data = dir.path().join("disk/data");
    let mut server = Server::start(&data, &["--rate-limit", "off", "--log-level", "info"]);
    let admin = server.set_up().await;
    admin.collection("notes", json!([{"name": "title", "type": "text"}])).await;
    let made = fill(&admin, "one").await;
    assert!(made.len() > 300, "{}", made.len());

    // Who makes room gets in, and out again.
    let pair = server.stranger().post("/api/token/", &json!({"username": ADMIN, "password": PASSWORD})).await.is(200);
    let pair = server.stranger().post("/api/token/refresh/", &json!({"refresh": pair["refresh"]})).await.is(200);
    server.stranger().post("/api/token/blacklist/", &json!({"refresh": pair["refresh"]})).await.is(200);
    server.stranger().post("/api/token/", &json!({"username": ADMIN, "password": "not the password"})).await.is(401);
    let admin = server.sign_in(ADMIN).await;
    let (kept, deleted) = made.split_at(made.len() / 4);
    for path in deleted {
        admin.delete(path).await.is(204);
    }
    let begun = admin.post("/api/changes/trim/", &json!({"older_than": "1s"})).await.is(202);
    let operation = format!("/api/operations/{}/", begun["id"].as_str().unwrap());
    while admin.get(&operation).await.is(200)["state"] != "done" {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let compacted = compact(&admin).await;
    let size = |name: &str| compacted[name].as_u64().unwrap();
    // Where a write found the disk full, room was made already: then there is little left to gain.
    let most = (size("before") * 3 / 4).max(made.len() as u64 * 4_900);
    assert!(size("after") < most, "{compacted}, of {} records", made.len());

    // Nothing is lost, and writing goes on, without a restart.
    for path in kept {
        admin.get(path).await.is(200);
    }
    let again = fill(&admin, "two").await;
    assert!(again.len() > made.len() / 4, "{} and then {}", made.len(), again.len());
    let count = admin.get("/api/records/notes/?page_size=1").await.is(200)["count"].as_u64().unwrap();
    assert_eq!(count, (kept.len() + again.len()) as u64);
    drop(admin);
    server.stop();
    let checked = said(&coffer(&["check"], &data));
    assert!(checked.starts_with("0: "), "{checked}");
    let compacted = said(&coffer(&["compact"], &data));
    assert!(compacted.starts_with("0: The store took "), "{compacted}");

    // A start that the disk has no room for says so, and changes nothing.
    let rest = dir.path().join("disk/rest");
    let mut filler = fs::File::create(&rest).unwrap();
    let _ = std::io::copy(&mut std::io::repeat(7), &mut filler);
    drop(filler);
    let refused = said(&coffer(&["check"], &data));
    assert!(refused.starts_with("1: ") && refused.to_lowercase().contains("no space"), "{refused}");
    fs::remove_file(&rest).unwrap();
    let checked = said(&coffer(&["check"], &data));
    assert!(checked.starts_with("0: "), "{checked}");
}

/// Compacts, and waits for the end however long that takes.
async fn compact(client: &Client) -> Value {
    let mut compacted = client.post("/api/storage/compact/", &Value::Null).await;
    assert!([200, 202].contains(&compacted.status), "{}", compacted.text());
    while compacted.is(compacted.status)["state"] == "running" {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        compacted = client.get("/api/storage/compact/").await;
    }
    let compacted = compacted.is(200);
    assert_eq!(compacted["state"], "done", "{compacted}");
    compacted
}

#[tokio::test]
async fn d8_one_pass_of_deleting_trimming_and_compacting_makes_room() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(&dir.path().join("disk"), "140m") else {
        eprintln!("this user may not mount a disk, so this was left out");
        return;
    };
    let mut server = Server::start(&dir.path().join("disk/data"), &["--rate-limit", "off", "--log-level", "info"]);
    let admin = server.set_up().await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "n", "type": "integer", "indexed": true}]);
    admin.collection("notes", fields).await;
    // Texts that nothing makes shorter.
    let mut seed = 1_u64;
    let mut text = |length: usize| -> String {
        let next = |_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'0' + u8::try_from(seed >> 58).unwrap())
        };
        (0..length).map(next).collect()
    };
    let mut count = 0;
    loop {
        let rows: Value = (count..count + 200).map(|n| json!({"title": text(3000), "n": n})).collect();
        let request = admin.request(Method::POST, "/api/records/notes/").header("content-type", "application/json");
        if request.body(rows.to_string()).send().await.unwrap().status() != 201 {
            break;
        }
        count += 200;
    }
    // As much as is let.
    let mut gone = 0;
    while gone < count {
        let filter = format!("n__gte={gone}&n__lt={}&max=200", gone + 200);
        let request = admin.request(Method::DELETE, &format!("/api/records/notes/?{filter}"));
        if request.send().await.unwrap().status() != 200 {
            break;
        }
        gone += 200;
    }
    assert!(gone * 8 > count, "{gone} of {count} could be deleted");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let begun = admin.post("/api/changes/trim/", &json!({"older_than": "1s"})).await.is(202);
    let operation = format!("/api/operations/{}/", begun["id"].as_str().unwrap());
    while admin.get(&operation).await.is(200)["state"] != "done" {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let compacted = compact(&admin).await;
    eprintln!("{gone} of {count} deleted, {compacted}");
    for _ in 0..10 {
        let rows: Value = (0..100).map(|n| json!({"title": text(1000), "n": -n})).collect();
        admin.post("/api/records/notes/", &rows).await.is(201);
    }
    let left = admin.get("/api/records/notes/?page_size=1").await.is(200)["count"].as_u64().unwrap();
    assert_eq!(left, u64::try_from(count - gone).unwrap() + 1000);
}

#[tokio::test]
async fn d8_a_file_system_that_takes_no_more_files_stops_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    let Some(_disk) = SmallDisk::of_kind(&disk, "tmpfs", "size=200m,nr_inodes=60") else {
        eprintln!("this user may not mount a disk, so this was left out");
        return;
    };
    let data = disk.join("data");
    let mut server = Server::start(&data, &["--rate-limit", "off"]);
    let admin = server.set_up().await;
    admin.collection("notes", json!([{"name": "title", "type": "text"}])).await;
    let made = admin.post("/api/records/notes/", &many("one")).await.is(201);
    let full = (0..1000).take_while(|n| fs::File::create(disk.join(format!("file{n}"))).is_ok()).count();
    let refused = admin.post("/api/storage/compact/", &Value::Null).await.refused(409);
    assert!(refused.detail.contains("inodes"), "{}", refused.detail);
    // Reading and writing need no files.
    admin.record("notes", json!({"title": "two"})).await;
    admin.get(&path("notes", &made[0])).await.is(200);
    server.stop();
    let refused = said(&coffer(&["check"], &data));
    assert!(refused.starts_with("1: ") && refused.contains("inodes"), "{refused}");
    for n in 0..full {
        fs::remove_file(disk.join(format!("file{n}"))).unwrap();
    }
    let compacted = said(&coffer(&["compact"], &data));
    assert!(compacted.starts_with("0: "), "{compacted}");
}

#[tokio::test]
async fn d8_a_file_system_without_a_size_or_holes_is_used_like_any() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    let Some(_disk) = SmallDisk::of_kind(&disk, "ramfs", "mode=700") else {
        eprintln!("this user may not mount a disk, so this was left out");
        return;
    };
    let data = disk.join("data");
    let mut server = Server::start(&data, &["--rate-limit", "off"]);
    let admin = server.set_up().await;
    admin.collection("notes", json!([{"name": "title", "type": "text"}])).await;
    let made = admin.post("/api/records/notes/", &many("one")).await.is(201);
    admin.post("/api/storage/compact/", &Value::Null).await.is(200);
    admin.get(&path("notes", &made[0])).await.is(200);
    server.stop();
    for command in ["check", "compact", "check"] {
        let done = said(&coffer(&[command], &data));
        assert!(done.starts_with("0: "), "{command}: {done}");
    }
}

#[test]
fn d10_where_a_store_was_no_empty_one_begins() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    assert!(said(&coffer(&["demo"], &data)).starts_with("0: "));
    let backup = dir.path().join("backup");
    let made = said(&crate::support::command().arg("backup").arg(&backup).arg("--data").arg(&data).output().unwrap());
    assert!(made.starts_with("0: "), "{made}");
    fs::remove_dir_all(data.join("store")).unwrap();
    for command in [&["serve", "--listen", "127.0.0.1:0"][..], &["check"], &["compact"], &["user", "list"]] {
        let refused = said(&coffer(command, &data));
        assert!(refused.starts_with("4: ") && refused.contains("a store was here"), "{command:?} {refused}");
    }
    assert!(!data.join("store").exists());
    let refused = said(&coffer(&["serve", "--listen", "127.0.0.1:0", "--require-store"], &dir.path().join("mount")));
    assert!(refused.starts_with("4: ") && refused.contains("--require-store"), "{refused}");

    // A restore that was cut off leaves no empty store either, and can be done again.
    let again = dir.path().join("again");
    fs::create_dir(&again).unwrap();
    fs::write(again.join("initialized"), "").unwrap();
    fs::create_dir(again.join("store.restoring")).unwrap();
    let refused = said(&coffer(&["check"], &again));
    assert!(refused.starts_with("4: "), "{refused}");
    let restored = said(&coffer(&["restore", backup.to_str().unwrap()], &again));
    assert!(restored.starts_with("0: "), "{restored}");
    let refused = said(&coffer(&["restore", backup.to_str().unwrap()], &again));
    assert!(refused.starts_with("1: ") && refused.contains("is not empty: it has "), "{refused}");
    let checked = said(&coffer(&["check"], &again));
    assert!(checked.starts_with("0: "), "{checked}");
}

#[test]
fn a_data_directory_that_is_none_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (file, dangling) = (dir.path().join("file"), dir.path().join("dangling"));
    fs::write(&file, "").unwrap();
    std::os::unix::fs::symlink(dir.path().join("nowhere"), &dangling).unwrap();
    for (data, why) in [(&file, "it is a file"), (&dangling, "it is a link to ")] {
        let refused = said(&coffer(&["serve", "--listen", "127.0.0.1:0"], data));
        assert!(refused.starts_with("1: ") && refused.contains(why) && refused.lines().count() == 1, "{refused}");
    }
    let (real, link) = (dir.path().join("real"), dir.path().join("link"));
    fs::create_dir(&real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let made = said(&coffer(&["demo"], &link));
    assert!(made.starts_with("0: ") && real.join("store").exists(), "{made}");
}

/// As root: the files of another user, whoever works on them.
#[test]
fn the_files_of_a_store_stay_their_owners() {
    use std::os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _},
        process::CommandExt as _,
    };
    const OTHER: u32 = 65_532;
    if !rustix::process::geteuid().is_root() {
        eprintln!("only root has the files of others, so this was left out");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let data = dir.path().join("data");
    fs::create_dir(&data).unwrap();
    std::os::unix::fs::chown(&data, Some(OTHER), Some(OTHER)).unwrap();
    let made = said(&coffer(&["demo"], &data));
    assert!(made.starts_with("0: "), "{made}");
    let are_theirs = |after: &str| {
        let mut left = vec![data.clone()];
        while let Some(path) = left.pop() {
            let metadata = fs::symlink_metadata(&path).unwrap();
            assert_eq!(metadata.uid(), OTHER, "{} after {after}", path.display());
            if metadata.is_dir() {
                left.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        }
    };
    are_theirs("demo");
    let backup = dir.path().join("backup").to_str().unwrap().to_owned();
    for command in [
        &["check"][..],
        &["compact"],
        &["keys", "add"],
        &["keys", "list"],
        &["user", "list"],
        &["journal", "trim", "--older-than", "90d"],
        &["backup", &backup],
        &["openapi"],
    ] {
        let done = said(&coffer(command, &data));
        assert!(done.starts_with("0: "), "{done}");
        are_theirs(&command.join(" "));
    }
    let as_other = |command: &[&str], data: &Path| {
        let program = dir.path().join("coffer");
        if !program.exists() {
            fs::copy(crate::support::command().get_program(), &program).unwrap();
        }
        said(&Command::new(&program).args(command).arg("--data").arg(data).uid(OTHER).gid(OTHER).output().unwrap())
    };
    assert!(as_other(&["user", "list"], &data).starts_with("0: "));
    let db = data.join("store/sled/db");
    std::os::unix::fs::chown(&db, Some(0), Some(0)).unwrap();
    let refused = as_other(&["user", "list"], &data);
    assert!(
        refused.starts_with("1: ") && refused.contains("sled/db belongs to root") && refused.contains("chown"),
        "{refused}"
    );
    std::os::unix::fs::chown(&db, Some(OTHER), Some(OTHER)).unwrap();
    // What is in a directory that one may not enter is neither gone nor damaged.
    for part in ["store", "keys", "keys/ring.json"] {
        let part_of_root = data.join(part);
        std::os::unix::fs::chown(&part_of_root, Some(0), Some(0)).unwrap();
        let refused = as_other(&["serve", "--listen", "127.0.0.1:0"], &data);
        let named = format!("{part} belongs to root");
        assert!(refused.starts_with("1: ") && refused.contains(&named) && refused.contains("chown"), "{refused}");
        std::os::unix::fs::chown(&part_of_root, Some(OTHER), Some(OTHER)).unwrap();
    }

    // A volume that a group may write to, as container systems mount it.
    let volume = dir.path().join("volume");
    fs::create_dir(&volume).unwrap();
    std::os::unix::fs::chown(&volume, Some(0), Some(OTHER)).unwrap();
    fs::set_permissions(&volume, std::os::unix::fs::PermissionsExt::from_mode(0o2775)).unwrap();
    let made = as_other(&["demo"], &volume);
    assert!(made.starts_with("0: "), "{made}");
    assert!(as_other(&["check"], &volume).starts_with("0: "));
    // Whatever root does there, the server finds what it had.
    let salvaged = dir.path().join("salvaged");
    for command in [
        &["user", "list"][..],
        &["user", "disable", "nobody-of-this-name"],
        &["check"],
        &["compact"],
        &["keys", "list"],
        &["keys", "add"],
        &["journal", "trim", "--older-than", "90d"],
        &["backup", dir.path().join("of-volume").to_str().unwrap()],
        &["salvage", salvaged.to_str().unwrap()],
        &["openapi"],
    ] {
        let done = said(&coffer(command, &volume));
        let is_group = fs::metadata(&volume).unwrap().permissions().mode() & 0o2070;
        assert_eq!(is_group, 0o2070, "after {command:?}: {done}");
        let checked = as_other(&["check"], &volume);
        assert!(checked.starts_with("0: "), "after {command:?}, which said {done}: {checked}");
        let listed = as_other(&["user", "list"], &volume);
        assert!(listed.starts_with("0: "), "after {command:?}: {listed}");
    }
}

/// Whichever bit is flipped: the store is whole, or all of it goes through a backup into a new one.
#[test]
fn d10_what_can_be_read_of_a_damaged_store_is_salvaged() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    assert!(said(&coffer(&["demo"], &whole)).starts_with("0: "));
    let length = usize::try_from(fs::metadata(whole.join("store/sled/db")).unwrap().len()).unwrap();
    for (n, at) in (0..length - 256).step_by(length / 16).enumerate() {
        let data = dir.path().join("damaged");
        let _ = fs::remove_dir_all(&data);
        crate::files::copy_dir(&whole, &data);
        let db = data.join("store/sled/db");
        let mut bytes = fs::read(&db).unwrap();
        bytes[at + 200] ^= 16;
        fs::write(&db, &bytes).unwrap();
        let checked = said(&coffer(&["check"], &data));
        if checked.starts_with("0: ") && n % 5 > 0 {
            continue;
        }
        assert!(checked.starts_with("0: ") || checked.contains("coffer salvage"), "{checked}");
        let file = dir.path().join("salvaged.backup");
        let salvaged = crate::support::command().arg("salvage").arg(&file).arg("--data").arg(&data).output().unwrap();
        let salvaged = said(&salvaged);
        assert!(salvaged.starts_with("0: ") && salvaged.contains("Nothing is missing"), "{salvaged}");
        let new = dir.path().join("restored");
        let _ = fs::remove_dir_all(&new);
        let restored = said(&coffer(&["restore", file.to_str().unwrap()], &new));
        assert!(restored.starts_with("0: "), "{restored}");
    }
}

/// Whatever became of the file: what is left comes back, and what is missing is told, or it is said that nothing can be read.
#[test]
fn d10_salvage_says_what_is_missing_of_every_kind_of_damage() {
    let dir = tempfile::tempdir().unwrap();
    let whole = dir.path().join("whole");
    assert!(said(&coffer(&["demo"], &whole)).starts_with("0: "));
    let bytes = fs::read(whole.join("store/sled/db")).unwrap();
    // Where something was written.
    let pages: Vec<usize> =
        (0..bytes.len()).step_by(4096).filter(|at| bytes[*at..].iter().take(4096).any(|byte| *byte != 0)).collect();
    let zeroed = |which: &[usize]| {
        let mut bytes = bytes.clone();
        for at in which {
            let end = bytes.len().min(*at + 4096);
            bytes[*at..end].fill(0);
        }
        bytes
    };
    let mut flipped = bytes.clone();
    for at in pages[..pages.len() - 1].iter().step_by(5) {
        flipped[at + 777] ^= 4;
    }
    let middle = pages.len() / 2;
    let cases = [
        ("bits", flipped),
        ("the first page", zeroed(&pages[..1])),
        ("a page in the middle", zeroed(&pages[middle..=middle])),
        ("the last page", zeroed(&pages[pages.len() - 1..])),
        ("two pages", zeroed(&[pages[middle / 2], pages[middle * 3 / 2]])),
        ("cut off in the middle", bytes[..pages[middle]].to_vec()),
        ("cut off before the end", bytes[..pages[pages.len() - 2]].to_vec()),
        ("nothing but zeros", vec![0; bytes.len()]),
        ("empty", Vec::new()),
    ];
    for (what, bytes) in cases {
        let data = dir.path().join("damaged");
        let _ = fs::remove_dir_all(&data);
        crate::files::copy_dir(&whole, &data);
        fs::write(data.join("store/sled/db"), &bytes).unwrap();
        let checked = said(&coffer(&["check"], &data));
        let file = dir.path().join("salvaged.backup");
        let _ = fs::remove_file(&file);
        let salvaged = crate::support::command().arg("salvage").arg(&file).arg("--data").arg(&data).output().unwrap();
        let salvaged = said(&salvaged);
        eprintln!("{what}: {salvaged}");
        let is_told = salvaged.contains("missing: ") || salvaged.contains("does not fit: ");
        if salvaged.starts_with("4: ") {
            assert!(salvaged.contains("nothing of it can be read") && !file.exists(), "{what}: {salvaged}");
            continue;
        }
        assert!(salvaged.starts_with("0: "), "{what}: {salvaged}");
        let new = dir.path().join("restored");
        let _ = fs::remove_dir_all(&new);
        let restored = said(&coffer(&["restore", file.to_str().unwrap()], &new));
        assert!(restored.starts_with("0: "), "{what}: {restored}");
        let counts = [&whole, &new].map(|data| {
            let checked = said(&coffer(&["check"], data));
            assert!(checked.starts_with("0: "), "{what}: {checked}");
            checked.split(" records").next().unwrap().to_owned()
        });
        assert!(counts[0] == counts[1] || is_told, "{what}: {counts:?}, {salvaged}");
        assert!(checked.starts_with("4: ") || counts[0] == counts[1], "{what}: {checked}");
    }
}
