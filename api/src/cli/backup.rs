//! `coffer backup`: from the store itself while no server runs, or from a running server as one of its admins. The file
//! appears under its name when it is whole and verified, not before.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use base::Clock;
use clap::Args;
use common::{
    Call, Endpoint, Problem,
    endpoints::{backup, tokens},
    name::Username,
};
use reqwest::{Client, Response, Url, header};

use super::{
    open::{DataDir, block_on},
    password, progress,
    remote::{Trust, unanswered},
};
use crate::{
    domain::backup::{Backup as Made, Manifest, verify},
    store::OpenError,
};

/// Writes a backup: everything but sessions and signing keys. It has password hashes in it; keep it as safe as the data.
#[derive(Debug, Args)]
pub(super) struct Backup {
    /// The file to write. One that is there is replaced when the new one is whole.
    file: PathBuf,
    /// Ask this running server for it, such as <http://127.0.0.1:8000>; an admin has to sign in.
    #[arg(long, value_name = "URL", requires = "user")]
    server: Option<Url>,
    /// The admin who signs in; the password is asked for.
    #[arg(long, value_name = "NAME", requires = "server")]
    user: Option<Username>,
    /// Read the password from stdin, up to the end of the line.
    #[arg(long, requires = "server")]
    password_stdin: bool,
    #[command(flatten)]
    trust: Trust,
    #[command(flatten)]
    data: DataDir,
}

impl Backup {
    /// Does it.
    pub(super) fn run(self) -> Result<()> {
        let password = match &self.user {
            Some(user) => password::ask(self.password_stdin, &format!("Password of {user}: "))?,
            None => String::new(),
        };
        let part = with_suffix(&self.file, ".part");
        let mut out = File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
        let made = match (&self.server, &self.user) {
            (Some(server), Some(user)) => block_on(from_server(&self.trust, server, user, password, &mut out)),
            _ => block_on(from_store(&self.data, &mut out)),
        };
        let kept = made.and_then(|()| keep(&out, &part, &self.file));
        if kept.is_err() {
            let _ = fs::remove_file(&part);
        }
        let manifest = kept?;
        writeln!(
            std::io::stdout(),
            "{}: {}, everything up to revision {}. It has password hashes in it; keep it safe.",
            self.file.display(),
            common::text::count(manifest.records(), "record"),
            manifest.version
        )?;
        Ok(())
    }
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

async fn from_store(data: &DataDir, out: &mut File) -> Result<()> {
    let store = data.existing_store().await.map_err(|error| match error.downcast_ref() {
        Some(OpenError::InUse { .. }) => {
            error.context("a server runs; ask it for the backup with --server http://127.0.0.1:8000 --user NAME")
        }
        _ => error,
    })?;
    let created = common::validate::format_moment(Clock::system().now());
    let snapshot = store.snapshot().await?;
    let mut backup = Made::new(&snapshot, created);
    let bar = progress::receiving("Packing");
    while let Some(piece) = backup.next().await? {
        out.write_all(&piece)?;
        bar.inc(piece.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

async fn from_server(trust: &Trust, server: &Url, user: &Username, password: String, out: &mut File) -> Result<()> {
    let loopback =
        server.host_str().is_some_and(|host| host == "localhost" || host == "[::1]" || host.starts_with("127."));
    if server.scheme() != "https" && !loopback {
        bail!(
            "{server} would carry the password in plain text; use its https address, or run this where the server runs"
        );
    }
    let client = trust.client()?.build()?;
    let credentials = tokens::Credentials { username: user.to_string(), password };
    let call = Call::<tokens::Obtain>::new((), credentials);
    let response = send(&client, server, &call, None).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let pair = call.read(status, &headers, &response.bytes().await?)?.body;
    let taken = take(&client, server, &pair.access, out).await;
    if let Some(refresh) = pair.refresh {
        // The session would end by itself, later.
        let _ =
            send(&client, server, &Call::<tokens::Blacklist>::new((), tokens::RefreshToken { refresh }), None).await;
    }
    taken
}

async fn send<E: Endpoint>(client: &Client, server: &Url, call: &Call<E>, access: Option<&str>) -> Result<Response> {
    let (parts, body) = call.to_request().into_parts();
    let url = server.join(&parts.uri.to_string())?;
    let mut request = client.request(parts.method, url).headers(parts.headers).body(body);
    if let Some(access) = access {
        request = request.bearer_auth(access);
    }
    request.send().await.map_err(|error| unanswered(server.as_str(), error))
}

async fn take(client: &Client, server: &Url, access: &str, out: &mut File) -> Result<()> {
    let mut response = send(client, server, &Call::<backup::Get>::new((), ()), Some(access)).await?;
    if !response.status().is_success() {
        let status = response.status();
        let problem = serde_json::from_slice::<Problem>(&response.bytes().await?);
        bail!(
            "{server} refuses ({status}): {}",
            problem.map_or("it may not be a Coffer".to_owned(), |problem| problem.detail)
        );
    }
    if response.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind != "application/octet-stream") {
        bail!("{server} answered with something else than a backup; is it a Coffer of this version?");
    }
    let bar = progress::receiving("Receiving");
    while let Some(piece) = response.chunk().await.context("the server broke the backup off; try again")? {
        out.write_all(&piece)?;
        bar.inc(piece.len() as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

/// Verifies the file and gives it its name, durably.
fn keep(out: &File, part: &Path, file: &Path) -> Result<Manifest> {
    out.sync_all()?;
    let bar = progress::up_to(out.metadata()?.len(), "Verifying");
    let manifest = verify(part, &mut |bytes| bar.inc(bytes))?;
    bar.finish_and_clear();
    fs::rename(part, file).with_context(|| format!("cannot write {}", file.display()))?;
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()?;
    Ok(manifest)
}
