//! Where this terminal is: its time zone, as `TZ` or the system's settings name it.

use std::{env, fs, sync::OnceLock};

use common::insight::Zone;
use jiff::{Timestamp, tz::TimeZone};

/// The zone's name, and its rules.
static HERE: OnceLock<(String, TimeZone)> = OnceLock::new();

/// The zone; UTC where none is named.
pub(super) fn here() -> Zone {
    let (name, _) = HERE.get_or_init(|| {
        let named = |name: String| TimeZone::get(&name).ok().map(|zone| (name, zone));
        name().and_then(named).unwrap_or_else(|| ("UTC".to_owned(), TimeZone::UTC))
    });
    Zone::new(name.clone(), |at| {
        let moment = Timestamp::from_second(at).unwrap_or_default();
        HERE.get().map_or(0, |(_, zone)| zone.to_offset(moment).seconds())
    })
}

fn name() -> Option<String> {
    if let Ok(name) = env::var("TZ") {
        return Some(name.trim_start_matches(':').to_owned());
    }
    let link = fs::read_link("/etc/localtime").ok()?;
    let (_, name) = link.to_str()?.split_once("zoneinfo/")?;
    Some(name.to_owned())
}
