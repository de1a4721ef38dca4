//! A server that came out of a package: started, asked, stopped. It speaks HTTP/1.0 by hand, since a bare system has no client for it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

const USER: &str = "ada";
const PASSWORD: &str = "seven otters mend a kite";
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who asks a server.
pub(super) struct Client {
    /// Its address and port.
    pub(super) address: String,
    /// For the first admin, where there is none.
    pub(super) code: Option<String>,
}

/// A running server.
pub(super) struct Server {
    process: Child,
    pub(super) client: Client,
}

impl Server {
    /// Starts a command that becomes the server, and reads where it listens; and the code in its link, where there is no admin yet.
    pub(super) fn start(command: &mut Command, is_new: bool) -> Result<Self> {
        command.env("COFFER_LOG_LEVEL", "warn");
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("cannot start a server")?;
        let said = BufReader::new(process.stdout.take().context("no pipe")?);
        let mut server = Self { process, client: Client { address: String::new(), code: None } };
        for line in said.lines() {
            let line = line?;
            if let Some((_, address)) = line.split_once("listens on http://") {
                address.clone_into(&mut server.client.address);
            }
            server.client.code = line.split_once("/setup?code=").map(|(_, code)| code.to_owned());
            if server.client.code.is_some() == is_new && !server.client.address.is_empty() {
                return Ok(server);
            }
        }
        bail!("the server ended with {}", server.process.wait()?)
    }

    /// Has it end as systemd does, and waits.
    pub(super) fn stop(mut self) -> Result<()> {
        crate::step::run(Command::new("kill").arg(self.process.id().to_string()))?;
        let ended = self.process.wait()?;
        if !ended.success() {
            bail!("the server ended with {ended}");
        }
        Ok(())
    }
}

impl Client {
    /// Makes the first admin, a collection, and a record in it.
    pub(super) fn make_first_record(&self) -> Result<()> {
        let code = self.code.as_ref().context("the server printed no link")?;
        let admin = json!({"code": code, "username": USER, "password": PASSWORD});
        self.due("POST", "/api/setup/", None, Some(&admin), 201)?;
        let token = self.sign_in()?;
        let collection = json!({"name": "words", "fields": [{"name": "word", "type": "text"}]});
        self.due("POST", "/api/collections/", Some(&token), Some(&collection), 201)?;
        self.due("POST", "/api/records/words/", Some(&token), Some(&json!({"word": "fond"})), 201)?;
        Ok(())
    }

    /// Fails where the record is gone.
    pub(super) fn expect_record(&self) -> Result<()> {
        let token = self.sign_in()?;
        let page = self.due("GET", "/api/records/words/", Some(&token), None, 200)?;
        if page["results"][0]["word"] != "fond" {
            bail!("the record is gone: {page}");
        }
        Ok(())
    }

    /// Fails where the web app is not served.
    pub(super) fn expect_web_app(&self) -> Result<()> {
        let (status, _, body) = self.exchange("GET", "/", None, None)?;
        if status != 200 || !body.contains(".wasm") {
            bail!("there is no web app: {status} {body}");
        }
        Ok(())
    }

    fn sign_in(&self) -> Result<String> {
        let pair =
            self.due("POST", "/api/token/", None, Some(&json!({"username": USER, "password": PASSWORD})), 200)?;
        Ok(pair["access"].as_str().context("no token")?.to_owned())
    }

    /// An answer, which has to have this status.
    fn due(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>, due: u16) -> Result<Value> {
        let (status, answer) = self.ask(method, path, token, body)?;
        if status != due {
            bail!("{method} {path} is answered {status}: {answer}");
        }
        Ok(answer)
    }

    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Result<(u16, Value)> {
        let (status, head, body) = self.exchange(method, path, token, body)?;
        let answer =
            serde_json::from_str(&body).with_context(|| format!("{method} {path} is answered\n{head}\n{body}"))?;
        Ok((status, answer))
    }

    /// Status, head and body of an answer.
    fn exchange(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<(u16, String, String)> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.address).with_context(|| format!("{} is closed", self.address))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nAccept: text/html, application/json\r\n{token}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len(),
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").context("the answer has no head")?;
        let status =
            head.split(' ').nth(1).and_then(|status| status.parse().ok()).context("the answer has no status")?;
        Ok((status, head.to_owned(), body.to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
