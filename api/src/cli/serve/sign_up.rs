//! Who may sign up: `--sign-up` and what goes with it.

use clap::{Args, ValueEnum};
use common::name::RoleName;

use crate::domain::users::{SignUp, SignUpMode};

#[derive(Debug, Args)]
pub(super) struct SignUpOptions {
    /// Whether people become users by themselves: invite lets in whom an admin invited, open everybody.
    #[arg(long = "sign-up", env = "COFFER_SIGN_UP", default_value = "off", value_name = "off|invite|open")]
    mode: Mode,
    /// The roles of those who signed up.
    #[arg(long = "sign-up-role", env = "COFFER_SIGN_UP_ROLE", value_delimiter = ',', value_name = "ROLE,…")]
    roles: Vec<RoleName>,
    /// Whether those who sign up need an e-mail address.
    #[arg(
        long = "sign-up-email",
        env = "COFFER_SIGN_UP_EMAIL",
        default_value = "optional",
        value_name = "optional|required"
    )]
    email: Email,
    /// Those who signed up can sign in once an admin has made them active.
    #[arg(long = "sign-up-approval", env = "COFFER_SIGN_UP_APPROVAL")]
    approval: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Mode {
    Off,
    Invite,
    Open,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Email {
    Optional,
    Required,
}

impl SignUpOptions {
    /// What they say.
    pub(super) fn settings(&self) -> SignUp {
        SignUp {
            mode: match self.mode {
                Mode::Off => SignUpMode::Off,
                Mode::Invite => SignUpMode::Invite,
                Mode::Open => SignUpMode::Open,
            },
            roles: self.roles.clone(),
            needs_email: self.email == Email::Required,
            needs_approval: self.approval,
        }
    }
}
