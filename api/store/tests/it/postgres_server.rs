//! A PostgreSQL of a test's own: in a temporary directory, reached by a socket in it, and ended with the test.

use std::{
    fs,
    os::unix::fs::chown,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use tempfile::TempDir;

/// A running server.
pub(crate) struct Server {
    dir: TempDir,
    process: Child,
}

/// Where Debian keeps PostgreSQL's programs: those of the newest version.
fn programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").expect("PostgreSQL is installed: apt-get install postgresql");
    let number = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let newest = versions.filter_map(|version| Some(version.ok()?.path())).max_by_key(number);
    newest.expect("a version of PostgreSQL").join("bin")
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout == b"0\n"
}

/// A program of PostgreSQL's, which refuses to run as root. It ends with the thread that starts it.
fn program(name: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]);
    if is_root() {
        command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]);
    }
    command.arg("--").arg(programs().join(name)).env("LC_ALL", "C").current_dir("/");
    command
}

impl Server {
    /// Starts one, in a new directory.
    pub(crate) fn start() -> Server {
        let dir = tempfile::tempdir().expect("a directory");
        if is_root() {
            let id = |what| {
                let id = Command::new("id").args([what, "postgres"]).output().expect("id runs").stdout;
                String::from_utf8_lossy(&id).trim().parse::<u32>().expect("there is a user postgres")
            };
            chown(dir.path(), Some(id("-u")), Some(id("-g"))).expect("it is given to postgres");
        }
        let mut init = program("initdb");
        init.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"]);
        let output = init.arg(dir.path().join("data")).output().expect("initdb runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let process = run(dir.path());
        let server = Server { dir, process };
        server.wait();
        server
    }

    /// The address, without a database of ours in it.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres@/postgres?host={}", self.dir.path().display())
    }

    /// Ends all of its processes at once, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let pid = self.process.id();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        self.process.kill().expect("killed");
        self.process.wait().expect("ended");
        for child in children.split_whitespace() {
            // Some end by themselves first.
            let _ = Command::new("kill").args(["-KILL", child]).stderr(Stdio::null()).status();
        }
    }

    /// Starts it again after [`kill`](Self::kill).
    pub(crate) fn restart(&mut self) {
        self.process = run(self.dir.path());
    }

    /// Waits until it takes connections.
    pub(crate) fn wait(&self) {
        for _ in 0..600 {
            let mut asked = program("pg_isready");
            asked.args(["--quiet", "--host"]).arg(self.dir.path());
            if asked.status().expect("pg_isready runs").success() {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("PostgreSQL does not start: {}", fs::read_to_string(self.dir.path().join("log")).unwrap_or_default());
    }
}

fn run(dir: &Path) -> Child {
    let log = fs::File::options().create(true).append(true).open(dir.join("log")).expect("a log");
    let mut server = program("postgres");
    server.arg("-D").arg(dir.join("data")).arg("-k").arg(dir);
    for setting in ["listen_addresses=", "max_connections=300", "shared_buffers=32MB", "autovacuum_naptime=5s"] {
        server.args(["-c", setting]);
    }
    let log_too = log.try_clone().expect("a log");
    server.stdin(Stdio::null()).stdout(log).stderr(log_too).spawn().expect("PostgreSQL runs")
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
