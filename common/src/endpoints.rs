//! Every endpoint, by area, and the list of all of them. The server registers these types; the clients call them; the
//! README's table and the contract test read [`ENDPOINTS`].

pub mod backup;
pub mod batch;
pub mod changes;
pub mod collections;
pub mod events;
pub mod guess;
pub mod health;
pub mod keys;
pub mod log;
pub mod metrics;
pub mod migrations;
pub mod operations;
pub mod paths;
pub mod records;
pub mod root;
pub mod schema;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod storage;
pub mod tokens;
pub mod users;
pub mod views;

use crate::endpoint::EndpointInfo;

/// Writes one [`crate::Endpoint`]. `params` and `query` may be left out; nothing else has a default:
///
/// ```text
/// /// What it does.
/// Name: METHOD "/path/{id}/",
/// access Access(Action), cost Cost(ChargedTo), [secret yes,] errors Dialect,
/// params (Id,), query Query,
/// body Request as AcceptedBody,
/// answer Response as STATUS
/// ```
macro_rules! endpoint {
    (
        $(#[doc = $summary:literal])+
        $name:ident: $method:ident $path:literal,
        access $access:ident $(($($action:ident),*))?, cost $cost:ident $(($charged:ident))?, $(secret $secret:ident,)? $(revision $revision:ident,)? errors $errors:ident,
        $(params $params:ty,)? $(query $query:ty,)?
        body $request:ty as $body:ident,
        answer $response:ty as $success:ident
    ) => {
        $(#[doc = $summary])+
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl $crate::endpoint::Endpoint for $name {
            const METHOD: http::Method = http::Method::$method;
            const PATH: &'static str = $path;
            const SUMMARY: &'static str = concat!($($summary),+).trim_ascii();
            const ACCESS: $crate::endpoint::Access = $crate::endpoint::Access::$access $((&[$($crate::access::Action::$action),*]))?;
            const COST: $crate::endpoint::Cost =
                $crate::endpoint::Cost::$cost $(($crate::endpoint::ChargedTo::$charged))?;
            const ERRORS: $crate::endpoint::Dialect = $crate::endpoint::Dialect::$errors;
            const IS_SECRET: bool = $crate::endpoints::is_yes!($($secret)?);
            const HAS_REVISION: bool = $crate::endpoints::is_yes!($($revision)?);
            const BODY: $crate::endpoint::AcceptedBody = $crate::endpoint::AcceptedBody::$body;
            const SUCCESS: http::StatusCode = http::StatusCode::$success;
            type Params = $crate::endpoints::or_unit!($($params)?);
            type Query = $crate::endpoints::or_unit!($($query)?);
            type Request = $request;
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

macro_rules! is_yes {
    () => {
        false
    };
    (yes) => {
        true
    };
}

pub(crate) use endpoint;
pub(crate) use is_yes;
pub(crate) use or_unit;

/// All endpoints, in the order of the README's table.
pub static ENDPOINTS: &[EndpointInfo] = &[
    EndpointInfo::of::<root::Get>(),
    EndpointInfo::of::<setup::Create>(),
    EndpointInfo::of::<tokens::Obtain>(),
    EndpointInfo::of::<tokens::Refresh>(),
    EndpointInfo::of::<tokens::Verify>(),
    EndpointInfo::of::<tokens::Blacklist>(),
    EndpointInfo::of::<tokens::Keys>(),
    EndpointInfo::of::<tokens::Inspect>(),
    EndpointInfo::of::<keys::List>(),
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
    EndpointInfo::of::<users::Invite>(),
    EndpointInfo::of::<users::Invitations>(),
    EndpointInfo::of::<users::TakeBack>(),
    EndpointInfo::of::<users::Get>(),
    EndpointInfo::of::<users::Update>(),
    EndpointInfo::of::<users::Unlock>(),
    EndpointInfo::of::<users::Delete>(),
    EndpointInfo::of::<collections::List>(),
    EndpointInfo::of::<collections::Create>(),
    EndpointInfo::of::<collections::Get>(),
    EndpointInfo::of::<collections::Replace>(),
    EndpointInfo::of::<collections::Update>(),
    EndpointInfo::of::<collections::AddField>(),
    EndpointInfo::of::<collections::UpdateField>(),
    EndpointInfo::of::<collections::DropField>(),
    EndpointInfo::of::<collections::Delete>(),
    EndpointInfo::of::<guess::Guess>(),
    EndpointInfo::of::<migrations::List>(),
    EndpointInfo::of::<migrations::Apply>(),
    EndpointInfo::of::<migrations::Revert>(),
    EndpointInfo::of::<paths::List>(),
    EndpointInfo::of::<paths::Create>(),
    EndpointInfo::of::<paths::Get>(),
    EndpointInfo::of::<paths::Replace>(),
    EndpointInfo::of::<paths::Update>(),
    EndpointInfo::of::<paths::Delete>(),
    EndpointInfo::of::<views::List>(),
    EndpointInfo::of::<views::Create>(),
    EndpointInfo::of::<views::Get>(),
    EndpointInfo::of::<views::Replace>(),
    EndpointInfo::of::<views::Update>(),
    EndpointInfo::of::<views::Delete>(),
    EndpointInfo::of::<records::Root>(),
    EndpointInfo::of::<records::List>(),
    EndpointInfo::of::<records::Aggregate>(),
    EndpointInfo::of::<records::Export>(),
    EndpointInfo::of::<records::Import>(),
    EndpointInfo::of::<records::Create>(),
    EndpointInfo::of::<records::UpdateMany>(),
    EndpointInfo::of::<records::DeleteMany>(),
    EndpointInfo::of::<records::Describe>(),
    EndpointInfo::of::<records::DescribeOne>(),
    EndpointInfo::of::<records::Get>(),
    EndpointInfo::of::<records::Replace>(),
    EndpointInfo::of::<records::Update>(),
    EndpointInfo::of::<records::Delete>(),
    EndpointInfo::of::<records::History>(),
    EndpointInfo::of::<records::Restore>(),
    EndpointInfo::of::<records::Trash>(),
    EndpointInfo::of::<batch::Run>(),
    EndpointInfo::of::<changes::List>(),
    EndpointInfo::of::<changes::Trim>(),
    EndpointInfo::of::<changes::Erase>(),
    EndpointInfo::of::<changes::Operation>(),
    EndpointInfo::of::<changes::Revert>(),
    EndpointInfo::of::<events::Stream>(),
    EndpointInfo::of::<events::Ticket>(),
    EndpointInfo::of::<schema::Get>(),
    EndpointInfo::of::<operations::List>(),
    EndpointInfo::of::<operations::Get>(),
    EndpointInfo::of::<operations::Rejected>(),
    EndpointInfo::of::<operations::Stop>(),
    EndpointInfo::of::<operations::Resume>(),
    EndpointInfo::of::<backup::Get>(),
    EndpointInfo::of::<storage::Compact>(),
    EndpointInfo::of::<storage::Get>(),
    EndpointInfo::of::<log::Get>(),
    EndpointInfo::of::<log::Set>(),
    EndpointInfo::of::<log::Lines>(),
    EndpointInfo::of::<settings::List>(),
    EndpointInfo::of::<metrics::Recent>(),
    EndpointInfo::of::<metrics::Get>(),
    EndpointInfo::of::<health::Healthy>(),
    EndpointInfo::of::<health::Ready>(),
];

#[cfg(test)]
mod tests;
