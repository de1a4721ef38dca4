//! Which part may know which: the lines that keep the parts apart, read off the sources, so that the picture in `ARCHITECTURE.md`
//! cannot rot. A line that has to move is moved here and there in one commit.

mod circles;
pub(crate) mod sources;

use std::fs;

use self::sources::{SHIPPED, files, modules_named, names, only, root, sources, without_tests};

#[test]
fn a_path_is_told_from_what_looks_like_one() {
    for code in [
        "use sled::Db;",
        "sled::open()",
        "let x: sled::Db",
        "use sled;",
        "&sled::Tree",
        "use sled as s;",
        "{sled::x}",
        "use ::sled::Db;",
        "(::sled::Tree)",
    ] {
        assert!(names(code, "sled"), "{code}");
    }
    for code in [
        "super::sled::open()",
        "Vec::<u8>::sled::x",
        "mod sled;",
        "bobsled::x",
        "sled_x::y",
        "Options::sled(dir)",
        "\"sled\"",
        "fn sled()",
    ] {
        assert!(!names(code, "sled"), "{code}");
    }
    let code = "a();\n#[cfg(test)]\nmod tests { fn f() { if x {} } }\nb();\n#[cfg(test)]\nmod more;\nc();";
    assert_eq!(without_tests(code).split_whitespace().collect::<Vec<_>>(), ["a();", "b();", "c();"]);
}

#[test]
fn each_part_of_the_server_has_its_library() {
    only("api/server/src", &["api/server/src/tls", "api/server/src/tls_stream"], &["rustls", "tokio_rustls"]);
    only("api/server/src", &["api/server/src/tls"], &["x509_parser"]);
    only("api/server/src", &["api/server/src/listener"], &["listenfd"]);
    only("api/src", &["api/src/cli/systemd"], &["sd_notify"]);
}

#[test]
fn routes_know_of_the_server_what_it_says_of_a_request_and_not_its_loop() {
    let code = "use server::{metrics::{Http, Route}, request::Notes};\nserver::Tls::load(); other::server::x();";
    assert_eq!(modules_named(code, "server"), ["metrics", "request", "Tls"]);
    let sources = sources("api/src");
    let routes = sources.iter().filter(|source| source.path.starts_with("api/src/routes"));
    let named: Vec<_> = routes.flat_map(|source| modules_named(&source.code, "server")).collect();
    assert!(named.iter().any(|module| module == "request"), "does this line still say anything?");
    for module in named {
        assert!(
            ["headers", "metrics", "origins", "problem", "request"].contains(&module.as_str()),
            "routes name server::{module}"
        );
    }
}

#[test]
fn crates_of_the_server_are_logged_as_coffers() {
    // `--log-level coffer=debug` is meant for all of them, and goes by the crate's name.
    for member in ["auth", "base", "logging", "server", "store"] {
        let manifest = fs::read_to_string(root().join(format!("api/{member}/Cargo.toml"))).unwrap();
        assert!(manifest.contains(&format!("name = \"coffer-{member}\"")) && !manifest.contains("[lib]"), "{member}");
    }
}

#[test]
fn only_routes_know_warp() {
    // `cli/serve` makes the service that the server runs, and does nothing else with it.
    only("api/src", &["api/src/routes", "api/src/cli/serve"], &["warp"]);
    for source in sources("api/src/cli") {
        let rest = source.code.replace("warp::service(", "");
        assert!(!names(&rest, "warp"), "{} names more of warp than service()", source.path);
    }
}

#[test]
fn each_library_has_one_home() {
    only("api/store/src", &["api/store/src/local/sled"], &["sled"]);
    only("api/store/src", &["api/store/src/postgres"], &["tokio_postgres", "tokio_postgres_rustls"]);
    only("api/store/src", &["api/store/src/postgres/tls"], &["rustls", "rustls_native_certs"]);
    only("api/auth/src", &["api/auth/src/token"], &["jsonwebtoken"]);
    only("api/auth/src", &["api/auth/src/password"], &["argon2"]);
    only("web/src", &["web/src/client"], &["gloo_net"]);
    // Sending, sessions and their renewal are written once, for the terminal app and the command line.
    only("tui/src", &[], &["reqwest"]);
    only("api/src", &[], &["reqwest"]);
    only("tui/client/src", &["tui/client/src/client", "tui/client/src/reason", "tui/client/src/ready"], &["reqwest"]);
}

