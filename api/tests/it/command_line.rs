//! What the command line takes and what it warns of, before any command does its work.

use std::{io::Write as _, process::Stdio};

use crate::support::{
    PASSWORD, command,
    server::{coffer, said},
};

#[test]
fn a_variable_that_is_misspelt_is_told_and_one_of_the_terminal_app_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let checked = command()
        .args(["check", "--data"])
        .arg(dir.path())
        .envs([("COFFER_STATE_DIR", "/tmp"), ("COFFER_SERVER", "http://127.0.0.1:1"), ("COFFER_DATE", "x")])
        .output()
        .unwrap();
    let told = said(&checked);
    assert!(told.contains("COFFER_DATE is not known and does nothing"), "{told}");
    assert_eq!(told.matches("is not known").count(), 1, "{told}");
}

#[test]
fn a_time_without_a_unit_is_refused_with_what_to_write() {
    let dir = tempfile::tempdir().unwrap();
    for (time, advice) in
        [("90", "90d"), ("", "90d"), ("10000y", "hundred years"), ("1M", "30d for days"), ("-90d", "--older-than")]
    {
        let told = said(&coffer(&["journal", "trim", "--older-than", time], dir.path()));
        assert!(told.starts_with("2: ") && told.contains(advice), "{told}");
    }
}

#[test]
fn a_value_out_of_range_names_its_option() {
    let dir = tempfile::tempdir().unwrap();
    for (option, value) in [
        ("--access-lifetime", "-1d"),
        ("--access-lifetime", "10M"),
        ("--grace", "-1s"),
        ("--quota-bytes", "-1MB"),
        ("--quota-bytes", "99999999999999TB"),
        ("--quota-records", "-1"),
        ("--max-connections", "-1"),
        ("--min-password-length", "7"),
        ("--min-password-length", "-5"),
        ("--min-password-length", "65"),
    ] {
        let told = said(&coffer(&["serve", option, value], dir.path()));
        assert!(told.starts_with("2: ") && told.contains(option) && told.contains(value), "{option} {value}: {told}");
    }
}

#[test]
fn what_is_no_servers_url_is_told_with_what_to_write() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out");
    let commands: [&[&str]; 3] = [
        &["health", "--server"],
        &["journal", "trim", "--older-than", "1d", "--user", "ada", "--server"],
        &["backup", file.to_str().unwrap(), "--user", "ada", "--server"],
    ];
    for (url, advice) in [
        ("nonsense", "begin with http:// or https://"),
        ("", "begin with http:// or https://"),
        ("127.0.0.1:8000", "begin with http:// or https://"),
        ("localhost:8000", "begin with http:// or https://"),
        ("ftp://example.org", "begin with http:// or https://"),
        ("http://", "http://127.0.0.1:8000"),
        ("http://a b", "http://127.0.0.1:8000"),
        ("http://host:99999", "http://127.0.0.1:8000"),
        ("https://ada:secret@example.org", "leave name and password out"),
        ("https://example.org/api/", "end with the host"),
    ] {
        for arguments in commands {
            let told = said(&command().args(arguments).arg(url).output().unwrap());
            assert!(told.starts_with("2: ") && told.contains(advice), "{arguments:?} {url}: {told}");
            assert!(!told.contains("relative URL") && told.contains("--server"), "{arguments:?} {url}: {told}");
        }
    }
}

#[test]
fn what_a_server_that_is_asked_would_ignore_is_refused_and_a_variable_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("out");
    let nobody = "http://127.0.0.1:1";
    let remote = |more: &[&str]| {
        let mut trim = command();
        trim.args(["journal", "trim", "--older-than", "1d", "--server", nobody, "--user", "ada", "--password-stdin"]);
        let mut backup = command();
        backup.arg("backup").arg(&file).args(["--server", nobody, "--user", "ada", "--password-stdin"]);
        let mut health = command();
        health.args(["health", "--server", nobody]);
        [trim, backup, health].map(|mut command| {
            let output = command.args(more).env("COFFER_DATA", "/nowhere").env("COFFER_LISTEN", "127.0.0.1:2");
            said(&output.stdin(Stdio::null()).output().unwrap())
        })
    };
    for (option, value) in [("--data", Some("elsewhere")), ("--accept-data-loss", None)] {
        let more: Vec<&str> = std::iter::once(option).chain(value).collect();
        for told in &remote(&more)[..2] {
            assert!(told.starts_with("2: ") && told.contains(option) && told.contains("--server"), "{told}");
        }
    }
    for option in ["--listen", "--tls-cert"] {
        let told = &remote(&[option, "127.0.0.1:3"])[2];
        assert!(told.starts_with("2: ") && told.contains(option) && told.contains("--server"), "{told}");
    }
    for told in remote(&[]) {
        assert!(told.starts_with("1: ") && !told.contains("cannot be used"), "{told}");
    }
}

#[test]
fn a_limit_that_is_named_twice_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let told = said(&coffer(&["serve", "--rate-limit", "reads=1/s,writes=2/s,reads=3/s"], dir.path()));
    assert!(
        told.starts_with("2: ") && told.contains("--rate-limit") && told.contains("reads is there twice"),
        "{told}"
    );
}

#[test]
fn a_command_that_only_looks_makes_nothing_where_there_is_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("nowhere");
    let commands: [&[&str]; 8] = [
        &["user", "list"],
        &["user", "disable", "ada"],
        &["user", "password", "ada", "--password-stdin"],
        &["keys", "list"],
        &["keys", "retire", "x"],
        &["journal", "trim", "--older-than", "1d"],
        &["check"],
        &["backup", "out"],
    ];
    for arguments in commands {
        let mut command = command();
        command.args(arguments).arg("--data").arg(&data).current_dir(dir.path());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // One that asks for no password may have ended.
        let _ = writeln!(child.stdin.take().unwrap(), "{PASSWORD}");
        let told = said(&child.wait_with_output().unwrap());
        assert!(told.starts_with("1: coffer: there is no ") && told.contains("--data"), "{arguments:?}: {told}");
        assert!(!data.exists(), "{arguments:?} made it");
    }
}

#[test]
fn what_went_wrong_with_a_file_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    for option in ["--signing-key-file", "--pepper-file", "--web-dir"] {
        let told =
            said(&coffer(&["serve", "--listen", "127.0.0.1:0", option, "/nowhere/file"], &dir.path().join("data")));
        assert!(told.starts_with("1: ") && told.contains("/nowhere/file"), "{told}");
        assert_eq!(told.matches("No such file").count(), 1, "{told}");
    }
}

#[test]
fn what_is_no_level_of_the_log_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for level in ["inof", "coffer", "info,debig", "coffer=loud"] {
        let told = said(&coffer(&["serve", "--listen", "127.0.0.1:0", "--log-level", level], &dir.path().join("data")));
        assert!(told.starts_with("1: ") && told.contains("--log-level") && told.contains(level), "{level}: {told}");
    }
}
