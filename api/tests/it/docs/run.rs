//! Runs the blocks of a page in one shell, in order, with standard input closed and as an ordinary user. The port is the only thing that is changed: a
//! relay in front of the server notes the statuses, so that the commands' own output stays what their pipes expect.

use std::{
    env, fs,
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    page::{Page, ServerKind},
    pages,
};
use crate::support::Coffer;

const PASSWORD: &str = "seven otters mend a kite";
/// A page that takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(2);
/// `nobody` on every Linux.
const NOBODY: u32 = 65_534;
/// What the shell says between two blocks, to the relay and on its output.
const NEXT: &str = "-- next block --";

/// The statuses of one block, then of the next.
type Statuses = Arc<Mutex<Vec<Vec<String>>>>;

/// Passes connections on to the server and notes the status of each answer. One connection is one command's.
fn relay(server: String) -> (u16, Statuses) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let statuses: Statuses = Arc::new(Mutex::new(vec![Vec::new()]));
    let noted = Arc::clone(&statuses);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server, noted) = (client.unwrap(), server.clone(), Arc::clone(&noted));
            thread::spawn(move || serve(client, &server, &noted));
        }
    });
    (port, statuses)
}

fn serve(mut client: TcpStream, server: &str, noted: &Statuses) {
    let mut begin = [0; 16 * 1024];
    let Ok(length) = client.read(&mut begin) else { return };
    if begin.starts_with(NEXT.as_bytes()) {
        noted.lock().unwrap().push(Vec::new());
        return;
    }
    // While the page's own server is not up, nobody answers.
    let Ok(mut server) = TcpStream::connect(server) else { return };
    server.write_all(&begin[..length]).unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut is_noted = false;
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = server.read(&mut buffer) {
        if !is_noted {
            let line = String::from_utf8_lossy(&buffer[..length.min(12)]).into_owned();
            noted.lock().unwrap().last_mut().unwrap().push(line.trim_start_matches("HTTP/1.1 ").to_owned());
            is_noted = true;
        }
        if client.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Write);
}

/// A folder with `coffer` and HTTPie to put before the rest of `PATH`.
fn programs(folder: &Path) -> PathBuf {
    let bin = folder.join("bin");
    fs::create_dir(&bin).unwrap();
    let http = PathBuf::from(env::var_os("E2E_HTTP").expect("run through cargo xtask test"));
    symlink(http, bin.join("http")).unwrap();
    symlink(env!("CARGO_BIN_EXE_coffer"), bin.join("coffer")).unwrap();
    bin
}

/// A shell of an ordinary user. Where the tests run as root, that is `nobody`, or, if root's files are closed to `nobody`, somebody without
/// privileges who owns them, in a user namespace.
fn shell(bin: &Path) -> Command {
    let ids = |flags: [&str; 2]| flags.map(|flag| format!("{flag}={NOBODY}"));
    let users = [
        ("setpriv", [&ids(["--reuid", "--regid"])[..], &["--clear-groups".to_owned()]].concat()),
        ("unshare", [&["--user".to_owned()], &ids(["--map-user", "--map-group"])[..]].concat()),
    ];
    let reaches = |user: &str, flags: &[String], program: &str| {
        let answer = Command::new(user).args(flags).arg(bin.join(program)).arg("--version").output();
        answer.is_ok_and(|answer| answer.status.success())
    };
    let mut shell = Command::new("timeout");
    shell.arg(PATIENCE.as_secs().to_string());
    if rustix::process::geteuid().is_root() {
        match users.iter().find(|(user, flags)| ["http", "coffer"].iter().all(|program| reaches(user, flags, program)))
        {
            Some((user, flags)) => _ = shell.arg(user).args(flags),
            None => println!("the commands run as root: neither setpriv nor unshare makes an ordinary user of it here"),
        }
    }
    shell.arg("bash");
    shell
}

/// A port that was free just now, for the server that a page starts.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn run(page: &Page) {
    let server = match page.server.expect("the page has commands") {
        ServerKind::None => None,
        ServerKind::New | ServerKind::WithAdmin => Some(Coffer::start()),
    };
    let authority = server.as_ref().map_or_else(
        || format!("127.0.0.1:{}", free_port()),
        |server| server.base.strip_prefix("http://").unwrap().to_owned(),
    );
    if page.server == Some(ServerKind::WithAdmin) {
        let server = server.as_ref().unwrap();
        let body = json!({"code": server.setup_code, "username": "ada", "password": PASSWORD});
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { server.stranger().post("/api/setup/", &body).await.is(201) });
    }
    let (port, statuses) = relay(authority.clone());

    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let bin = programs(folder.path());
    let blocks: Vec<_> = page.blocks.iter().filter(|block| block.not_run.is_none()).collect();
    let next =
        format!("exec 9<>/dev/tcp/127.0.0.1/{port}; echo '{NEXT}' >&9; cat <&9; exec 9>&-; echo; echo '{NEXT}'\n");
    // Whatever a page has started ends with it.
    let mut script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n".to_owned();
    for block in &blocks {
        script += &block.commands.replace(":8000", &format!(":{port}"));
        script += &next;
    }
    fs::write(folder.path().join("page.sh"), script).unwrap();
    let path = env::join_paths(std::iter::once(bin.clone()).chain(env::split_paths(&env::var_os("PATH").unwrap())));
    let mut command = shell(&bin);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COFFER_")) {
        command.env_remove(name);
    }
    let run = command
        .arg("page.sh")
        .current_dir(folder.path())
        .env("PATH", path.unwrap())
        .env("HOME", folder.path())
        .env("HTTPIE_CONFIG_DIR", folder.path().join("httpie"))
        .env("COFFER_LISTEN", &authority)
        .env("CODE", server.as_ref().map_or("", |server| &server.setup_code))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout).into_owned();
    let said = format!("{}: {output}\n{}", page.name, String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success(), "{}: {said}", run.status);
    let statuses = statuses.lock().unwrap();
    let outputs: Vec<&str> = output.split(&format!("\n{NEXT}\n")).collect();
    for (i, block) in blocks.iter().enumerate() {
        let stated = block.statuses();
        if !stated.is_empty() {
            assert_eq!(statuses[i], stated, "{}\n{said}", block.commands);
        }
        if let Some((language, expected)) = &block.answer {
            let is_it = if language == "json" { is_json(outputs[i], expected) } else { is_text(outputs[i], expected) };
            assert!(is_it, "{}:\n{}answers\n{}\nand not\n{expected}", page.name, block.commands, outputs[i]);
        }
    }
}

