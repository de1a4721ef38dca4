//! `coffer init`: a folder to start a deployment from. The settings file is made of the options that `coffer serve` has, so
//! it cannot name others; the other files are templates in `init/`.

use std::{
    fmt::Write as _,
    fs::{self, OpenOptions},
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use clap::{Args, Command};

use super::{open::make_private, serve::Serve};

/// Where the folder is to be.
#[derive(Debug, Args)]
pub(super) struct Init {
    /// The folder to write. It is made if it is not there; no file that is there is touched.
    #[arg(value_name = "DIR")]
    dir: PathBuf,
}

/// The files beside the settings, as they are but for `{{dir}}` and `{{program}}`.
const FILES: [(&str, &str); 13] = [
    ("compose.yaml", include_str!("init/compose.yaml")),
    ("coffer.service", include_str!("init/coffer.service")),
    ("coffer.socket", include_str!("init/coffer.socket")),
    ("coffer-backup.service", include_str!("init/coffer-backup.service")),
    ("coffer-backup.timer", include_str!("init/coffer-backup.timer")),
    ("tls.conf", include_str!("init/tls.conf")),
    ("several.conf", include_str!("init/several.conf")),
    ("certbot-deploy.sh", include_str!("init/certbot-deploy.sh")),
    ("prometheus.yml", include_str!("init/prometheus.yml")),
    ("coffer.rules.yml", include_str!("init/coffer.rules.yml")),
    ("nginx.conf", include_str!("init/nginx.conf")),
    ("Caddyfile", include_str!("init/Caddyfile")),
    ("migrations/README.md", include_str!("init/migrations.md")),
];
const SETTINGS: &str = "coffer.env";
const MIGRATIONS: &str = "migrations";

/// Where programs are put that no package manager brought.
const INSTALLED: &str = "/usr/local/bin/coffer";

const WIDTH: usize = 100;

impl Init {
    /// Writes the folder.
    pub(super) fn run(self) -> Result<()> {
        let dir = &self.dir;
        let mut files = vec![(SETTINGS, settings(&Serve::augment_args(Command::new("serve"))))];
        if !dir.exists() {
            make_private(dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
        }
        let dir = fs::canonicalize(dir).with_context(|| format!("cannot use the folder {}", dir.display()))?;
        let place =
            dir.to_str().context("the folder's path has to be UTF-8, since it is written into the unit file")?;
        let program = program()?;
        let filled = |template: &str| template.replace("{{dir}}", place).replace("{{program}}", &program.unit);
        files.extend(FILES.map(|(name, template)| (name, filled(template))));
        if let Some((name, _)) = files.iter().find(|(name, _)| dir.join(name).exists()) {
            bail!("{} is there already, so nothing was written; name another folder", dir.join(name).display());
        }
        if !dir.join(MIGRATIONS).exists() {
            make_private(&dir.join(MIGRATIONS)).context("cannot make the folder of migrations")?;
        }
        for (name, content) in &files {
            write_new(&dir.join(name), content)
                .with_context(|| format!("cannot write {}", dir.join(name).display()))?;
        }
        print!("{}", next(place, &program));
        Ok(())
    }
}

fn write_new(path: &Path, content: &str) -> std::io::Result<()> {
    // Settings may come to hold secrets, so the folder's files are their owner's alone.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

/// Every option of the server with its explanation and what it is when nothing is said, commented out.
fn settings(serve: &Command) -> String {
    let mut text = String::from(
        "# Coffer's settings. Take the `#` away in front of a name to change what it says.\n\
         # Read by systemd (coffer.service), by compose.yaml, and in a shell by: set -a; . ./coffer.env; set +a; coffer serve\n",
    );
    for argument in serve.get_arguments() {
        let (Some(name), Some(help)) = (argument.get_env(), argument.get_help()) else { continue };
        text.push('\n');
        let help = help.to_string();
        let mut line = String::from("#");
        // Help texts lose their last full stop on the way.
        for word in format!("{}.", help.trim_end_matches('.')).split_whitespace() {
            if line.len() + word.len() >= WIDTH {
                let _ = writeln!(text, "{line}");
                line.truncate(1);
            }
            let _ = write!(line, " {word}");
        }
        let is_switch = !argument.get_action().takes_values();
        let default: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        let value = if is_switch { "true".into() } else { default.join(",") };
        let _ = writeln!(text, "{line}\n#{}={value}", name.to_string_lossy());
    }
    text
}

/// Where this program is, and where the unit files find it.
struct Program {
    here: PathBuf,
    unit: String,
}

/// A program in a folder for all users is used where it is. Another, such as one in somebody's home, which the unit file closes, is copied first.
fn program() -> Result<Program> {
    let here = std::env::current_exe()?;
    let stays = ["/usr/", "/opt/"].iter().any(|folder| here.starts_with(folder));
    let unit = here.to_str().filter(|path| stays && !path.contains(|c: char| c.is_whitespace() || c == '%'));
    let unit = unit.unwrap_or(INSTALLED).to_owned();
    Ok(Program { here, unit })
}

/// What to do with the folder.
fn next(place: &str, program: &Program) -> String {
    let install = if Path::new(&program.unit) == program.here {
        String::new()
    } else {
        format!("    sudo install -m 755 {} {}\n", program.here.display(), program.unit)
    };
    format!(
        "{place} holds a start:\n\
         \n  \
           coffer.env                     every setting, explained\n  \
           coffer.service, coffer.socket  for systemd\n  \
           coffer-backup.service, .timer  a backup each night, for systemd\n  \
           tls.conf, certbot-deploy.sh    certbot's certificate, where Coffer is to do TLS itself\n  \
           several.conf                   a store in PostgreSQL, shared with other servers\n  \
           prometheus.yml                 what Prometheus asks; coffer.rules.yml has alerts\n  \
           compose.yaml                   for containers\n  \
           nginx.conf, Caddyfile          a TLS proxy in front, where Coffer is not to do TLS itself\n  \
           migrations                     changes of collections as files, for version control\n\
         \nWith systemd:\n\
         \n{install}    \
             sudo useradd --system --home-dir /var/lib/coffer --shell /usr/sbin/nologin coffer\n    \
             sudo systemctl enable --now {place}/coffer.service {place}/coffer.socket\n    \
             sudo systemctl link {place}/coffer-backup.service {place}/coffer-backup.timer\n    \
             sudo systemctl enable --now coffer-backup.timer\n    \
             sudo journalctl -u coffer        # shows the link that makes the first admin\n\
         \nWith containers: docker compose up -d, in the folder. Here and now: coffer serve\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Args)]
    struct Options {
        /// How long a thing takes that takes so long that its explanation does not fit on one line, whatever one does about it.
        #[arg(long, env = "COFFER_TIME", default_value = "5m")]
        time: String,
        /// A switch.
        #[arg(long, env = "COFFER_SWITCH")]
        switch: bool,
        /// Not to be kept.
        #[arg(long)]
        once: bool,
    }

    #[test]
    fn settings_are_explained_and_say_what_holds_anyway() {
        let text = settings(&Options::augment_args(Command::new("serve")));
        let lines: Vec<&str> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "# How long a thing takes that takes so long that its explanation does not fit on one line, whatever",
                "# one does about it.",
                "#COFFER_TIME=5m",
                "",
                "# A switch.",
                "#COFFER_SWITCH=true",
            ]
        );
    }
}
