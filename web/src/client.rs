//! The one way to the server. It sends the calls that `common` writes and hands back what `common` reads, and holds the access
//! token (in memory, nowhere else). When that is renewed, `common::renewal` says.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use common::{
    Access, Call, CallError, Endpoint, Reply,
    endpoint::own_address,
    endpoints::{
        events,
        sessions::{self, BrowserSession},
        tokens::Credentials,
    },
    event::{EventId, EventQuery},
    id::UserId,
    import::once::KEY,
    renewal::{AccessToken, Attempt, Next, Outcome, Renewal},
    rows::RowFormat,
    user::User,
};
use futures_util::future::{FutureExt, LocalBoxFuture};
use gloo_net::http::RequestBuilder;
use http::{HeaderValue, Method, StatusCode};
use js_sys::{Promise, Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise, spawn_local};
use web_sys::{AbortSignal, Blob, File, ReadableStreamDefaultReader, RequestCache};
use yew::Callback;

use crate::{
    early::{self, Answer},
    session::SessionEvent,
    tabs::{self, Channel, Mark, TabMessage},
    words,
};

/// Cheap to clone; all clones are one client.
#[derive(Clone)]
pub(crate) struct Client(Rc<Inner>);

struct Inner {
    renewal: RefCell<Renewal<UserId>>,
    /// The renewal that is under way. All requests that need one wait for the same.
    under_way: RefCell<Option<Promise>>,
    /// How the last renewal went.
    outcome: RefCell<Result<(), CallError>>,
    events: Callback<SessionEvent>,
    channel: RefCell<Option<Channel>>,
    /// A session began in this page.
    has_begun: Cell<bool>,
}

