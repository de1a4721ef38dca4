//! Whose days and hours are meant: the viewer's.

use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

/// A time zone. Its rules are the client's matter, who knows where it is; so it brings them.
#[derive(Debug, Clone)]
pub struct Zone {
    name: String,
    /// Seconds by which clocks are ahead of UTC, at a moment in seconds since 1970.
    ahead: fn(i64) -> i32,
}

impl Zone {
    /// That of UTC.
    pub fn utc() -> Self {
        Self { name: "UTC".to_owned(), ahead: |_| 0 }
    }

    /// A zone by its name in the time zone database, and by how many seconds clocks there are ahead of UTC at a moment in seconds since 1970.
    pub fn new(name: String, ahead: fn(i64) -> i32) -> Self {
        if matches!(name.as_str(), "" | "UTC" | "Etc/UTC" | "Etc/Unknown") { Self::utc() } else { Self { name, ahead } }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// It is UTC.
    pub(super) fn is_utc(&self) -> bool {
        self.name == "UTC"
    }

    fn offset(&self, at: i64) -> UtcOffset {
        UtcOffset::from_whole_seconds((self.ahead)(at)).unwrap_or(UtcOffset::UTC)
    }

    /// A moment as clocks there have it.
    pub(super) fn there(&self, at: OffsetDateTime) -> OffsetDateTime {
        at.to_offset(self.offset(at.unix_timestamp()))
    }

    /// The moment that clocks there show so; of two of them one, of none one beside it.
    pub(super) fn moment(&self, shown: PrimitiveDateTime) -> OffsetDateTime {
        let guess = shown.assume_utc().unix_timestamp();
        let offset = self.offset(guess - i64::from(self.offset(guess).whole_seconds()));
        shown.assume_offset(offset).to_offset(UtcOffset::UTC)
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
