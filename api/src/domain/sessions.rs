//! Sessions: one sign-in and what became of it. Every token belongs to one, and every request asks it: a session that ended
//! takes its tokens with it at once. Which of its refresh tokens are good is [`super::rotation`]'s.

mod stored;

use std::{net::IpAddr, sync::Arc, time::Duration};

use common::{
    access::Caller,
    change::{Subject, Verb},
    id::{SessionId, UserId},
    page::Page,
    people,
    query::ListQuery,
    user::{Session, User},
};
use serde_json::{Value, json};
use store::{Batch, Expect, Reserve, Scan, Version};
use time::OffsetDateTime;

use super::{
    core::Core,
    error::{Error, Result},
    journal::{self, Actor},
    keyspace, records,
    retry::Retry,
};
pub use stored::{StoredSession, StoredToken};

/// How long a session lives at most, unless the operator says otherwise.
pub const LIFETIME: Duration = Duration::from_hours(24 * 30);

/// How many sessions a user may hold, those that have ended and are kept for their tokens included.
pub const MAX_SESSIONS: usize = 1000;

/// Spent tokens that are removed together with their session.
const MAX_SPENT: usize = 500;

/// A request's caller, found good: their token, session and user hold.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The session of the token.
    pub id: SessionId,
    /// The user, as stored right now.
    pub user: Arc<User>,
    /// The same as a caller.
    pub caller: Caller,
    /// Where the request came from.
    pub address: IpAddr,
}

impl Authenticated {
    /// The caller and where they are, for the journal.
    pub fn actor(&self) -> Actor<'_> {
        Actor::at(&self.caller, self.address)
    }
}

/// A session as it is stored now.
#[derive(Debug)]
pub struct Current {
    /// Its id.
    pub id: SessionId,
    /// The commit that wrote it.
    pub version: Version,
    /// What is stored.
    pub session: StoredSession,
}

/// A session, and the version that it was read at.
pub async fn load(core: &Core, id: SessionId) -> Result<Option<(Version, StoredSession)>> {
    match core.store.get(&keyspace::session(id)).await? {
        Some(entry) => Ok(Some((entry.version, serde_json::from_slice(&entry.value)?))),
        None => Ok(None),
    }
}

fn moment(unix_seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix_seconds).map(common::validate::format_moment).unwrap_or_default()
}

/// The page of a user's sessions that a query asks for. Those that have ended are left out; the newest come first.
pub async fn list(core: &Core, asking: &Authenticated, user: UserId, query: &ListQuery) -> Result<Page<Session>> {
    let table = people::sessions();
    people::check(&table, query)?;
    let mut sessions = Vec::new();
    for id in ids_of(core, user).await? {
        let Some((_, stored)) = load(core, id).await? else { continue };
        if stored.is_over(core.clock.unix_seconds()) {
            continue;
        }
        sessions.push(Session {
            id,
            user,
            created_at: stored.created_at,
            last_used: stored.last_used,
            expires_at: moment(stored.expires_at),
            address: stored.address,
            user_agent: stored.user_agent,
            current: id == asking.id,
            shared_by: stored.shared_by.iter().map(ToString::to_string).collect(),
        });
    }
    sessions.reverse();
    records::select(&records::Asked::new(core, &Caller::Anonymous), sessions, &table, query, &core.deadline()).await
}

async fn ids_of(core: &Core, user: UserId) -> Result<Vec<SessionId>> {
    let entries = core.store.scan(Scan::prefix(&keyspace::user_sessions(user))).await?;
    Ok(entries.iter().filter_map(|(key, _)| keyspace::last_id(key)).map(|id| SessionId::from_uuid(id.bits())).collect())
}

/// Ends one of the caller's sessions; an admin may end anyone's.
pub async fn end(core: &Core, asking: &Authenticated, id: SessionId) -> Result<()> {
    match load(core, id).await? {
        Some((_, session)) if session.ended.is_none() && (session.user == asking.user.id || asking.user.is_admin) => {
            end_one(core, asking.actor(), id, Verb::End).await
        }
        _ => Err(Error::NotFound),
    }
}

