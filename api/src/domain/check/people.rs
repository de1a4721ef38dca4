//! Users with their names, sessions with their users, refresh tokens that were spent.

use std::collections::HashMap;

use bytes::Bytes;
use common::{
    id::{SessionId, UserId},
    user::User,
};
use store::Key;

use super::{
    derived,
    ledger::{CheckError, Ledger},
};
use crate::domain::{
    keyspace,
    sessions::StoredSession,
    users::{StoredUser, candidates, folded},
};

/// Checks users and sessions.
pub(super) async fn check(ledger: &mut Ledger<'_>) -> Result<(), CheckError> {
    let (names, emails) = users(ledger).await?;
    found_by(ledger, &keyspace::usernames(), &names, "name").await?;
    found_by(ledger, &keyspace::emails(), &emails, "e-mail address").await?;
    let sessions = sessions(ledger).await?;
    user_sessions(ledger, &sessions).await?;
    spent(ledger, &sessions).await
}

/// Keys, and the user of each.
type Users = HashMap<Key, UserId>;

/// The keys of the names of all users, and those of their e-mail addresses.
async fn users(ledger: &mut Ledger<'_>) -> Result<(Users, Users), CheckError> {
    let (mut names, mut emails, mut same) = (Users::new(), Users::new(), HashMap::new());
    let mut admins = 0;
    let mut pages = ledger.pages(&keyspace::users());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let Some(StoredUser { user, .. }) = serde_json::from_slice(&entry.value)
                .ok()
                .filter(|stored: &StoredUser| keyspace::user(stored.user.id) == key)
            else {
                ledger.unreadable(&key, "the user");
                continue;
            };
            admins += i64::from(user.is_admin && user.is_active);
            let name = due(ledger, &user, user.username.as_str(), keyspace::username).await?;
            if let Some(other) = names.insert(name, user.id) {
                ledger.damaged(format_args!("the users {} and {other} have the same name; change one", user.id));
            }
            if let Some(other) = same.insert(folded(user.username.as_str()), user.id) {
                ledger.damaged(format_args!(
                    "the users {} and {other} have names that are one without case ({}): each signs in as theirs is written; change one",
                    user.id, user.username
                ));
            }
            if user.email.is_empty() {
                continue;
            }
            let email = due(ledger, &user, &user.email, keyspace::email).await?;
            if let Some(other) = emails.insert(email, user.id) {
                ledger.damaged(format_args!(
                    "the users {} and {other} have the same e-mail address; change one",
                    user.id
                ));
            }
        }
    }
    let key = keyspace::active_admins();
    derived::counters(ledger, &key, HashMap::from([(key.clone(), [admins])])).await?;
    Ok((names, emails))
}

/// The key by which a user is found by a name or an address: the one of today, unless an earlier version put it elsewhere.
async fn due(ledger: &Ledger<'_>, user: &User, text: &str, key: impl Fn(&str) -> Key) -> Result<Key, CheckError> {
    let keys = candidates(text, key);
    for key in keys.iter().rev() {
        if ledger.snapshot.get(key).await?.is_some_and(|entry| entry.value == user.id.to_string()) {
            return Ok(key.clone());
        }
    }
    Ok(keys[0].clone())
}

/// The entries of a space by which users are found, which is one of their names or of their addresses.
async fn found_by(ledger: &mut Ledger<'_>, space: &Key, names: &Users, what: &str) -> Result<(), CheckError> {
    let mut pages = ledger.pages(space);
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, _) in page {
            if !names.contains_key(&key) {
                ledger.wrong(&key, None, &format!("no user has this {what}")).await?;
            }
        }
    }
    for (key, id) in names {
        let due = Bytes::from(id.to_string());
        if ledger.snapshot.get(key).await?.is_none_or(|entry| entry.value != due) {
            ledger.wrong(key, Some(due), &format!("the {what} of user {id} is not known")).await?;
        }
    }
    Ok(())
}

/// All sessions, and whose each is.
async fn sessions(ledger: &mut Ledger<'_>) -> Result<HashMap<SessionId, UserId>, CheckError> {
    let mut sessions = HashMap::new();
    let mut pages = ledger.pages(&keyspace::sessions());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, entry) in page {
            let id = keyspace::last_id(&key).map(|id| SessionId::from_uuid(id.bits()));
            let (Some(id), Ok(session)) = (id, serde_json::from_slice::<StoredSession>(&entry.value)) else {
                ledger.unreadable(&key, "the session");
                continue;
            };
            for token in [Some(session.refresh), session.successor.map(|successor| successor.id)].into_iter().flatten()
            {
                if ledger.snapshot.get(&keyspace::spent(id, token)).await?.is_some() {
                    let key = keyspace::shown(&key);
                    ledger
                        .damaged(format_args!("{key}: a refresh token of the session that is good is noted as spent"));
                }
            }
            let beside = keyspace::user_session(session.user, id);
            if ledger.snapshot.get(&beside).await?.is_none() {
                ledger.wrong(&beside, Some(Bytes::new()), "the session is not among its user's").await?;
            }
            sessions.insert(id, session.user);
        }
    }
    Ok(sessions)
}

async fn user_sessions(ledger: &mut Ledger<'_>, sessions: &HashMap<SessionId, UserId>) -> Result<(), CheckError> {
    let mut pages = ledger.pages(&keyspace::all_user_sessions());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, _) in page {
            let id = keyspace::last_id(&key).map(|id| SessionId::from_uuid(id.bits()));
            let user = id.and_then(|id| Some((id, *sessions.get(&id)?)));
            if user.is_none_or(|(id, user)| keyspace::user_session(user, id) != key) {
                ledger.wrong(&key, None, "no such session").await?;
            }
        }
    }
    Ok(())
}

async fn spent(ledger: &mut Ledger<'_>, sessions: &HashMap<SessionId, UserId>) -> Result<(), CheckError> {
    let mut pages = ledger.pages(&keyspace::spent_tokens());
    while let Some(page) = ledger.next(&mut pages).await? {
        for (key, _) in page {
            let mut elements = key.elements();
            let session = elements.space().and_then(|_| elements.uuid()).map(SessionId::from_uuid);
            if !session.is_ok_and(|id| sessions.contains_key(&id)) {
                ledger.wrong(&key, None, "the session of this spent token is not there").await?;
            }
        }
    }
    Ok(())
}
