//! Asking a running server: with the session that was kept, or as somebody who signs in for one command.

use anyhow::{Result, anyhow, bail};
use bytes::Bytes;
use clap::Args;
use coffer_client::{
    Answer, Client, Failure,
    client::{EventPieces, Pieces},
    profile::{self, Target},
    session::SessionFile,
};
use common::{Call, Endpoint, Reply, endpoints::tokens, event::EventQuery, name::Username, variables};

use super::{
    failed::Failed,
    password,
    remote::{Trust, parse_server},
};

/// What the command calls itself.
const AGENT: &str = concat!("coffer/", env!("CARGO_PKG_VERSION"));

/// Which server, if one is asked at all, and who asks.
#[derive(Debug, Args)]
pub(super) struct FromServer {
    /// Ask this running server for it: its address, such as <http://127.0.0.1:8000>, or a profile's name.
    #[arg(long = "server", id = "server", value_name = "URL", value_parser = parse_server)]
    target: Option<Target>,
    /// Who signs in for this command; the password is asked for. Without it, who used `coffer sign-in`.
    #[arg(long, value_name = "NAME", requires = "server")]
    user: Option<Username>,
    /// Read the password from stdin, up to the end of the line.
    #[arg(long, requires = "user")]
    password_stdin: bool,
    #[command(flatten)]
    trust: Trust,
}

/// Which server, and who asks.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// The running server: its address, or a profile's name. Without it the profile called default, or <http://127.0.0.1:8000>.
    #[arg(long = "server", id = "server", value_name = "URL", value_parser = parse_server, env = variables::SERVER)]
    pub(super) target: Option<Target>,
    /// Who signs in for this command; the password is asked for. Without it, who used `coffer sign-in`.
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<Username>,
    /// Read the password from stdin, up to the end of the line.
    #[arg(long)]
    pub(super) password_stdin: bool,
    #[command(flatten)]
    pub(super) trust: Trust,
}

/// A server that was named, and who asks.
pub(super) struct Named<'a> {
    target: Target,
    /// Who signs in for this command, with the password.
    credentials: Option<(&'a Username, String)>,
    trust: &'a Trust,
}

/// A server that answers to somebody, or to anyone.
pub(super) struct Session {
    client: Client,
    /// It was begun for this command.
    is_own: bool,
}

impl FromServer {
    /// Whether a server is asked at all.
    pub(super) fn is_named(&self) -> bool {
        self.target.is_some()
    }

    /// The server, if one was named. Asks for the password.
    pub(super) fn named(&self) -> Result<Option<Named<'_>>> {
        let Some(target) = self.target.clone() else { return Ok(None) };
        Named::new(target, self.user.as_ref(), self.password_stdin, &self.trust).map(Some)
    }
}

impl Asked {
    /// The server that is meant.
    pub(super) fn target(&self) -> Result<Target> {
        Ok(self.target.clone().map_or_else(profile::usual, Ok)?)
    }

    /// The server. Asks for the password.
    pub(super) fn named(&self) -> Result<Named<'_>> {
        if self.password_stdin && self.user.is_none() {
            bail!(Failed::Usage("say whose password it is: --user NAME".to_owned()));
        }
        Named::new(self.target()?, self.user.as_ref(), self.password_stdin, &self.trust)
    }
}

impl<'a> Named<'a> {
    fn new(target: Target, user: Option<&'a Username>, from_stdin: bool, trust: &'a Trust) -> Result<Self> {
        let credentials = match user {
            Some(user) => Some((user, password::ask(from_stdin, &format!("Password of {user}: "))?)),
            None => None,
        };
        Ok(Self { target, credentials, trust })
    }

    /// Signs in, where somebody was named.
    pub(super) async fn sign_in(self) -> Result<Session> {
        let Self { target, credentials, trust } = self;
        let file = if credentials.is_none() { SessionFile::for_server(&target.server) } else { None };
        let client = client(&target, file, trust)?;
        let Some((user, password)) = credentials else {
            return Ok(Session { client: client.open_to_anyone(), is_own: false });
        };
        sign_in(&client, user, password).await?;
        Ok(Session { client, is_own: true })
    }
}

/// A client of this server.
pub(super) fn client(target: &Target, file: Option<SessionFile>, trust: &Trust) -> Result<Client> {
    let trusted = trust.certificates(Some(target))?;
    let client = Client::new(target.server.clone(), file, trusted.as_deref());
    Ok(client.map_err(|error| Failed::of_call(&target.server, &error))?.named(AGENT))
}

/// Signs in, where the password cannot be read on its way.
pub(super) async fn sign_in(client: &Client, user: &Username, password: String) -> Result<()> {
    let server = client.server();
    if !server.is_encrypted() && !server.is_loopback() {
        bail!(
            "{server} would carry the password in plain text; use its https address, or run this where the server runs"
        );
    }
    let credentials = tokens::Credentials { username: user.to_string(), password };
    client.sign_in(credentials).await.map_err(|error| Failed::of_call(server, &error))?;
    Ok(())
}

impl Session {
    fn told<T>(&self, answer: Answer<T>) -> Result<T> {
        answer.map_err(|failure| anyhow!(Failed::of(self.client.server(), failure)))
    }

    /// Sends a call and gives the answer as it comes; a refusal is an error.
    pub(super) async fn send<E: Endpoint>(&self, call: &Call<E>) -> Result<Pieces> {
        self.told(self.client.open(call).await)
    }

    /// Sends a call whose body is a file, under a key where it is to be taken once. A refusal of the file is an answer.
    pub(super) async fn upload<E: Endpoint>(
        &self,
        call: &Call<E>,
        key: Option<String>,
        file: impl Iterator<Item = std::io::Result<Bytes>> + Send + Sync + 'static,
    ) -> Result<Pieces> {
        self.told(self.client.upload(call, key, file).await)
    }

    /// Opens a stream of events.
    pub(super) async fn follow(&self, query: EventQuery) -> Answer<EventPieces> {
        self.client.follow(query).await
    }

    /// What a failure means, for people.
    pub(super) fn failed(&self, failure: Failure) -> anyhow::Error {
        Failed::of(self.client.server(), failure).into()
    }

    /// Sends a call and reads the answer.
    pub(super) async fn call<E: Endpoint>(&self, call: &Call<E>) -> Result<E::Response> {
        self.told(self.client.send(call).await)
    }

    /// The same, with what the answer's headers say.
    pub(super) async fn reply<E: Endpoint>(&self, call: &Call<E>) -> Result<Reply<E::Response>> {
        self.told(self.client.reply(call).await)
    }

    /// Ends a session that was begun for this command. It would end by itself, later.
    pub(super) async fn sign_out(self) {
        if self.is_own {
            let _ = self.client.sign_out().await;
        }
        self.client.settle().await;
    }
}
