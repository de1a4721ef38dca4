//! `/metrics`, `/api/metrics/` and `/api/log/`: what the server shows of itself while it runs, and to whom.

#![allow(clippy::float_cmp, reason = "counts are whole numbers, which are exact")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use common::{
    Call, Problem, endpoints,
    metrics::{MetricsQuery, Sample},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Client, Coffer, server::Server};

/// Every sample by its name and labels, after a look at the form of all of it.
fn samples(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut families) = (BTreeMap::new(), BTreeSet::new());
    let mut family = "";
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let (what, rest) = comment.split_once(' ').unwrap();
            let (name, said) = rest.split_once(' ').unwrap();
            if what == "HELP" {
                assert!(families.insert(name.to_owned()), "{name} stands twice");
                family = name;
            }
            assert!(name == family && !said.is_empty(), "{line}");
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with(family) && !family.is_empty(), "{line} under {family}");
        assert!(samples.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{line} stands twice");
    }
    samples
}

async fn look(client: &Client) -> BTreeMap<String, f64> {
    let answer = client.get("/metrics").await;
    answer.is(200);
    assert_eq!(answer.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    samples(&answer.text())
}

#[tokio::test]
async fn everything_that_happens_is_counted_under_names_that_are_fixed() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text", "unique": true}])).await;
    let before = look(&admin).await;
    let record = admin.record("snacks", json!({"title": "Popcorn"})).await;
    admin.post("/api/records/snacks/", &json!({"title": "Popcorn"})).await.refused(409);
    let path = crate::support::path("snacks", &record);
    for _ in 0..3 {
        admin.get(&path).await.is(200);
    }
    for path in ["/api/nothing/", "/api/records/a/b/c/d/", "/no-such-file.js"] {
        admin.get(path).await.refused(404);
    }
    Answer::of(coffer.stranger().request("X-ODD".parse::<Method>().unwrap(), "/api/")).await.refused(405);
    coffer.stranger().get("/healthz").await.is(200);
    coffer.sign_in("ada").await;
    let after = look(&admin).await;

    let grown = |name: &str| after.get(name).unwrap_or(&0.0) - before.get(name).unwrap_or(&0.0);
    let requests = |route, method, status| {
        grown(&format!("coffer_http_requests_total{{route=\"{route}\",method=\"{method}\",status=\"{status}\"}}"))
    };
    let one = "/api/records/{collection}/{id}/";
    assert_eq!(requests("/api/records/{collection}/", "POST", "2xx"), 1.0);
    assert_eq!(requests("/api/records/{collection}/", "POST", "4xx"), 1.0);
    assert_eq!(requests(one, "GET", "2xx"), 3.0);
    assert_eq!(requests("none", "GET", "4xx"), 3.0);
    assert_eq!(requests("/api/", "other", "4xx"), 1.0);
    assert_eq!(grown(&format!("coffer_http_request_duration_seconds_count{{route=\"{one}\",method=\"GET\"}}")), 3.0);
    let time = grown(&format!("coffer_http_request_duration_seconds_sum{{route=\"{one}\",method=\"GET\"}}"));
    assert!(time > 0.0 && time < 30.0, "{time}");
    assert_eq!(grown("coffer_store_commits_total{outcome=\"committed\"}"), 2.0, "a record and a session");
    assert_eq!(grown("coffer_store_commit_duration_seconds_count"), 2.0);
    assert_eq!(grown("coffer_store_group_commits_sum"), 2.0);
    assert_eq!(grown("coffer_password_duration_seconds_count"), 1.0);
    // The scrape itself is under way.
    assert_eq!(after["coffer_http_requests_in_flight"], 1.0);
    assert_eq!((after["coffer_store_queue"], after["coffer_password_queue"]), (0.0, 0.0));
    assert!(after["coffer_sessions_active"] >= 1.0 && after["coffer_http_connections"] >= 1.0, "{after:?}");
    assert!(after["coffer_store_disk_bytes"] > 4096.0 && after["process_resident_memory_bytes"] > 1e6, "{after:?}");
    assert!(after["process_open_fds"] > 5.0 && after["process_start_time_seconds"] > 1.7e9, "{after:?}");
    assert_eq!(after[concat!("coffer_build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}")], 1.0);
    for name in after.keys() {
        assert!(!name.contains("snacks") && !name.contains("ODD") && !name.contains("nothing"), "{name}");
    }
}

