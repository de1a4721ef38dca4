//! Sessions: one sign-in and what became of it. Every token belongs to one, and every request asks it: a session that ended
//! takes its tokens with it at once. A refresh token is good for one use; using it again ends the session (RFC 9700 §4.14.2).

mod callers;

use std::{net::IpAddr, time::Duration};

use common::{
    access::Caller,
    change::Subject,
    id::{SessionId, UserId},
    page::Page,
    people,
    query::ListQuery,
    user::{Session, User},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    App, Error, Result,
    deadline::Deadline,
    error::AuthError,
    journal::{self, Actor},
    keyspace, records, users,
};
use crate::{
    auth::{
        password::{Password, PasswordHash, Verdict},
        token::{Claims, TokenType},
    },
    store::{Batch, CommitError, Expect, Scan, Version},
};

pub use callers::{Authenticated, Kept, authenticate};

/// How long a session lives at most, unless the operator says otherwise.
pub const LIFETIME: Duration = Duration::from_hours(24 * 30);

/// A session as stored. One that ended is kept until its tokens would have expired, so that they are told apart from
/// forged ones.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredSession {
    /// Whose it is.
    pub user: UserId,
    /// RFC 3339, UTC.
    pub created_at: String,
    /// RFC 3339, UTC: the last time that it got new tokens.
    pub last_used: String,
    /// Seconds since 1970: no token outlives this.
    pub expires_at: i64,
    /// Seconds since 1970: when the last of the tokens given out so far expires. Unused until then, the session is over.
    #[serde(default)]
    pub idle_until: i64,
    /// The refresh token that is good now.
    pub refresh: Uuid,
    /// Why it ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Where the sign-in came from.
    pub address: String,
    /// What the client called itself.
    pub user_agent: String,
}

impl StoredSession {
    fn is_over(&self, now: i64) -> bool {
        self.ended.is_some() || self.expires_at <= now || self.idle_until <= now
    }
}

/// Who sent a request, as far as the connection tells.
#[derive(Debug, Clone)]
pub struct Origin {
    /// Where from.
    pub address: IpAddr,
    /// What the client calls itself, shortened.
    pub user_agent: String,
}

/// Fresh tokens. `refresh` is `None` where rotation is off.
pub struct Issued {
    /// Goes into `Authorization`.
    pub access: String,
    /// Trades for the next tokens.
    pub refresh: Option<String>,
    /// The access token's life in seconds.
    pub expires_in: u64,
    /// Who signed in.
    pub user: User,
}

async fn load(app: &App, id: SessionId) -> Result<Option<(Version, StoredSession)>> {
    match app.store.get(&keyspace::session(id)).await? {
        Some(entry) => Ok(Some((entry.version, serde_json::from_slice(&entry.value)?))),
        None => Ok(None),
    }
}

fn moment(unix_seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(unix_seconds).map(common::validate::format_moment).unwrap_or_default()
}

