//! Users as they are stored, and the look-up of one.

use common::{access::Caller, id::UserId, name::Username, user::User};
use serde::{Deserialize, Serialize};
use store::{Key, Snapshot, Store, Version};
use unicode_normalization::UnicodeNormalization;

use crate::domain::{
    error::{Error, Result},
    keyspace,
};

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
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>> {
        Ok(serde_json::to_vec(self)?)
    }

    /// The user as the caller of requests.
    pub fn caller(&self) -> Caller {
        Caller::User { id: self.user.id, is_admin: self.user.is_admin, roles: self.user.roles.clone() }
    }

    pub(super) fn is_active_admin(&self) -> bool {
        self.user.is_admin && self.user.is_active
    }
}

/// The name of a user; `None` where there is none of this id.
pub async fn name_of(snapshot: &Snapshot, id: UserId) -> Result<Option<Username>> {
    let Some(entry) = snapshot.get(&keyspace::user(id)).await? else { return Ok(None) };
    Ok(Some(serde_json::from_slice::<StoredUser>(&entry.value)?.user.username))
}

/// The form in which names are compared: NFKC, lower case. Two users cannot differ in less.
pub fn folded(name: &str) -> String {
    name.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// A user and the version that they were read at.
pub async fn load(store: &Store, id: UserId) -> Result<Option<(Version, StoredUser)>> {
    match store.get(&keyspace::user(id)).await? {
        Some(entry) => Ok(Some((entry.version, serde_json::from_slice(&entry.value)?))),
        None => Ok(None),
    }
}

/// The user of a name, however it is written.
pub async fn by_name(store: &Store, name: &str) -> Result<Option<(Version, StoredUser)>> {
    of_key(store, &keyspace::username(&folded(name))).await
}

/// The user of what was typed to sign in: a name or an e-mail address, which are never two users'.
pub async fn by_name_or_email(store: &Store, typed: &str) -> Result<Option<(Version, StoredUser)>> {
    match by_name(store, typed).await? {
        Some(found) => Ok(Some(found)),
        None => of_key(store, &keyspace::email(&folded(typed))).await,
    }
}

async fn of_key(store: &Store, key: &Key) -> Result<Option<(Version, StoredUser)>> {
    let Some(entry) = store.get(key).await? else { return Ok(None) };
    let id = std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok());
    match id {
        Some(id) => load(store, id).await,
        None => Err(Error::internal("a user name points nowhere; run coffer check")),
    }
}

/// One user.
pub async fn get(store: &Store, id: UserId) -> Result<User> {
    load(store, id).await?.map(|(_, stored)| stored.user).ok_or(Error::NotFound)
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
