//! Sign-in: tokens for a password, tokens for a refresh token, and their end. Every token belongs to a session, and every request
//! asks it: a session that ended takes its tokens with it at once. A refresh token is good for one use; using it again ends the
//! session (RFC 9700 §4.14.2).

use std::{net::IpAddr, sync::Arc};

use auth::{
    password::{Password, PasswordHash, Verdict},
    token::{Claims, TokenError, TokenType},
};
use common::{
    access::Caller,
    change::{Subject, Verb},
    id::{SessionId, UserId},
    user::User,
};
use store::{Batch, CommitError, Expect, Version};

use super::{
    app::App,
    callers::{AsOf, Seen},
    core::Core,
    error::{AuthError, Error, Result},
    journal::{self, Actor},
    keyspace,
    retry::Retry,
    sessions::{self, Authenticated, StoredSession, end_one, stage_end},
    users,
};

/// The client of a request, as far as the connection tells.
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
    /// The user who signed in.
    pub user: User,
}

/// The caller of an access token: signature and claims first, then user and session as they are right now.
pub async fn authenticate(app: &App, token: &str, address: IpAddr) -> Result<Authenticated> {
    let (core, auth) = (app.core(), app.auth());
    let claims = auth.verifier.verify(token, TokenType::Access)?;
    // Before the reading: what is read may be newer than this, and is then never taken for what it is not.
    let as_of = AsOf(core.store.watermark([keyspace::USERS, keyspace::SESSIONS]).await?.changes);
    let user = if let Some(seen) = auth.callers.get(claims.session, as_of) {
        // Nobody changed since, but time went on.
        seen.session.check(claims.user, core.clock.unix_seconds())?;
        seen.user
    } else {
        let (_, stored) = users::load(&core.store, claims.user).await?.ok_or(AuthError::NoUser)?;
        if !stored.user.is_active {
            return Err(AuthError::Inactive.into());
        }
        let (_, session) = current(core, &claims).await?;
        let user = Arc::new(stored.user);
        auth.callers.put(claims.session, Seen { as_of, session: Arc::new(session), user: Arc::clone(&user) });
        user
    };
    let caller = Caller::User { id: user.id, is_admin: user.is_admin, roles: user.roles.clone() };
    Ok(Authenticated { id: claims.session, user, caller, address })
}

/// Signs a user in. An unknown name, a wrong password and a disabled user cost the same time and get the same answer.
pub async fn sign_in(app: &App, username: &str, password: &str, origin: &Origin) -> Result<Issued> {
    let (core, auth) = (app.core(), app.auth());
    let name = users::folded(username);
    let attempt = auth.throttle.admit(&name, origin.address).map_err(|locked| Error::Locked(locked.retry_after))?;
    let found = users::by_name(&core.store, username).await?;
    let hash = found.as_ref().map(|(_, stored)| PasswordHash::from_stored(stored.password_hash.clone()));
    let known = found.as_ref().map(|(_, stored)| stored.user.id);
    let verdict = match Password::new(password) {
        Ok(password) => auth.hasher.verify(hash.as_ref(), password).await?,
        Err(_) => Verdict::Wrong,
    };
    let (Verdict::Right { rehash }, Some((mut version, mut stored))) =
        (verdict, found.filter(|(_, stored)| stored.user.is_active))
    else {
        let locked = attempt.failed();
        note_refused(core, known, origin, locked.is_some()).await?;
        return Err(AuthError::Credentials.into());
    };
    attempt.succeeded();
    let rehashed = match (rehash, Password::new(password)) {
        (true, Ok(password)) => Some(auth.hasher.hash(password).await?),
        _ => None,
    };
    let id = SessionId::from_uuid(core.ids.next_id());
    let expires_at = core.clock.unix_seconds() + i64::try_from(auth.session_lifetime.as_secs()).unwrap_or(i64::MAX / 4);
    let checked = stored.password_hash.clone();
    let mut retry = Retry::new(core);
    loop {
        let at = core.timestamp();
        let (access, access_claims) = auth.issuer.issue(TokenType::Access, stored.user.id, id, Some(expires_at));
        let (refresh, claims) = auth.issuer.issue(TokenType::Refresh, stored.user.id, id, Some(expires_at));
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
        let change = Actor::at(&stored.caller(), origin.address).entry(core, Subject::Session, &id, Verb::SignIn);
        let mut batch = Batch::new();
        batch
            .put(keyspace::session(id), serde_json::to_vec(&session)?)
            .put(keyspace::user_session(stored.user.id, id), Vec::new())
            .append(journal::bytes(&change));
        users::stage_signed_in(&mut batch, version, &stored, rehashed.as_ref(), &at)?;
        if retry.commit(batch).await?.is_some() {
            return Ok(Issued {
                access: access.into_string(),
                refresh: Some(refresh.into_string()),
                expires_in: lifetime(&access_claims, core),
                user: User { last_login: Some(at), ..stored.user },
            });
        }
        // The user changed meanwhile: whoever lost the right to sign in with this password does not get in.
        match users::load(&core.store, stored.user.id).await? {
            Some((newer, user)) if user.user.is_active && user.password_hash == checked => {
                (version, stored) = (newer, user);
            }
            _ => return Err(AuthError::Credentials.into()),
        }
    }
}

/// Notes a refused sign-in. What was typed as a name is not kept where it is nobody's: it may be a password.
async fn note_refused(core: &Core, user: Option<UserId>, origin: &Origin, locked: bool) -> Result<()> {
    let action = if locked { Verb::SignInLocked } else { Verb::SignInRefused };
    let id = user.map(|user| user.to_string()).unwrap_or_default();
    let change = Actor::at(&Caller::Anonymous, origin.address).entry(core, Subject::User, &id, action);
    tracing::info!(address = %origin.address, user = id, action = action.as_str(), "sign-in refused");
    journal::note(core, &change).await
}

