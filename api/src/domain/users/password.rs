//! Users' passwords: which are let in, and changing one's own.

use auth::{
    password::{Password, PasswordHash, Verdict},
    throttle::Account,
};
use common::{
    change::{Subject, Verb},
    endpoints::users::PasswordChange,
    name::Username,
    problem::{FieldError, FieldErrors},
};
use store::{Batch, Expect};

use super::stored::{StoredUser, load};
use crate::domain::{
    app::{App, Auth},
    error::{AuthError, Error, Result},
    journal, keyspace,
    retry::Retry,
    sessions,
};

/// Checks a new password against the policy and hashes it. `field` is where faults are told.
pub async fn hash(auth: &Auth, field: &str, username: &Username, password: &str) -> Result<PasswordHash> {
    let Ok(password) = Password::new(password) else {
        let error = FieldError::new("password_too_long", "This password is too long. Use at most 1024 bytes.");
        return Err(FieldErrors::of(field, error).into());
    };
    let faults = auth.policy.check(&password, username.as_str());
    if !faults.is_empty() {
        let mut errors = FieldErrors::new();
        for fault in faults {
            errors.push(field, FieldError::new(fault.code(), fault.to_string()));
        }
        return Err(errors.into());
    }
    Ok(auth.hasher.hash(password).await?)
}

/// Changes the caller's own password and ends every other session of theirs. Wrong current passwords count as failed
/// sign-ins.
pub async fn change_password(app: &App, session: &sessions::Authenticated, change: PasswordChange) -> Result<()> {
    let (core, auth) = (app.core(), app.auth());
    let by = session.actor();
    let account = Account::User(session.user.id);
    let attempt =
        auth.throttle.admit(account, session.address, None).map_err(|locked| Error::Locked(locked.retry_after))?;
    let (_, stored) = load(&core.store, session.user.id).await?.ok_or(AuthError::NoUser)?;
    let checked = stored.password_hash;
    let current_hash = PasswordHash::from_stored(checked.clone());
    let verdict = match Password::new(&change.current_password) {
        Ok(password) => auth.hasher.verify(Some(&current_hash), password).await?,
        Err(_) => Verdict::Wrong,
    };
    if matches!(verdict, Verdict::Wrong) {
        let _ = attempt.failed();
        let entry = by.entry(core, Subject::User, &session.user.id, Verb::PasswordRefused);
        core.store.commit(Batch::with(|batch| batch.append(journal::bytes(&entry)))).await?;
        let error = FieldError::new("password_incorrect", "This is not your current password.");
        return Err(FieldErrors::of("current_password", error).into());
    }
    attempt.succeeded();
    let new_hash = hash(auth, "new_password", &session.user.username, &change.new_password).await?;
    let mut retry = Retry::new(core);
    loop {
        let (version, before) = load(&core.store, session.user.id).await?.ok_or(AuthError::NoUser)?;
        // The password was changed meanwhile, so the one that was checked is no longer the user's.
        if before.password_hash != checked {
            return Err(Error::Conflict("Your password was changed meanwhile. Sign in with the new one.".to_owned()));
        }
        let after = StoredUser { password_hash: new_hash.as_str().to_owned(), ..before };
        let entry = by.entry(core, Subject::User, &after.user.id, Verb::Password);
        let mut batch = Batch::new();
        batch
            .expect(keyspace::user(after.user.id), Expect::Version(version))
            .put(keyspace::user(after.user.id), after.to_bytes()?)
            .append(journal::bytes(&entry));
        sessions::stage_end_all(core, by, &mut batch, after.user.id, Some(session.id)).await?;
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}
