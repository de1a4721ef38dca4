//! An endpoint as a type, and what its type says as a value.

use http::{Method, StatusCode};
#[cfg(feature = "schema")]
use schemars::{Schema, SchemaGenerator};

use super::{
    params::Params,
    rules::{AcceptedBody, Access, Cost, Dialect},
};
#[cfg(feature = "schema")]
use crate::problem::FieldErrors;
use crate::{
    answer::{Answer, AnswerKind},
    query::Query,
    reader::Body,
};

/// One endpoint: the only place where all of this is written. No constant has a default, so that none is forgotten.
pub trait Endpoint {
    /// The HTTP method.
    const METHOD: Method;
    /// The canonical path, with parameters in braces: `/api/records/{collection}/{id}/`.
    const PATH: &'static str;
    /// What it does, in a few words.
    const SUMMARY: &'static str;
    /// Who may call it.
    const ACCESS: Access;
    /// What a call costs, and whom.
    const COST: Cost;
    /// In which dialect it tells faults.
    const ERRORS: Dialect;
    /// The request brings a password, or the answer a token: neither may be kept for who asks again.
    const IS_SECRET: bool;
    /// What it changes has one revision, so it can be asked to be what was read (`If-Match`, `If-None-Match`).
    const HAS_REVISION: bool;
    /// How the body may be written, and how large it may be.
    const BODY: AcceptedBody;
    /// The status of success.
    const SUCCESS: StatusCode;
    /// The path's parameters.
    type Params: Params;
    /// The query string.
    type Query: Query;
    /// The body that is sent; `()` for none.
    type Request: Body;
    /// The answer to success; [`NoContent`](crate::answer::NoContent) for none.
    type Response: Answer;

    /// The JSON Schema of the body that is sent; `None` for none.
    #[cfg(feature = "schema")]
    fn request_schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        (!Self::BODY.is_nothing() && !Self::BODY.is_upload()).then(|| generator.subschema_for::<Self::Request>())
    }

    /// The JSON Schema of the answer to success; `None` for none.
    #[cfg(feature = "schema")]
    fn response_schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Self::Response::schema(generator)
    }
}

/// What [`crate::ENDPOINTS`] tells of an endpoint.
#[derive(Debug, Clone)]
pub struct EndpointInfo {
    /// [`Endpoint::METHOD`].
    pub method: Method,
    /// [`Endpoint::PATH`].
    pub path: &'static str,
    /// [`Endpoint::SUMMARY`].
    pub summary: &'static str,
    /// [`Endpoint::ACCESS`].
    pub access: Access,
    /// [`Endpoint::COST`].
    pub cost: Cost,
    /// [`Endpoint::ERRORS`].
    pub errors: Dialect,
    /// [`Endpoint::BODY`].
    pub body: AcceptedBody,
    /// [`Endpoint::SUCCESS`].
    pub success: StatusCode,
    /// How the answer is sent.
    pub answer: AnswerKind,
    /// The answer's `Content-Type`; empty where it has no body.
    pub media_type: &'static str,
    /// [`Endpoint::request_schema`].
    #[cfg(feature = "schema")]
    pub request_schema: fn(&mut SchemaGenerator) -> Option<Schema>,
    /// [`Endpoint::response_schema`].
    #[cfg(feature = "schema")]
    pub response_schema: fn(&mut SchemaGenerator) -> Option<Schema>,
    /// What the endpoint's reader says to a body.
    #[cfg(feature = "schema")]
    pub check_request: fn(serde_json::Value) -> Result<(), FieldErrors>,
}

impl EndpointInfo {
    /// What there is to tell of `E`.
    pub const fn of<E: Endpoint>() -> Self {
        Self {
            method: E::METHOD,
            path: E::PATH,
            summary: E::SUMMARY,
            access: E::ACCESS,
            cost: E::COST,
            errors: E::ERRORS,
            body: E::BODY,
            success: E::SUCCESS,
            answer: E::Response::KIND,
            media_type: E::Response::MEDIA_TYPE,
            #[cfg(feature = "schema")]
            request_schema: E::request_schema,
            #[cfg(feature = "schema")]
            response_schema: E::response_schema,
            #[cfg(feature = "schema")]
            check_request: |value| E::Request::from_json(value).map(drop),
        }
    }

    /// Whether it is at the path of `E`, by whatever method.
    pub fn is_at<E: Endpoint>(&self) -> bool {
        self.path == E::PATH
    }
}

/// Whether a request for this path is one for the path of `E`, which has no parameters. The last slash is optional.
pub fn is_at<E: Endpoint>(path: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == E::PATH.strip_suffix('/').unwrap_or(E::PATH)
}
