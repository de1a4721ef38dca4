//! Users as they are stored, and the look-up of one.

use base::fold::{fold, nfc};
use common::{access::Caller, id::UserId, name::Username, user::User};
use serde::{Deserialize, Serialize};
use store::{Entry, Key, Snapshot, Store, Version};
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

/// The form in which names and addresses are compared. Two new users cannot differ in less.
pub fn folded(name: &str) -> String {
    fold(name)
}

/// The form in which versions before 0.2.0 compared names: lower case, so that ß and ss, or σ and ς, made two names.
pub(super) fn folded_before(name: &str) -> String {
    name.nfkc().collect::<String>().to_lowercase().nfkc().collect()
}

/// A user and the version that they were read at.
pub async fn load(store: &Store, id: UserId) -> Result<Option<(Version, StoredUser)>> {
    match store.get(&keyspace::user(id)).await? {
        Some(entry) => Ok(Some((entry.version, serde_json::from_slice(&entry.value)?))),
        None => Ok(None),
    }
}

/// The user of a name, however it is written. Of two whose names an earlier version told apart, the one who writes it so.
pub async fn by_name(store: &Store, name: &str) -> Result<Option<(Version, StoredUser)>> {
    of_either(store, name, keyspace::username).await
}

/// Whose a name is. Nearly every name is looked up once, and no more is read for one that is known than for one that is not.
pub async fn id_by_name(store: &Store, name: &str) -> Result<Option<UserId>> {
    let now = folded(name);
    if now == folded_before(name) {
        return Ok(store.get(&keyspace::username(&now)).await?.and_then(|entry| of_entry(&entry)));
    }
    Ok(by_name(store, name).await?.map(|(_, found)| found.user.id))
}

/// The user of what was typed to sign in: a name or an e-mail address, which are never two users'.
pub async fn by_name_or_email(store: &Store, typed: &str) -> Result<Option<(Version, StoredUser)>> {
    match by_name(store, typed).await? {
        Some(found) => Ok(Some(found)),
        None => of_either(store, typed, keyspace::email).await,
    }
}

/// Where a name stands now, and where an earlier version put it.
async fn of_either(store: &Store, typed: &str, key: impl Fn(&str) -> Key) -> Result<Option<(Version, StoredUser)>> {
    let (now, before) = (folded(typed), folded_before(typed));
    let found = of_key(store, &key(&now)).await?;
    if now == before {
        return Ok(found);
    }
    let writes_so = |(_, stored): &(Version, StoredUser)| {
        [stored.user.username.as_str(), &stored.user.email].iter().any(|own| nfc(own) == nfc(typed))
    };
    match found {
        Some(found) if writes_so(&found) => Ok(Some(found)),
        found => Ok(of_key(store, &key(&before)).await?.filter(|other| found.is_none() || writes_so(other)).or(found)),
    }
}

async fn of_key(store: &Store, key: &Key) -> Result<Option<(Version, StoredUser)>> {
    let Some(entry) = store.get(key).await? else { return Ok(None) };
    match of_entry(&entry) {
        Some(id) => load(store, id).await,
        None => Err(Error::internal("a user name points nowhere; run coffer check")),
    }
}

/// Whose a name or an address is.
pub(super) fn of_entry(entry: &Entry) -> Option<UserId> {
    std::str::from_utf8(&entry.value).ok().and_then(|text| text.parse().ok())
}

/// One user.
pub async fn get(store: &Store, id: UserId) -> Result<User> {
    load(store, id).await?.map(|(_, stored)| stored.user).ok_or(Error::NotFound)
}

#[cfg(test)]
mod tests {
    use super::{folded, folded_before};

    #[test]
    fn look_alikes_fold_to_one_name() {
        assert_eq!(folded("ADMIN"), folded("admin"));
        assert_eq!(folded("ａｄｍｉｎ"), "admin");
        assert_ne!(folded("admin1"), "admin");
        for (a, b) in [("STRASSE", "straße"), ("ΚΏΣΤΑΣ", "κώστας"), ("ﬁona", "FIONA"), ("ŞİRİN", "şi\u{307}ri\u{307}n")]
        {
            assert_eq!(folded(a), folded(b), "{a} {b}");
        }
        assert_ne!(folded_before("STRASSE"), folded_before("straße"));
    }
}