fn lifetime(claims: &Claims, core: &Core) -> u64 {
    u64::try_from(claims.expires_at - core.clock.unix_seconds()).unwrap_or(0)
}

/// Trades a refresh token, whose claims these are, for new tokens. Of several uses at once one wins; the others change nothing. A use
/// after that is a replay: the session ends.
pub async fn refresh(app: &App, claims: Claims, origin: &Origin) -> Result<Issued> {
    let (core, auth) = (app.core(), app.auth());
    let (version, session) = current(core, &claims).await?;
    if session.refresh != claims.id {
        return Err(refuse_replay(core, &claims, origin).await?);
    }
    let (_, stored) = users::load(&core.store, session.user).await?.ok_or(AuthError::NoUser)?;
    if !stored.user.is_active {
        return Err(AuthError::Inactive.into());
    }
    let (access, access_claims) =
        auth.issuer.issue(TokenType::Access, session.user, claims.session, Some(session.expires_at));
    let mut issued = Issued {
        access: access.into_string(),
        refresh: None,
        expires_in: lifetime(&access_claims, core),
        user: stored.user,
    };
    let key = keyspace::session(claims.session);
    let mut used = StoredSession {
        last_used: core.timestamp(),
        idle_until: session.idle_until.max(access_claims.expires_at),
        ..session
    };
    if !auth.rotation {
        let mut batch = Batch::new();
        batch.expect(key.clone(), Expect::Version(version)).put(key, serde_json::to_vec(&used)?);
        return match core.store.commit(batch).await {
            // Another use in the same moment has noted it, or the session ended and the access token with it.
            Ok(_) | Err(CommitError::Conflict { .. }) => Ok(issued),
            Err(error) => Err(error.into()),
        };
    }
    let (refresh, new) = auth.issuer.issue(TokenType::Refresh, used.user, claims.session, Some(used.expires_at));
    used.refresh = new.id;
    used.idle_until = new.expires_at.max(access_claims.expires_at);
    let mut batch = Batch::new();
    batch
        .expect(key.clone(), Expect::Version(version))
        .put(key, serde_json::to_vec(&used)?)
        .put(keyspace::spent(claims.session, claims.id), Vec::new());
    match core.store.commit(batch).await {
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
async fn current(core: &Core, claims: &Claims) -> Result<(Version, StoredSession)> {
    let (version, session) = sessions::load(core, claims.session).await?.ok_or(AuthError::NO_SESSION)?;
    session.check(claims.user, core.clock.unix_seconds())?;
    Ok((version, session))
}

/// A refresh token that is not the current one: spent by an earlier use, which ends the session, or never given out.
async fn refuse_replay(core: &Core, claims: &Claims, origin: &Origin) -> Result<Error> {
    if core.store.get(&keyspace::spent(claims.session, claims.id)).await?.is_none() {
        return Ok(AuthError::Token(TokenError::Invalid("never issued")).into());
    }
    tracing::warn!(session = %claims.session, address = %origin.address, "a spent refresh token was used again; its session ends");
    end_one(core, Actor::at(&Caller::Anonymous, origin.address), claims.session, Verb::Replay).await?;
    Ok(AuthError::Ended.into())
}

/// Whether a token of either type would be accepted right now.
pub async fn verify(app: &App, token: &str) -> Result<()> {
    let (core, auth) = (app.core(), app.auth());
    let claims = auth.verifier.verify_any(token)?;
    let (_, session) = current(core, &claims).await?;
    match users::load(&core.store, session.user).await? {
        Some((_, stored)) if !stored.user.is_active => return Err(AuthError::Inactive.into()),
        Some(_) => {}
        None => return Err(AuthError::NoUser.into()),
    }
    if claims.token_type == TokenType::Access || session.refresh == claims.id {
        return Ok(());
    }
    match core.store.get(&keyspace::spent(claims.session, claims.id)).await? {
        Some(_) => Err(AuthError::Ended.into()),
        None => Err(AuthError::Token(TokenError::Invalid("never issued")).into()),
    }
}

/// Ends the session of a refresh token, whose claims these are. That uses the token up, so of several uses at once, refreshing
/// included, one wins.
pub async fn blacklist(core: &Core, claims: Claims, origin: &Origin) -> Result<()> {
    let mut retry = Retry::new(core);
    loop {
        let (version, session) = current(core, &claims).await?;
        if session.refresh != claims.id {
            return match core.store.get(&keyspace::spent(claims.session, claims.id)).await? {
                Some(_) => Err(AuthError::Ended.into()),
                None => Err(AuthError::Token(TokenError::Invalid("never issued")).into()),
            };
        }
        let caller = Caller::User { id: session.user, is_admin: false, roles: Vec::new() };
        let by = Actor::at(&caller, origin.address);
        let mut batch = Batch::new();
        stage_end(core, by, &mut batch, (claims.session, version, session), Verb::SignOut)?;
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Ends the session of a refresh token, whose claims these are, be it the current one or spent: another tab may have traded it in
/// this very moment, and who signs out means the session.
pub async fn sign_out(core: &Core, claims: Claims, origin: &Origin) -> Result<()> {
    let (_, session) = current(core, &claims).await?;
    let caller = Caller::User { id: session.user, is_admin: false, roles: Vec::new() };
    end_one(core, Actor::at(&caller, origin.address), claims.session, Verb::SignOut).await
}
