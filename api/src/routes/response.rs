//! An answer on its way out, successful or not.

use std::{io, pin::Pin};

use bytes::Bytes;
use futures_util::Stream;
use warp::Reply as _;

/// An answer.
pub(super) type Response = http::Response<Body>;

/// The body of an answer.
pub(super) enum Body {
    /// All of it.
    Whole(Bytes),
    /// Piece by piece, as the client takes them. An error breaks the connection off, so that the client sees that the end is
    /// missing.
    Pieces(Pieces),
}

/// A body that is made while it is sent.
pub(super) type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send + Sync>>;

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(bytes)
    }
}

/// The answer as warp sends it.
pub(super) fn to_warp(response: Response) -> warp::reply::Response {
    response.map(|body| match body {
        Body::Whole(bytes) => bytes.into(),
        Body::Pieces(pieces) => warp::reply::stream(pieces).into_response().into_body(),
    })
}
