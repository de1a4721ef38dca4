//! Why a token is refused, and why a key cannot be used.

use thiserror::Error;

use crate::keys::Algorithm;

/// Why a token is refused. [`Self::detail`] is for the caller (`SimpleJWT`'s words); `Display` is for the log and says
/// more, but never anything out of the token.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
pub enum TokenError {
    /// Not a token of ours, or its claims cannot be used.
    #[error("token is invalid: {0}")]
    Invalid(&'static str),
    /// It begins in the future: the clock was put back since it was signed, or is behind that of another node.
    #[error("token begins {seconds} seconds in the future")]
    Early {
        /// How far.
        seconds: i64,
    },
    /// `exp` has passed.
    #[error("token is expired")]
    Expired,
    /// There is no `exp`.
    #[error("token has no exp claim")]
    NoExpiry,
    /// There is no `jti`.
    #[error("token has no jti claim")]
    NoId,
    /// There is no `token_type`.
    #[error("token has no token_type claim")]
    NoType,
    /// An access token where a refresh token is wanted, the other way round, or neither.
    #[error("token has the wrong type")]
    WrongType,
    /// There is no `user_id`.
    #[error("token has no user_id claim")]
    NoUser,
}

impl TokenError {
    /// The sentence that `SimpleJWT` answers with.
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Invalid(_) | Self::Early { .. } => "Token is invalid",
            Self::Expired => "Token is expired",
            Self::NoExpiry => "Token has no 'exp' claim",
            Self::NoId => "Token has no id",
            Self::NoType => "Token has no type",
            Self::WrongType => "Token has wrong type",
            Self::NoUser => "Token contained no recognizable user identification",
        }
    }
}

/// A key of the ring is not what its algorithm needs, so it can neither sign nor verify.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
#[error("the key {kid} cannot be used as an {algorithm} key")]
pub struct UnusableKey {
    /// The key's id.
    pub kid: String,
    /// What it was meant for.
    pub algorithm: Algorithm,
}
