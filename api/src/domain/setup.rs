//! The first admin: made once, ever, with a code that only who started the server has seen (`docs/security.md`, P12).

use std::net::IpAddr;

use auth::setup_code::{CODE_LIFETIME, SetupCode};
use base::Clock;
use common::{
    access::Caller,
    endpoints::{setup::SetUp, users::NewUser},
    name::Username,
    problem::{FieldError, FieldErrors},
    user::User,
};
use store::{Batch, CommitError, Expect, Scan, Store};

use super::{
    app::App,
    error::{Error, Result},
    journal::Actor,
    keyspace, users,
};

/// Whether the first admin is still to be made.
pub async fn required(store: &Store) -> Result<bool> {
    if store.get(&keyspace::set_up()).await?.is_some() {
        return Ok(false);
    }
    Ok(store.scan(Scan::prefix(&keyspace::users()).limit(1)).await?.is_empty())
}

/// Makes the first admin. Of several at once one wins.
pub async fn create(app: &App, body: SetUp, address: IpAddr) -> Result<User> {
    if !required(&app.core().store).await? {
        return Err(already_done());
    }
    if !app.auth().setup_code.matches(&body.code, &app.core().clock) && !is_shared(app, &body.code).await? {
        let message =
            "This code does not hold. Use the link that the server printed; start the server again for a new one.";
        return Err(FieldErrors::of("code", FieldError::new("invalid", message)).into());
    }
    first_admin(app, Actor::at(&Caller::Anonymous, address), body.username, &body.password).await
}

/// Has a code that one server printed hold on the others of its store too.
pub async fn share(store: &Store, code: &str, clock: &Clock) -> Result<()> {
    let until = clock.unix_seconds().saturating_add(CODE_LIFETIME.as_secs().cast_signed());
    let key = keyspace::setup_code(&SetupCode::digest(code));
    let batch = Batch::with(|batch| batch.expect(keyspace::set_up(), Expect::Absent).put(key, until.to_string()));
    match store.commit(batch).await {
        // Another server's was used meanwhile.
        Ok(_) | Err(CommitError::Conflict { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Whether another server of the store printed this code.
async fn is_shared(app: &App, code: &str) -> Result<bool> {
    let found = app.core().store.get(&keyspace::setup_code(&SetupCode::digest(code))).await?;
    let until = found.and_then(|entry| std::str::from_utf8(&entry.value).ok()?.parse::<i64>().ok());
    Ok(until.is_some_and(|until| app.core().clock.unix_seconds() < until))
}

/// Makes the first admin without a code: `by` has shown one, or has the machine itself.
pub async fn first_admin(app: &App, by: Actor<'_>, username: Username, password: &str) -> Result<User> {
    users::names::check(&username)?;
    let hash = users::hash(app.auth(), "password", &username, password).await?;
    let new = NewUser { is_admin: true, ..NewUser::new(username, String::new()) };
    let (user, mut batch) = users::stage_create(app.core(), by, new, None, &hash).await?;
    batch.expect(keyspace::set_up(), Expect::Absent).put(keyspace::set_up(), user.id.to_string());
    for (code, _) in app.core().store.scan(Scan::prefix(&keyspace::setup_codes())).await? {
        batch.delete(code);
    }
    match app.core().store.commit(batch).await {
        Ok(_) => Ok(user),
        Err(CommitError::Conflict { .. }) => Err(already_done()),
        Err(error) => Err(error.into()),
    }
}

fn already_done() -> Error {
    Error::Conflict("Set-up is done already. Sign in with the account that was made then.".to_owned())
}
