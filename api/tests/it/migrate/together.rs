//! Several commands at once, as where each node of a deployment applies the migrations before it starts.

use std::thread;

use super::{migrate, migrated, people, records, write};
use crate::support::server::said;

#[tokio::test]
async fn of_several_that_apply_the_same_one_does_it_and_the_others_wait() {
    let (coffer, admin) = people(records(3000)).await;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    migrated(&coffer.base, dir, &["make"]);
    let after = |name: &str| format!("after = [\"people/{name}\"]\n[[steps]]\n");
    write(
        dir,
        "people/0002_age.toml",
        &format!(
            "{}change = \"people\"\nalter = {{age = {{type = \"integer\", convert = \"number\"}}}}\n",
            after("0001_initial")
        ),
    );
    write(dir, "people/0003_kind.toml", &format!("{}update = \"people\"\nset = {{kind = \"b\"}}\n", after("0002_age")));
    let all: Vec<String> = thread::scope(|threads| {
        let all: Vec<_> = (0..3).map(|_| threads.spawn(|| said(&migrate(&coffer.base, dir, &["apply"])))).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for said in &all {
        assert!(said.starts_with("0: "), "{all:?}");
    }
    assert!(all.iter().any(|said| said.contains("Applied: people/0002_age")), "{all:?}");
    migrated(&coffer.base, dir, &["check"]);
    let operations = admin.get("/api/operations/?page_size=100").await.is(200);
    let begun = operations["results"].as_array().unwrap().iter().filter(|one| one["kind"] == "migrate").count();
    assert_eq!(begun, 2, "each was applied once: {operations}");
}
