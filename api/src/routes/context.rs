//! What every handler gets, and what the operator said about it.

use std::sync::Arc;

use common::endpoints::settings::Setting;
use time::OffsetDateTime;

use super::{auth_scheme::AuthSchemes, leniency::Unknown, samples::Samples};
use crate::{
    domain::{App, users::SignUp},
    limits::{Limits, StreamLimits},
};
use logging::Log;
use server::metrics::Http;

/// What routes need to know beside the application.
#[derive(Clone, Default)]
pub struct Options {
    /// Cookies without `Secure`, for plain HTTP away from this machine. A stranger on the way can then read them.
    pub insecure_cookie: bool,
    /// What becomes of members and parameters that nobody knows.
    pub unknown: Unknown,
    /// Who may sign up, and as what.
    pub sign_up: SignUp,
    /// Searches ignore accents.
    pub search_ignores_accents: bool,
    /// The schemes of `Authorization` that bring an access token.
    pub auth_schemes: AuthSchemes,
    /// The log, whose level can be changed.
    pub log: Log,
    /// How often callers may ask.
    pub limits: Limits,
    /// How many streams of events callers may have open.
    pub event_streams: StreamLimits,
    /// What the accept loop counts, to be shown.
    pub metrics: Arc<Http>,
    /// The settings that the server was started with.
    pub settings: Arc<[Setting]>,
    /// What was measured in the last hour.
    pub samples: Arc<Samples>,
    /// Tells when the server's TLS certificate ends, where it has one.
    pub certificate_end: Option<CertificateEnd>,
}

/// When the TLS certificate that new connections get ends; `None` where that cannot be read.
pub type CertificateEnd = Arc<dyn Fn() -> Option<OffsetDateTime> + Send + Sync>;

/// What every handler gets.
#[derive(Clone)]
pub(super) struct Context {
    /// The application.
    pub app: App,
    /// How this server answers.
    pub options: Arc<Options>,
}