/// Ends all sessions of a user but `except`.
pub async fn end_all(core: &Core, by: Actor<'_>, user: UserId, except: Option<SessionId>) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let mut batch = Batch::new();
        stage_end_all(core, by, &mut batch, user, except).await?;
        if batch.is_empty() {
            return Ok(());
        }
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Stages the end of all sessions of a user but `except`.
pub async fn stage_end_all(
    core: &Core,
    by: Actor<'_>,
    batch: &mut Batch,
    user: UserId,
    except: Option<SessionId>,
) -> Result<()> {
    for id in ids_of(core, user).await? {
        if Some(id) == except {
            continue;
        }
        if let Some((version, session)) = load(core, id).await?.filter(|(_, session)| session.ended.is_none()) {
            stage_end(core, by, batch, Current { id, version, session }, Verb::End)?;
        }
    }
    Ok(())
}

/// Stages that there is room for one more session of a user: beyond `max` those go that have ended, and then those that were used least
/// lately.
pub(super) async fn stage_room(core: &Core, by: Actor<'_>, batch: &mut Batch, user: UserId, max: usize) -> Result<()> {
    let ids = ids_of(core, user).await?;
    let Some(more) = (ids.len() + 1).checked_sub(max.max(1)).filter(|more| *more > 0) else { return Ok(()) };
    let now = core.clock.unix_seconds();
    let mut sessions = Vec::with_capacity(ids.len());
    for id in ids {
        if let Some((version, session)) = load(core, id).await? {
            sessions.push((!session.is_over(now), session.last_used.clone(), id, version, session));
        }
    }
    sessions.sort_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
    for (goes_on, _, id, version, session) in sessions.into_iter().take(more) {
        let spent = core.store.scan(Scan::prefix(&keyspace::all_spent(id)).limit(MAX_SPENT + 1)).await?;
        if goes_on {
            let change = by.entry(core, Subject::Session, &id, Verb::End).values(json!({"user": user}), Value::Null);
            batch.append(journal::bytes(&change));
        }
        if spent.len() > MAX_SPENT {
            // The next sweep removes it, piece by piece.
            let over = StoredSession { ended: Some(session.ended.unwrap_or(Verb::End)), idle_until: now, ..session };
            stage_change(batch, id, version, &over)?;
            continue;
        }
        let key = keyspace::session(id);
        batch.expect(key.clone(), Expect::Version(version)).delete(key).delete(keyspace::user_session(user, id));
        for (token, _) in spent {
            batch.delete(token);
        }
    }
    Ok(())
}

/// Ends one session, if it has not ended. `why` is what the journal says.
pub async fn end_one(core: &Core, by: Actor<'_>, id: SessionId, why: Verb) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let Some((version, session)) = load(core, id).await?.filter(|(_, session)| session.ended.is_none()) else {
            return Ok(());
        };
        let mut batch = Batch::new();
        stage_end(core, by, &mut batch, Current { id, version, session }, why)?;
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Stages the end of one session.
pub fn stage_end(
    core: &Core,
    by: Actor<'_>,
    batch: &mut Batch,
    Current { id, version, session }: Current,
    why: Verb,
) -> Result<()> {
    let change = by.entry(core, Subject::Session, &id, why).values(json!({"user": session.user}), Value::Null);
    stage_change(batch, id, version, &StoredSession { ended: Some(why), ..session })?;
    batch.append(journal::bytes(&change));
    Ok(())
}

/// Stages what a session is from now on, if nobody has changed it since `version`.
pub(super) fn stage_change(batch: &mut Batch, id: SessionId, version: Version, after: &StoredSession) -> Result<()> {
    let key = keyspace::session(id);
    batch.expect(key.clone(), Expect::Version(version)).put(key, serde_json::to_vec(after)?).use_reserve(Reserve::Most);
    Ok(())
}

/// How many sessions are good for something. Reads all of them.
pub async fn count(core: &Core) -> Result<u64> {
    const AT_ONCE: usize = 500;
    let (snapshot, now) = (core.store.snapshot().await?, core.clock.unix_seconds());
    let mut scan = Scan::prefix(&keyspace::sessions()).limit(AT_ONCE);
    let mut count = 0;
    loop {
        let entries = snapshot.scan(scan).await?;
        for (_, entry) in &entries {
            let session: StoredSession = serde_json::from_slice(&entry.value)?;
            count += u64::from(!session.is_over(now));
        }
        let Some((last, _)) = entries.last().filter(|_| entries.len() == AT_ONCE) else { return Ok(count) };
        scan = Scan::prefix(&keyspace::sessions()).limit(AT_ONCE).after(last);
        tokio::task::yield_now().await;
    }
}
