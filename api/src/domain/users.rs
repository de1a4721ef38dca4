//! Users: who may sign in, and what they are. The last active admin stays: nobody can lock everyone out.

mod create;
mod found_by;
mod invitations;
mod list;
pub mod names;
mod password;
pub mod peppers;
mod sign_up;
mod stored;

use auth::{password::PasswordHash, throttle::Account};
use common::{
    change::{Subject, Verb},
    endpoints::users::UserPatch,
    id::{OperationId, UserId},
    user::User,
};
use serde_json::{Value, json};
use store::{Batch, Expect, Version, counter};

use super::{
    app::App,
    core::Core,
    error::{Error, Result},
    journal::{self, Actor},
    keyspace,
    operations::{EraseTarget, stage_erasing},
    retry::Retry,
    sessions, usage, views,
};

use create::distinct;
pub use create::{create, create_with_hash, stage_create};
pub(in crate::domain) use found_by::candidates;
pub use found_by::refold;
pub use invitations::{invitations, invite, take_back};
pub use list::{all, list};
pub use password::{change_password, hash};
pub use sign_up::{SignUp, SignUpMode, sign_up};
pub use stored::{StoredUser, by_name, by_name_or_email, folded, get, id_by_name, load, name_of};

/// The user with what they have and may have.
pub async fn with_usage(core: &Core, user: User) -> Result<User> {
    Ok(User { usage: Some(usage::of(core, user.id, user.is_admin).await?), ..user })
}

/// Changes a user. A new password ends all of their sessions, and so does disabling them.
pub async fn update(app: &App, by: Actor<'_>, id: UserId, patch: UserPatch) -> Result<User> {
    let core = app.core();
    let new_hash = match &patch.password {
        Some(password) => {
            let current = get(&core.store, id).await?;
            let name = patch.username.as_ref().unwrap_or(&current.username);
            Some(hash(app.auth(), "password", name, password).await?)
        }
        None => None,
    };
    let _one_at_a_time = match patch.username {
        Some(_) => Some(app.auth().naming.lock().await),
        None => None,
    };
    let ends_sessions = new_hash.is_some() || patch.is_active == Some(false);
    let mut retry = Retry::new(core);
    loop {
        let (version, before) = load(&core.store, id).await?.ok_or(Error::NotFound)?;
        let mut after = before.clone();
        before.user.check_sent_back(&patch.sent_back)?;
        let UserPatch { username, email, roles, is_admin, is_active, claims, .. } = patch.clone();
        after.user.username = username.unwrap_or(after.user.username);
        after.user.email = email.unwrap_or(after.user.email);
        after.user.claims = claims.unwrap_or(after.user.claims);
        after.user.roles = roles.map_or(after.user.roles, distinct);
        after.user.is_admin = is_admin.unwrap_or(after.user.is_admin);
        after.user.is_active = is_active.unwrap_or(after.user.is_active);
        if let Some(hash) = &new_hash {
            hash.as_str().clone_into(&mut after.password_hash);
        }
        let action = if new_hash.is_some() { Verb::Password } else { Verb::Update };
        let change = by.entry(core, Subject::User, &id, action).values(json!(before.user), json!(after.user));
        let mut batch = Batch::new();
        batch
            .expect(keyspace::user(id), Expect::Version(version))
            .put(keyspace::user(id), after.to_bytes()?)
            .append(journal::bytes(&change));
        found_by::stage_change(&core.store, &mut batch, &before.user, &after.user).await?;
        if folded(before.user.username.as_str()) != folded(after.user.username.as_str()) {
            names::check(&after.user.username)?;
            names::refuse_alike(core, &after.user.username, Some(id)).await?;
        }
        count_admin(core, &mut batch, before.is_active_admin(), after.is_active_admin()).await?;
        if ends_sessions {
            sessions::stage_end_all(core, by, &mut batch, id, None).await?;
        }
        if retry.commit(batch).await?.is_some() {
            return Ok(after.user);
        }
    }
}

