//! Tests of the pages about the server and its tokens: how they are opened, what they ask for, and how they are drawn.

use std::{path::Path, time::Duration};

use common::{
    CallError,
    endpoints::{
        keys::Keys,
        log::{LogLevel, LogLines, LogSettings},
        settings::Settings,
        users::{Invitation, OpenInvitation},
    },
    event::news::{Changed, News},
    inspection::Inspection,
    metrics::{FailedRequest, Metrics, Sample, SlowQuery},
};
use serde_json::json;

use super::tests::{SIZES, draw};
use crate::{
    effect::{Effect, SheetAsk},
    fixture::{self, ada, press, signed_in, snacks, user},
    load::Ticket,
    many::FileFault,
    message::{Failure, Live, Message, SheetTold},
    model::{Model, Screen},
    screen::Dashboard,
    update, words,
};

/// An admin's client with a dashboard that knows of a failure and of a slow list.
fn with_dashboard() -> Model {
    let mut model = signed_in(user(1, "ada", true), vec![snacks()], (120, 40));
    let mut dashboard = Dashboard::default();
    dashboard.history.take(Metrics {
        seconds: vec![Sample { at: "2026-11-28T08:00:05.250000Z".to_owned(), milliseconds: 1000, ..Sample::default() }],
        failures: vec![FailedRequest {
            at: "2026-11-28T08:00:01Z".to_owned(),
            request_id: "01920000-0000-7000-8000-000000000077".to_owned(),
            method: "GET".to_owned(),
            route: "/metrics".to_owned(),
            status: 500,
            milliseconds: 3.0,
            user: Some("ada".to_owned()),
        }],
        slow: vec![SlowQuery {
            at: "2026-11-28T08:00:02Z".to_owned(),
            request_id: None,
            collection: "snacks".to_owned(),
            query: "ordering=-title".to_owned(),
            milliseconds: 420,
            keys_read: 9,
            records_tested: 10_412,
            would_help: Some(vec!["-title".to_owned()]),
        }],
        ..Metrics::default()
    });
    model.screens.push(Screen::Dashboard(Box::new(dashboard)));
    model
}

fn asked(effects: &[Effect]) -> (Ticket, &SheetAsk) {
    match effects {
        [Effect::Sheet(ticket, ask)] => (*ticket, ask),
        _ => panic!("it asks"),
    }
}

fn answer(model: &mut Model, ticket: Ticket, told: SheetTold) -> Vec<Effect> {
    let took = Duration::from_millis(20);
    update(model, Message::Sheet { ticket, answer: Ok(told), took, by_itself: false })
}

fn lines(newest: u64, texts: &[(&str, &str)]) -> LogLines {
    let line = |(n, (level, text)): (usize, &(&str, &str))| json!({"number": newest - texts.len() as u64 + 1 + n as u64, "at": "2026-11-28T08:00:01.000000Z", "level": level, "text": text});
    let results: Vec<_> = texts.iter().enumerate().map(line).collect();
    serde_json::from_value(json!({"level": "info", "newest": newest, "results": results})).unwrap()
}