#[test]
fn pages_of_later_parts_are_named_where_they_are_fetched() {
    // What else names one of them would have every first visit fetch it. The build looks for their code in the first part, too.
    let later = [
        "changes",
        "collections",
        "dashboard",
        "editor",
        "many",
        "password",
        "record",
        "server",
        "sessions",
        "set_up",
        "sign_in",
        "users",
    ];
    let pages = [
        "ChangesPage",
        "CollectionsPage",
        "ServerView",
        "DashboardPage",
        "ImportPage",
        "ManyView",
        "NewCollectionPage",
        "EditCollectionPage",
        "PasswordPage",
        "NewRecordPage",
        "RecordPage",
        "SessionsPage",
        "SetUpPage",
        "SignInView",
        "UsersPage",
        "NewUserPage",
        "UserPage",
    ];
    for source in sources("web/src") {
        let page = source.path.strip_prefix("web/src/pages/").and_then(|path| path.split(['/', '.']).next());
        if source.path == "web/src/later.rs" || page.is_some_and(|page| later.contains(&page)) {
            continue;
        }
        for name in pages {
            let is_named = source.code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
            assert!(!is_named, "{} names {name}, which a later part of the web app holds", source.path);
        }
    }
}

#[test]
fn what_changes_the_terminal_apps_model_draws_nothing() {
    for source in sources("tui/src/update") {
        assert!(!source.code.contains("view::"), "{} names the view", source.path);
    }
}

#[test]
fn the_domain_has_never_heard_of_http() {
    only("api/src/domain", &[], &["http", "warp", "reqwest", "server", "crate::routes", "crate::cli"]);
    for source in sources("api/src/domain").into_iter().chain(sources("api/auth/src")) {
        assert!(!source.code.contains("StatusCode"), "{} names a status code", source.path);
    }
    only("api/src/routes", &[], &["crate::cli"]);
}

#[test]
fn what_an_endpoint_is_stands_with_its_type_and_nobody_asks_its_path() {
    // The one place where a path is looked at.
    let router = "api/src/routes/table.rs";
    for source in
        ["api/src", "api/server/src", "web/src", "tui/src", "tui/client/src"].map(sources).into_iter().flatten()
    {
        for path in ["\"/api", "}/api", "\"/metrics", "\"/healthz", "\"/readyz"] {
            // The web app's router says where its pages for the API's addresses are.
            let code = match source.path.as_str() {
                "web/src/route.rs" => source.code.replace("#[at(\"/api/*rest\")]", "").replace("#[at(\"/api\")]", ""),
                _ => source.code.clone(),
            };
            assert!(!code.contains(path), "{} writes a path ({path}) down again", source.path);
        }
        if source.path == router {
            continue;
        }
        let code = source.code.split_whitespace().collect::<String>();
        for what in ["PATH", "path"] {
            for how in ["==", "!=", ".starts_with(", ".ends_with(", ".contains(", ".strip_prefix(", ".as_bytes()"] {
                for told in ["E::", "info.", "endpoint."].map(|of| format!("{of}{what}{how}")) {
                    assert!(!code.contains(&told), "{} tells an endpoint by its path: {told}", source.path);
                }
            }
        }
        for how in ["matchE::PATH", "E::METHOD==", "match(E::METHOD"] {
            assert!(!code.contains(how), "{} tells an endpoint by its path: {how}", source.path);
        }
        // A list of paths in the code; one that is made of all endpoints is none.
        for (at, _) in code.match_indices(".contains(&info.path") {
            let is_constant = code[..at].ends_with(|last: char| last == ']' || last.is_ascii_uppercase());
            assert!(!is_constant, "{} tells endpoints by a list of their paths", source.path);
        }
        for (at, _) in code.match_indices("::PATH") {
            let before = code[..at].trim_end_matches(|letter: char| letter.is_alphanumeric() || "_:".contains(letter));
            for how in ["==", "!=", ".contains(", ".starts_with(", ".eq(split("] {
                assert!(!before.ends_with(how), "{} tells an endpoint by its path: {how}…::PATH", source.path);
            }
        }
    }
}