/// Signs a user in. An unknown name, a wrong password and a disabled user cost the same time and get the same answer.
pub async fn sign_in(app: &App, username: &str, password: &str, origin: &Origin) -> Result<Issued> {
    let name = users::folded(username);
    let attempt = app.throttle.admit(&name, origin.address).map_err(|locked| Error::Locked(locked.retry_after))?;
    let found = users::by_name(app, username).await?;
    let hash = found.as_ref().map(|(_, stored)| PasswordHash::from_stored(stored.password_hash.clone()));
    let known = found.as_ref().map(|(_, stored)| stored.user.id);
    let verdict = match Password::new(password) {
        Ok(password) => app.hasher.verify(hash.as_ref(), password).await?,
        Err(_) => Verdict::Wrong,
    };
    let (Verdict::Right { rehash }, Some((mut version, mut stored))) =
        (verdict, found.filter(|(_, stored)| stored.user.is_active))
    else {
        let locked = attempt.failed();
        note_refused(app, known, origin, locked.is_some()).await?;
        return Err(AuthError::Credentials.into());
    };
    attempt.succeeded();
    let rehashed = match (rehash, Password::new(password)) {
        (true, Ok(password)) => Some(app.hasher.hash(password).await?),
        _ => None,
    };
    let id = SessionId::from_uuid(app.ids.next_id());
    let expires_at = app.clock.unix_seconds() + i64::try_from(app.session_lifetime.as_secs()).unwrap_or(i64::MAX / 4);
    let checked = stored.password_hash.clone();
    let mut tries = app.tries();
    loop {
        let at = app.timestamp();
        let (access, access_claims) = app.issuer.issue(TokenType::Access, stored.user.id, id, Some(expires_at));
        let (refresh, claims) = app.issuer.issue(TokenType::Refresh, stored.user.id, id, Some(expires_at));
        let session = StoredSession {
            user: stored.user.id,
            created_at: at.clone(),
            last_used: at.clone(),
            expires_at,
            idle_until: claims.expires_at.max(access_claims.expires_at),
            refresh: claims.id,
            ended: None,
            address: origin.address.to_string(),
            user_agent: origin.user_agent.clone(),
        };
        let change = Actor::at(&stored.caller(), origin.address).entry(app, Subject::Session, &id, "sign_in");
        let batch = Batch::new()
            .put(keyspace::session(id), serde_json::to_vec(&session)?)
            .put(keyspace::user_session(stored.user.id, id), Vec::new())
            .append(journal::bytes(&change));
        let batch = users::stage_signed_in(batch, version, &stored, rehashed.as_ref(), &at)?;
        if tries.commit(batch).await?.is_some() {
            return Ok(Issued {
                access: access.into_string(),
                refresh: Some(refresh.into_string()),
                expires_in: lifetime(&access_claims, app),
                user: User { last_login: Some(at), ..stored.user },
            });
        }
        // The user changed meanwhile: whoever lost the right to sign in with this password does not get in.
        match users::load(app, stored.user.id).await? {
            Some((newer, user)) if user.user.is_active && user.password_hash == checked => {
                (version, stored) = (newer, user);
            }
            _ => return Err(AuthError::Credentials.into()),
        }
    }
}

/// Notes a refused sign-in. What was typed as a name is not kept where it is nobody's: it may be a password.
async fn note_refused(app: &App, user: Option<UserId>, origin: &Origin, locked: bool) -> Result<()> {
    let action = if locked { "sign_in_locked" } else { "sign_in_refused" };
    let id = user.map(|user| user.to_string()).unwrap_or_default();
    let change = Actor::at(&Caller::Anonymous, origin.address).entry(app, Subject::User, &id, action);
    tracing::info!(address = %origin.address, user = id, action, "sign-in refused");
    journal::note(app, &change).await
}

fn lifetime(claims: &Claims, app: &App) -> u64 {
    u64::try_from(claims.expires_at - app.clock.unix_seconds()).unwrap_or(0)
}

/// Trades a refresh token, whose claims these are, for new tokens. Of several uses at once one wins; the others change nothing. A use
/// after that is a replay: the session ends.
pub async fn refresh(app: &App, claims: Claims, origin: &Origin) -> Result<Issued> {
    let (version, session) = current(app, &claims).await?;
    if session.refresh != claims.id {
        return Err(refuse_replay(app, &claims, origin).await?);
    }
    let (_, stored) = users::load(app, session.user).await?.ok_or(AuthError::NoUser)?;
    if !stored.user.is_active {
        return Err(AuthError::Inactive.into());
    }
    let (access, access_claims) =
        app.issuer.issue(TokenType::Access, session.user, claims.session, Some(session.expires_at));
    let mut issued = Issued {
        access: access.into_string(),
        refresh: None,
        expires_in: lifetime(&access_claims, app),
        user: stored.user,
    };
    let key = keyspace::session(claims.session);
    let mut used = StoredSession {
        last_used: app.timestamp(),
        idle_until: session.idle_until.max(access_claims.expires_at),
        ..session
    };
    if !app.rotation {
        let batch = Batch::new().expect(key.clone(), Expect::Version(version)).put(key, serde_json::to_vec(&used)?);
        return match app.store.commit(batch).await {
            // Another use in the same moment has noted it, or the session ended and the access token with it.
            Ok(_) | Err(CommitError::Conflict { .. }) => Ok(issued),
            Err(error) => Err(error.into()),
        };
    }
    let (refresh, new) = app.issuer.issue(TokenType::Refresh, used.user, claims.session, Some(used.expires_at));
    used.refresh = new.id;
    used.idle_until = new.expires_at.max(access_claims.expires_at);
    let batch = Batch::new()
        .expect(key.clone(), Expect::Version(version))
        .put(key, serde_json::to_vec(&used)?)
        .put(keyspace::spent(claims.session, claims.id), Vec::new());
    match app.store.commit(batch).await {
        Ok(_) => {
            issued.refresh = Some(refresh.into_string());
            Ok(issued)
        }
        // Somebody else used the token, or ended the session, in the very same moment.
        Err(CommitError::Conflict { .. }) => Err(AuthError::Ended.into()),
        Err(error) => Err(error.into()),
    }
}