#[test]
fn the_log_is_followed_as_long_as_it_is_seen_and_shows_what_is_bad_alone_where_that_is_asked_for() {
    let mut model = with_dashboard();
    let effects = press(&mut model, "l");
    let (ticket, SheetAsk::Log(Duration::ZERO, query)) = asked(&effects) else { panic!() };
    assert_eq!((query.after, query.limit), (0, Some(300)));
    let many: Vec<(&str, &str)> = (0..60).map(|_| ("info", "method=GET route=/api/ status=200")).collect();
    let again = answer(&mut model, ticket, SheetTold::Log(lines(60, &many)));
    let (ticket, SheetAsk::Log(pause, query)) = asked(&again) else { panic!() };
    assert_eq!((*pause, query.after, query.limit), (Duration::from_secs(2), 60, None));
    assert!(!model.is_busy(), "nothing turns");
    answer(&mut model, ticket, SheetTold::Log(lines(62, &[("warn", "a slow query\u{1b}"), ("error", "the last one")])));
    let screen = draw(&mut model, (80, 24));
    assert!(
        screen.contains("08:00:01 warn  a slow query\u{fffd}") && screen.contains("error the last one"),
        "{screen}"
    );
    assert!(screen.contains("62 of 62 lines: trace and worse · the server tells info · the newest stay"), "{screen}");

    press(&mut model, "g");
    let screen = draw(&mut model, (80, 24));
    assert!(!screen.contains("the last one") && screen.contains("G goes to the newest"), "{screen}");
    press(&mut model, "Glll");
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("2 of 62 lines: warn and worse") && !screen.contains("route="), "{screen}");

    let effects = press(&mut model, "L");
    let [Effect::LogLevel(ticket, LogLevel::Debug)] = effects.as_slice() else { panic!("it asks for more") };
    update(&mut model, Message::LogLevel(*ticket, Ok(LogSettings { level: "debug".to_owned() })));
    assert!(draw(&mut model, (80, 24)).contains("the server tells debug"));

    // What is silent leaves its last lines; what nobody sees is not asked for.
    let effects = press(&mut model, "r");
    let (ticket, _) = asked(&effects);
    let gone = Failure::Call(CallError::Unreachable("nothing answers".to_owned()));
    let message = Message::Sheet { ticket, answer: Err(gone), took: Duration::ZERO, by_itself: true };
    let again = update(&mut model, message);
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("What you see is old") && screen.contains("the last one"), "{screen}");
    let (ticket, _) = asked(&again);
    press(&mut model, "<");
    assert!(answer(&mut model, ticket, SheetTold::Log(lines(63, &[]))).is_empty());
    model.is_read_only = true;
    press(&mut model, "l");
    assert!(press(&mut model, "L").is_empty(), "who only reads changes no level");
}

#[test]
fn failures_and_slow_lists_stand_on_the_dashboard_and_on_a_page_with_what_helps() {
    let mut model = with_dashboard();
    let screen = draw(&mut model, (120, 40));
    assert!(screen.contains(words::NOTABLE) && screen.contains("500 GET /metrics after 3 ms, ada"), "{screen}");
    assert!(screen.contains("420 ms: snacks?ordering=-title"), "{screen}");
    assert!(press(&mut model, "f").is_empty(), "the dashboard below knows");
    for size in [(80, 24), (120, 40), (200, 60)] {
        let screen = draw(&mut model, size);
        for part in [
            "Coffer › dashboard › failures",
            "08:00:02 420 ms: snacks?ordering=-title, 10\u{202f}412 records tested",
            "An index over (-title) would leave less to do.",
            "request 01920000-0000-7000-8000-000000000077",
        ] {
            assert!(screen.contains(part), "{part} at {size:?}:\n{screen}");
        }
    }
    assert!(model.watches(), "it goes on asking below");
}

