//! How many streams of events may be open.

use clap::Args;

use crate::{
    cli::units::{Limit, parse_count},
    limits::StreamLimits,
};

/// The limits of streams.
#[derive(Debug, Args)]
pub(super) struct EventOptions {
    /// How many streams of events one user may have open; or off. Each tab of the web app's shares one for its browser.
    #[arg(long, env = "COFFER_EVENT_STREAMS_PER_USER", default_value = "100", allow_hyphen_values = true, value_parser = parse_count, value_name = "N|off")]
    event_streams_per_user: Limit,
    /// How many streams of events may be open from one address; or off.
    #[arg(long, env = "COFFER_EVENT_STREAMS_PER_ADDRESS", default_value = "500", allow_hyphen_values = true, value_parser = parse_count, value_name = "N|off")]
    event_streams_per_address: Limit,
}

impl EventOptions {
    /// The limits.
    pub(super) fn limits(&self) -> StreamLimits {
        StreamLimits::new(self.event_streams_per_user.0, self.event_streams_per_address.0)
    }
}
