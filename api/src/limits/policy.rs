//! How much is allowed: `500/s`, `5000/10s`, `60/m`, for each class.

use std::{fmt, str::FromStr, time::Duration};

use thiserror::Error;

use super::class::Class;

/// So many requests at once, and as many again in each window, evenly: an allowance that is used up is whole again after one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    quota: u32,
    seconds: u32,
}

/// The policies of all classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings([Option<Policy>; Class::ALL.len()]);

/// No policy can be read from a text.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum PolicyError {
    /// Not of the form.
    #[error("use a number of requests and a time, such as 500/s, 5000/10s or 60/m")]
    Malformed,
    /// Nothing would be let through, or so much that no clock could tell.
    #[error("1 to 1000000 requests in up to a day are possible")]
    OutOfRange,
    /// There is no such class.
    #[error(
        "say off, or reads=…, writes=…, credentials=…, sign_ups=…, refusals=…, unknown_tokens=…, inspections=…, separated by commas"
    )]
    UnknownClass,
    /// Which of the two is meant?
    #[error("{0} is there twice; name each class once")]
    Twice(&'static str),
}

const MAX_QUOTA: u32 = 1_000_000;
const DAY: u32 = 24 * 60 * 60;

impl Policy {
    const fn new(quota: u32, seconds: u32) -> Self {
        Self { quota, seconds }
    }

    /// Requests that may come at once.
    pub fn quota(self) -> u32 {
        self.quota
    }

    /// In seconds.
    pub fn window(self) -> u32 {
        self.seconds
    }

    /// How long one request of the allowance takes to come back.
    pub(super) fn pace(self) -> Duration {
        Duration::from_secs(self.seconds.into()) / self.quota
    }
}

impl Default for Settings {
    /// People do not notice them. A program that asks as fast as it can comes down to a pace that leaves room for others.
    fn default() -> Self {
        Self([
            Some(Policy::new(1_000_000, 60)),
            Some(Policy::new(300_000, 60)),
            Some(Policy::new(1_000, 60)),
            Some(Policy::new(20, 3600)),
            Some(Policy::new(60, 60)),
            Some(Policy::new(1_000, 60)),
            Some(Policy::new(60, 60)),
        ])
    }
}

impl Settings {
    /// No limits.
    pub fn off() -> Self {
        Self([None; Class::ALL.len()])
    }

    /// The policy of a class, if it is limited.
    pub fn policy(&self, class: Class) -> Option<Policy> {
        self.0[class as usize]
    }
}

impl FromStr for Policy {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let (quota, window) = text.split_once('/').ok_or(PolicyError::Malformed)?;
        // `parse` would take a sign.
        if quota.is_empty() || !quota.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(PolicyError::Malformed);
        }
        let quota: u32 = quota.parse().map_err(|_| PolicyError::OutOfRange)?;
        // A unit alone is one of it: 500/s.
        let one = if window.starts_with(|c: char| c.is_ascii_alphabetic()) { "1" } else { "" };
        let window = humantime::parse_duration(&format!("{one}{window}")).map_err(|_| PolicyError::Malformed)?;
        let seconds = u32::try_from(window.as_secs()).unwrap_or(u32::MAX);
        if !(1..=MAX_QUOTA).contains(&quota) || !(1..=DAY).contains(&seconds) || window.subsec_nanos() > 0 {
            return Err(PolicyError::OutOfRange);
        }
        Ok(Self { quota, seconds })
    }
}

impl FromStr for Settings {
    type Err = PolicyError;

    /// What is not named stays as it is by default.
    fn from_str(text: &str) -> Result<Self, PolicyError> {
        if text == "off" {
            return Ok(Self::off());
        }
        let mut settings = Self::default();
        let mut named = [false; Class::ALL.len()];
        for part in text.split(',') {
            let (name, policy) = part.split_once('=').ok_or(PolicyError::UnknownClass)?;
            let class = Class::ALL.into_iter().find(|class| class.name() == name.trim());
            let class = class.ok_or(PolicyError::UnknownClass)?;
            if std::mem::replace(&mut named[class as usize], true) {
                return Err(PolicyError::Twice(class.name()));
            }
            settings.0[class as usize] = if policy == "off" { None } else { Some(policy.parse()?) };
        }
        Ok(settings)
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}s", self.quota, self.seconds)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, class) in Class::ALL.into_iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            match self.policy(class) {
                Some(policy) => write!(f, "{comma}{}={policy}", class.name())?,
                None => write!(f, "{comma}{}=off", class.name())?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read_and_written() {
        for (text, quota, seconds) in [("500/s", 500, 1), ("5000/10s", 5_000, 10), ("60/m", 60, 60), ("1/1d", 1, DAY)] {
            let policy: Policy = text.parse().unwrap();
            assert_eq!((policy.quota(), policy.window()), (quota, seconds), "{text}");
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        for bad in ["", "500", "/s", "500/", "500/x", "-1/s", "+1/s", "1/-1s", "1.5/s", "500/10", "1/é"] {
            assert_eq!(bad.parse::<Policy>(), Err(PolicyError::Malformed), "{bad}");
        }
        for bad in ["0/s", "1000001/s", "99999999999/s", "1/0s", "1/2d", "1/9999999999s"] {
            assert_eq!(bad.parse::<Policy>(), Err(PolicyError::OutOfRange), "{bad}");
        }
    }

    #[test]
    fn what_is_not_named_stays_and_off_is_off() {
        let settings: Settings = "reads=7/s,credentials=off".parse().unwrap();
        assert_eq!(settings.policy(Class::Reads), Some(Policy::new(7, 1)));
        assert_eq!(settings.policy(Class::Writes), Settings::default().policy(Class::Writes));
        assert_eq!(settings.policy(Class::Credentials), None);
        assert_eq!(settings.to_string().parse(), Ok(settings));
        assert_eq!("off".parse(), Ok(Settings::off()));
        for bad in ["", "on", "all=1/s", "reads", "reads=1/s,"] {
            assert_eq!(bad.parse::<Settings>(), Err(PolicyError::UnknownClass), "{bad}");
        }
        assert_eq!("reads=fast".parse::<Settings>(), Err(PolicyError::Malformed));
        for twice in ["reads=1/s,reads=2/s", "reads=off,writes=1/s,reads=off"] {
            assert_eq!(twice.parse::<Settings>(), Err(PolicyError::Twice("reads")), "{twice}");
        }
    }
}