#[test]
fn settings_and_keys_say_where_they_are_from_and_what_changes_them() {
    let mut model = with_dashboard();
    let effects = press(&mut model, "S");
    let (ticket, SheetAsk::Server) = asked(&effects) else { panic!() };
    let settings: Settings = serde_json::from_value(json!({"version": "1.2.3", "results": [
        {"name": "access-lifetime", "value": "5m", "from": "default", "is_hidden": false},
        {"name": "data", "value": null, "from": "environment", "is_hidden": true},
        {"name": "tls-cert", "value": null, "from": "default", "is_hidden": false},
    ]}))
    .unwrap();
    let keys: Keys = serde_json::from_value(json!({"are_given": false, "results": [
        {"kid": "ab12", "algorithm": "EdDSA", "state": "active", "created_at": "2026-11-01T08:00:00Z", "is_public": false},
        {"kid": "cd34", "algorithm": "HS256", "state": "verify-only", "created_at": "2026-10-01T08:00:00Z", "is_public": false},
    ]}))
    .unwrap();
    answer(&mut model, ticket, SheetTold::Server(Box::new((settings, keys))));
    let screen = draw(&mut model, (120, 40));
    for part in [
        "Coffer 1.2.3",
        "ab12 · EdDSA · signs · since 2026-11-01",
        "cd34 · HS256 · verifies · since 2026-10-01",
        "coffer keys retire KID",
        "data             set, and not shown  (environment)",
        "access-lifetime  5m",
        "tls-cert         not set",
        "coffer restore FILE",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
}

#[test]
fn a_token_is_pasted_and_explained_and_letters_are_text() {
    let mut model = signed_in(ada(), vec![snacks()], (120, 40));
    press(&mut model, "T");
    assert!(draw(&mut model, (80, 24)).contains("Paste a token and press Enter"));
    assert!(press(&mut model, "\n").is_empty(), "nothing was pasted");
    press(&mut model, "q?");
    assert_eq!((model.quit, model.help), (false, None));
    press(&mut model, "\u{8}\u{8}");
    update(&mut model, Message::Paste("aaa.bbb.ccc\n".to_owned()));
    let effects = press(&mut model, "\n");
    let (ticket, SheetAsk::Token(token)) = asked(&effects) else { panic!() };
    assert_eq!(token, "aaa.bbb.ccc");
    let found = |is_good: bool| -> Inspection {
        serde_json::from_value(json!({
            "header": {"alg": "HS256", "kid": "ab12"}, "payload": {"exp": 1_800_000_240, "token_type": "access"},
            "key": null, "is_signed": is_good, "is_good": is_good, "said": "It is so.", "now": 1_800_000_000
        }))
        .unwrap()
    };
    answer(&mut model, ticket, SheetTold::Token(Box::new(found(false))));
    let screen = draw(&mut model, (80, 24));
    for part in ["! It is so.", "Header", "aaa", "Payload", "bbb", "1800000240", "4 min left", "it lets requests in"] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    // The own one is asked for by name, and not shown.
    let effects = press(&mut model, "^o");
    let (ticket, SheetAsk::Token(token)) = asked(&effects) else { panic!() };
    assert_eq!(token, "");
    answer(&mut model, ticket, SheetTold::Token(Box::new(found(true))));
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("✓ It is so.") && !screen.contains("aaa"), "{screen}");
    // With a key nothing is asked of the server, and what was typed stays for another key.
    update(&mut model, Message::Paste("aaa.bbb.ccc".to_owned()));
    press(&mut model, "\tsecret");
    let effects = press(&mut model, "\n");
    let (ticket, SheetAsk::Given(token, key)) = asked(&effects) else { panic!("it is checked here") };
    assert_eq!((token.as_str(), key.as_str()), ("aaa.bbb.ccc", "secret"));
    let by_given = Inspection { is_by_given_key: true, ..found(true) };
    answer(&mut model, ticket, SheetTold::Token(Box::new(by_given)));
    let screen = draw(&mut model, (80, 24));
    for part in ["Token  aaa.bbb.ccc", "Key    secret", "By the key that you gave."] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    press(&mut model, "<");
    assert_eq!(model.screens.len(), 1);
}

#[test]
fn a_backup_is_named_by_the_servers_clock_and_told_with_the_way_back() {
    let mut model = with_dashboard();
    let effects = press(&mut model, "b");
    let [Effect::Backup(ticket, file)] = effects.as_slice() else { panic!("it is written") };
    assert_eq!(file, Path::new("coffer-20261128T080005.backup"));
    assert!(press(&mut model, "b").is_empty(), "one at a time");
    assert!(draw(&mut model, (120, 40)).contains(words::BACKING_UP) && model.is_busy());
    update(&mut model, Message::BackedUp(*ticket, file.clone(), Ok(1_234_567)));
    let toast = model.toast.take().unwrap();
    assert!(toast.text.contains("Wrote coffer-20261128T080005.backup (1.2 MB). `coffer restore"), "{}", toast.text);
    let effects = press(&mut model, "b");
    let [Effect::Backup(ticket, file)] = effects.as_slice() else { panic!("once more") };
    update(&mut model, Message::BackedUp(*ticket, file.clone(), Err(FileFault::Local("No space left".to_owned()))));
    assert!(model.toast.as_ref().unwrap().is_error && !model.is_busy());
}

