//! Making a user.

use auth::password::PasswordHash;
use common::{
    change::{Subject, Verb},
    endpoints::users::NewUser,
    id::UserId,
    name::RoleName,
    user::User,
};
use serde_json::{Value, json};
use store::Batch;

use super::{found_by, hash, names, stored::StoredUser};
use crate::domain::{
    app::App,
    core::Core,
    error::Result,
    journal::{self, Actor},
    keyspace, owners,
    retry::Retry,
};

/// Stages a new user into a batch. `number`: what they were called elsewhere.
pub async fn stage_create(
    core: &Core,
    by: Actor<'_>,
    new: NewUser,
    number: Option<u64>,
    hash: &PasswordHash,
) -> Result<(User, Batch)> {
    let (id, created_at) = core.new_id();
    let user = User {
        id: UserId::from_uuid(id),
        username: new.username,
        email: new.email,
        roles: distinct(new.roles),
        is_admin: new.is_admin,
        is_active: new.is_active,
        created_at,
        last_login: None,
        claims: new.claims,
        number,
        usage: None,
    };
    let stored = StoredUser { user: user.clone(), password_hash: hash.as_str().to_owned() };
    let change = by.entry(core, Subject::User, &user.id, Verb::Create).values(Value::Null, json!(user));
    let mut batch = Batch::new();
    found_by::stage_first(&mut batch, &user);
    batch.put(keyspace::user(user.id), stored.to_bytes()?).append(journal::bytes(&change));
    if stored.is_active_admin() {
        batch.add(keyspace::active_admins(), 1);
    }
    owners::stage_new(&core.store, &mut batch, user.id, &mut None).await?;
    Ok((user, batch))
}

/// Each role once.
pub(super) fn distinct(mut roles: Vec<RoleName>) -> Vec<RoleName> {
    roles.sort();
    roles.dedup();
    roles
}

/// Makes a user.
pub async fn create(app: &App, by: Actor<'_>, new: NewUser) -> Result<User> {
    create_with(app, by, new, |_| ()).await
}

/// The same, with more in the commit.
pub(super) async fn create_with(app: &App, by: Actor<'_>, new: NewUser, more: impl Fn(&mut Batch)) -> Result<User> {
    let core = app.core();
    found_by::refuse_taken(&core.store, None, Some(&new.username), &new.email).await?;
    names::check(&new.username)?;
    let hash = hash(app.auth(), "password", &new.username, &new.password).await?;
    create_hashed(app, by, new, None, &hash, more).await
}

/// Makes a user whose password another program hashed, and who had a number there. The password in `new` is not looked at.
pub async fn create_with_hash(
    app: &App,
    by: Actor<'_>,
    new: NewUser,
    number: Option<u64>,
    hash: &PasswordHash,
) -> Result<User> {
    found_by::refuse_taken(&app.core().store, None, Some(&new.username), &new.email).await?;
    names::check(&new.username)?;
    create_hashed(app, by, new, number, hash, |_| ()).await
}

async fn create_hashed(
    app: &App,
    by: Actor<'_>,
    new: NewUser,
    number: Option<u64>,
    hash: &PasswordHash,
    more: impl Fn(&mut Batch),
) -> Result<User> {
    let core = app.core();
    let _one_at_a_time = app.auth().naming.lock().await;
    names::refuse_alike(core, &new.username, None).await?;
    let mut retry = Retry::new(core);
    loop {
        let (user, mut batch) = stage_create(core, by, new.clone(), number, hash).await?;
        more(&mut batch);
        if retry.commit(batch).await?.is_some() {
            return Ok(user);
        }
        // The name, the address or the number went to somebody else.
        found_by::refuse_taken(&core.store, None, Some(&new.username), &new.email).await?;
    }
}
