//! `coffer init`: a folder that is whole or not there, and settings that the server takes.

use std::{fs, path::Path};

use crate::support::{
    command,
    server::{said, serve},
};

#[test]
fn a_folder_is_written_once_and_nothing_that_is_there_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("start");
    let init = || command().arg("init").arg(&folder).output().unwrap();
    let made = said(&init());
    assert!(made.starts_with("0: ") && made.contains("systemctl enable"), "{made}");
    let unit = fs::read_to_string(folder.join("coffer.service")).unwrap();
    assert!(unit.contains(&format!("EnvironmentFile={}/coffer.env", folder.display())), "{unit}");

    // The program under test is in nobody's `PATH`, so it is copied first, and every unit finds it there.
    assert!(unit.contains("ExecStart=/usr/local/bin/coffer serve") && made.contains("sudo install -m 755"), "{made}");
    let files = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    for path in files(&folder).into_iter().chain(files(&folder.join("migrations"))).filter(|path| path.is_file()) {
        assert!(!fs::read_to_string(&path).unwrap().contains("{{"), "{} has a gap", path.display());
    }

    fs::remove_file(folder.join("coffer.env")).unwrap();
    fs::write(folder.join("nginx.conf"), "mine").unwrap();
    let again = said(&init());
    assert!(again.starts_with("1: ") && again.contains("nothing was written"), "{again}");
    assert_eq!(fs::read_to_string(folder.join("nginx.conf")).unwrap(), "mine");
    assert!(!folder.join("coffer.env").exists());
}

#[test]
fn what_the_settings_say_is_what_holds_anyway() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("start");
    assert!(command().arg("init").arg(&folder).output().unwrap().status.success());
    let settings = fs::read_to_string(folder.join("coffer.env")).unwrap();
    let settings: Vec<_> = settings.lines().filter_map(|line| line.strip_prefix("#COFFER_")?.split_once('=')).collect();
    assert!(settings.contains(&("REFRESH_LIFETIME", "1d")), "{settings:?}");
    // Options that are refused with their own defaults would end the server with a usage error before it finds the lock taken.
    let data = dir.path().join("data");
    let server = crate::support::server::Server::start(&data, &[]);
    let mut second = serve(&data, &[]);
    for (name, value) in settings.iter().filter(|(_, value)| !["", "true"].contains(value)) {
        if !["DATA", "LISTEN"].contains(name) {
            second.env(format!("COFFER_{name}"), value);
        }
    }
    let second = said(&second.output().unwrap());
    assert!(second.starts_with("3: "), "{second}");
    drop(server);
}
