//! P8 to P10, P12: guessing is slowed down, hashing is bounded, set-up happens once.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use auth::{setup_code::CODE_LIFETIME, throttle::ThrottleSettings};
use store::{EngineOptions, Options, Store};

use reqwest::Method;
use serde_json::json;

use super::{
    furnish,
    held::{Held, Settings},
    is_good, obtain, try_obtain, user,
};
use crate::support::{ADMIN, Answer, Client, Coffer, PASSWORD, server::Server};

#[tokio::test]
async fn p8_known_and_unknown_names_meet_the_same_growing_lock() {
    let (held, admin) = Held::with_admin(Settings::default()).await;
    let (ulla, pair) = user(&admin, "ulla").await;
    let mut curves = Vec::new();
    for name in ["ulla", "nobody"] {
        let mut curve = Vec::new();
        for _ in 0..40 {
            let answer = try_obtain(&admin, name, "not the password at all").await;
            let wait = answer.header("retry-after").parse().unwrap_or(0);
            curve.push((answer.status, wait));
            held.hand.advance(Duration::from_secs(wait));
        }
        curves.push(curve);
    }
    assert_eq!(curves[0], curves[1]);
    assert!(curves[0][..31].iter().all(|step| *step == (401, 0)), "{:?}", curves[0]);
    let locks: Vec<u64> = curves[0].iter().filter(|step| step.0 == 429).map(|step| step.1).collect();
    assert_eq!(locks, [5, 10, 20, 40, 80], "the delay doubles");

    // Locked again: the right password does not get in, open sessions go on, and waiting is enough.
    try_obtain(&admin, "ulla", "not the password at all").await;
    let locked = try_obtain(&admin, "ulla", PASSWORD).await;
    assert_eq!(locked.refused(429).code, "throttled");
    let fresh = super::refresh(&admin, Some(&pair.refresh)).await;
    assert!(is_good(&ulla, &super::tokens(&fresh).access).await);
    held.hand.advance(Duration::from_secs(locked.header("retry-after").parse().unwrap()));
    obtain(&admin, "ulla").await;
}

#[tokio::test]
async fn p8_all_spellings_of_a_name_share_its_lock() {
    let throttle = ThrottleSettings { free_failures: 2, ..ThrottleSettings::default() };
    let (_held, admin) = Held::with_admin(Settings { throttle, ..Settings::default() }).await;
    for name in ["ulla", "ULLA", "ｕｌｌａ"] {
        try_obtain(&admin, name, "not the password at all").await.refused(401);
    }
    for name in ["ulla", "Ulla", "ｕｌｌａ"] {
        try_obtain(&admin, name, PASSWORD).await.refused(429);
    }
}

#[tokio::test]
async fn p9_an_address_that_is_claimed_in_a_header_counts_for_nothing() {
    let throttle = ThrottleSettings { address_failures: 5, ..ThrottleSettings::default() };
    let (_held, admin) = Held::with_admin(Settings { throttle, ..Settings::default() }).await;
    let attempt = async |n: u8, name: &str| {
        let address = format!("203.0.113.{n}");
        let mut request = admin.request(Method::POST, "/api/token/");
        for header in ["x-forwarded-for", "x-real-ip", "cf-connecting-ip", "true-client-ip", "x-client-ip"] {
            request = request.header(header, &address);
        }
        let request = request.header("forwarded", format!("for={address}")).header("content-type", "application/json");
        Answer::of(request.body(json!({"username": name, "password": PASSWORD}).to_string())).await
    };
    attempt(1, ADMIN).await.is(200);
    let sessions = admin.get("/api/sessions/").await.is(200);
    assert!(sessions["results"].as_array().unwrap().iter().all(|session| session["address"] == "127.0.0.1"));
    for n in 2..7 {
        attempt(n, &format!("nobody{n}")).await.refused(401);
    }
    let limited = attempt(9, "nobody9").await;
    assert_eq!(limited.refused(429).code, "throttled");
    assert!(limited.header("retry-after").parse::<u32>().unwrap() >= 1);
}

