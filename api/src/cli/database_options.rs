//! A store in a PostgreSQL database in place of one in the data directory: `--database-url` and what goes with it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use store::{DatabaseUrl, PostgresOptions};

/// What a file with a URL or a password may have.
const MAX_BYTES: u64 = 64 << 10;

/// Where the store is, if it is in a database.
#[derive(Debug, Clone, Default, Args)]
#[expect(clippy::struct_field_names, reason = "each is the name of its option")]
pub(super) struct DatabaseOptions {
    /// Keep the store in this PostgreSQL database (15 or later), which other Coffer servers may share: `postgres://USER@HOST:5432/NAME`. On the
    /// command line without a password, since others can read that.
    #[arg(
        long,
        env = "COFFER_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true,
        conflicts_with = "database_url_file"
    )]
    pub database_url: Option<String>,
    /// The same from a file, in which there may be a password.
    #[arg(long, env = "COFFER_DATABASE_URL_FILE", value_name = "FILE")]
    database_url_file: Option<PathBuf>,
    /// A file with the password for the database.
    #[arg(long, env = "COFFER_DATABASE_PASSWORD_FILE", value_name = "FILE")]
    database_password_file: Option<PathBuf>,
    /// The schema of the database that Coffer's tables are in.
    #[arg(long, env = "COFFER_DATABASE_SCHEMA", default_value = "coffer", value_name = "NAME")]
    database_schema: String,
}

fn line_of(file: &Path, option: &str) -> Result<String> {
    let read = base::file::read(file, MAX_BYTES).with_context(|| format!("cannot read {option}"))?;
    let text = String::from_utf8(read.bytes).with_context(|| format!("{option} {} is no text", file.display()))?;
    Ok(text.trim().to_owned())
}

impl DatabaseOptions {
    /// Whether the store is in a database.
    pub(super) fn is_named(&self) -> bool {
        self.database_url.is_some() || self.database_url_file.is_some()
    }

    /// How to open it; `None` where the store is in the data directory.
    pub(super) fn options(&self) -> Result<Option<PostgresOptions>> {
        let (text, option) = match (&self.database_url, &self.database_url_file) {
            (Some(url), _) => (url.clone(), "--database-url"),
            (None, Some(file)) => (line_of(file, "--database-url-file")?, "--database-url-file"),
            (None, None) if self.database_password_file.is_some() => {
                bail!("--database-password-file is given, and no --database-url")
            }
            (None, None) => return Ok(None),
        };
        let mut url: DatabaseUrl = text.parse().context(option)?;
        if let Some(file) = &self.database_password_file {
            if url.has_password() {
                bail!("{option} has a password, and --database-password-file another; give one of them");
            }
            url = url.with_password(line_of(file, "--database-password-file")?);
        }
        Ok(Some(PostgresOptions { schema: self.database_schema.clone(), ..PostgresOptions::new(url) }))
    }
}

/// What is wrong with a URL on the command line: everybody on the machine can read the arguments of a process.
pub(super) fn refused_on_command_line(url: &str) -> Option<&'static str> {
    let has_password = url.parse::<DatabaseUrl>().is_ok_and(|url| url.has_password());
    // One that cannot be read may have one too.
    let looks_so =
        url.split_once("//").and_then(|(_, rest)| rest.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':'));
    (has_password || looks_so || url.contains("password=")).then_some(
        "--database-url has a password in it, which everybody on this machine can read there; leave it out and name a file with \
         --database-password-file, or put the URL into COFFER_DATABASE_URL or a file for --database-url-file",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_refused_where_others_can_read_it() {
        for url in [
            "postgres://coffer:hunter2@db.example/coffer",
            "postgres://coffer@db.example/coffer?password=hunter2",
            "postgresql://coffer:hunter2@/coffer?sslmode=require",
            "coffer//a:hunter2@b",
        ] {
            assert!(refused_on_command_line(url).is_some_and(|told| !told.contains("hunter2")), "{url}");
        }
        for url in ["postgres://coffer@db.example:5432/coffer", "postgres://coffer@/coffer?host=/run/postgresql"] {
            assert_eq!(refused_on_command_line(url), None, "{url}");
        }
    }
}