/// Something that is being sent, and whether it went well.
pub(crate) type Sent = LocalBoxFuture<'static, Result<(), CallError>>;

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Client {
    /// A client that tells what happens to the session.
    pub(crate) fn new(events: Callback<SessionEvent>) -> Self {
        Self(Rc::new(Inner {
            renewal: RefCell::default(),
            under_way: RefCell::default(),
            outcome: RefCell::new(Ok(())),
            events,
            channel: RefCell::default(),
            has_begun: Cell::default(),
        }))
    }

    /// Finds out whether there is a session, and listens to the other tabs from now on.
    pub(crate) fn start(&self) {
        let client = self.clone();
        let channel = Channel::open(move |news| match news {
            // The mark may not have come to this tab yet.
            TabMessage::SignedIn => client.take_session(),
            TabMessage::SignedOut => client.forget(SessionEvent::Ended),
        });
        *self.0.channel.borrow_mut() = Some(channel);
        self.restore();
    }

    /// Asks once more after the server could not be asked.
    pub(crate) fn restart(&self) {
        self.0.events.emit(SessionEvent::Restarted);
        self.restore();
    }

    /// Asks the server for a session by the cookie.
    pub(crate) fn restore(&self) {
        let client = self.clone();
        let mark = tabs::mark();
        if mark != Mark::Session {
            self.0.events.emit(SessionEvent::Ended);
        }
        match mark {
            Mark::Nothing => {}
            Mark::SignOut => spawn_local(async move { client.make_up_for_sign_out().await }),
            Mark::Session => self.take_session(),
        }
    }

    /// Asks the server for a session by the cookie, whatever this tab remembers.
    fn take_session(&self) {
        let client = self.clone();
        spawn_local(async move {
            match client.renew().await {
                Err(error) if error.status() != 401 => client.0.events.emit(SessionEvent::Failed(error)),
                _ => {}
            }
        });
    }

    /// Signs in with a name and a password.
    pub(crate) async fn sign_in(&self, credentials: Credentials) -> Result<(), CallError> {
        let (asked_at, session) = {
            let _lock = tabs::lock_session().await;
            (now(), self.send(Call::<sessions::SignIn>::new((), credentials)).await?.body)
        };
        let (token, user) = split(session, asked_at);
        self.0.renewal.borrow_mut().begin(token);
        self.began(user);
        self.tell(TabMessage::SignedIn);
        Ok(())
    }

    /// Tells the server that somebody signed out when it could not be reached: the cookie, which cannot be seen from
    /// here, goes only by its answer.
    async fn make_up_for_sign_out(&self) {
        let _lock = tabs::lock_session().await;
        // Somebody may have signed in while others held the lock.
        if tabs::mark() == Mark::SignOut && is_over(&self.send(Call::<sessions::SignOut>::new((), ())).await) {
            tabs::set_mark(Mark::Nothing);
        }
    }

    /// Takes note of what the user is now, where it is the one who is signed in.
    pub(crate) fn know(&self, user: User) {
        if self.user() == Some(user.id) {
            self.0.events.emit(SessionEvent::Began(user.into()));
        }
    }

    /// Signs out. Whatever the server says, nothing of the session is left here: it goes first, so that nothing is asked for with it while it ends.
    pub(crate) async fn sign_out(&self) -> Result<(), CallError> {
        let outcome = {
            let _lock = tabs::lock_session().await;
            self.forget(SessionEvent::Ended);
            tabs::set_mark(Mark::SignOut);
            let outcome = self.send(Call::<sessions::SignOut>::new((), ())).await;
            if is_over(&outcome) {
                tabs::set_mark(Mark::Nothing);
            }
            outcome
        };
        self.tell(TabMessage::SignedOut);
        if is_over(&outcome) { Ok(()) } else { outcome.map(drop) }
    }

    /// Calls an endpoint.
    pub(crate) async fn send<E: Endpoint>(&self, call: Call<E>) -> Result<Reply<E::Response>, CallError> {
        let answer = self.exchange(call.to_request(), E::ACCESS, None).await?;
        call.read(answer.status, &answer.headers, &answer.body)
    }

    /// Calls an endpoint that takes a file as it is. It is read by the browser while it is sent. `key`: what is asked under it is done once.
    pub(crate) async fn upload<E: Endpoint>(
        &self,
        call: Call<E>,
        file: &Blob,
        key: Option<String>,
    ) -> Result<Reply<E::Response>, CallError> {
        let mut request = call.to_request();
        if let Some(Ok(key)) = key.map(HeaderValue::try_from) {
            request.headers_mut().insert(KEY, key);
        }
        let answer = self.exchange(request, E::ACCESS, Some(file)).await?;
        call.read(answer.status, &answer.headers, &answer.body)
    }

    /// Calls an endpoint that answers with a file, which the browser keeps.
    pub(crate) async fn download<E: Endpoint>(&self, call: &Call<E>) -> Result<Blob, CallError> {
        let unreachable = || CallError::Unreachable(words::NO_ANSWER.to_owned());
        let Some(user) = self.user() else { return Err(unreachable()) };
        let mut refused: Option<String> = None;
        loop {
            let token = self.token(user, refused.as_deref()).await?.unwrap_or_default();
            let request = RequestBuilder::new(&own_address(&call.path_and_query()))
                .header("accept", "*/*, application/problem+json")
                .header("authorization", &format!("Bearer {token}"));
            let response = request.send().await.map_err(|_| unreachable())?;
            if response.status() == 401 && refused.is_none() {
                refused = Some(token);
                continue;
            }
            let status = StatusCode::from_u16(response.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if status.is_success() {
                let blob = web_sys::Response::from(response).blob().map_err(|_| unreachable())?;
                return JsFuture::from(blob).await.ok().and_then(|blob| blob.dyn_into().ok()).ok_or_else(unreachable);
            }
            let body = response.binary().await.map_err(|_| unreachable())?;
            return match call.read(status, &http::HeaderMap::new(), &body) {
                Err(error) => Err(error),
                Ok(_) => Err(CallError::Unreadable(status)),
            };
        }
    }

    /// Sends any request to this server, to the address as it stands, as who is signed in or as nobody, and gives the answer as it came,
    /// of its body `most` bytes.
    pub(crate) async fn any(&self, asked: &AnyRequest, most: usize) -> Result<AnyAnswer, CallError> {
        let unreachable = || CallError::Unreachable(words::NO_ANSWER.to_owned());
        // The token goes nowhere else, whatever was typed.
        let origin = web_sys::window().and_then(|window| window.location().origin().ok()).unwrap_or_default();
        if !asked.address.starts_with('/') {
            return Err(CallError::Unreachable(words::explorer::NO_PATH.to_owned()));
        }
        let user = self.user().filter(|_| !asked.is_nobodys);
        let mut refused: Option<String> = None;
        loop {
            let token = match user {
                Some(user) => self.token(user, refused.as_deref()).await?,
                None => None,
            };
            let mut request = RequestBuilder::new(&format!("{origin}{}", asked.address))
                .method(asked.method.clone())
                .header("accept", "application/json")
                .cache(RequestCache::NoStore);
            if let Some(token) = &token {
                request = request.header("authorization", &format!("Bearer {token}"));
            }
            let request = if asked.body.is_empty() {
                request.build()
            } else {
                request.header("content-type", "application/json").body(asked.body.as_str())
            };
            let began = now();
            let response = request.map_err(|_| unreachable())?.send().await.map_err(|_| unreachable())?;
            if response.status() == 401 && refused.is_none() && token.is_some() {
                refused = token;
                continue;
            }
            let (status, reason) = (response.status(), response.status_text());
            let headers = response.headers().entries().collect();
            let kind = response.headers().get("content-type").unwrap_or_default();
            let reader = response.body().map(|body| EventReader(body.get_reader().unchecked_into()));
            let (body, rest) = read_shown(reader, &kind, most).await;
            return Ok(AnyAnswer { status, reason, headers, body, rest, took: now().saturating_sub(began) });
        }
    }

    async fn exchange(
        &self,
        request: http::Request<Vec<u8>>,
        access: Access,
        file: Option<&Blob>,
    ) -> Result<Answer, CallError> {
        let Some(user) = self.user().filter(|_| access.takes_token()) else {
            return transport(&request, None, file).await;
        };
        let token = self.token(user, None).await?;
        let answer = transport(&request, token.as_deref(), file).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        match self.token(user, token.as_deref()).await {
            Ok(Some(new)) => transport(&request, Some(&new), file).await,
            Err(error) if error.status() != 401 => Err(error),
            _ => Ok(answer),
        }
    }

    /// Opens the stream of what others change, after `since` where that is known. An error has the status of the answer, where there was one.
    pub(crate) async fn events(
        &self,
        since: Option<EventId>,
        signal: &AbortSignal,
    ) -> Result<EventReader, Option<u16>> {
        let Some(user) = self.user() else { return Err(Some(401)) };
        let query = EventQuery { since, ..EventQuery::default() };
        let path = Call::<events::Stream>::new((), ()).query(query).path_and_query();
        let mut refused: Option<String> = None;
        loop {
            let token = self.token(user, refused.as_deref()).await.map_err(|_| None)?.ok_or(Some(401))?;
            let request = RequestBuilder::new(&own_address(&path)).header("authorization", &format!("Bearer {token}"));
            let response = request.abort_signal(Some(signal)).send().await.map_err(|_| None)?;
            match response.status() {
                200 => {
                    let body = response.body().ok_or(None)?;
                    return Ok(EventReader(body.get_reader().unchecked_into()));
                }
                401 if refused.is_none() => refused = Some(token),
                status => return Err(Some(status)),
            }
        }
    }

    /// What an address answers now, as text, for who looks at the API.
    pub(crate) async fn look(&self, path: &str) -> String {
        let Some(user) = self.user() else { return words::NO_ANSWER.to_owned() };
        let token = self.token(user, None).await.ok().flatten().unwrap_or_default();
        let request = RequestBuilder::new(path).header("authorization", &format!("Bearer {token}"));
        let Ok(response) = request.send().await else { return words::NO_ANSWER.to_owned() };
        let status = response.status();
        let body = response.binary().await.unwrap_or_default();
        let text = match serde_json::from_slice::<serde_json::Value>(&body) {
            Ok(value) => serde_json::to_string_pretty(&value).unwrap_or_default(),
            Err(_) => String::from_utf8_lossy(&body).into_owned(),
        };
        format!("{status}\n{text}")
    }

    /// The user's own access token, for who wants to have it explained.
    pub(crate) async fn own_token(&self) -> Option<String> {
        self.token(self.user()?, None).await.ok().flatten()
    }

    fn user(&self) -> Option<UserId> {
        self.0.renewal.borrow().token().map(|token| token.user)
    }

    /// A token for a request of this user, renewed if it is time; `refused` is the one that the server has just refused. `None`
    /// where the user is signed in no more.
    async fn token(&self, user: UserId, refused: Option<&str>) -> Result<Option<String>, CallError> {
        let next = self.0.renewal.borrow_mut().next(now(), refused);
        let outcome = match next {
            Next::Send(_) | Next::SignedOut => Ok(()),
            next => self.follow(next).await,
        };
        match self.0.renewal.borrow().usable(now(), &user, refused) {
            Some(token) => Ok(Some(token)),
            None => outcome.map(|()| None),
        }
    }

    /// Trades the cookie for a new access token, whether or not there is one.
    async fn renew(&self) -> Result<(), CallError> {
        let next = self.0.renewal.borrow_mut().renew(now());
        self.follow(next).await
    }

    /// Renews, or waits for the renewal that is under way; one at a time, in this tab and among all.
    async fn follow(&self, next: Next) -> Result<(), CallError> {
        if let Next::Renew(attempt) = next {
            let client = self.clone();
            // A promise goes on also when the page that waits for it is left.
            let renewal = async move {
                let outcome = client.trade(attempt).await;
                *client.0.outcome.borrow_mut() = outcome;
                Ok(JsValue::UNDEFINED)
            };
            *self.0.under_way.borrow_mut() = Some(future_to_promise(renewal.boxed_local()));
        }
        let under_way = self.0.under_way.borrow().clone();
        if let Some(renewal) = under_way {
            // How it went is told beside it.
            let _ = JsFuture::from(renewal).await;
        }
        self.0.outcome.borrow().clone()
    }

    async fn trade(&self, attempt: Attempt) -> Result<(), CallError> {
        let answer = {
            let _lock = tabs::lock_session().await;
            self.send(Call::<sessions::Refresh>::new((), ())).await
        };
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // since 1970
        let asked_at = early::asked_at().map_or(attempt.began_at, |at| at as u64);
        let finish = |outcome| self.0.renewal.borrow_mut().finish(attempt, outcome);
        match answer {
            Ok(session) => {
                let (token, user) = split(session.body, asked_at);
                if finish(Outcome::Renewed(token)) {
                    self.began(user);
                }
                Ok(())
            }
            Err(error) => {
                let outcome = Outcome::of_error(&error);
                let is_over = matches!(outcome, Outcome::Over);
                if finish(outcome) && is_over {
                    self.forget(SessionEvent::Lost);
                }
                Err(error)
            }
        }
    }

    fn began(&self, user: User) {
        tabs::set_mark(Mark::Session);
        self.0.has_begun.set(true);
        self.0.events.emit(SessionEvent::Began(user.into()));
    }

    fn forget(&self, event: SessionEvent) {
        self.0.renewal.borrow_mut().end();
        // Where the page stays, with sign-in over it, the mark does too: loaded again, the page says once more that the session has ended.
        let page_stays = matches!(event, SessionEvent::Lost) && self.0.has_begun.get();
        if tabs::mark() == Mark::Session && !page_stays {
            tabs::set_mark(Mark::Nothing);
        }
        self.0.has_begun.set(page_stays);
        self.0.events.emit(event);
    }

    fn tell(&self, news: TabMessage) {
        if let Some(channel) = &*self.0.channel.borrow() {
            channel.tell(news);
        }
    }
}

/// A request to any address of this server.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AnyRequest {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) address: String,
    /// JSON, or nothing.
    pub(crate) body: String,
    /// It is sent without a token.
    pub(crate) is_nobodys: bool,
}