/// Asks for the samples after one, until this is true of what has come so far; the sum of it, and the moment of the last one.
async fn sampled(client: &Client, since: &str, mut enough: impl FnMut(&Sample) -> bool) -> (Sample, String) {
    let (mut sum, mut since) = (Sample::default(), since.to_owned());
    let begun = std::time::Instant::now();
    while !enough(&sum) {
        assert!(begun.elapsed().as_secs() < 30, "{sum:?}");
        let query = MetricsQuery { since: Some(since.clone()) };
        let told = client.send(Call::<endpoints::metrics::Recent>::new((), ()).query(query)).await.unwrap().body;
        for sample in told.seconds {
            assert!(sample.at > since && (500..20_000).contains(&sample.milliseconds), "{sample:?}");
            since.clone_from(&sample.at);
            let (requests, of) = (&mut sum.requests, sample.requests);
            requests.success += of.success;
            requests.redirection += of.redirection;
            requests.client_error += of.client_error;
            sum.sign_ins.good += sample.sign_ins.good;
            sum.sign_ins.bad += sample.sign_ins.bad;
            sum.sign_ins.locked += sample.sign_ins.locked;
            let (commits, groups) = (sum.commits + sample.commits, sum.groups + sample.groups);
            sum = Sample { requests: sum.requests, sign_ins: sum.sign_ins, commits, groups, ..sample };
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    (sum, since)
}

#[tokio::test]
async fn what_happens_is_in_the_next_sample() {
    let (coffer, admin) = Coffer::with_admin().await;
    admin.collection("snacks", json!([{"name": "title", "type": "text"}])).await;
    let (sum, since) = sampled(&admin, "2020-01-01T00:00:00Z", |sum| sum.commits >= 3 && sum.sign_ins.good == 1).await;
    assert!(sum.requests.success >= 3 && sum.p99_ms.is_some() && sum.sessions.is_some(), "{sum:?}");
    assert!(sum.connections >= 1 && sum.store_bytes > Some(4096) && sum.disk_free > Some(0), "{sum:?}");
    assert!(sum.disk_size > sum.disk_free && sum.memory_limit > Some(sum.memory_held), "{sum:?}");

    admin.record("snacks", json!({"title": "Popcorn"})).await;
    admin.get("/api/nothing/").await.refused(404);
    let wrong = json!({"username": crate::support::ADMIN, "password": "no such words at all"});
    coffer.stranger().post("/api/token/", &wrong).await.refused(401);
    coffer.sign_in(crate::support::ADMIN).await;
    let mut stream = admin.request(Method::GET, "/api/events/").send().await.unwrap();
    let counted = |sum: &Sample| sum.requests.client_error == 2 && sum.sign_ins.good == 1 && sum.event_streams == 1;
    let (sum, _) = sampled(&admin, &since, counted).await;
    assert_eq!((sum.sign_ins.bad, sum.sign_ins.locked), (1, 0));
    assert!(sum.commits >= 3 && sum.groups >= 1, "a record, a refusal and a session: {sum:?}");
    assert!(stream.chunk().await.unwrap().is_some());

    let all = admin.get("/api/metrics/").await.is(200);
    assert!(all["seconds"].as_array().unwrap().len() > 1 && all["certificate_ends_at"].is_null(), "{all}");
    let changed = admin.get(&format!("/api/changes/?after={}", all["revision"])).await.is(200);
    assert_eq!(changed["results"], json!([]), "it is the newest commit");
    assert_eq!(admin.get("/api/metrics/?since=2999-01-01T00:00:00Z").await.is(200)["seconds"], json!([]));
    for bad in ["since=now", "since=", "until=2026-11-28T18:00:00Z"] {
        admin.get(&format!("/api/metrics/?{bad}")).await.refused(400);
    }
    coffer.stranger().get("/api/metrics/").await.refused(401);
    coffer.user(&admin, "ulla", json!({})).await.get("/api/metrics/").await.refused(403);
}

#[tokio::test]
async fn strangers_and_users_see_no_metrics_but_on_a_listener_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--metrics-listen", "127.0.0.1:0"]);
    let metrics = server.greeted("Metrics are on http://");
    let admin = server.set_up().await;
    server.stranger().get("/metrics").await.refused(401);
    admin.post("/api/users/", &json!({"username": "ulla", "password": crate::support::PASSWORD})).await.is(201);
    server.sign_in("ulla").await.get("/metrics").await.refused(403);
    assert_eq!(look(&admin).await["coffer_sessions_active"], 2.0);

    let authority = metrics.strip_suffix("/metrics").unwrap();
    let open = Client { base: format!("http://{authority}"), ..server.stranger() };
    let seen = look(&open).await;
    assert!(seen.contains_key("coffer_http_connections_accepted_total"), "{seen:?}");
    assert_eq!(seen["coffer_http_requests_in_flight"], 0.0, "scrapes are not counted here");
    for path in ["/", "/api/", "/healthz", "/metrics/more", "/api/users/me/"] {
        let refused = Client { access: admin.access.clone(), ..open.clone() }.get(path).await;
        refused.refused(404);
    }
    assert_eq!(open.post("/metrics", &json!({})).await.refused(413).code, "too_large");
    assert_eq!(open.delete("/metrics").await.refused(405).code, "method_not_allowed");
}

#[tokio::test]
async fn the_logs_level_is_changed_while_the_server_runs_and_the_journal_knows_by_whom() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--log", "json", "--log-level", "trace"]);
    let admin = server.set_up().await;
    assert_eq!(admin.get("/api/log/").await.is(200), json!({"level": "trace"}));
    let loud = admin.get("/api/users/me/").await;
    assert_eq!(admin.put("/api/log/", &json!({"level": "warn"})).await.is(200), json!({"level": "warn"}));
    let quiet = admin.get("/api/users/me/").await;
    for level in ["loud", "h2=trace", "", "INFO"] {
        assert!(admin.put("/api/log/", &json!({"level": level})).await.faults()[0].starts_with("level: "), "{level}");
    }
    assert_eq!(admin.get("/api/log/").await.is(200), json!({"level": "warn"}));
    admin.put("/api/log/", &json!({"level": "info"})).await.is(200);
    let again = admin.get("/api/users/me/").await;

    let changes = admin.get("/api/changes/").await.is(200);
    let levels: Vec<_> =
        changes["results"].as_array().unwrap().iter().filter(|entry| entry["subject"] == "server").collect();
    assert_eq!(levels.len(), 2, "{changes}");
    assert_eq!((&levels[0]["by"], &levels[0]["id"]), (&json!(admin.id), &json!("log")));
    assert_eq!((&levels[0]["before"], &levels[0]["after"]), (&json!({"level": "trace"}), &json!({"level": "warn"})));

    crate::support::server::terminate(&server.child);
    assert!(server.child.wait().unwrap().success());
    let log = server.log();
    let lines = |answer: &Answer| {
        let id = answer.header("x-request-id");
        log.lines().filter(|line| line.contains("coffer::access") && line.contains(id)).count()
    };
    assert_eq!([lines(&loud), lines(&quiet), lines(&again)], [1, 0, 1], "{log}");
}