#[tokio::test]
async fn p9_behind_a_trusted_proxy_each_client_has_a_limit_of_its_own_and_the_journal_has_its_address() {
    let throttle = ThrottleSettings { address_failures: 5, ..ThrottleSettings::default() };
    let trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    let (_held, admin) = Held::with_admin(Settings { throttle, trusted_proxies, ..Settings::default() }).await;
    // What the client claims, and after it what the proxy saw.
    let attempt = async |claimed: &str, seen: &str, name: &str| {
        let request = admin.request(Method::POST, "/api/token/").header("content-type", "application/json");
        let request = request.header("x-forwarded-for", format!("{claimed}, {seen}"));
        Answer::of(request.body(json!({"username": name, "password": PASSWORD}).to_string())).await
    };
    for n in 0..5 {
        attempt(&format!("198.51.100.{n}"), "203.0.113.1", &format!("nobody{n}")).await.refused(401);
    }
    assert_eq!(attempt("198.51.100.9", "203.0.113.1", "nobody9").await.refused(429).code, "throttled");
    attempt("203.0.113.1", "203.0.113.2", ADMIN).await.is(200);
    let addresses: Vec<String> = super::journal(&admin).await.into_iter().map(|change| change.address).collect();
    assert!(
        addresses.contains(&"203.0.113.1".to_owned()) && addresses.contains(&"203.0.113.2".to_owned()),
        "{addresses:?}"
    );
    assert!(!addresses.iter().any(|address| address.starts_with("198.51.100.")), "{addresses:?}");
}

/// Resident memory in KiB.
fn resident(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn p10_five_hundred_sign_ins_at_once_take_bounded_memory_and_no_room_for_good() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--rate-limit", "credentials=off"]);
    let admin = furnish(&server.stranger(), &server.setup_code()).await;
    // One name may not have a hundred tries under way. The sign-ins also see to it that every hashing thread has its memory.
    for n in 0..10 {
        user(&admin, &format!("user{n}")).await;
    }
    let before = resident(server.child.id());
    for _ in 0..2 {
        let sign_ins = (0..500).map(|n| {
            let body = json!({"username": format!("user{}", n / 50), "password": PASSWORD}).to_string();
            let request = admin.request(Method::POST, "/api/token/").header("content-type", "application/json");
            let request = request.body(body);
            let task = tokio::spawn(async move {
                let answer = request.send().await.unwrap();
                (answer.status().as_u16(), answer.headers().contains_key("retry-after"))
            });
            (n, task)
        });
        let sign_ins: Vec<_> = sign_ins.collect();
        // Others are served meanwhile.
        server.stranger().get("/healthz").await.is(200);
        admin.get("/api/users/me/").await.is(200);
        let mut seen = BTreeMap::new();
        for (n, task) in sign_ins {
            if n % 2 == 0 {
                task.abort();
            } else {
                *seen.entry(task.await.unwrap()).or_insert(0) += 1;
            }
        }
        assert_eq!(seen.values().sum::<i32>(), 250);
        assert!(seen.keys().all(|answer| [(200, false), (503, true)].contains(answer)), "{seen:?}");
        assert!(seen.contains_key(&(200, false)), "{seen:?}");
    }
    let grown = resident(server.child.id()).saturating_sub(before) / 1024;
    assert!(grown < 128, "500 hashes at once would take 9,500 MiB; this took {grown}");
    obtain(&admin, ADMIN).await;
}