#[test]
fn who_is_no_admin_has_the_token_alone_and_no_size_breaks_the_pages() {
    let mut model = signed_in(ada(), vec![snacks()], (80, 24));
    press(&mut model, "?");
    assert!(draw(&mut model, (120, 40)).contains("Have a token explained"));
    for keys in ["l", "f", "S", "T"] {
        let mut model = with_dashboard();
        press(&mut model, keys);
        for size in SIZES.into_iter().chain([(200, 60), (21, 8), (36, 7)]) {
            draw(&mut model, size);
        }
    }
}

#[test]
fn a_dashboard_that_is_off_asks_when_a_key_says_so() {
    let mut model = with_dashboard();
    model.refresh = None;
    let effects = press(&mut model, "r");
    let Some(Effect::Dashboard(ticket, _)) = effects.last() else { panic!("r asks") };
    let told = crate::message::Told {
        metrics: Ok(Metrics::default()),
        changes: Ok(serde_json::from_value(json!({"next": null, "results": []})).unwrap()),
        users: Vec::new(),
        took: Duration::from_millis(5),
        by_itself: false,
    };
    assert!(update(&mut model, Message::Dashboard(*ticket, Box::new(told))).is_empty());
    assert!(draw(&mut model, (120, 40)).contains("asked for when you press r"));
}

#[test]
fn requests_to_copy_and_who_may_do_what_are_shown_for_the_collections_that_are_there() {
    let mut model = signed_in(user(1, "ada", true), vec![snacks()], (120, 40));
    assert!(press(&mut model, "M").is_empty(), "the list below knows");
    let screen = draw(&mut model, (120, 40));
    for part in ["› access", "list", "create", "snacks", "signed in", "owner"] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    press(&mut model, "<");
    press(&mut model, "E");
    for (keys, part) in [
        ("", "http -A bearer -a \"$ACCESS\" GET"),
        ("l", "curl 'http://127.0.0.1:8000/api/records/snacks/?ordering=-title&page_size=5'"),
        ("l", "await fetch(\"http://127.0.0.1:8000/api/records/snacks/"),
        ("l", "http -A bearer"),
    ] {
        press(&mut model, keys);
        let screen = draw(&mut model, (120, 40));
        assert!(screen.contains(part) && screen.contains("GET /api/records/snacks/"), "{part}:\n{screen}");
        assert!(screen.contains("list: signed in"), "{screen}");
    }
    for size in SIZES.into_iter().chain([(200, 60), (21, 8), (36, 7)]) {
        draw(&mut model, size);
    }
}