/// What came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AnyAnswer {
    pub(crate) status: u16,
    /// What stands behind it; nothing over HTTP/2.
    pub(crate) reason: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    pub(crate) rest: Rest,
    /// Milliseconds.
    pub(crate) took: u64,
}

/// What of an answer's body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    Nothing,
    /// All of it: a file, or a stream that does not end.
    All,
    /// What is more than is shown.
    Tail,
}

/// A body that is text, as far as it is shown. What is not read any more is given up, so that it is not sent either.
async fn read_shown(reader: Option<EventReader>, kind: &str, most: usize) -> (String, Rest) {
    let Some(reader) = reader else { return (String::new(), Rest::Nothing) };
    let kind = kind.to_ascii_lowercase();
    let is_text = kind.is_empty() || kind.contains("json") || kind.starts_with("text/");
    let mut bytes = Vec::new();
    if is_text && !kind.starts_with("text/event-stream") {
        while let Some(more) = reader.next().await {
            bytes.extend(more);
            if bytes.len() > most {
                break;
            }
        }
        if bytes.len() <= most {
            return (String::from_utf8_lossy(&bytes).into_owned(), Rest::Nothing);
        }
    }
    let _ = JsFuture::from(reader.0.cancel()).await;
    let rest = if bytes.is_empty() { Rest::All } else { Rest::Tail };
    bytes.truncate(most);
    (String::from_utf8_lossy(&bytes).into_owned(), rest)
}