#[tokio::test]
async fn p12_of_twenty_set_ups_at_once_one_wins() {
    let coffer = Coffer::start();
    let calls = (0..20).map(|n| {
        let (client, code) = (coffer.stranger(), coffer.setup_code.clone());
        tokio::spawn(async move {
            let body = json!({"code": code, "username": format!("admin{n}"), "password": PASSWORD});
            client.post("/api/setup/", &body).await.status
        })
    });
    let mut statuses = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        statuses.push(call.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!((statuses[0], statuses[1], statuses[19]), (201, 409, 409), "{statuses:?}");
    let mut admins = 0;
    for n in 0..20 {
        admins += u8::from(try_obtain(&coffer.stranger(), &format!("admin{n}"), PASSWORD).await.status == 200);
    }
    assert_eq!(admins, 1);
}

#[tokio::test]
async fn p12_admins_who_demote_each_other_at_once_leave_one() {
    let (held, ada) = Held::with_admin(Settings::default()).await;
    let (otto, _) = user(&ada, "otto").await;
    let set = async |by: &Client, whom: &Client, is_admin: bool| {
        by.patch(&format!("/api/users/{}/", whom.id), &json!({"is_admin": is_admin})).await.status
    };
    let mut last = ada.clone();
    for round in 0..20 {
        let other = if last.id == ada.id { &otto } else { &ada };
        assert_eq!(set(&last, other, true).await, 200);
        let mut statuses: [u16; 2] = tokio::join!(set(&ada, &otto, false), set(&otto, &ada, false)).into();
        statuses.sort_unstable();
        // The second either meets a last admin or comes from somebody who is none any more.
        assert!([[200, 403], [200, 409]].contains(&statuses), "round {round}: {statuses:?}");
        last = if ada.get("/api/users/").await.status == 200 { ada.clone() } else { otto.clone() };
        assert_eq!(set(&last, &last, false).await, 409);
        held.hand.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn p12_a_set_up_code_ends_with_its_hour_and_with_its_server() {
    let held = Held::start(Settings::default());
    let body = |code: &str| json!({"code": code, "username": ADMIN, "password": PASSWORD});
    held.hand.advance(CODE_LIFETIME + Duration::from_secs(1));
    assert!(held.stranger().post("/api/setup/", &body(&held.setup_code)).await.faults()[0].starts_with("code: "));

    let dir = tempfile::tempdir().unwrap();
    let mut first = Server::start(&dir.path().join("data"), &[]);
    let old = first.setup_code();
    first.stop();
    let mut second = Server::start(&dir.path().join("data"), &[]);
    let code = second.setup_code();
    assert_ne!(code, old);
    assert!(second.stranger().post("/api/setup/", &body(&old)).await.faults()[0].starts_with("code: "));
    let admin = furnish(&second.stranger(), &code).await;
    let created = &super::journal(&admin).await[0];
    assert_eq!((created.action.as_str(), created.address.parse()), ("create", Ok(IpAddr::from([127, 0, 0, 1]))));
    // No other account is there from the beginning.
    assert_eq!(admin.get("/api/users/").await.is(200)["count"], 1);
}

#[tokio::test]
async fn a_full_disk_is_told_to_writers_and_to_whoever_asks_if_the_server_is_ready() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::sled(dir.path().join("store"));
    let EngineOptions::Sled(sled) = &mut options.engine else { unreachable!() };
    sled.reserve_bytes = u64::MAX;
    let held = Held::start(Settings { store: Store::open(options).unwrap(), ..Settings::default() });
    let stranger = held.stranger();
    let set_up = json!({"code": held.setup_code, "username": ADMIN, "password": PASSWORD});
    let set_up = stranger
        .request(Method::POST, "/api/setup/")
        .header("content-type", "application/json")
        .body(set_up.to_string());
    for request in [set_up, stranger.request(Method::GET, "/readyz")] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 507);
        let problem: common::Problem = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!((&*problem.code, problem.status), ("disk_full", 507));
    }
    // Reads go on, and the code was not spent.
    stranger.get("/healthz").await.is(200);
    assert_eq!(stranger.get("/api/").await.is(200)["setup_required"], true);
}