#[tokio::test]
async fn l2_admins_read_the_newest_lines_of_the_log_by_level_and_nobody_else_does() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Server::start(&dir.path().join("data"), &["--log", "json", "--log-level", "info"]);
    let admin = server.set_up().await;
    admin.post("/api/users/", &json!({"username": "ulla", "password": crate::support::PASSWORD})).await.is(201);
    let ulla = server.sign_in("ulla").await;
    ulla.get("/api/log/lines/").await.refused(403);
    server.stranger().get("/api/log/lines/").await.refused(401);

    let seen = admin.get("/api/users/me/").await;
    let id = seen.header("x-request-id").to_owned();
    // The line is written when the last byte of the answer is.
    let lines = loop {
        let lines = admin.get("/api/log/lines/").await.is(200);
        if lines.to_string().contains(&id) {
            break lines;
        }
    };
    assert_eq!(lines["level"], "info");
    let line = lines["results"].as_array().unwrap().iter().find(|line| line.to_string().contains(&id)).unwrap();
    let text = line["text"].as_str().unwrap();
    assert!(text.starts_with(&format!("request_id={id} method=GET route=/api/users/me/ status=200 ")), "{text}");
    assert!(text.contains(" name=ada ") && line["level"] == "info", "{line}");
    let refused = lines.to_string();
    assert!(refused.contains("route=/api/log/lines/ status=403"), "{refused}");
    assert!(!refused.contains("route=/api/log/lines/ status=200"), "who looks fills no tail: {refused}");

    let newest = lines["newest"].as_u64().unwrap();
    assert_eq!(admin.get(&format!("/api/log/lines/?after={newest}")).await.is(200)["results"], json!([]));
    admin.put("/api/log/", &json!({"level": "warn"})).await.is(200);
    let worse = admin.get("/api/log/lines/?level=warn&limit=1").await.is(200);
    assert_eq!((worse["results"].as_array().map(Vec::len), &worse["level"]), (Some(1), &json!("warn")), "{worse}");
    assert!(worse["results"][0]["text"].as_str().unwrap().starts_with("the log's level was changed"), "{worse}");
    for bad in ["after=x", "level=loud", "limit=0", "before=1"] {
        admin.get(&format!("/api/log/lines/?{bad}")).await.refused(400);
    }
}