#[test]
fn who_is_no_admin_sees_what_is_theirs() {
    let mut model = signed_in(user(77, "ada", false), vec![snacks()], (80, 24));
    let effects = press(&mut model, "D");
    let [Effect::Sheet(ticket, SheetAsk::Own(names))] = effects.as_slice() else { panic!("it asks") };
    assert_eq!(names.len(), 1);
    let mut me = user(77, "ada", false);
    me.usage = serde_json::from_value(
        json!({"records": 25, "bytes": 5000, "history_bytes": 0, "max_records": 100, "max_bytes": 10_000}),
    )
    .unwrap();
    let changes = json!({"next": null, "results": [{"revision": 9, "at": "2026-11-28T08:00:07.5Z", "by": "01920000-0000-7000-8000-000000000077",
        "subject": "record", "id": "01920000-0000-7000-8000-000000000004", "collection": "snacks", "action": "update", "before": {"title": "Corn"}, "after": {"title": "Popcorn"}}]});
    let own = crate::message::Own {
        user: me,
        sessions: 3,
        changes: serde_json::from_value(changes).unwrap(),
        newest: vec![("2026-11-28T09:00:00Z".to_owned(), "snacks".parse().unwrap(), "Pretzel".to_owned())],
    };
    answer(&mut model, *ticket, SheetTold::Own(Box::new(own)));
    let screen = draw(&mut model, (80, 40));
    for part in [
        "› dashboard",
        "25 of 100 records",
        "░",
        "Signed in at 3 places",
        "snacks",
        "2026-11-28 08:00:07",
        "changed",
        "Pretzel · snacks",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    // What others change is read again by itself, and so is what they are counted by; nobody is told to wait.
    let snacks_changed = Changed { count: 1, ..Changed::default() };
    let news = News { collections: [("snacks".parse().unwrap(), snacks_changed)].into(), is_reset: false };
    let effects = update(&mut model, Message::Live(Live::News(news)));
    let [Effect::Sheet(ticket, SheetAsk::Own(_))] = effects.as_slice() else { panic!("it is asked again") };
    assert!(!model.is_busy());
    let lost = Failure::Call(CallError::Unreachable("refused".into()));
    let message =
        Message::Sheet { ticket: *ticket, answer: Err(lost), took: Duration::from_millis(20), by_itself: false };
    let effects = update(&mut model, message);
    assert!(matches!(effects.as_slice(), [Effect::Collections(_)]), "the counts are asked then");
    assert!(draw(&mut model, (80, 40)).contains("Pretzel · snacks"), "what was known stays");
    for size in SIZES {
        draw(&mut model, size);
    }
}

#[test]
fn invitations_are_made_seen_and_taken_back() {
    let mut model = fixture::users((80, 24));
    let effects = press(&mut model, "v");
    let (ticket, SheetAsk::Invitations) = asked(&effects) else { panic!("they are asked for") };
    let one = |n: u32, roles: &[&str]| {
        serde_json::from_value::<OpenInvitation>(json!({"id": fixture::id(n), "roles": roles,
            "created_at": "2026-11-28T08:00:01.000000Z", "expires_at": "2026-12-05T08:00:01Z"}))
        .unwrap()
    };
    answer(&mut model, ticket, SheetTold::Invitations(vec![], None));
    assert!(draw(&mut model, (80, 24)).contains(words::NO_INVITATIONS));
    assert!(press(&mut model, "d").is_empty(), "there is none");

    let effects = press(&mut model, "n");
    let (ticket, SheetAsk::Invite) = asked(&effects) else { panic!("one is made") };
    assert!(press(&mut model, "n").is_empty(), "one at a time");
    let made: Invitation = serde_json::from_value(
        json!({"id": fixture::id(7), "invitation": "c2VhbGVk", "roles": [], "expires_at": "2026-12-05T08:00:01Z"}),
    )
    .unwrap();
    let open = vec![one(7, &[]), one(6, &["cook", "editor"])];
    answer(&mut model, ticket, SheetTold::Invitations(open, Some(Box::new(made))));
    for size in [(80, 24), (120, 40)] {
        let screen = draw(&mut model, size);
        for part in [
            "users › invitations",
            words::INVITED,
            "/sign-up?invitation=c2VhbGVk",
            "› made 2026-11-28 08:00, good until 2026-12-05 08:00",
            "cook editor",
        ] {
            assert!(screen.contains(part), "{part} at {size:?}:\n{screen}");
        }
    }

    // It is asked once; another key in between takes the question back.
    assert!(press(&mut model, "jd").is_empty());
    assert!(press(&mut model, "kjd").is_empty());
    let effects = press(&mut model, "d");
    let (ticket, SheetAsk::TakeBack(id)) = asked(&effects) else { panic!("the second is taken back") };
    assert_eq!(id.to_string(), fixture::id(6));
    answer(&mut model, ticket, SheetTold::Invitations(vec![one(7, &[])], None));
    let screen = draw(&mut model, (80, 24));
    assert!(screen.contains("› made") && !screen.contains("cook"), "{screen}");

    // Who only reads makes none.
    model.is_read_only = true;
    assert!(press(&mut model, "n").is_empty());
}