/// Whether the last JSON value of an output is the one that is shown.
fn is_json(output: &str, expected: &str) -> bool {
    let expected: Value = serde_json::from_str(expected).expect("what is shown is JSON");
    // Headers and other lines may stand before it.
    let values = |text: &str| serde_json::Deserializer::from_str(text).into_iter().collect::<Result<Vec<Value>, _>>();
    let last = output.match_indices('{').find_map(|(at, _)| values(&output[at..]).ok()?.pop());
    last.is_some_and(|value| is_value(&value, &expected))
}

fn is_value(value: &Value, expected: &Value) -> bool {
    match (value, expected) {
        (_, Value::String(any)) if any == "…" => true,
        (Value::Object(value), Value::Object(expected)) => {
            value.len() == expected.len()
                && expected
                    .iter()
                    .all(|(name, expected)| value.get(name).is_some_and(|value| is_value(value, expected)))
        }
        (Value::Array(value), Value::Array(expected)) => {
            value.len() == expected.len()
                && value.iter().zip(expected).all(|(value, expected)| is_value(value, expected))
        }
        (value, expected) => value == expected,
    }
}

/// Whether the last lines of an output are those that are shown; `…` stands for any part of a line.
fn is_text(output: &str, expected: &str) -> bool {
    let output: Vec<&str> = output.trim_end().lines().collect();
    let expected: Vec<&str> = expected.trim_end().lines().collect();
    let Some(first) = output.len().checked_sub(expected.len()) else { return false };
    output[first..].iter().zip(expected).all(|(line, expected)| is_line(line, expected))
}

fn is_line(line: &str, expected: &str) -> bool {
    let parts: Vec<&str> = expected.split('…').collect();
    let [first, rest @ ..] = parts.as_slice() else { return false };
    let Some(mut line) = line.strip_prefix(first) else { return false };
    let Some((last, middle)) = rest.split_last() else { return line.is_empty() };
    for part in middle {
        let Some(at) = line.find(part) else { return false };
        line = &line[at + part.len()..];
    }
    line.ends_with(last)
}

/// One test for each page, so that each has its time and its name.
macro_rules! pages {
    ($($test:ident $name:literal),* $(,)?) => {
        $(
            #[test]
            fn $test() {
                run(&super::page($name));
            }
        )*

        #[test]
        fn every_page_with_commands_has_its_test() {
            let due: Vec<String> = pages().into_iter().filter(|page| page.server.is_some()).map(|page| page.name).collect();
            let mut tested = vec![$($name),*];
            tested.sort_unstable();
            assert_eq!(due, tested);
        }
    };
}

pages! {
    the_readme_runs "README.md",
    the_tutorial_runs "docs/tutorial.md",
    the_page_on_collections_runs "docs/collections.md",
    the_page_on_migrations_runs "docs/migrations.md",
    the_page_on_access_runs "docs/access.md",
    the_page_on_publishing_runs "docs/publishing.md",
    the_page_on_the_api_runs "docs/api.md",
    the_page_on_files_runs "docs/in-and-out.md",
    the_page_on_events_runs "docs/events.md",
    the_page_on_scripts_runs "docs/scripts.md",
    the_page_on_operations_runs "docs/operations.md",
    the_page_on_deployment_runs "docs/deployment.md",
}

#[test]
fn what_is_shown_is_compared_with_what_is_answered() {
    assert!(is_json("{\"a\": 1}\n{\"a\": 2, \"b\": [\"x\"]}", r#"{"a": 2, "b": ["…"]}"#));
    assert!(!is_json("{\"a\": 1}", r#"{"a": 1, "b": "…"}"#));
    assert!(!is_json("", r#"{"a": 1}"#));
    assert!(is_text("more\nexit code 3\n", "exit code 3\n") && !is_text("exit code 4", "exit code 3"));
    assert!(is_line("Restored 3 records, 9 entries", "Restored … records, … entries"));
    assert!(!is_line("Restored 3 records", "Restored … entries"));
}
