//! The one way to the server. It sends the calls that `common` writes and hands back what `common` reads, holds the access
//! token (in memory, nowhere else), and renews it: shortly before it runs out, and once when the server refuses it.

use std::{cell::RefCell, rc::Rc};

use common::{
    Access, Call, CallError, Endpoint, Reply,
    endpoints::{
        sessions::{self, BrowserSession},
        tokens::Credentials,
    },
    user::User,
};
use futures_util::future::{FutureExt, LocalBoxFuture, Shared};
use gloo_net::http::RequestBuilder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use wasm_bindgen_futures::spawn_local;
use yew::Callback;

use crate::{
    session::SessionEvent,
    tabs::{self, Channel, Mark, News},
};

/// Cheap to clone; all clones are one client.
#[derive(Clone)]
pub struct Client(Rc<Inner>);

struct Inner {
    token: RefCell<Option<Token>>,
    /// The renewal that is under way. Whoever needs one meanwhile waits for the same.
    renewal: RefCell<Option<Renewal>>,
    events: Callback<SessionEvent>,
    channel: RefCell<Option<Channel>>,
}

/// Something that is being sent, and whether it went well.
pub type Sent = LocalBoxFuture<'static, Result<(), CallError>>;

type Renewal = Shared<Sent>;

#[derive(Clone)]
struct Token {
    access: String,
    user: common::id::UserId,
    /// Milliseconds on the browser's clock.
    renew_at: f64,
}

