//! Tests of the dashboard: how it opens, asks and is drawn.

use std::time::Duration;

use common::{
    CallError,
    change::Changes,
    collection::Collection,
    metrics::{Metrics, Requests, Sample, SignIns},
};
use serde_json::json;

use super::tests::{SIZES, draw};
use crate::{
    effect::{Effect, SheetAsk},
    fixture::{ada, collection, id, press, signed_in, snacks, user},
    load::Ticket,
    message::{Failure, Message, Told},
    model::{Model, Screen},
    update, words,
};

fn sample(n: u64) -> Sample {
    Sample {
        at: format!("2026-11-28T08:{:02}:{:02}Z", n / 60, n % 60),
        milliseconds: 1000,
        requests: Requests { success: 20 + n % 7, client_error: n % 3, ..Requests::default() },
        p50_ms: Some(0.5),
        p99_ms: Some(4.0),
        commits: n % 9,
        groups: n % 9,
        sign_ins: SignIns { good: 0, bad: u64::from(n == 60), locked: 0 },
        connections: 12,
        sessions: Some(7),
        memory_held: 64_000_000,
        memory_limit: Some(256_000_000),
        store_bytes: Some(1_000_000 + n),
        disk_free: Some(8_000_000_000),
        disk_size: Some(100_000_000_000),
        ..Sample::default()
    }
}

/// What a server tells of which the disk is nearly full.
fn told() -> Told {
    let metrics = Metrics {
        seconds: (1..=120).map(sample).collect(),
        tens: (1..=12).map(|n| sample(n * 10)).collect(),
        revision: common::id::Revision(100),
        ..Metrics::default()
    };
    let change = |n: u32, action: &str| {
        json!({
            "revision": 50 + n, "at": format!("2026-11-28T08:01:{n:02}Z"), "by": id(1), "subject": "record", "id": id(n),
            "collection": "snacks", "action": action, "after": {"id": id(n), "title": format!("Bag {n}")}
        })
    };
    let changes = json!({"next": null, "results": [change(1, "create"), change(2, "update")]});
    let changes: Changes = serde_json::from_value(changes).unwrap();
    let users = vec![(id(1).parse().unwrap(), Some("ada".to_owned()))];
    Told { metrics: Ok(metrics), changes: Ok(changes), users, took: Duration::from_millis(20), by_itself: true }
}

/// A client that an admin has just signed in to, and what the dashboard asks first.
fn begun(collections: Vec<Collection>) -> (Model, Ticket) {
    let (mut model, effects) = Model::new("http://127.0.0.1:8000".into(), false, true, (80, 24));
    let [Effect::Me(me), Effect::Collections(ticket)] = effects.as_slice() else { panic!() };
    let effects = update(&mut model, Message::Me(*me, Ok(user(1, "ada", true))));
    update(&mut model, Message::Collections(*ticket, Ok(collections)));
    let [Effect::Dashboard(ticket, ask)] = effects.as_slice() else { panic!("the dashboard asks") };
    assert_eq!((ask.pause, &ask.since, &ask.changes), (Duration::ZERO, &None, &None));
    (model, *ticket)
}

fn shown() -> Model {
    let (mut model, ticket) = begun(vec![snacks(), collection("makers", &json!([]))]);
    update(&mut model, Message::Dashboard(ticket, Box::new(told())));
    model
}

#[test]
fn an_admin_begins_with_the_dashboard_and_nobody_else() {
    let (model, _) = begun(Vec::new());
    assert!(matches!(model.screens.as_slice(), [Screen::Collections(_), Screen::Dashboard(_)]));
    assert!(matches!(signed_in(ada(), Vec::new(), (80, 24)).screens.as_slice(), [Screen::Collections(_)]));
    // Somebody who has begun with something else goes on with it.
    let (mut model, effects) = Model::new("http://127.0.0.1:8000".into(), false, true, (80, 24));
    press(&mut model, "j");
    let Effect::Me(me) = effects[0] else { panic!() };
    assert!(update(&mut model, Message::Me(me, Ok(user(1, "ada", true)))).is_empty());
    assert_eq!(model.screens.len(), 1);
}

#[test]
fn keys_lead_to_the_dashboard_and_away_from_it_and_the_help_tells_them() {
    let mut model = shown();
    press(&mut model, "?");
    let help = draw(&mut model, (120, 40));
    for line in ["Keys on the dashboard", "Go to the collections", "Plot two minutes, or an hour", "Show the users"] {
        assert!(help.contains(line), "{line}:\n{help}");
    }
    press(&mut model, "<<");
    assert_eq!(model.screens.len(), 1);
    press(&mut model, "?");
    assert!(draw(&mut model, (120, 40)).contains("D  Show the server's dashboard") || model.help.is_some());
    press(&mut model, "<");
    assert!(press(&mut model, "D").iter().any(|effect| matches!(effect, Effect::Dashboard(..))));
    let effects = press(&mut model, "U");
    assert!(matches!(effects.as_slice(), [Effect::Users(..)]));
    let back = press(&mut model, "<");
    assert!(back.iter().any(|effect| matches!(effect, Effect::Dashboard(..))), "it goes on when one comes back");
    let mut model = signed_in(ada(), vec![snacks()], (80, 24));
    let effects = press(&mut model, "D");
    assert!(matches!(effects.as_slice(), [Effect::Sheet(_, SheetAsk::Own(names))] if names.len() == 1), "their own");
}

