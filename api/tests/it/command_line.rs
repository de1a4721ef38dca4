//! What the command line takes and what it warns of, before any command does its work.

use crate::support::{
    command,
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
