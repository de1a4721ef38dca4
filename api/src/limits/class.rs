//! Which requests share an allowance.

/// Requests that share an allowance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// What changes nothing.
    Reads,
    /// What changes something.
    Writes,
    /// What costs a password's hash, or is worth guessing: sign-in, set-up, a new password.
    Credentials,
    /// Signing up, by who is nobody yet.
    SignUps,
    /// What is refused of a session's refresh tokens: a client that cannot stop is slowed down, and takes nothing from those beside it.
    Refusals,
    /// Refresh tokens that are none of ours, or too old.
    UnknownTokens,
    /// Tokens that people have explained to them.
    Inspections,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Reads,
        Self::Writes,
        Self::Credentials,
        Self::SignUps,
        Self::Refusals,
        Self::UnknownTokens,
        Self::Inspections,
    ];

    /// Its name in options, headers and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::Writes => "writes",
            Self::Credentials => "credentials",
            Self::SignUps => "sign_ups",
            Self::Refusals => "refusals",
            Self::UnknownTokens => "unknown_tokens",
            Self::Inspections => "inspections",
        }
    }
}
