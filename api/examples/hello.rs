//! The ceiling of `cargo xtask bench`: one route of warp's that says hello, with nothing behind it: no token, no store, no log.
//!
//! `warp::serve` would be the same loop; it is written out here because the server is built without it.

use anyhow::{Context, Result};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use tokio::net::TcpListener;
use warp::Filter;

#[tokio::main]
async fn main() -> Result<()> {
    let address = std::env::args().nth(1).context("hello ADDRESS")?;
    let service = warp::service(warp::path!("hello" / String).map(|name| format!("Hello, {name}!")));
    let listener = TcpListener::bind(address).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let service = TowerToHyperService::new(service);
        tokio::spawn(async move {
            let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