impl Token {
    /// It is renewed when four fifths of its life are over.
    fn new(session: &BrowserSession) -> Self {
        #[allow(clippy::cast_precision_loss)] // seconds of a token's life
        let life = session.expires_in as f64 * 800.0;
        Self { access: session.access.clone(), user: session.user.id, renew_at: js_sys::Date::now() + life }
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

/// An answer as it came.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Client {
    /// A client that tells what happens to the session.
    pub fn new(events: Callback<SessionEvent>) -> Self {
        Self(Rc::new(Inner {
            token: RefCell::default(),
            renewal: RefCell::default(),
            events,
            channel: RefCell::default(),
        }))
    }

    /// Finds out whether there is a session, and listens to the other tabs from now on.
    pub fn start(&self) {
        let client = self.clone();
        let channel = Channel::open(move |news| match news {
            News::SignedIn => client.restore(),
            News::SignedOut => client.forget(SessionEvent::Ended),
        });
        *self.0.channel.borrow_mut() = Some(channel);
        self.restore();
    }

    /// Asks once more after the server could not be asked.
    pub fn restart(&self) {
        self.0.events.emit(SessionEvent::Restarted);
        self.restore();
    }

    /// Asks the server for a session by the cookie.
    pub fn restore(&self) {
        let client = self.clone();
        let mark = tabs::mark();
        if mark != Mark::Session {
            self.0.events.emit(SessionEvent::Ended);
        }
        spawn_local(async move {
            match mark {
                Mark::Nothing => return,
                Mark::SignOut => return client.make_up_for_sign_out().await,
                Mark::Session => {}
            }
            match client.renew().await {
                Err(error) if error.status() != 401 => client.0.events.emit(SessionEvent::Failed(error)),
                _ => {}
            }
        });
    }

    /// Signs in with a name and a password.
    pub async fn sign_in(&self, credentials: Credentials) -> Result<(), CallError> {
        let session = {
            let _turn = tabs::turn().await;
            self.send(Call::<sessions::SignIn>::new((), credentials)).await?.body
        };
        self.begin(session);
        self.tell(News::SignedIn);
        Ok(())
    }

    /// Tells the server that somebody signed out when it could not be reached: the cookie, which cannot be seen from
    /// here, goes only by its answer.
    async fn make_up_for_sign_out(&self) {
        let _turn = tabs::turn().await;
        // Somebody may have signed in while others had their turn.
        if tabs::mark() == Mark::SignOut && is_over(&self.send(Call::<sessions::SignOut>::new((), ())).await) {
            tabs::set_mark(Mark::Nothing);
        }
    }

    /// Takes note of what the user is now, where it is the one who is signed in.
    pub fn know(&self, user: User) {
        if self.token().is_some_and(|token| token.user == user.id) {
            self.0.events.emit(SessionEvent::Began(user));
        }
    }

    /// Signs out. Whatever the server says, nothing of the session is left here afterwards.
    pub async fn sign_out(&self) -> Result<(), CallError> {
        let outcome = {
            let _turn = tabs::turn().await;
            self.send(Call::<sessions::SignOut>::new((), ())).await
        };
        self.forget(SessionEvent::Ended);
        self.tell(News::SignedOut);
        if is_over(&outcome) {
            return Ok(());
        }
        tabs::set_mark(Mark::SignOut);
        outcome.map(drop)
    }

    /// Calls an endpoint.
    pub async fn send<E: Endpoint>(&self, call: Call<E>) -> Result<Reply<E::Response>, CallError> {
        let answer = self.exchange(call.to_request(), E::ACCESS).await?;
        call.read(answer.status, &answer.headers, &answer.body)
    }

    async fn exchange(&self, request: http::Request<Vec<u8>>, access: Access) -> Result<Answer, CallError> {
        if !access.takes_token() {
            return transport(&request, None).await;
        }
        let Some(mut token) = self.token() else { return transport(&request, None).await };
        // Renewal may fail for reasons that pass; the token at hand is then still good for a while.
        if js_sys::Date::now() >= token.renew_at && self.renew().await.is_ok() {
            token = self.token().filter(|new| new.user == token.user).unwrap_or(token);
        }
        let answer = transport(&request, Some(&token.access)).await?;
        if answer.status != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        match self.renew().await {
            Err(error) if error.status() == 401 => return Ok(answer),
            outcome => outcome?,
        }
        // What one user asked for is never repeated as another, who may have signed in in another tab.
        match self.token().filter(|new| new.user == token.user) {
            Some(new) => transport(&request, Some(&new.access)).await,
            None => Ok(answer),
        }
    }

    fn token(&self) -> Option<Token> {
        self.0.token.borrow().clone()
    }

    /// Trades the cookie for a new access token; one trade at a time, in this tab and among all.
    async fn renew(&self) -> Result<(), CallError> {
        let under_way = self.0.renewal.borrow().clone();
        if let Some(renewal) = under_way {
            return renewal.await;
        }
        let client = self.clone();
        let renewal = async move {
            let outcome = {
                let _turn = tabs::turn().await;
                client.send(Call::<sessions::Refresh>::new((), ())).await
            };
            *client.0.renewal.borrow_mut() = None;
            match outcome {
                Ok(session) => {
                    client.begin(session.body);
                    Ok(())
                }
                Err(error) => {
                    if error.status() == 401 {
                        client.forget(SessionEvent::Lost);
                    }
                    Err(error)
                }
            }
        };
        let renewal = renewal.boxed_local().shared();
        *self.0.renewal.borrow_mut() = Some(renewal.clone());
        // On its own, so that it ends also when the page that waits for it is left.
        spawn_local(renewal.clone().map(drop));
        renewal.await
    }

    fn begin(&self, session: BrowserSession) {
        *self.0.token.borrow_mut() = Some(Token::new(&session));
        tabs::set_mark(Mark::Session);
        self.0.events.emit(SessionEvent::Began(session.user));
    }

    fn forget(&self, event: SessionEvent) {
        *self.0.token.borrow_mut() = None;
        if tabs::mark() == Mark::Session {
            tabs::set_mark(Mark::Nothing);
        }
        self.0.events.emit(event);
    }

    fn tell(&self, news: News) {
        if let Some(channel) = &*self.0.channel.borrow() {
            channel.tell(news);
        }
    }
}

/// After this there is no session any more.
fn is_over<T>(sign_out: &Result<T, CallError>) -> bool {
    sign_out.as_ref().err().is_none_or(|error| error.status() == 401)
}

async fn transport(request: &http::Request<Vec<u8>>, token: Option<&str>) -> Result<Answer, CallError> {
    let path = request.uri().to_string();
    let mut builder = RequestBuilder::new(&path).method(request.method().clone());
    for (name, value) in request.headers() {
        builder = builder.header(name.as_str(), value.to_str().unwrap_or_default());
    }
    if let Some(token) = token {
        builder = builder.header("authorization", &format!("Bearer {token}"));
    }
    let unreachable = |_| CallError::Unreachable(crate::words::NO_ANSWER.to_owned());
    let request = if request.body().is_empty() {
        builder.build()
    } else {
        builder.body(js_sys::Uint8Array::from(request.body().as_slice()))
    };
    let response = request.map_err(unreachable)?.send().await.map_err(unreachable)?;
    let mut headers = HeaderMap::new();
    if let Some(etag) = response.headers().get("etag").and_then(|etag| HeaderValue::from_str(&etag).ok()) {
        headers.insert(header::ETAG, etag);
    }
    let status = StatusCode::from_u16(response.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let body = response.binary().await.map_err(unreachable)?;
    Ok(Answer { status, headers, body })
}