#[test]
fn common_knows_nobody() {
    let outside = [
        "std::time",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "std::io",
        "tokio",
        "futures_util",
        "reqwest",
        "hyper",
        "warp",
        "gloo_net",
        "web_sys",
        "js_sys",
        "getrandom",
        "coffer",
        "ratatui",
        "yew",
    ];
    only("common/src", &[], &outside);
    let outside = ["now_utc", "now_local", "new_v4", "now_v7"];
    for source in sources("common/src") {
        for name in outside {
            assert!(!source.code.contains(name), "{} asks for the time or for chance: {name}", source.path);
        }
    }
    // The two clients know common, and neither the server nor each other.
    only("web/src", &[], &["coffer", "reqwest", "tokio", "ratatui"]);
    only("tui/src", &[], &["coffer", "yew", "gloo_net", "web_sys"]);
    only("tui/client/src", &[], &["coffer", "ratatui", "crossterm", "clap", "yew", "gloo_net", "web_sys"]);
}

#[test]
fn nothing_that_is_shipped_panics_on_purpose() {
    for folder in SHIPPED {
        for source in sources(folder) {
            for panics in [".unwrap()", "todo!(", "unimplemented!(", "dbg!(", "unsafe {"] {
                assert!(!source.code.contains(panics), "{} has {panics}", source.path);
            }
        }
    }
}

#[test]
fn no_test_is_left_out() {
    let ignored = concat!("#[ign", "ore");
    for folder in ["common", "api", "tui", "web", "xtask", "fuzz"] {
        for (path, text) in files(folder, "rs") {
            assert!(!text.contains(ignored), "{path} leaves a test out");
        }
    }
}

#[test]
fn nothing_is_left_to_do_and_no_one_machine_is_meant() {
    let mut texts = Vec::new();
    for folder in ["common", "api", "tui", "web/src", "xtask", "fuzz/src", "fuzz/tests"] {
        texts.extend(files(folder, "rs"));
    }
    for file in
        ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "Dockerfile", "compose.yaml", "Trunk.toml", "deny.toml"]
    {
        texts.push((file.to_owned(), fs::read_to_string(root().join(file)).unwrap()));
    }
    for word in
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")]
    {
        for (path, text) in &texts {
            assert!(!text.contains(word), "{path} has {word}");
        }
    }
}

#[test]
fn modules_stand_beside_their_folder_and_say_what_they_are() {
    for folder in SHIPPED.into_iter().chain(["xtask/src", "fuzz/src"]) {
        for (path, text) in files(folder, "rs") {
            assert!(!path.ends_with("/mod.rs"), "{path}: foo.rs beside foo/");
            if !path.ends_with("/tests.rs") {
                assert!(text.starts_with("//! "), "{path} does not open with what lives there");
            }
        }
    }
}

#[test]
fn a_sentence_that_both_apps_say_stands_in_common() {
    let said = |folders: &[&'static str]| {
        let code = folders.iter().flat_map(|folder| sources(folder)).map(|source| source.code);
        let texts = |code: String| code.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        let sentences =
            code.flat_map(texts).filter(|text| text.len() >= 24 && text.contains(' ') && text.ends_with('.'));
        sentences.collect::<std::collections::BTreeSet<_>>()
    };
    let twice: Vec<String> = said(&["web/src"]).intersection(&said(&["tui/src"])).cloned().collect();
    assert!(twice.is_empty(), "{twice:#?}");
}