#[tokio::test]
async fn settings_in_force_are_told_with_where_they_are_from_and_without_paths_and_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let (data, web) = (dir.path().join("data"), dir.path().join("web"));
    fs::create_dir(&web).unwrap();
    fs::write(web.join("index.html"), "<p>Hello").unwrap();
    let key = crate::support::secret_file(dir.path(), "secret", b"Zk3xQ9vT1mB7wR5yH2nC8dF4gJ6sL0pAxxqMtU9eD2vK");
    let [web, key] = [&web, &key].map(|path| path.to_str().unwrap());
    let options = ["--web-dir", web, "--signing-key-file", key, "--access-lifetime", "7m", "--web-csp", "app"];
    let mut command = crate::support::server::serve_with_cheap_passwords(&data, &options);
    command.env("COFFER_QUOTA_RECORDS", "1234").env("COFFER_SIGN_UP", "invite");
    let mut server = Server::spawn(&data, &mut command);
    let admin = server.set_up().await;
    admin.post("/api/users/", &json!({"username": "ulla", "password": crate::support::PASSWORD})).await.is(201);
    server.sign_in("ulla").await.get("/api/settings/").await.refused(403);
    let settings = admin.get("/api/settings/").await.is(200);
    assert_eq!(settings["version"], env!("CARGO_PKG_VERSION"));
    let of = |name: &str| {
        let all = settings["results"].as_array().unwrap();
        let one = all.iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name} in {settings}"));
        (one["value"].clone(), one["from"].as_str().unwrap().to_owned(), one["is_hidden"] == true)
    };
    assert_eq!(of("access-lifetime"), (json!("7m"), "command_line".to_owned(), false));
    assert_eq!(of("quota-records"), (json!("1234"), "environment".to_owned(), false));
    assert_eq!(of("sign-up"), (json!("invite"), "environment".to_owned(), false));
    assert_eq!(of("refresh-lifetime"), (json!("1d"), "default".to_owned(), false));
    assert_eq!(of("web-csp"), (json!("app"), "command_line".to_owned(), false));
    assert_eq!(of("tls-cert"), (Value::Null, "default".to_owned(), false));
    for hidden in ["data", "web-dir", "signing-key-file"] {
        assert_eq!(of(hidden), (Value::Null, "command_line".to_owned(), true), "{hidden}");
    }
    assert!(!settings.to_string().contains(dir.path().to_str().unwrap()), "{settings}");
}

#[tokio::test]
async fn l2_the_reason_of_a_500_is_logged_under_the_id_that_the_caller_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut server = Server::start(&data, &["--log", "json"]);
    let admin = server.set_up().await;
    let backup = admin.get("/api/backup/").await;
    backup.is(200);
    fs::rename(data.join("store"), dir.path().join("elsewhere")).unwrap();
    let response = admin.request(Method::GET, "/metrics").send().await.unwrap();
    assert_eq!(response.status(), 500);
    let problem: Problem = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    // It is remembered for whoever looks later.
    let failures = admin.get("/api/metrics/").await.is(200)["failures"].clone();
    assert_eq!(failures.as_array().map(Vec::len), Some(1), "{failures}");
    let failed = &failures[0];
    assert_eq!((&failed["request_id"], &failed["status"]), (&json!(problem.request_id), &json!(500)));
    assert_eq!((&failed["route"], &failed["user"]), (&json!("/metrics"), &json!(crate::support::ADMIN)));
    let since = failed["at"].as_str().unwrap();
    let again = admin.get(&format!("/api/metrics/?since={since}")).await.is(200);
    assert_eq!(again["failures"].as_array().map(Vec::len), Some(1), "what ended about then is told again");
    assert_eq!(admin.get("/api/metrics/?since=2999-01-01T00:00:00Z").await.is(200)["failures"], json!([]));

    // The last lines are written when it ends.
    crate::support::server::terminate(&server.child);
    server.child.wait().unwrap();
    let log = server.log();
    let reasons = |id: &str| {
        // The command's last line says why it ended, and is none of the log's: its store is gone.
        let lines = log.lines().filter(|line| !line.starts_with("coffer: "));
        let lines = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
        // The libraries' own lines, and the access log's, are not asked for.
        let is_ours = |target: &str| target.starts_with("coffer") && target != "coffer::access";
        let lines = lines.filter(|line| line["request_id"] == id && line["target"].as_str().is_some_and(is_ours));
        lines.map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(reasons(&problem.request_id), ["a request failed"], "{log}");
    let line = log.lines().find(|line| line.contains("a request failed")).unwrap();
    assert!(line.contains("No such file or directory"), "the system's own cause is told: {line}");
    assert_eq!(reasons(backup.header("x-request-id")), ["a backup is being taken"], "{log}");
}
