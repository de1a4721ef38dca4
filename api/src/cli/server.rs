//! Asking a running server for something as one of its admins.

use anyhow::{Result, bail};
use clap::Args;
use common::{Call, Endpoint, Problem, endpoints::tokens, name::Username};
use http::{HeaderName, StatusCode, header::CONTENT_TYPE};
use reqwest::{Body, Client, Response, Url};

use super::{
    password,
    remote::{Trust, parse_server, unanswered},
};

/// Which server, and which admin of it.
#[derive(Debug, Args)]
pub(super) struct FromServer {
    /// Ask this running server for it, such as <http://127.0.0.1:8000>; an admin has to sign in.
    #[arg(long = "server", id = "server", value_name = "URL", value_parser = parse_server, requires = "user")]
    url: Option<Url>,
    /// The admin who signs in; the password is asked for.
    #[arg(long, value_name = "NAME", requires = "server")]
    user: Option<Username>,
    /// Read the password from stdin, up to the end of the line.
    #[arg(long, requires = "server")]
    password_stdin: bool,
    #[command(flatten)]
    trust: Trust,
}

/// A server that was named, and what proves the admin.
pub(super) struct Named<'a> {
    server: &'a Url,
    user: &'a Username,
    password: String,
    trust: &'a Trust,
}

/// A session of an admin.
pub(super) struct Session {
    client: Client,
    server: Url,
    access: String,
    refresh: String,
}

impl FromServer {
    /// Whether a server is asked at all.
    pub(super) fn is_named(&self) -> bool {
        self.url.is_some()
    }

    /// The server, if one was named. Asks for the password.
    pub(super) fn named(&self) -> Result<Option<Named<'_>>> {
        let (Some(server), Some(user)) = (&self.url, &self.user) else { return Ok(None) };
        let password = password::ask(self.password_stdin, &format!("Password of {user}: "))?;
        Ok(Some(Named { server, user, password, trust: &self.trust }))
    }
}

impl Named<'_> {
    /// Signs in.
    pub(super) async fn sign_in(self) -> Result<Session> {
        let Self { server, user, password, trust } = self;
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
        let mut session = Session { client, server: server.clone(), access: String::new(), refresh: String::new() };
        let pair = session.call(&call).await?;
        (session.access, session.refresh) = (pair.access, pair.refresh);
        Ok(session)
    }
}

impl Session {
    /// Sends a call and gives the answer as it comes; a refusal is an error.
    pub(super) async fn send<E: Endpoint>(&self, call: &Call<E>) -> Result<Response> {
        let (parts, body) = call.to_request().into_parts();
        let url = self.server.join(&parts.uri.to_string())?;
        let mut request = self.client.request(parts.method, url).headers(parts.headers).body(body);
        if !self.access.is_empty() {
            request = request.bearer_auth(&self.access);
        }
        request.send().await.map_err(|error| unanswered(self.server.as_str(), error))
    }

    /// Sends a call whose body is a file, with a further header.
    pub(super) async fn upload<E: Endpoint>(
        &self,
        call: &Call<E>,
        header: Option<(HeaderName, String)>,
        body: Body,
    ) -> Result<Response> {
        let (mut parts, _) = call.to_request().into_parts();
        // What the file is, the server sees.
        parts.headers.remove(CONTENT_TYPE);
        let url = self.server.join(&parts.uri.to_string())?;
        let mut request = self.client.request(parts.method, url).headers(parts.headers).body(body);
        if let Some((name, value)) = header {
            request = request.header(name, value);
        }
        let sent = request.bearer_auth(&self.access).send().await;
        sent.map_err(|error| unanswered(self.server.as_str(), error))
    }

    /// The same as [`Self::call`], with a new token where the one at hand has expired.
    pub(super) async fn call_again<E: Endpoint>(&mut self, call: &Call<E>) -> Result<E::Response> {
        let mut response = self.send(call).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            self.refresh().await?;
            response = self.send(call).await?;
        }
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(call.read(status, &headers, &response.bytes().await?)?.body)
    }

    /// Sends a call and reads the answer.
    pub(super) async fn call<E: Endpoint>(&self, call: &Call<E>) -> Result<E::Response> {
        let response = self.send(call).await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(call.read(status, &headers, &response.bytes().await?)?.body)
    }

    /// Gets new tokens: the access token lives for minutes.
    pub(super) async fn refresh(&mut self) -> Result<()> {
        let token = tokens::RefreshToken { refresh: self.refresh.clone() };
        let pair = self.call(&Call::<tokens::Refresh>::new((), token)).await?;
        (self.access, self.refresh) = (pair.access, pair.refresh);
        Ok(())
    }

    /// Ends the session. It would end by itself, later.
    pub(super) async fn sign_out(self) {
        let _ = self
            .send(&Call::<tokens::Blacklist>::new((), tokens::RefreshToken { refresh: self.refresh.clone() }))
            .await;
    }

    /// The error of an answer that is a refusal.
    pub(super) async fn refused(&self, response: Response) -> anyhow::Error {
        let status = response.status();
        let problem = response.bytes().await.ok().and_then(|body| serde_json::from_slice::<Problem>(&body).ok());
        let told = problem.map_or("it may not be a Coffer".to_owned(), |problem| problem.detail);
        anyhow::anyhow!("{} refuses ({status}): {told}", self.server)
    }
}
