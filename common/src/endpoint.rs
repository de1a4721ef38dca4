//! What an endpoint is, and how one is called.
//!
//! - `contract`: [`Endpoint`], and [`EndpointInfo`], the same as a value
//! - `rules`: what an endpoint says of itself beside its path and types
//! - `params`: the parameters in its path
//! - `call`: writing a request and reading its answer

mod call;
mod contract;
mod params;
mod rules;

pub use self::{
    call::{Call, Reply, path_and_query},
    contract::{Endpoint, EndpointInfo, is_at},
    params::Params,
    rules::{
        AcceptedBody, Access, BROWSER_HEADER, BodyKind, ChargedTo, Cost, DEVICE_HEADER, Dialect, OWN_PREFIX,
        behind_api, behind_own_prefix, is_of_the_api, own_address,
    },
};