/// The session of these claims, if it has not ended.
async fn current(app: &App, claims: &Claims) -> Result<(Version, StoredSession)> {
    let (version, session) = load(app, claims.session).await?.ok_or(AuthError::NO_SESSION)?;
    still_on(app, claims, &session)?;
    Ok((version, session))
}

/// Whether a session is the one that the claims are about, and goes on.
fn still_on(app: &App, claims: &Claims, session: &StoredSession) -> Result<()> {
    if session.user != claims.user {
        return Err(AuthError::NO_SESSION.into());
    }
    if session.is_over(app.clock.unix_seconds()) {
        return Err(AuthError::Ended.into());
    }
    Ok(())
}

/// A refresh token that is not the current one: spent by an earlier use, which ends the session, or never given out.
async fn refuse_replay(app: &App, claims: &Claims, origin: &Origin) -> Result<Error> {
    if app.store.get(&keyspace::spent(claims.session, claims.id)).await?.is_none() {
        return Ok(AuthError::Token(crate::auth::token::TokenError::Invalid("never issued")).into());
    }
    tracing::warn!(session = %claims.session, address = %origin.address, "a spent refresh token was used again; its session ends");
    end_one(app, Actor::at(&Caller::Anonymous, origin.address), claims.session, "replay").await?;
    Ok(AuthError::Ended.into())
}

/// Whether a token of either type would be accepted right now.
pub async fn verify(app: &App, token: &str) -> Result<()> {
    let claims = app.verifier.verify_any(token)?;
    let (_, session) = current(app, &claims).await?;
    match users::load(app, session.user).await? {
        Some((_, stored)) if !stored.user.is_active => return Err(AuthError::Inactive.into()),
        Some(_) => {}
        None => return Err(AuthError::NoUser.into()),
    }
    if claims.token_type == TokenType::Access || session.refresh == claims.id {
        return Ok(());
    }
    match app.store.get(&keyspace::spent(claims.session, claims.id)).await? {
        Some(_) => Err(AuthError::Ended.into()),
        None => Err(AuthError::Token(crate::auth::token::TokenError::Invalid("never issued")).into()),
    }
}

