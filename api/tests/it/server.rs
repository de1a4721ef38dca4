//! The accept loop under a small warp filter: what it refuses, whom it cuts off, how it stops. Raw sockets, since no client library sends such things.

mod access_log;
mod answers;
mod deadlines;
mod drain;
mod hosts;
pub(crate) mod http2;
mod memory;
mod multiplexed;
mod proxies;
mod smuggling;
mod tls;

use std::{convert::Infallible, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use coffer::assets::{Assets, Policy};
use futures_util::stream;
use http::{HeaderMap, Method, Response};
use server::{
    Server, ServerOptions, Unfinished,
    request::{Connection, RequestId},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::JoinHandle,
};
use warp::{
    Filter, Rejection, Reply,
    filters::{BoxedFilter, path::Tail},
};

/// A server under test.
struct Running {
    address: SocketAddr,
    gate: Gate,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), Unfinished>>,
}

/// Where `/slow` waits.
#[derive(Clone, Default)]
struct Gate {
    entered: Arc<Notify>,
    open: Arc<Notify>,
}

fn start(options: ServerOptions) -> Running {
    let gate = Gate::default();
    let server = bind(options);
    let address = address(&server);
    let (stop, stopped) = oneshot::channel();
    let service = warp::service(filter(gate.clone()));
    let ended = tokio::spawn(server.run(service, async move {
        let _ = stopped.await;
    }));
    Running { address, gate, stop, ended }
}

fn bind(options: ServerOptions) -> Server {
    Server::bind(ServerOptions { listen: vec!["127.0.0.1:0".parse().unwrap()], ..options }).unwrap()
}

fn address(server: &Server) -> SocketAddr {
    server.addresses().unwrap()[0].to_string().parse().unwrap()
}

/// `/` greets, `/id` tells what a handler knows of the request, `/host` its host, `/body` counts, `/echo` repeats, `/big` is more than sockets buffer, `/drip` never
/// ends, `/slow` waits, `/panic` panics, `/files/` is a folder.
fn filter(gate: Gate) -> BoxedFilter<(impl Reply,)> {
    let greet = warp::path::end().map(|| "hello".into_response()).boxed();
    let id = warp::path!("id")
        .and(warp::ext::get::<RequestId>())
        .and(warp::ext::get::<Connection>())
        .map(|id: RequestId, connection: Connection| {
            format!("{id} {} {}", connection.client, if connection.is_secure { "secure" } else { "plain" })
                .into_response()
        })
        .boxed();
    let body =
        warp::path!("body").and(warp::body::bytes()).map(|body: Bytes| body.len().to_string().into_response()).boxed();
    let host = warp::path!("host").and(warp::header("host")).map(|host: String| host.into_response()).boxed();
    let echo = warp::path!("echo").and(warp::body::bytes()).map(|body: Bytes| Response::new(body.into())).boxed();
    let big = warp::path!("big").map(|| Response::new(Bytes::from(vec![b'x'; BIG]).into())).boxed();
    let drip = warp::path!("drip")
        .map(|| {
            let pieces = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b'x'; 1000])));
            warp::reply::stream(pieces).into_response()
        })
        .boxed();
    let slow = warp::path!("slow")
        .then(move || {
            let gate = gate.clone();
            async move {
                gate.entered.notify_one();
                gate.open.notified().await;
                "done".into_response()
            }
        })
        .boxed();
    let panic = warp::path!("panic").map(|| -> warp::reply::Response { panic!("on purpose") }).boxed();
    // Read into memory: the folder may go.
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "a page that says the same, the same, the same, the same")
        .unwrap();
    let assets = Arc::new(Assets::from_dir(folder.path(), Policy::Ours).unwrap());
    let files = warp::path("files")
        .and(warp::method())
        .and(warp::path::tail())
        .and(warp::header::headers_cloned())
        .map(move |method: Method, path: Tail, headers: HeaderMap| {
            let response = assets.respond(&method, &format!("/{}", path.as_str()), &headers, "0192");
            response.map_or_else(|| http::StatusCode::NOT_FOUND.into_response(), |response| response.map(Into::into))
        })
        .boxed();
    greet
        .or(id)
        .unify()
        .or(body)
        .unify()
        .or(host)
        .unify()
        .or(echo)
        .unify()
        .or(big)
        .unify()
        .or(drip)
        .unify()
        .or(slow)
        .unify()
        .or(panic)
        .unify()
        .or(files)
        .unify()
        .recover(unhandled)
        .unify()
        .boxed()
}

const BIG: usize = 64 * 1024 * 1024;

async fn unhandled(_: Rejection) -> Result<warp::reply::Response, Infallible> {
    Ok(http::StatusCode::NOT_FOUND.into_response())
}

/// A client that sends what it is told.
struct Client(TcpStream);

impl Client {
    async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Everything until the server closes.
    async fn rest(&mut self) -> String {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).await.unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// The head of one answer.
    async fn head(&mut self) -> Answer {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap());
        }
        Answer { head: String::from_utf8(head).unwrap().to_ascii_lowercase(), body: String::new() }
    }

    /// One answer: its head, and as much body as it announces.
    async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        answer.body = String::from_utf8(body).unwrap();
        answer
    }
}

/// One answer, its head in lower case.
#[derive(Debug)]
struct Answer {
    head: String,
    body: String,
}

impl Answer {
    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The problem document that it must be, with the id of its own request.
    fn problem(&self) -> common::Problem {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: common::Problem = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem.status, self.status());
        assert_eq!(Some(problem.request_id.as_str()), self.header("x-request-id"));
        problem
    }
}

/// One exchange on a connection of its own.
async fn ask(address: SocketAddr, request: impl AsRef<[u8]>) -> Answer {
    let mut client = Client::connect(address).await;
    client.send(request).await;
    client.answer().await
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: coffer.test\r\nAccept: application/problem+json\r\n\r\n")
}
