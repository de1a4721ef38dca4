//! JSON Schemas (2020-12) of what is sent and read, for documents and tests. They are there with the feature `schema` only, which
//! the server turns on: the web app would pay for them with every download.

#[cfg(feature = "schema")]
mod parts;

#[cfg(feature = "schema")]
pub use self::parts::{
    Decimal, FilledText, Text, also_named, not_null, not_null_within, read_only, requests, responses, yes,
};

/// A type that can say its own schema, where there are any; otherwise any type.
#[cfg(feature = "schema")]
pub trait Described: schemars::JsonSchema {}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> Described for T {}

/// A type that can say its own schema, where there are any; otherwise any type.
#[cfg(not(feature = "schema"))]
pub trait Described {}

#[cfg(not(feature = "schema"))]
impl<T> Described for T {}

/// Says that a type is sent as a text that matches a pattern (in the syntax that ECMA 262 and the `regex` crate share).
macro_rules! described_as_text {
    ($name:ident, $($schema:tt)+) => {
        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({"type": "string", $($schema)+})
            }
        }
    };
}

pub(crate) use described_as_text;
