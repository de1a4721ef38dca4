//! What endpoints answer with. An answer's type says how it is sent and how a client reads it; its kin for requests is
//! [`crate::reader::Body`].

#[cfg(feature = "schema")]
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, Error as _},
};

use crate::schema::Described;

/// How an answer is sent. A kind that is added is a variant here, a type that implements [`Streamed`], and
/// nothing else: the server sends whatever is streamed alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerKind {
    /// One JSON value.
    Json,
    /// A text that is no JSON.
    Text,
    /// A file, made while it is sent.
    File,
    /// Events, for as long as both sides like.
    Events,
    /// No body at all.
    Nothing,
}

/// What an endpoint answers with.
pub trait Answer: Sized {
    /// How it is sent.
    const KIND: AnswerKind;
    /// Its `Content-Type`; empty where there is no body.
    const MEDIA_TYPE: &'static str;

    /// The bytes that are sent.
    fn to_bytes(&self) -> serde_json::Result<Vec<u8>>;

    /// Reads what was sent.
    fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self>;

    /// Its JSON Schema; `None` where there is no body.
    #[cfg(feature = "schema")]
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

/// An answer that is sent as JSON: a type says so with an empty `impl`.
pub trait JsonAnswer: Serialize + DeserializeOwned + Described {}

impl<T: JsonAnswer> Answer for T {
    const KIND: AnswerKind = AnswerKind::Json;
    const MEDIA_TYPE: &'static str = "application/json";

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(self)
    }

    fn from_bytes(bytes: &[u8]) -> serde_json::Result<Self> {
        serde_json::from_slice(bytes)
    }

    #[cfg(feature = "schema")]
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// An answer that is made while it is sent. Its type has no values: neither side ever holds the whole.
pub trait Streamed: Answer {}

/// 204: there is nothing to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NoContent;

impl Answer for NoContent {
    const KIND: AnswerKind = AnswerKind::Nothing;
    const MEDIA_TYPE: &'static str = "";

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        Ok(Vec::new())
    }

    fn from_bytes(_: &[u8]) -> serde_json::Result<Self> {
        Ok(Self)
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// A JSON object without members.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Empty {}

impl JsonAnswer for Empty {}

/// Bytes to be kept as a file. Clients take them from their transport as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum File {}

impl Answer for File {
    const KIND: AnswerKind = AnswerKind::File;
    const MEDIA_TYPE: &'static str = "application/octet-stream";

    fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        match *self {}
    }

    fn from_bytes(_: &[u8]) -> serde_json::Result<Self> {
        Err(serde_json::Error::custom("a file is not read as a whole"))
    }

    #[cfg(feature = "schema")]
    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        Some(json_schema!({"contentMediaType": Self::MEDIA_TYPE}))
    }
}

impl Streamed for File {}