/// Ends the session of a refresh token, whose claims these are. That uses the token up, so of several uses at once, refreshing
/// included, one wins.
pub async fn blacklist(app: &App, claims: Claims, origin: &Origin) -> Result<()> {
    let mut tries = app.tries();
    loop {
        let (version, session) = current(app, &claims).await?;
        if session.refresh != claims.id {
            return match app.store.get(&keyspace::spent(claims.session, claims.id)).await? {
                Some(_) => Err(AuthError::Ended.into()),
                None => Err(AuthError::Token(crate::auth::token::TokenError::Invalid("never issued")).into()),
            };
        }
        let caller = Caller::User { id: session.user, is_admin: false, roles: Vec::new() };
        let by = Actor::at(&caller, origin.address);
        let batch = stage_end(app, by, Batch::new(), (claims.session, version, session), "sign_out")?;
        if tries.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Ends the session of a refresh token, whose claims these are, be it the current one or spent: another tab may have traded it in
/// this very moment, and who signs out means the session.
pub async fn sign_out(app: &App, claims: Claims, origin: &Origin) -> Result<()> {
    let (_, session) = current(app, &claims).await?;
    let caller = Caller::User { id: session.user, is_admin: false, roles: Vec::new() };
    end_one(app, Actor::at(&caller, origin.address), claims.session, "sign_out").await
}

/// The page of a user's sessions that a query asks for. Those that have ended are left out; the newest come first.
pub async fn list(app: &App, asking: &Authenticated, user: UserId, query: &ListQuery) -> Result<Page<Session>> {
    let table = people::sessions();
    people::check(&table, query)?;
    let mut sessions = Vec::new();
    for id in ids_of(app, user).await? {
        let Some((_, stored)) = load(app, id).await? else { continue };
        if stored.is_over(app.clock.unix_seconds()) {
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
        });
    }
    sessions.reverse();
    records::select(sessions, &table, query, &Deadline::of(app)).await
}

async fn ids_of(app: &App, user: UserId) -> Result<Vec<SessionId>> {
    let entries = app.store.scan(Scan::prefix(&keyspace::user_sessions(user))).await?;
    Ok(entries.iter().filter_map(|(key, _)| keyspace::last_id(key)).map(|id| SessionId::from_uuid(id.uuid())).collect())
}

/// Ends one of the caller's sessions; an admin may end anyone's.
pub async fn end(app: &App, asking: &Authenticated, id: SessionId) -> Result<()> {
    match load(app, id).await? {
        Some((_, session)) if session.ended.is_none() && (session.user == asking.user.id || asking.user.is_admin) => {
            end_one(app, asking.actor(), id, "end").await
        }
        _ => Err(Error::NotFound),
    }
}

/// Ends all sessions of a user but `except`.
pub async fn end_all(app: &App, by: Actor<'_>, user: UserId, except: Option<SessionId>) -> Result<()> {
    let mut tries = app.tries();
    loop {
        let batch = stage_end_all(app, by, Batch::new(), user, except).await?;
        if batch.is_empty() {
            return Ok(());
        }
        if tries.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Stages the end of all sessions of a user but `except`.
pub async fn stage_end_all(
    app: &App,
    by: Actor<'_>,
    mut batch: Batch,
    user: UserId,
    except: Option<SessionId>,
) -> Result<Batch> {
    for id in ids_of(app, user).await? {
        if Some(id) == except {
            continue;
        }
        if let Some((version, session)) = load(app, id).await?.filter(|(_, session)| session.ended.is_none()) {
            batch = stage_end(app, by, batch, (id, version, session), "end")?;
        }
    }
    Ok(batch)
}

async fn end_one(app: &App, by: Actor<'_>, id: SessionId, why: &str) -> Result<()> {
    let mut tries = app.tries();
    loop {
        let Some((version, session)) = load(app, id).await?.filter(|(_, session)| session.ended.is_none()) else {
            return Ok(());
        };
        let batch = stage_end(app, by, Batch::new(), (id, version, session), why)?;
        if tries.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

fn stage_end(
    app: &App,
    by: Actor<'_>,
    batch: Batch,
    (id, version, session): (SessionId, Version, StoredSession),
    why: &str,
) -> Result<Batch> {
    let key = keyspace::session(id);
    let change = by.entry(app, Subject::Session, &id, why).values(json!({"user": session.user}), Value::Null);
    let ended = StoredSession { ended: Some(why.to_owned()), ..session };
    Ok(batch
        .expect(key.clone(), Expect::Version(version))
        .put(key, serde_json::to_vec(&ended)?)
        .append(journal::bytes(&change)))
}

/// How many sessions are good for something. Reads all of them.
pub async fn count(app: &App) -> Result<u64> {
    const AT_ONCE: usize = 500;
    let (snapshot, now) = (app.store.snapshot(), app.clock.unix_seconds());
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

/// Removes sessions whose tokens have all expired, a few at a time. Says whether there may be more.
pub async fn sweep(app: &App, after: &mut Option<crate::store::Key>) -> Result<bool> {
    const AT_ONCE: usize = 200;
    let mut scan = Scan::prefix(&keyspace::sessions()).limit(AT_ONCE);
    if let Some(after) = after.as_ref() {
        scan = scan.after(after);
    }
    let entries = app.store.scan(scan).await?;
    let more = entries.len() == AT_ONCE;
    *after = entries.last().filter(|_| more).map(|(key, _)| key.clone());
    for (key, entry) in entries {
        let session: StoredSession = serde_json::from_slice(&entry.value)?;
        // One that ended waits for its tokens to expire, so that they are told apart from forged ones.
        if session.expires_at.min(session.idle_until) > app.clock.unix_seconds() {
            continue;
        }
        let Some(id) = keyspace::last_id(&key).map(|id| SessionId::from_uuid(id.uuid())) else { continue };
        let mut batch = Batch::new()
            .expect(key.clone(), Expect::Version(entry.version))
            .delete(key)
            .delete(keyspace::user_session(session.user, id));
        for (spent, _) in app.store.scan(Scan::prefix(&keyspace::all_spent(id))).await? {
            batch = batch.delete(spent);
        }
        match app.store.commit(batch).await {
            Ok(_) | Err(CommitError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(more)
}
