//! How callers show who they are, and what their tokens say: `--auth-scheme`, `--access-claims`.

use clap::{Args, ValueEnum, builder::PossibleValue};

use crate::{domain::access_claims::AccessClaim, routes::AuthScheme};

#[derive(Debug, Args)]
pub(super) struct AccountOptions {
    /// The words before an access token in `Authorization`, such as Bearer,JWT,Token.
    #[arg(
        long,
        env = "COFFER_AUTH_SCHEME",
        default_value = "Bearer,JWT",
        value_delimiter = ',',
        value_name = "SCHEME,…"
    )]
    pub auth_scheme: Vec<AuthScheme>,
    /// What access tokens say of their user beside the id. Whoever has a token can read it.
    #[arg(long, env = "COFFER_ACCESS_CLAIMS", value_delimiter = ',', value_name = "CLAIM,…")]
    pub access_claims: Vec<AccessClaim>,
}

impl ValueEnum for AccessClaim {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}
