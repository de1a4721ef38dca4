//! The README holds: its table of routes is `common::ENDPOINTS`, and its walk-through runs as it stands. For the latter the
//! port is the only thing that is changed, and a relay in front of the server notes the statuses, so that the commands'
//! own output stays what their pipes expect.

use std::{fs, path::Path};

use common::ENDPOINTS;

/// What stands between two marks in the README.
fn section(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("README.md");
    let text = fs::read_to_string(path).unwrap();
    let (_, rest) = text.split_once(&format!("<!-- {name} -->")).expect("the section begins");
    let (section, _) = rest.split_once(&format!("<!-- /{name} -->")).expect("the section ends");
    section.to_owned()
}

#[test]
fn the_table_of_routes_is_the_list_of_endpoints() {
    let section = section("routes");
    let rows: Vec<Vec<&str>> = section
        .lines()
        .filter(|line| line.starts_with('|'))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect();
    let endpoints: Vec<Vec<String>> = ENDPOINTS
        .iter()
        .map(|info| {
            let path = format!("`{}`", info.path);
            [info.method.as_str(), &path, info.access.token(), info.summary].map(str::to_owned).into()
        })
        .collect();
    for (row, endpoint) in rows.iter().zip(&endpoints) {
        assert_eq!(row, endpoint);
    }
    assert_eq!(rows.len(), endpoints.len());
}

#[cfg(feature = "e2e")]
mod walk_through {
    use std::{
        env, fs,
        io::{Read as _, Write as _},
        net::{Shutdown, TcpListener, TcpStream},
        path::PathBuf,
        process::{Command, Stdio},
        sync::{Arc, Mutex},
        thread,
    };

    use crate::support::Coffer;

    type Statuses = Arc<Mutex<Vec<String>>>;

    /// Passes connections on to the server and notes the status of each answer. One connection is one command's.
    fn relay(server: String) -> (u16, Statuses) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let statuses = Statuses::default();
        let noted = Arc::clone(&statuses);
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(Shutdown::Write);
                });
                let noted = Arc::clone(&noted);
                thread::spawn(move || pass_answer(server, client, &noted));
            }
        });
        (port, statuses)
    }

    fn pass_answer(mut server: TcpStream, mut client: TcpStream, noted: &Statuses) {
        let mut begun = false;
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = server.read(&mut buffer) {
            if !begun {
                let line = String::from_utf8_lossy(&buffer[..length.min(12)]).into_owned();
                noted.lock().unwrap().push(line.trim_start_matches("HTTP/1.1 ").to_owned());
                begun = true;
            }
            if client.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Write);
    }

    /// The commands of the section's fenced blocks.
    fn commands() -> String {
        let section = super::section("walk-through");
        let blocks: Vec<&str> = section
            .split("```")
            .skip(1)
            .step_by(2)
            .map(|block| block.strip_prefix("bash\n").expect("every block of the walk-through is for bash"))
            .collect();
        assert!(!blocks.is_empty());
        blocks.concat()
    }

    #[test]
    fn the_walk_through_runs_as_it_stands() {
        let http = PathBuf::from(env::var_os("E2E_HTTP").expect("run through cargo xtask test"));
        let path = env::join_paths(
            std::iter::once(http.parent().unwrap().to_owned()).chain(env::split_paths(&env::var_os("PATH").unwrap())),
        );
        let coffer = Coffer::start();
        let (port, statuses) = relay(coffer.base.strip_prefix("http://").unwrap().to_owned());
        let commands = commands();
        assert!(commands.contains(":8000"), "the walk-through is for the server's own port");
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("walk.sh"), commands.replace(":8000", &format!(":{port}"))).unwrap();
        fs::write(folder.path().join("config.json"), r#"{"disable_update_warnings": true}"#).unwrap();
        // In a terminal, as a person does it: HTTPie takes any other standard input for a body.
        let run = Command::new("script")
            .args(["--quiet", "--return", "--command", "bash -euo pipefail walk.sh", "/dev/null"])
            .current_dir(folder.path())
            .env("PATH", path.unwrap())
            .env("CODE", &coffer.setup_code)
            .env("HTTPIE_CONFIG_DIR", folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = format!("{}\n{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
        assert!(run.status.success(), "{}: {said}", run.status);
        let stated: Vec<&str> =
            commands.lines().filter_map(|line| line.rsplit_once("    # ")).map(|(_, status)| status.trim()).collect();
        assert_eq!(*statuses.lock().unwrap(), stated, "{said}");
    }
}
