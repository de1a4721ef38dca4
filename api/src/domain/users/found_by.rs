//! What users are found by: their names, and the e-mail addresses of those who have one. In their folded forms all of them are apart: an
//! address is neither another user's address nor another user's name. Each is a key of its own, so that a race for one has one winner.

use common::{
    id::UserId,
    name::Username,
    problem::{FieldError, FieldErrors},
    user::User,
};
use store::{Batch, CommitError, Expect, Key, Scan, Store};

use super::stored::{StoredUser, folded, folded_before, of_entry};
use crate::domain::{
    error::{Error, Result},
    keyspace,
};

/// The keys of a name or an address: among the names, and among the addresses.
fn keys(text: &str) -> [Key; 2] {
    let folded = folded(text);
    [keyspace::username(&folded), keyspace::email(&folded)]
}

/// The user who has this name or address, other than `of`. Two reads: it may be another's name, or another's address.
async fn holder(store: &Store, text: &str, of: Option<UserId>) -> Result<Option<UserId>> {
    for key in keys(text) {
        let Some(entry) = store.get(&key).await? else { continue };
        let id = of_entry(&entry).ok_or_else(|| Error::internal("a user name points nowhere; run coffer check"))?;
        if Some(id) != of {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// The keys by which a user is found, of those that a name or an address may have: the one of today, or the one of an earlier version, where
/// another user has that of today.
pub(in crate::domain) fn candidates(text: &str, key: impl Fn(&str) -> Key) -> Vec<Key> {
    let (now, before) = (key(&folded(text)), key(&folded_before(text)));
    if now == before { vec![now] } else { vec![now, before] }
}

async fn held(store: &Store, id: UserId, text: &str, key: impl Fn(&str) -> Key) -> Result<Vec<Key>> {
    let mut held = Vec::new();
    for key in candidates(text, key) {
        if store.get(&key).await?.is_some_and(|entry| of_entry(&entry) == Some(id)) {
            held.push(key);
        }
    }
    Ok(held)
}

/// Puts names and addresses where they are looked for today, where an earlier version compared them in lower case. Of two users whose
/// names it told apart, and that are one today, the second keeps theirs as it is, and is found by it.
pub async fn refold(store: &Store) -> Result<()> {
    let snapshot = store.snapshot().await?;
    let mut pages = snapshot.pages(Scan::prefix(&keyspace::users()));
    while let Some(page) = pages.next().await? {
        for (_, entry) in page {
            // What cannot be read, a check tells of.
            let Ok(StoredUser { user, .. }) = serde_json::from_slice(&entry.value) else { continue };
            for (text, key) in
                [(user.username.as_str(), keyspace::username as fn(&str) -> Key), (&user.email, keyspace::email)]
            {
                let [now, before] =
                    candidates(text, key).try_into().map_or([None, None], |keys: [Key; 2]| keys.map(Some));
                let (Some(now), Some(before)) = (now, before) else { continue };
                let Some(old) = store.get(&before).await?.filter(|entry| of_entry(entry) == Some(user.id)) else {
                    continue;
                };
                let mut batch = Batch::new();
                batch
                    .expect(before.clone(), Expect::Version(old.version))
                    .expect(now.clone(), Expect::Absent)
                    .delete(before)
                    .put(now, user.id.to_string());
                match store.commit(batch).await {
                    // Another user has it.
                    Ok(_) | Err(CommitError::Conflict { .. }) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Ok(())
}

/// Refuses a name or an address that another user than `of` has.
pub(super) async fn refuse_taken(
    store: &Store,
    of: Option<UserId>,
    name: Option<&Username>,
    email: &str,
) -> Result<()> {
    let mut errors = FieldErrors::new();
    if let Some(name) = name
        && holder(store, name.as_str(), of).await?.is_some()
    {
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
    let (renamed, readdressed) = (before.username != after.username, before.email != after.email);
    if !renamed && !readdressed {
        return Ok(());
    }
    let email = if readdressed { after.email.as_str() } else { "" };
    refuse_taken(store, Some(before.id), Some(&after.username).filter(|_| renamed), email).await?;
    let [new_name, name_as_email] = keys(after.username.as_str());
    let [email_as_name, new_email] = keys(&after.email);
    let names = held(store, before.id, before.username.as_str(), keyspace::username).await?;
    let emails = held(store, before.id, &before.email, keyspace::email).await?;
    let mut own = names.clone();
    own.extend(emails.iter().cloned());
    own.push(new_name.clone());
    if !after.email.is_empty() {
        own.push(new_email.clone());
    }
    // What is the user's own stays so for as long as their record does.
    let mut move_to = |held: Vec<Key>, new: Option<(Key, Key)>| {
        for old in held.iter().filter(|old| new.as_ref().is_none_or(|(new, _)| new != *old)) {
            batch.delete(old.clone());
        }
        let Some((new, other)) = new else { return };
        if !held.contains(&new) {
            batch.expect(new.clone(), Expect::Absent).put(new, before.id.to_string());
        }
        if !own.contains(&other) {
            batch.expect(other, Expect::Absent);
        }
    };
    if renamed {
        move_to(names, Some((new_name, name_as_email)));
    }
    if readdressed {
        move_to(emails, (!after.email.is_empty()).then_some((new_email, email_as_name)));
    }
    Ok(())
}

/// Stages that a user who goes has neither any more.
pub(super) async fn stage_end(store: &Store, batch: &mut Batch, user: &User) -> Result<()> {
    let mut keys = held(store, user.id, user.username.as_str(), keyspace::username).await?;
    if !user.email.is_empty() {
        keys.extend(held(store, user.id, &user.email, keyspace::email).await?);
    }
    for key in keys {
        batch.delete(key);
    }
    Ok(())
}