/// A stream as its bytes come.
pub(crate) struct EventReader(ReadableStreamDefaultReader);

impl EventReader {
    /// The next bytes; `None` at the end, and where the connection broke.
    pub(crate) fn next(&self) -> LocalBoxFuture<'static, Option<Vec<u8>>> {
        let read = JsFuture::from(self.0.read());
        let next = async move {
            let read = read.await.ok()?;
            let value = Reflect::get(&read, &"value".into()).ok()?;
            Some(value.dyn_into::<Uint8Array>().ok()?.to_vec())
        };
        next.boxed_local()
    }
}

/// Milliseconds on the browser's clock.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // since 1970
pub(crate) fn now() -> u64 {
    js_sys::Date::now() as u64
}

/// What a file says that it is. The server looks for itself, but takes no other types.
pub(crate) fn media_type(file: &Blob) -> String {
    let name = file.dyn_ref::<File>().map(File::name).unwrap_or_default().to_lowercase();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    let word = ending.map_or("csv", |ending| if ending == "txt" { "csv" } else { ending });
    word.parse().unwrap_or(RowFormat::Csv).media_type().to_owned()
}

fn split(session: BrowserSession, asked_at: u64) -> (AccessToken<UserId>, User) {
    (AccessToken::new(session.access, session.user.id, session.expires_in, asked_at), session.user)
}

