//! Sign-in: tokens for a password, and the caller of an access token. Every token belongs to a session, and every request asks it: a
//! session that ended takes its tokens with it at once.

use std::{
    net::IpAddr,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use auth::{
    password::{Password, PasswordHash, Verdict},
    throttle::Account,
    token::{Claims, TokenType},
};
use common::{
    access::Caller,
    change::{Subject, Verb},
    id::{SessionId, UserId},
    user::User,
};
use serde_json::{Value, json};
use store::{Batch, Reserve};

use super::{
    access_claims,
    app::App,
    callers::{AsOf, Seen},
    error::{AuthError, Error, Result},
    journal::{self, Actor},
    keyspace,
    refresh::{self, Issued, Origin, lifetime},
    retry::Retry,
    sessions::{self, Authenticated, StoredSession},
    users,
};

/// The caller of an access token: signature and claims first, then user and session as they are right now.
pub async fn authenticate(app: &App, token: &str, address: IpAddr) -> Result<Authenticated> {
    let (core, auth) = (app.core(), app.auth());
    let claims = auth.verify(core, token, TokenType::Access)?;
    // Before the reading: what is read may be newer than this, and is then never taken for what it is not.
    let as_of = AsOf(core.store.watermark([keyspace::USERS, keyspace::SESSIONS]).await?.changes);
    // A token that names another user than its session's is answered alike whether or not the session was seen before.
    let seen = auth.callers.get(claims.session, as_of).filter(|seen| seen.session.user == claims.user);
    let user = if let Some(seen) = seen {
        // Nobody changed since, but time went on.
        seen.session.check(claims.user, core.clock.unix_seconds())?;
        seen.user
    } else {
        let (_, stored) = users::load(&core.store, claims.user).await?.ok_or(AuthError::NoUser)?;
        if !stored.user.is_active {
            return Err(AuthError::Inactive.into());
        }
        let (_, session) = refresh::current(core, &claims).await?;
        let user = Arc::new(stored.user);
        auth.callers.put(claims.session, Seen { as_of, session: Arc::new(session), user: Arc::clone(&user) });
        user
    };
    let caller = Caller::User { id: user.id, is_admin: user.is_admin, roles: user.roles.clone() };
    Ok(Authenticated { id: claims.session, user, caller, address })
}

/// What somebody signs in with.
pub struct Proof<'a> {
    /// A user's name or e-mail address, as it was typed.
    pub username: &'a str,
    /// The password, as it was typed.
    pub password: &'a str,
    /// What shows that a user has signed in from this device before, if it is good.
    pub device: Option<Claims>,
}

/// Signs a user in. An unknown name, a wrong password and a disabled user cost the same time and get the same answer.
pub async fn sign_in(app: &App, proof: &Proof<'_>, origin: &Origin) -> Result<Issued> {
    let outcome = attempt(app, proof, origin).await;
    let counts = &app.auth().sign_ins;
    match &outcome {
        Ok(_) => counts.good.fetch_add(1, Relaxed),
        Err(Error::Unauthenticated(AuthError::Credentials)) => counts.bad.fetch_add(1, Relaxed),
        Err(Error::Locked(_)) => counts.locked.fetch_add(1, Relaxed),
        Err(_) => 0,
    };
    outcome
}

async fn attempt(app: &App, proof: &Proof<'_>, origin: &Origin) -> Result<Issued> {
    let (core, auth) = (app.core(), app.auth());
    let Proof { username, password, .. } = *proof;
    let found = users::by_name_or_email(&core.store, username).await?;
    let hash = found.as_ref().map(|(_, stored)| PasswordHash::from_stored(stored.password_hash.clone()));
    let known = found.as_ref().map(|(_, stored)| stored.user.id);
    let folded = users::folded(username);
    // However a user is called, the guesses are at one password.
    let account = known.map_or(Account::Nobody(&folded), Account::User);
    let device = proof.device.filter(|device| Some(device.user) == known);
    let attempt = auth.throttle.admit(account, origin.address, device.map(|device| device.id));
    let attempt = attempt.map_err(|locked| Error::Locked(locked.retry_after))?;
    let verdict = match Password::new(password) {
        Ok(password) => auth.hasher.verify(hash.as_ref(), password).await?,
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
        (true, Ok(password)) => Some(auth.hasher.hash(password).await?),
        _ => None,
    };
    let id = SessionId::from_uuid(core.ids.next_id());
    let expires_at = core.clock.unix_seconds() + i64::try_from(auth.session_lifetime.as_secs()).unwrap_or(i64::MAX / 4);
    let checked = stored.password_hash.clone();
    let mut retry = Retry::new(core);
    loop {
        let at = core.timestamp();
        let access_claims = auth.issuer.claims(TokenType::Access, stored.user.id, id, Some(expires_at));
        let access = auth.issuer.sign(&access_claims, &access_claims::of(&auth.access_claims, &stored.user));
        let (refresh, claims) = auth.issuer.issue(TokenType::Refresh, stored.user.id, id, Some(expires_at));
        let session = StoredSession {
            user: stored.user.id,
            created_at: at.clone(),
            last_used: at.clone(),
            expires_at,
            idle_until: claims.expires_at.max(access_claims.expires_at),
            refresh: claims.id,
            successor: None,
            used_from: Vec::new(),
            shared_by: Vec::new(),
            ended: None,
            address: origin.address.to_string(),
            user_agent: origin.user_agent.clone(),
        };
        let caller = stored.caller();
        let by = Actor::at(&caller, origin.address);
        let change = by.entry(core, Subject::Session, &id, Verb::SignIn);
        let mut batch = Batch::new();
        sessions::stage_room(core, by, &mut batch, stored.user.id, auth.max_sessions).await?;
        batch
            .put(keyspace::session(id), serde_json::to_vec(&session)?)
            .put(keyspace::user_session(stored.user.id, id), Vec::new())
            .append(journal::bytes(&change))
            .use_reserve(Reserve::Most);
        users::stage_signed_in(&mut batch, version, &stored, rehashed.as_ref(), &at)?;
        if retry.commit(batch).await?.is_some() {
            let new_device = || auth.issuer.issue(TokenType::Device, stored.user.id, id, None).0.into_string();
            return Ok(Issued {
                device: device.is_none().then(new_device),
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

/// Notes a refused sign-in, if there is room for it. What was typed as a name is not kept where it is nobody's: it may be a password.
async fn note_refused(app: &App, user: Option<UserId>, origin: &Origin, locked: bool) -> Result<()> {
    let core = app.core();
    let action = if locked { Verb::SignInLocked } else { Verb::SignInRefused };
    let id = user.map(|user| user.to_string()).unwrap_or_default();
    tracing::info!(address = %origin.address, user = id, action = action.as_str(), "sign-in refused");
    let Some(left_out) = app.auth().refused.take(user.is_some(), core.clock.elapsed()) else { return Ok(()) };
    let mut change = Actor::at(&Caller::Anonymous, origin.address).entry(core, Subject::User, &id, action);
    if left_out > 0 {
        change = change.values(Value::Null, json!({"left_out": left_out}));
    }
    match journal::note(core, &change).await {
        // Strangers may not use up the reserve. The log has it.
        Err(Error::DiskFull) => Ok(()),
        noted => noted,
    }
}