#[test]
fn it_asks_again_each_second_and_less_often_over_a_slow_line_and_only_while_it_is_seen() {
    let (mut model, mut ticket) = begun(vec![snacks()]);
    for (took, pause) in [(20, 1000), (250, 1000), (600, 2400), (60_000, 30_000)] {
        let answer = Told { took: Duration::from_millis(took), ..told() };
        let effects = update(&mut model, Message::Dashboard(ticket, Box::new(answer.clone())));
        let Some(Effect::Dashboard(next, ask)) = effects.last() else { panic!("it asks again") };
        assert_eq!(ask.pause, Duration::from_millis(pause));
        assert_eq!(ask.since.as_deref(), Some("2026-11-28T08:02:00Z"));
        assert!(!model.is_busy(), "nothing turns");
        assert!(update(&mut model, Message::Dashboard(ticket, Box::new(answer))).is_empty(), "a late answer");
        ticket = *next;
    }
    press(&mut model, "i");
    assert!(update(&mut model, Message::Dashboard(ticket, Box::new(told()))).is_empty());
}

#[test]
fn figures_plots_collections_and_changes_are_drawn_with_their_units() {
    let mut model = shown();
    for size in [(80, 24), (120, 40), (200, 60)] {
        let screen = draw(&mut model, size);
        for part in [
            "Coffer › dashboard",
            "! 8 % of the disk is left, less than 10 %.",
            "Requests        21/s",
            "! 8 GB, 8 %",
            "0 good, 1 bad",
            "Requests a second  ⠒ 2xx  • 4xx",
            "Answers take, in ms  ⠒ p50  • p99",
            "2 min ago",
            "now",
            "snacks  10\u{202f}412",
            "08:01:02 ada changed \"Bag 2\" in snacks",
            "as of 08:02:00 UTC · asked for every 1 s",
        ] {
            assert!(screen.contains(part), "{part} at {size:?}:\n{screen}");
        }
        let plotted = screen.chars().filter(|c| ('\u{2801}'..='\u{28ff}').contains(c)).count();
        assert!(plotted > 30, "{plotted} at {size:?}:\n{screen}");
    }
    let large = draw(&mut model, (200, 60));
    assert!(large.contains("Commits a second") && large.contains("92 % of the disk is used"), "{large}");
    press(&mut model, "t");
    assert!(draw(&mut model, (120, 40)).contains("60 min ago"));
}

#[test]
fn what_is_old_says_as_of_when_and_why() {
    let mut model = shown();
    let Some(Screen::Dashboard(dashboard)) = model.screens.last_mut() else { panic!() };
    let Effect::Dashboard(ticket, _) = dashboard.ask(&model.tickets.clone(), Duration::ZERO) else { panic!() };
    let gone = || Failure::Call(CallError::Unreachable("nothing answers at this address".into()));
    let silent =
        Told { metrics: Err(gone()), changes: Err(gone()), users: Vec::new(), took: Duration::ZERO, by_itself: true };
    let again = update(&mut model, Message::Dashboard(ticket, Box::new(silent)));
    let screen = draw(&mut model, (120, 40));
    for part in
        ["! What you see is old: ", "nothing answers", "21/s, as of 08:02:00", "Newest changes (UTC), as of 08:01:02"]
    {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    let [.., Effect::Dashboard(ticket, ask)] = again.as_slice() else { panic!("it goes on asking") };
    assert_eq!(ask.since.as_deref(), Some("2026-11-28T08:02:00Z"));
    update(&mut model, Message::Dashboard(*ticket, Box::new(told())));
    assert!(!draw(&mut model, (120, 40)).contains("What you see is old"));
}

#[test]
fn an_empty_server_leads_to_the_first_collection_and_a_session_that_ends_to_signing_in() {
    let (mut model, ticket) = begun(Vec::new());
    assert!(draw(&mut model, (80, 24)).contains(words::LOADING));
    update(&mut model, Message::Dashboard(ticket, Box::new(told())));
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("There are no collections yet.") && screen.contains("Press n to define"), "{screen}");
    press(&mut model, "n");
    assert!(matches!(model.screens.last(), Some(Screen::Definition(_))));

    let (mut model, ticket) = begun(Vec::new());
    let over = Told { metrics: Err(Failure::SignedOut), ..told() };
    let effects = update(&mut model, Message::Dashboard(ticket, Box::new(over)));
    assert!(matches!(effects.as_slice(), [Effect::Look(_)]) && model.sign_in.is_some());
}

#[test]
fn no_size_breaks_it() {
    for mut model in [shown(), begun(Vec::new()).0] {
        for size in SIZES.into_iter().chain([(200, 60), (80, 8), (60, 14), (39, 30), (36, 20), (160, 12), (21, 60)]) {
            draw(&mut model, size);
        }
    }
}
