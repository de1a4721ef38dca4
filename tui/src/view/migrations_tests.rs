//! Tests of the page of migrations: what it lists, and that one is applied, taken back and stopped only after it was said what that does.

use std::time::Duration;

use common::{
    migration::{AppliedMigration, Migration, MigrationPlan, listed},
    operation::Operation,
};
use serde_json::json;

use super::tests::{SIZES, draw};
use crate::{
    effect::{Effect, SheetAsk},
    fixture::{ada, id, press, signed_in, snacks, user},
    load::Ticket,
    message::{Message, SheetTold},
    migrating::{Migrating, MigrationsTold, Planned},
    model::Model,
    update, words,
};

const USUAL: (u16, u16) = (80, 24);

fn file(name: &str) -> Migration {
    let steps = json!([{"change": "snacks", "rename": {"title": "label"}}]);
    serde_json::from_value(json!({"collection": "snacks", "name": name, "steps": steps})).unwrap()
}

fn known(name: &str, state: &str) -> AppliedMigration {
    let mut members = json!(file(name));
    let more = json!({"state": state, "recorded": false, "digest": "", "at": "2026-11-29T20:00:00Z", "by": null, "operation": id(70)});
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(members).unwrap()
}

fn told(states: &[(&str, &str)], files: &[&str]) -> MigrationsTold {
    let known = states.iter().map(|(name, state)| known(name, state)).collect();
    let files: Vec<Migration> = files.iter().map(|name| file(name)).collect();
    MigrationsTold { rows: listed(known, Some(&files)), plan: None, under_way: None, done: None, fault: None }
}

fn planned(name: &str, is_back: bool) -> Planned {
    let plan: MigrationPlan = serde_json::from_value(json!({"migration": format!("snacks/{name}"), "steps": [{
        "step": "rename title of snacks to label", "irreversible": "what was in \u{1b}[2J it is gone",
        "dry_run": {"records": 9, "checked": 9, "changed": 4, "misfits": {"count": 0, "examples": []}, "dropped": {"old": 2}, "seconds": 0, "gone": []}
    }]}))
    .unwrap();
    Planned { is_back, plan }
}

fn asked(effects: &[Effect]) -> (Ticket, Migrating, Duration) {
    match effects {
        [Effect::Sheet(ticket, SheetAsk::Migrations(pause, _, what))] => (*ticket, what.clone(), *pause),
        _ => panic!("it asks about migrations"),
    }
}

fn answer(model: &mut Model, ticket: Ticket, told: MigrationsTold) -> Vec<Effect> {
    let answer = Ok(SheetTold::Migrations(Box::new(told)));
    update(model, Message::Sheet { ticket, answer, took: Duration::ZERO, by_itself: false })
}

/// An admin's client with the page open.
fn opened(first: MigrationsTold) -> Model {
    let mut model = signed_in(user(1, "ada", true), vec![snacks()], USUAL);
    let (ticket, what, _) = asked(&press(&mut model, "m"));
    assert_eq!(what, Migrating::List);
    answer(&mut model, ticket, first);
    model
}

