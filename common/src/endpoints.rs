//! Every endpoint, by area, and the list of all of them. The server registers these types; the clients call them; the
//! README's table and the contract test read [`ENDPOINTS`].

pub mod backup;
pub mod changes;
pub mod collections;
pub mod health;
pub mod log;
pub mod metrics;
pub mod records;
pub mod root;
pub mod sessions;
pub mod setup;
pub mod tokens;
pub mod users;

use crate::endpoint::EndpointInfo;

/// Writes one [`crate::Endpoint`]: its method, path, access and status, then its types.
macro_rules! endpoint {
    (
        $(#[doc = $summary:literal])+
        $name:ident: $method:ident $path:literal, $access:ident, $success:ident
        $(, params $params:ty)? $(, query $query:ty)? $(, request $request:ty)? => $response:ty
    ) => {
        $(#[doc = $summary])+
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl $crate::endpoint::Endpoint for $name {
            const METHOD: http::Method = http::Method::$method;
            const PATH: &'static str = $path;
            const ACCESS: $crate::endpoint::Access = $crate::endpoint::Access::$access;
            const SUCCESS: http::StatusCode = http::StatusCode::$success;
            const SUMMARY: &'static str = concat!($($summary),+).trim_ascii();
            type Params = $crate::endpoints::or_unit!($($params)?);
            type Query = $crate::endpoints::or_unit!($($query)?);
            type Request = $crate::endpoints::or_unit!($($request)?);
            type Response = $response;
        }
    };
}

macro_rules! or_unit {
    () => {
        ()
    };
    ($type:ty) => {
        $type
    };
}

pub(crate) use {endpoint, or_unit};

/// All endpoints, in the order of the README's table.
pub static ENDPOINTS: &[EndpointInfo] = &[
    EndpointInfo::of::<root::Get>(),
    EndpointInfo::of::<setup::Create>(),
    EndpointInfo::of::<tokens::Obtain>(),
    EndpointInfo::of::<tokens::Refresh>(),
    EndpointInfo::of::<tokens::Verify>(),
    EndpointInfo::of::<tokens::Blacklist>(),
    EndpointInfo::of::<tokens::Keys>(),
    EndpointInfo::of::<sessions::SignIn>(),
    EndpointInfo::of::<sessions::Refresh>(),
    EndpointInfo::of::<sessions::SignOut>(),
    EndpointInfo::of::<sessions::List>(),
    EndpointInfo::of::<sessions::End>(),
    EndpointInfo::of::<sessions::EndOthers>(),
    EndpointInfo::of::<users::Me>(),
    EndpointInfo::of::<users::UpdateMe>(),
    EndpointInfo::of::<users::ChangePassword>(),
    EndpointInfo::of::<users::List>(),
    EndpointInfo::of::<users::Create>(),
    EndpointInfo::of::<users::Get>(),
    EndpointInfo::of::<users::Update>(),
    EndpointInfo::of::<users::Delete>(),
    EndpointInfo::of::<collections::List>(),
    EndpointInfo::of::<collections::Create>(),
    EndpointInfo::of::<collections::Get>(),
    EndpointInfo::of::<collections::Replace>(),
    EndpointInfo::of::<collections::Update>(),
    EndpointInfo::of::<collections::Delete>(),
    EndpointInfo::of::<records::List>(),
    EndpointInfo::of::<records::Create>(),
    EndpointInfo::of::<records::Describe>(),
    EndpointInfo::of::<records::Get>(),
    EndpointInfo::of::<records::Replace>(),
    EndpointInfo::of::<records::Update>(),
    EndpointInfo::of::<records::Delete>(),
    EndpointInfo::of::<records::History>(),
    EndpointInfo::of::<records::Restore>(),
    EndpointInfo::of::<changes::List>(),
    EndpointInfo::of::<backup::Get>(),
    EndpointInfo::of::<log::Get>(),
    EndpointInfo::of::<log::Set>(),
    EndpointInfo::of::<metrics::Get>(),
    EndpointInfo::of::<health::Healthy>(),
    EndpointInfo::of::<health::Ready>(),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_endpoint_stands_twice_and_api_paths_end_in_a_slash() {
        let mut seen = HashSet::new();
        for endpoint in ENDPOINTS {
            assert!(seen.insert((endpoint.method.clone(), endpoint.path)), "{endpoint:?}");
            assert!(endpoint.path.ends_with('/') == endpoint.path.starts_with("/api/"), "{endpoint:?}");
            assert!(!endpoint.summary.is_empty());
        }
    }
}
