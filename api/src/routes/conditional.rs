//! Headers that make a change depend on what is there. One that the server does not look at is refused where something is written: whoever sends it would
//! believe that it was.

use common::{
    Endpoint, EndpointInfo, Problem,
    endpoint::{ChargedTo, Cost},
    endpoints::{batch, records},
};
use http::{HeaderMap, Method, header};

use super::error::Refusal;

/// Refuses a condition that would not be looked at.
pub(super) fn check<E: Endpoint>(headers: &HeaderMap) -> Result<(), Refusal> {
    if E::METHOD.is_safe() || !matches!(E::COST, Cost::Writes(ChargedTo::User)) {
        return Ok(());
    }
    // No date is told here that the last one could be compared with.
    let all = [
        (header::IF_MATCH, "If-Match", E::HAS_REVISION),
        (header::IF_NONE_MATCH, "If-None-Match", E::HAS_REVISION),
        (header::IF_UNMODIFIED_SINCE, "If-Unmodified-Since", false),
    ];
    let unread = all.into_iter().find(|(name, _, is_read)| !is_read && headers.contains_key(name));
    let Some((_, name, _)) = unread else { return Ok(()) };
    let endpoint = EndpointInfo::of::<E>();
    let instead = if E::HAS_REVISION {
        "Send If-Match with the ETag that was read."
    } else if endpoint.is_at::<batch::Run>() {
        "Give each item its `if_match`, the revision that was read."
    } else if endpoint.is_at::<records::UpdateMany>() && E::METHOD != Method::POST {
        "Send a batch whose items each have their `if_match`, or change the records one by one."
    } else {
        "Leave it out."
    };
    let detail = format!("{name} is not looked at here, and nothing was changed. {instead}");
    Err(Problem::invalid(detail).with_code("precondition_not_supported").into())
}
