//! Signing up: becoming a user without an admin who makes one. Who may, and as what, the operator says; a body says neither.

use auth::throttle::Attempt;
use common::{
    change::{Subject, Verb},
    endpoints::users::NewUser,
    id::UserId,
    name::RoleName,
    problem::{FieldError, FieldErrors},
    reader::{invalid, required},
    user::User,
};
use store::Batch;

use super::{
    create::{create_with, distinct},
    found_by, hash,
    invitations::Opened,
};
use crate::domain::{
    app::App,
    error::{Error, Result},
    journal::{self, Actor},
    retry::Retry,
};

/// Who may sign up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignUpMode {
    /// Nobody.
    #[default]
    Off,
    /// Whoever an admin invited.
    Invite,
    /// Everybody.
    Open,
}

/// What the operator said of signing up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignUp {
    /// Who may.
    pub mode: SignUpMode,
    /// The roles of those who did.
    pub roles: Vec<RoleName>,
    /// They need an e-mail address.
    pub needs_email: bool,
    /// They may sign in once an admin has made them active.
    pub needs_approval: bool,
}

impl SignUp {
    /// Nobody may.
    pub fn is_off(&self) -> bool {
        self.mode == SignUpMode::Off
    }

    /// Whether no answer may tell that a name is taken.
    fn is_silent(&self) -> bool {
        self.needs_approval || self.mode == SignUpMode::Invite
    }
}

/// Makes a user of who asks. Where no answer may tell which names there are, the answer to one that is taken is that to any other.
pub async fn sign_up(app: &App, by: Actor<'_>, settings: &SignUp, new: NewUser) -> Result<User> {
    let invitation = match settings.mode {
        SignUpMode::Invite => Some(Opened::of(app, &new).await?),
        _ => None,
    };
    // Whoever is invited could ask of one name after the other before they choose.
    let attempt = match &invitation {
        Some(invitation) => Some(app.core().guesses.admit(&format!("invitation {}", invitation.id))?),
        None => None,
    };
    let mut errors = FieldErrors::new();
    for (name, is_said) in [
        ("roles", !new.roles.is_empty()),
        ("is_admin", new.is_admin),
        ("is_active", !new.is_active),
        ("claims", !new.claims.is_empty()),
    ] {
        if is_said {
            errors.push(name, invalid("Only an admin can set this."));
        }
    }
    if settings.needs_email && new.email.is_empty() {
        errors.push("email", required());
    }
    errors.or(())?;
    let mut roles = settings.roles.clone();
    roles.extend(invitation.iter().flat_map(|invitation| invitation.roles.iter().cloned()));
    let new = NewUser { roles, is_active: !settings.needs_approval, ..new };
    // A name that is taken is told after as long as one that is not.
    let taken = found_by::refuse_taken(&app.core().store, None, Some(&new.username), &new.email).await;
    if let Err(error) = taken {
        count(app, by, attempt).await?;
        hash(app.auth(), "password", &new.username, &new.password).await?;
        if settings.needs_approval
            && let Some(invitation) = invitation
        {
            // Otherwise a second use of it would tell.
            let mut batch = Batch::new();
            invitation.use_up(&mut batch);
            Retry::new(app.core()).commit(batch).await?;
        }
        return refused(app, settings, new, error);
    }
    let made = create_with(app, by, new.clone(), |batch| {
        if let Some(invitation) = &invitation {
            invitation.use_once(batch);
        }
    });
    match made.await {
        Err(error @ Error::Taken(_)) => {
            count(app, by, attempt).await?;
            refused(app, settings, new, error)
        }
        // Somebody was faster with the same invitation.
        Err(Error::Busy) if invitation.is_some() => Err(FieldErrors::of("invitation", invalid("It was used.")).into()),
        made => made,
    }
}

/// Counts a name that was taken as a guess. From the one on that has its author wait, the journal has it.
pub(super) async fn count(app: &App, by: Actor<'_>, attempt: Option<Attempt>) -> Result<()> {
    if attempt.is_some_and(|attempt| attempt.failed().is_some()) {
        let entry = by.entry(app.core(), Subject::User, &"", Verb::ValuesGuessed);
        journal::note(app.core(), &entry).await?;
    }
    Ok(())
}

/// What is said of a name or an address that is taken.
fn refused(app: &App, settings: &SignUp, new: NewUser, error: Error) -> Result<User> {
    let Error::Taken(errors) = error else { return Err(error) };
    if settings.needs_approval {
        // As if it had been made: an admin decides, and whoever has the name knows that nobody else can have it.
        let (id, created_at) = app.core().new_id();
        return Ok(User {
            id: UserId::from_uuid(id),
            username: new.username,
            email: new.email,
            roles: distinct(new.roles),
            is_admin: false,
            is_active: false,
            created_at,
            last_login: None,
            claims: new.claims,
            number: None,
            usage: None,
        });
    }
    if settings.is_silent() {
        let message = "This name or address cannot be used here. Choose a different one.";
        return Err(FieldErrors::of("username", FieldError::new("invalid", message)).into());
    }
    Err(Error::Invalid(errors))
}
