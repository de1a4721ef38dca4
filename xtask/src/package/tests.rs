//! The packages of the programs that the tests are built with: what can be unpacked and started on any machine is. `cargo xtask package --check` installs
//! those of a release on bare systems.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::Compression;

use super::{Release, make, sha256, tried::Server};
use crate::step;

const VERSION: &str = "0.2.0-dev";

/// Both programs, without what debuggers read, which is most of them.
fn programs(folder: &Path) -> PathBuf {
    let stripped = folder.join("programs");
    fs::create_dir(&stripped).unwrap();
    for (variable, name) in [("E2E_BIN", "coffer"), ("E2E_TUI_BIN", "coffer-tui")] {
        let built = env::var_os(variable).expect("run through cargo xtask test");
        step::run(Command::new("strip").arg("-o").arg(stripped.join(name)).arg(built)).unwrap();
    }
    stripped
}

/// Starts the server of an unpacked package over a new folder.
fn expect_it_serves(folder: &Path, program: &Path) {
    let data = folder.join("data");
    let start = |is_new| {
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
        command.env("E2E_CHEAP_PASSWORDS", "1").env_remove("COFFER_LISTEN");
        Server::start(&mut command, is_new).unwrap()
    };
    let server = start(true);
    server.client.make_first_record().unwrap();
    server.stop().unwrap();
    let server = start(false);
    server.client.expect_record().unwrap();
    server.stop().unwrap();
    fs::remove_dir_all(&data).unwrap();
}

fn run(program: &str, args: &[&str], folder: &Path) {
    let output = Command::new(program).args(args).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn each_package_is_unpacked_and_serves_and_is_the_same_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let programs = programs(folder);
    let release = Release { version: VERSION.to_owned(), epoch: 1_700_000_000, level: Compression::fast() };
    for name in ["first", "second"] {
        make(&release, &programs, &folder.join(name)).unwrap();
    }
    let packages = folder.join("first");
    run("sha256sum", &["--check", "--quiet", "SHA256SUMS"], &packages);
    let file = |start: &str, end: &str| {
        let names = fs::read_dir(&packages).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found = names.filter(|name| name.starts_with(start) && name.ends_with(end));
        packages.join(found.next().unwrap_or_else(|| panic!("no {start}…{end}"))).display().to_string()
    };
    for entry in fs::read_dir(&packages).unwrap() {
        let (name, path) = {
            let entry = entry.unwrap();
            (entry.file_name(), entry.path())
        };
        let second = fs::read(folder.join("second").join(&name)).unwrap();
        assert!(sha256(&fs::read(path).unwrap()) == sha256(&second), "{} differs", name.display());
    }

    let archive = file("coffer-", "x86_64-linux.tar.gz");
    let local = folder.join("local");
    fs::create_dir(&local).unwrap();
    run("tar", &["-xf", &archive, "--strip-components=1"], &local);
    expect_it_serves(folder, &local.join("bin/coffer"));
    let tui = Command::new(local.join("bin/coffer-tui")).arg("--version").output().unwrap();
    assert_eq!(String::from_utf8_lossy(&tui.stdout).trim(), format!("coffer-tui {}", env!("CARGO_PKG_VERSION")));
    for made in ["share/man/man1/coffer-serve.1", "share/man/man1/coffer-tui.1", "share/zsh/site-functions/_coffer"] {
        assert!(fs::metadata(local.join(made)).unwrap().len() > 500, "{made}");
    }
    let unit = fs::read_to_string(local.join("share/doc/coffer/etc/coffer.service")).unwrap();
    assert!(unit.contains("EnvironmentFile=/etc/coffer/coffer.env"), "{unit}");
    // bash takes the completions, and they know the commands.
    let completed = "source share/bash-completion/completions/coffer && COMP_WORDS=(coffer resto) COMP_CWORD=1 && _coffer coffer resto coffer && echo ${COMPREPLY[@]}";
    let completed = Command::new("bash").args(["-c", completed]).current_dir(&local).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&completed.stdout).trim(), "restore", "{completed:?}");

    let wheel = file("coffer-", ".whl");
    // Into a folder, and into an environment, which finds and removes it again.
    run("python3", &["-m", "venv", "venv"], folder);
    run("venv/bin/pip", &["install", "--quiet", "--no-index", "--target", "site", &wheel], folder);
    expect_it_serves(folder, &folder.join("site/bin/coffer"));
    run("venv/bin/pip", &["install", "--quiet", "--no-index", &wheel], folder);
    expect_it_serves(folder, &folder.join("venv/bin/coffer"));
    run("venv/bin/coffer-tui", &["--version"], folder);
    run("venv/bin/pip", &["check"], folder);
    run("venv/bin/pip", &["uninstall", "--quiet", "--yes", "coffer"], folder);
    assert!(!folder.join("venv/bin/coffer").exists());

    let npm = file("coffer-", "npm.tgz");
    run("npm", &["install", "--offline", "--no-audit", "--no-fund", "--prefix", "node", &npm], folder);
    expect_it_serves(folder, &folder.join("node/node_modules/.bin/coffer"));
    run("node/node_modules/.bin/coffer-tui", &["--version"], folder);

    let context = folder.join("context");
    fs::create_dir(&context).unwrap();
    run("tar", &["-xf", &file("coffer-", "image.tar.gz")], &context);
    let dockerfile = fs::read_to_string(context.join("Dockerfile")).unwrap();
    for copied in dockerfile.lines().filter_map(|line| line.strip_prefix("COPY ")) {
        let from = copied.split(' ').find(|word| !word.starts_with("--")).unwrap();
        assert!(context.join(from).exists(), "{copied}");
    }
}

#[test]
fn the_deb_says_what_it_is_and_what_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let (folder, release) =
        (folder.path(), Release { version: VERSION.to_owned(), epoch: 1_700_000_000, level: Compression::fast() });
    make(&release, &programs(folder), &folder.join("made")).unwrap();
    let deb = folder.join("made/coffer_0.2.0~dev_amd64.deb").display().to_string();
    let field = |name: &str| step::answer(Command::new("dpkg-deb").args(["--field", &deb, name])).unwrap();
    assert_eq!((field("Package").as_str(), field("Version").as_str()), ("coffer", "0.2.0~dev"));
    assert!(field("Depends").starts_with("libc6 (>= 2."), "{}", field("Depends"));
    run("dpkg-deb", &["--raw-extract", &deb, "raw"], folder);
    for script in ["postinst", "prerm", "postrm"] {
        run("sh", &["-n", &format!("raw/DEBIAN/{script}")], folder);
    }
    run("md5sum", &["--check", "--quiet", "DEBIAN/md5sums"], &folder.join("raw"));
    let unit = fs::read_to_string(folder.join("raw/usr/lib/systemd/system/coffer.service")).unwrap();
    assert!(unit.contains("ExecStart=/usr/bin/coffer serve"), "{unit}");
    let settings = fs::metadata(folder.join("raw/etc/coffer/coffer.env")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&settings.permissions()) & 0o777, 0o600);
}
