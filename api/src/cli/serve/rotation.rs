//! What a use does to a refresh token: `--rotation` and `--refresh-grace`.

use std::time::Duration;

use clap::{Args, ValueEnum};
use common::duration::parse_duration;

use crate::domain::rotation::Rotation;

#[derive(Debug, Args)]
pub(super) struct RotationOptions {
    /// What a use does to a refresh token. Adopted: it stays good until the new one is used, so that tabs, retries and clients that
    /// keep the first one go on. Strict: it is good for one use. Off: there is no new one.
    #[arg(long, env = "COFFER_ROTATION", default_value = "adopted", value_name = "adopted|strict|off")]
    rotation: Mode,
    /// How long a refresh token is still good after the new one was used first, where rotation is adopted.
    #[arg(long, env = "COFFER_REFRESH_GRACE", default_value = "10s", allow_hyphen_values = true, value_parser = parse_grace, value_name = "TIME")]
    refresh_grace: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Adopted,
    Strict,
    Off,
    /// What strict was called.
    #[value(hide = true)]
    On,
}

/// A grace that is longer would be a second life for every copy of a token.
const LONGEST_GRACE: Duration = Duration::from_hours(1);

/// A duration that may be none at all.
fn parse_grace(text: &str) -> Result<Duration, String> {
    if text == "0s" {
        return Ok(Duration::ZERO);
    }
    match parse_duration(text).map_err(|error| error.to_string())? {
        grace if grace > LONGEST_GRACE => Err("use an hour at most, or 0s for none".to_owned()),
        grace => Ok(grace),
    }
}

impl RotationOptions {
    /// What was chosen.
    pub(super) fn chosen(&self) -> Rotation {
        match self.rotation {
            Mode::Adopted => Rotation::Adopted { grace: self.refresh_grace },
            Mode::Strict => Rotation::Strict,
            Mode::Off => Rotation::Off,
            Mode::On => {
                tracing::warn!(
                    "--rotation on is read as strict, which ends a session where a client retries or opens two tabs; say strict, or \
                     leave it out for adopted"
                );
                Rotation::Strict
            }
        }
    }
}
