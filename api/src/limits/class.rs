//! Which requests share an allowance.

/// Requests that share an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// What changes nothing.
    Reads,
    /// What changes something.
    Writes,
    /// What costs a password's hash, or is worth guessing: sign-in, set-up, refreshing, a new password.
    Credentials,
    /// Signing up, by who is nobody yet.
    SignUps,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Reads, Self::Writes, Self::Credentials, Self::SignUps];

    /// Its name in options, headers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Credentials => "credentials",
            Self::SignUps => "sign_ups",
        }
    }
}
