//! A request that was answered with 5xx, as it is remembered for whoever looks afterwards.

use std::{sync::Arc, time::Duration};

use common::{metrics::FailedRequest, user::User, validate::format_moment};
use http::{Method, StatusCode};
use logging::RequestId;
use time::OffsetDateTime;
use uuid::Uuid;

use super::route::Route;

/// What is remembered of it.
#[derive(Debug, Clone)]
pub struct Failed {
    pub(crate) id: RequestId,
    pub(crate) method: Method,
    pub(crate) route: Route,
    pub(crate) status: StatusCode,
    pub(crate) time: Duration,
    pub(crate) user: Option<Arc<User>>,
}

impl Failed {
    /// The same as people are told it.
    #[must_use]
    pub fn told(&self) -> FailedRequest {
        FailedRequest {
            at: format_moment(self.ended_at()),
            request_id: self.id.to_string(),
            method: self.method.to_string(),
            route: self.route.template().to_owned(),
            status: self.status.as_u16(),
            milliseconds: (self.time.as_secs_f64() * 1e6).round() / 1e3,
            user: self.user.as_ref().map(|user| user.username.to_string()),
        }
    }

    /// Its id says when it began.
    fn ended_at(&self) -> OffsetDateTime {
        let began = Uuid::try_parse(self.id.as_str()).ok().and_then(|id| id.get_timestamp()).map(|at| at.to_unix());
        let (seconds, nanos) = began.unwrap_or_default();
        let at = OffsetDateTime::UNIX_EPOCH + Duration::new(seconds, nanos) + self.time;
        at.replace_nanosecond(at.microsecond() * 1000).unwrap_or(at)
    }
}