#[test]
fn what_is_applied_and_what_is_not_is_listed() {
    let mut model =
        opened(told(&[("0001_initial", "applied"), ("0002_odd", "applied")], &["0001_initial", "0003_more"]));
    let screen = draw(&mut model, USUAL);
    for part in [
        "Coffer › migrations",
        "› [x] snacks/0001_initial",
        "change snacks: rename",
        "[x] snacks/0002_odd  (there is no file)",
        "[ ] snacks/0003_more",
        "d take back",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    for size in SIZES {
        draw(&mut model, size);
    }
    let mut model = opened(told(&[], &[]));
    assert!(draw(&mut model, USUAL).contains(words::NO_MIGRATIONS));
    assert!(press(&mut model, "d\n").is_empty());
}

#[test]
fn one_is_applied_after_it_was_said_what_that_does() {
    let first = || told(&[("0001_initial", "applied")], &["0001_initial", "0002_more"]);
    let mut model = opened(first());
    assert!(press(&mut model, "\n").is_empty(), "that one is applied");
    let (ticket, what, _) = asked(&press(&mut model, "j\n"));
    assert_eq!(what, Migrating::Plan(Box::new(file("0002_more"))));
    assert!(press(&mut model, "\n").is_empty(), "nobody has seen the plan yet");
    answer(&mut model, ticket, MigrationsTold { plan: Some(planned("0002_more", false)), ..first() });
    let screen = draw(&mut model, USUAL);
    for part in [
        words::APPLYING,
        "rename title",
        "4 records would change, of 9 records",
        "cannot be taken back",
        words::PRESS_ENTER_AGAIN,
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert!(!screen.contains('\u{1b}'), "{screen}");
    // Whoever looks at another one in between is told anew.
    let (_, what, _) = asked(&press(&mut model, "kj\n"));
    assert!(matches!(what, Migrating::Plan(_)));
    let (ticket, ..) = asked(&press(&mut model, "r"));
    answer(&mut model, ticket, MigrationsTold { plan: Some(planned("0002_more", false)), ..first() });
    let (ticket, what, _) = asked(&press(&mut model, "\n"));
    assert_eq!(what, Migrating::Apply(Box::new(file("0002_more"))));
    let after = told(&[("0001_initial", "applied"), ("0002_more", "applied")], &["0001_initial", "0002_more"]);
    answer(&mut model, ticket, MigrationsTold { done: Some("Applied snacks/0002_more.".to_owned()), ..after });
    let screen = draw(&mut model, USUAL);
    assert!(screen.contains("[x] snacks/0002_more") && screen.contains("Applied snacks/0002_more."), "{screen}");
}

#[test]
fn one_is_taken_back_after_it_was_said_what_that_does_and_stopped_while_it_goes_on() {
    let first = || told(&[("0001_initial", "applied")], &["0001_initial"]);
    let mut model = opened(first());
    let (ticket, what, _) = asked(&press(&mut model, "d"));
    assert_eq!(what, Migrating::PlanBack("snacks/0001_initial".parse().unwrap()));
    answer(&mut model, ticket, MigrationsTold { plan: Some(planned("0001_initial", true)), ..first() });
    let screen = draw(&mut model, USUAL);
    assert!(screen.contains(words::TAKING_BACK) && screen.contains(words::PRESS_D_AGAIN), "{screen}");
    let (ticket, what, _) = asked(&press(&mut model, "d"));
    assert_eq!(what, Migrating::Revert("snacks/0001_initial".parse().unwrap()));
    let operation: Operation =
        serde_json::from_value(json!({"id": id(70), "kind": "migrate", "state": "running", "done": 4000, "of": 20000,
        "started_at": "2026-11-29T20:00:00Z", "ended_at": null, "by": id(1), "error": null}))
        .unwrap();
    let under_way =
        || MigrationsTold { under_way: Some(operation.clone()), ..told(&[("0001_initial", "reverting")], &[]) };
    let (ticket, what, pause) = asked(&answer(&mut model, ticket, under_way()));
    assert!(what == Migrating::List && !pause.is_zero(), "it looks again by itself");
    let screen = draw(&mut model, USUAL);
    assert!(screen.contains("[~] snacks/0001_initial") && screen.contains("4\u{202f}000 of 20\u{202f}000"), "{screen}");
    let (stopped, what, _) = asked(&press(&mut model, "d"));
    assert!(matches!(what, Migrating::Stop(operation) if operation.to_string() == id(70)));
    assert!(answer(&mut model, ticket, under_way()).is_empty(), "the stop is the newer question");
    let fault = Some("It is over already.".to_owned());
    assert!(answer(&mut model, stopped, MigrationsTold { fault, ..first() }).is_empty());
    let screen = draw(&mut model, USUAL);
    assert!(screen.contains("! It is over already.") && screen.contains("[x] snacks/0001_initial"), "{screen}");
}

#[test]
fn who_only_reads_or_is_no_admin_changes_nothing() {
    let first = || told(&[], &["0001_initial"]);
    let mut model = opened(first());
    model.is_read_only = true;
    let (ticket, ..) = asked(&press(&mut model, "\n"));
    answer(&mut model, ticket, MigrationsTold { plan: Some(planned("0001_initial", false)), ..first() });
    assert!(press(&mut model, "\n").is_empty());
    assert!(draw(&mut model, USUAL).contains("Nothing is written"));
    let mut model = signed_in(ada(), vec![snacks()], USUAL);
    assert!(press(&mut model, "m").is_empty());
}