/// After this there is no session any more.
fn is_over<T>(sign_out: &Result<T, CallError>) -> bool {
    sign_out.as_ref().err().is_none_or(|error| error.status() == 401)
}

async fn transport(
    request: &http::Request<Vec<u8>>,
    token: Option<&str>,
    file: Option<&Blob>,
) -> Result<Answer, CallError> {
    let path = request.uri().to_string();
    if let Some(answer) = early::answer(request.method(), &path).await {
        return answer.ok_or_else(|| CallError::Unreachable(words::NO_ANSWER.to_owned()));
    }
    let mut builder = RequestBuilder::new(&own_address(&path)).method(request.method().clone());
    for (name, value) in request.headers() {
        builder = builder.header(name.as_str(), value.to_str().unwrap_or_default());
    }
    if let Some(token) = token {
        builder = builder.header("authorization", &format!("Bearer {token}"));
    }
    let unreachable = |_| CallError::Unreachable(words::NO_ANSWER.to_owned());
    let request = if let Some(file) = file {
        builder.header("content-type", &media_type(file)).body(file.clone())
    } else if request.body().is_empty() {
        builder.build()
    } else {
        builder.body(Uint8Array::from(request.body().as_slice()))
    };
    let response = request.map_err(unreachable)?.send().await.map_err(unreachable)?;
    let headers = early::headers(|name| response.headers().get(name));
    let status = StatusCode::from_u16(response.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = response.binary().await.map_err(unreachable)?;
    Ok(Answer { status, headers, body })
}
