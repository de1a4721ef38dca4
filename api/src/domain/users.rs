//! Users: who may sign in, and what they are. The last active admin stays: nobody can lock everyone out.

mod list;
pub mod peppers;

use common::{
    access::Caller,
    change::Subject,
    endpoints::users::{NewUser, PasswordChange, UserPatch},
    id::UserId,
    name::{RoleName, Username},
    problem::{FieldError, FieldErrors},
    user::User,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use super::{
    App, Error, Result,
    error::AuthError,
    journal::{self, Actor},
    keyspace, sessions, usage,
};
use crate::{
    auth::password::{Password, PasswordHash, Verdict},
    store::{Batch, CommitError, Expect, Version, counter},
};

pub use list::{all, list};

/// A user as stored.
#[derive(Clone, Serialize, Deserialize)]
pub struct StoredUser {
    /// What is sent.
    #[serde(flatten)]
    pub user: User,
    /// The PHC string.
    pub password_hash: String,
}

impl StoredUser {
    fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// The user as the caller of requests.
    pub fn caller(&self) -> Caller {
        Caller::User { id: self.user.id, is_admin: self.user.is_admin, roles: self.user.roles.clone() }
    }

    fn is_active_admin(&self) -> bool {
        self.user.is_admin && self.user.is_active
    }
}

/// The form in which names are compared: NFKC, lower case. Two users cannot differ in less.
pub fn folded(name: &str) -> String {
    name.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// A user and the version that they were read at.
pub async fn load(app: &App, id: UserId) -> Result<Option<(Version, StoredUser)>> {
    match app.store.get(&keyspace::user(id)).await? {
        Some(entry) => Ok(Some((entry.version, serde_json::from_slice(&entry.value)?))),
        None => Ok(None),
    }
}

/// The user of a name, however it is written.
pub async fn by_name(app: &App, name: &str) -> Result<Option<(Version, StoredUser)>> {
    let Some(entry) = app.store.get(&keyspace::username(&folded(name))).await? else { return Ok(None) };
    let id = std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok());
    match id {
        Some(id) => load(app, id).await,
        None => Err(Error::Internal("a user name points nowhere; run coffer check".to_owned())),
    }
}

/// One user.
pub async fn get(app: &App, id: UserId) -> Result<User> {
    load(app, id).await?.map(|(_, stored)| stored.user).ok_or(Error::NotFound)
}

/// The user with what they have and may have.
pub async fn with_usage(app: &App, user: User) -> Result<User> {
    Ok(User { usage: Some(usage::of(app, user.id, user.is_admin).await?), ..user })
}

/// Checks a new password against the policy and hashes it. `field` is where faults are told.
pub async fn hash(app: &App, field: &str, username: &Username, password: &str) -> Result<PasswordHash> {
    let Ok(password) = Password::new(password) else {
        let error = FieldError::new("password_too_long", "This password is too long. Use at most 1024 bytes.");
        return Err(FieldErrors::of(field, error).into());
    };
    let faults = app.policy.check(&password, username.as_str());
    if !faults.is_empty() {
        let mut errors = FieldErrors::new();
        for fault in faults {
            errors.push(field, FieldError::new(fault.code(), fault.to_string()));
        }
        return Err(errors.into());
    }
    Ok(app.hasher.hash(password).await?)
}

/// Stages a new user into a batch.
pub fn stage_create(app: &App, by: Actor<'_>, new: NewUser, hash: &PasswordHash) -> Result<(User, Batch)> {
    let user = User {
        id: UserId::from_uuid(app.ids.next_id()),
        username: new.username,
        roles: distinct(new.roles),
        is_admin: new.is_admin,
        is_active: new.is_active,
        created_at: app.timestamp(),
        last_login: None,
        usage: None,
    };
    let name = keyspace::username(&folded(user.username.as_str()));
    let stored = StoredUser { user: user.clone(), password_hash: hash.as_str().to_owned() };
    let change = by.entry(app, Subject::User, &user.id, "create").values(Value::Null, json!(user));
    let mut batch = Batch::new()
        .expect(name.clone(), Expect::Absent)
        .put(name, user.id.to_string())
        .put(keyspace::user(user.id), stored.to_bytes()?)
        .append(journal::bytes(&change));
    if stored.is_active_admin() {
        batch = batch.add(keyspace::active_admins(), 1);
    }
    Ok((user, batch))
}

fn distinct(mut roles: Vec<RoleName>) -> Vec<RoleName> {
    roles.sort();
    roles.dedup();
    roles
}

/// The answer to a name that is taken.
pub fn name_taken() -> Error {
    Error::Taken(FieldErrors::of("username", FieldError::new("unique", "A user with that username already exists.")))
}

/// Makes a user.
pub async fn create(app: &App, by: Actor<'_>, new: NewUser) -> Result<User> {
    if by_name(app, new.username.as_str()).await?.is_some() {
        return Err(name_taken());
    }
    let hash = hash(app, "password", &new.username, &new.password).await?;
    let (user, batch) = stage_create(app, by, new, &hash)?;
    match app.store.commit(batch).await {
        Ok(_) => Ok(user),
        Err(CommitError::Conflict { .. }) => Err(name_taken()),
        Err(error) => Err(error.into()),
    }
}

/// Changes a user. A new password ends all of their sessions, and so does disabling them.
pub async fn update(app: &App, by: Actor<'_>, id: UserId, patch: UserPatch) -> Result<User> {
    let new_hash = match &patch.password {
        Some(password) => {
            let current = get(app, id).await?;
            let name = patch.username.as_ref().unwrap_or(&current.username);
            Some(hash(app, "password", name, password).await?)
        }
        None => None,
    };
    let ends_sessions = new_hash.is_some() || patch.is_active == Some(false);
    let mut tries = app.tries();
    loop {
        let (version, before) = load(app, id).await?.ok_or(Error::NotFound)?;
        let mut after = before.clone();
        before.user.check_sent_back(&patch.sent_back)?;
        let UserPatch { username, roles, is_admin, is_active, .. } = patch.clone();
        after.user.username = username.unwrap_or(after.user.username);
        after.user.roles = roles.map_or(after.user.roles, distinct);
        after.user.is_admin = is_admin.unwrap_or(after.user.is_admin);
        after.user.is_active = is_active.unwrap_or(after.user.is_active);
        if let Some(hash) = &new_hash {
            hash.as_str().clone_into(&mut after.password_hash);
        }
        let action = if new_hash.is_some() { "password" } else { "update" };
        let change = by.entry(app, Subject::User, &id, action).values(json!(before.user), json!(after.user));
        let mut batch = Batch::new()
            .expect(keyspace::user(id), Expect::Version(version))
            .put(keyspace::user(id), after.to_bytes()?)
            .append(journal::bytes(&change));
        let (old, new) = (folded(before.user.username.as_str()), folded(after.user.username.as_str()));
        if old != new {
            if by_name(app, &new).await?.is_some() {
                return Err(name_taken());
            }
            let name = keyspace::username(&new);
            batch =
                batch.delete(keyspace::username(&old)).expect(name.clone(), Expect::Absent).put(name, id.to_string());
        }
        batch = count_admin(app, batch, before.is_active_admin(), after.is_active_admin()).await?;
        if ends_sessions {
            batch = sessions::stage_end_all(app, by, batch, id, None).await?;
        }
        if tries.commit(batch).await?.is_some() {
            return Ok(after.user);
        }
    }
}

/// Keeps the number of active admins, and refuses to take the last one.
async fn count_admin(app: &App, batch: Batch, before: bool, after: bool) -> Result<Batch> {
    let key = keyspace::active_admins();
    match (before, after) {
        (false, true) => Ok(batch.add(key, 1)),
        (true, false) => {
            let entry = app.store.get(&key).await?;
            let admins = entry.as_ref().and_then(counter).unwrap_or(0);
            let Some(entry) = entry.filter(|_| admins > 1) else {
                return Err(Error::Conflict(
                    "This is the last active admin. Make another user an admin first.".to_owned(),
                ));
            };
            Ok(batch.expect(key.clone(), Expect::Version(entry.version)).add(key, -1))
        }
        _ => Ok(batch),
    }
}

/// Deletes a user and ends their sessions. Their records stay, and name an owner who is gone.
pub async fn delete(app: &App, by: Actor<'_>, id: UserId) -> Result<()> {
    let mut tries = app.tries();
    loop {
        let (version, before) = load(app, id).await?.ok_or(Error::NotFound)?;
        let change = by.entry(app, Subject::User, &id, "delete").values(json!(before.user), Value::Null);
        let batch = Batch::new()
            .expect(keyspace::user(id), Expect::Version(version))
            .delete(keyspace::user(id))
            .delete(keyspace::username(&folded(before.user.username.as_str())))
            .append(journal::bytes(&change));
        let batch = count_admin(app, batch, before.is_active_admin(), false).await?;
        let batch = sessions::stage_end_all(app, by, batch, id, None).await?;
        if tries.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Changes the caller's own password and ends every other session of theirs. Wrong current passwords count as failed
/// sign-ins.
pub async fn change_password(app: &App, session: &sessions::Authenticated, change: PasswordChange) -> Result<()> {
    let by = session.actor();
    let name = session.user.username.as_str();
    let attempt =
        app.throttle.admit(&folded(name), session.address).map_err(|locked| Error::Locked(locked.retry_after))?;
    let (_, stored) = load(app, session.user.id).await?.ok_or(AuthError::NoUser)?;
    let checked = stored.password_hash;
    let current_hash = PasswordHash::from_stored(checked.clone());
    let verdict = match Password::new(&change.current_password) {
        Ok(password) => app.hasher.verify(Some(&current_hash), password).await?,
        Err(_) => Verdict::Wrong,
    };
    if matches!(verdict, Verdict::Wrong) {
        let _ = attempt.failed();
        let entry = by.entry(app, Subject::User, &session.user.id, "password_refused");
        app.store.commit(Batch::new().append(journal::bytes(&entry))).await?;
        let error = FieldError::new("password_incorrect", "This is not your current password.");
        return Err(FieldErrors::of("current_password", error).into());
    }
    attempt.succeeded();
    let new_hash = hash(app, "new_password", &session.user.username, &change.new_password).await?;
    let mut tries = app.tries();
    loop {
        let (version, before) = load(app, session.user.id).await?.ok_or(AuthError::NoUser)?;
        // Whoever set another password meanwhile had a reason: the one that was checked is worth nothing any more.
        if before.password_hash != checked {
            return Err(Error::Conflict("Your password was changed meanwhile. Sign in with the new one.".to_owned()));
        }
        let after = StoredUser { password_hash: new_hash.as_str().to_owned(), ..before };
        let entry = by.entry(app, Subject::User, &after.user.id, "password");
        let batch = Batch::new()
            .expect(keyspace::user(after.user.id), Expect::Version(version))
            .put(keyspace::user(after.user.id), after.to_bytes()?)
            .append(journal::bytes(&entry));
        let batch = sessions::stage_end_all(app, by, batch, after.user.id, Some(session.id)).await?;
        if tries.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Notes a sign-in, and stores a stronger hash where the policy has risen. A writer in between is no harm: then the next
/// sign-in notes it.
pub fn stage_signed_in(
    batch: Batch,
    version: Version,
    stored: &StoredUser,
    rehashed: Option<&PasswordHash>,
    at: &str,
) -> Result<Batch> {
    let mut after = stored.clone();
    after.user.last_login = Some(at.to_owned());
    if let Some(hash) = rehashed {
        hash.as_str().clone_into(&mut after.password_hash);
    }
    let key = keyspace::user(stored.user.id);
    Ok(batch.expect(key.clone(), Expect::Version(version)).put(key, after.to_bytes()?))
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn look_alikes_fold_to_one_name() {
        assert_eq!(folded("ADMIN"), folded("admin"));
        assert_eq!(folded("ａｄｍｉｎ"), "admin");
        assert_ne!(folded("admin1"), "admin");
    }
}
