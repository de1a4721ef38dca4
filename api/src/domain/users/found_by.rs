//! What users are found by: their names, and the e-mail addresses of those who have one. In their folded forms all of them are apart: an
//! address is neither another user's address nor another user's name. Each is a key of its own, so that a race for one has one winner.

use common::{
    id::UserId,
    name::Username,
    problem::{FieldError, FieldErrors},
    user::User,
};
use store::{Batch, Expect, Key, Store};

use super::stored::folded;
use crate::domain::{
    error::{Error, Result},
    keyspace,
};

/// The keys of a name or an address: among the names, and among the addresses.
fn keys(text: &str) -> [Key; 2] {
    let folded = folded(text);
    [keyspace::username(&folded), keyspace::email(&folded)]
}

/// Whose a name or an address is, apart from `of`. Two reads: it may be another's name, or another's address.
async fn holder(store: &Store, text: &str, of: Option<UserId>) -> Result<Option<UserId>> {
    for key in keys(text) {
        let Some(entry) = store.get(&key).await? else { continue };
        let id = std::str::from_utf8(&entry.value).ok().and_then(|id| id.parse().ok());
        let id = id.ok_or_else(|| Error::internal("a user name points nowhere; run coffer check"))?;
        if Some(id) != of {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Refuses a name or an address that another user than `of` has.
pub(super) async fn refuse_taken(store: &Store, of: Option<UserId>, name: &Username, email: &str) -> Result<()> {
    let mut errors = FieldErrors::new();
    if holder(store, name.as_str(), of).await?.is_some() {
        errors.push("username", FieldError::new("unique", "A user with that username already exists."));
    }
    if !email.is_empty() && holder(store, email, of).await?.is_some() {
        errors.push("email", FieldError::new("unique", "A user with that email address already exists."));
    }
    if errors.0.is_empty() { Ok(()) } else { Err(Error::Taken(errors)) }
}

/// Stages the name and the address of a user who had none.
pub(super) fn stage_first(batch: &mut Batch, user: &User) {
    let [name, as_email] = keys(user.username.as_str());
    batch.expect(name.clone(), Expect::Absent).put(name.clone(), user.id.to_string());
    if user.email.is_empty() {
        batch.expect(as_email, Expect::Absent);
        return;
    }
    let [as_name, email] = keys(&user.email);
    batch.expect(email.clone(), Expect::Absent).put(email.clone(), user.id.to_string());
    // One's own address may be one's name.
    for (key, own) in [(as_name, name), (as_email, email)] {
        if key != own {
            batch.expect(key, Expect::Absent);
        }
    }
}

/// Stages a change of the name or the address. The user's own record has to be expected unchanged in the same batch.
pub(super) async fn stage_change(store: &Store, batch: &mut Batch, before: &User, after: &User) -> Result<()> {
    let key_of = |user: &User| {
        let email = (!user.email.is_empty()).then(|| keyspace::email(&folded(&user.email)));
        (keyspace::username(&folded(user.username.as_str())), email)
    };
    let ((old_name, old_email), (new_name, new_email)) = (key_of(before), key_of(after));
    if old_name == new_name && old_email == new_email {
        return Ok(());
    }
    refuse_taken(store, Some(before.id), &after.username, &after.email).await?;
    if old_name != new_name {
        let as_email = keyspace::email(&folded(after.username.as_str()));
        batch.delete(old_name.clone()).expect(new_name.clone(), Expect::Absent).put(new_name, before.id.to_string());
        // What is the user's own stays so for as long as their record does.
        if old_email.as_ref() != Some(&as_email) && new_email.as_ref() != Some(&as_email) {
            batch.expect(as_email, Expect::Absent);
        }
    }
    if old_email != new_email {
        if let Some(old) = old_email {
            batch.delete(old);
        }
        if let Some(new) = new_email {
            batch.expect(new.clone(), Expect::Absent).put(new, before.id.to_string());
            let as_name = keyspace::username(&folded(&after.email));
            if as_name != old_name && as_name != keyspace::username(&folded(after.username.as_str())) {
                batch.expect(as_name, Expect::Absent);
            }
        }
    }
    Ok(())
}

/// Stages that a user who goes has neither any more.
pub(super) fn stage_end(batch: &mut Batch, user: &User) {
    batch.delete(keyspace::username(&folded(user.username.as_str())));
    if !user.email.is_empty() {
        batch.delete(keyspace::email(&folded(&user.email)));
    }
}