/// Changes the caller's own name or address. That one is taken is told, and counts as a guess at who else there is.
pub async fn update_own(app: &App, by: Actor<'_>, id: UserId, patch: UserPatch) -> Result<User> {
    let attempt = match (&patch.username, &patch.email) {
        (None, None) => None,
        _ if by.caller.is_admin() => None,
        _ => Some(app.core().guesses.admit(&format!("names {id}"))?),
    };
    let updated = update(app, by, id, patch).await;
    if let Err(Error::Taken(_)) = &updated {
        sign_up::count(app, by, attempt).await?;
    }
    updated
}

/// Takes away the lock that wrong guesses put on a user.
pub async fn unlock(app: &App, by: Actor<'_>, id: UserId) -> Result<()> {
    let core = app.core();
    get(&core.store, id).await?;
    app.auth().throttle.unlock(Account::User(id));
    journal::note(core, &by.entry(core, Subject::User, &id, Verb::Unlock)).await
}

/// Keeps the number of active admins, and refuses to take the last one.
async fn count_admin(core: &Core, batch: &mut Batch, before: bool, after: bool) -> Result<()> {
    let key = keyspace::active_admins();
    match (before, after) {
        (false, true) => {
            batch.add(key, 1);
        }
        (true, false) => {
            let entry = core.store.get(&key).await?;
            let admins = entry.as_ref().and_then(counter).unwrap_or(0);
            let Some(entry) = entry.filter(|_| admins > 1) else {
                return Err(Error::Conflict(
                    "This is the last active admin. Make another user an admin first.".to_owned(),
                ));
            };
            batch.expect(key.clone(), Expect::Version(entry.version)).add(key, -1);
        }
        _ => {}
    }
    Ok(())
}

/// Deletes a user and ends their sessions. Their records and the views that they shared stay, and name an owner who is gone.
pub async fn delete(core: &Core, by: Actor<'_>, id: UserId) -> Result<()> {
    remove(core, by, id, None).await
}

/// Deletes a user as the operation says, which erases what the journal has of them.
pub async fn erase(core: &Core, by: Actor<'_>, id: UserId, operation: OperationId, what: EraseTarget) -> Result<()> {
    remove(core, by, id, Some((operation, what))).await
}

async fn remove(core: &Core, by: Actor<'_>, id: UserId, erasing: Option<(OperationId, EraseTarget)>) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let (version, before) = load(&core.store, id).await?.ok_or(Error::NotFound)?;
        let change = by.entry(core, Subject::User, &id, Verb::Delete).values(json!(before.user), Value::Null);
        let mut batch = Batch::new();
        batch
            .expect(keyspace::user(id), Expect::Version(version))
            .delete(keyspace::user(id))
            .append(journal::bytes(&change));
        found_by::stage_end(&core.store, &mut batch, &before.user).await?;
        views::stage_delete_own(&core.store.snapshot().await?, &mut batch, id).await?;
        count_admin(core, &mut batch, before.is_active_admin(), false).await?;
        sessions::stage_end_all(core, by, &mut batch, id, None).await?;
        if let Some((operation, what)) = &erasing {
            stage_erasing(core, by, *operation, what.clone(), &mut batch).await?;
        }
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Notes a sign-in, and stores a stronger hash where the policy has risen. A writer in between is no harm: then the next
/// sign-in notes it.
pub fn stage_signed_in(
    batch: &mut Batch,
    version: Version,
    stored: &StoredUser,
    rehashed: Option<&PasswordHash>,
    at: &str,
) -> Result<()> {
    let mut after = stored.clone();
    after.user.last_login = Some(at.to_owned());
    if let Some(hash) = rehashed {
        hash.as_str().clone_into(&mut after.password_hash);
    }
    let key = keyspace::user(stored.user.id);
    batch.expect(key.clone(), Expect::Version(version)).put(key, after.to_bytes()?);
    Ok(())
}
