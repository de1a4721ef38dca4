//! What refresh tokens are good for: new tokens, and the end of their session. What each use does to a token is [`super::rotation`]'s.

use std::net::IpAddr;

use auth::token::{Claims, TokenType};
use common::{Object, access::Caller, change::Verb, user::User};
use store::{Batch, CommitError, Version};

use super::{
    access_claims,
    app::App,
    core::Core,
    error::{AuthError, Error, Result},
    journal::Actor,
    retry::Retry,
    rotation::{self, Rotation, Use},
    sessions::{self, Current, StoredSession, end_one, stage_end},
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

/// Fresh tokens.
pub struct Issued {
    /// Goes into `Authorization`.
    pub access: String,
    /// Trades for the next tokens; `None` where the one that came stays.
    pub refresh: Option<String>,
    /// The access token's life in seconds.
    pub expires_in: u64,
    /// The user who signed in.
    pub user: User,
    /// What shows the next time that the user has signed in from this device, where the device has nothing yet that does.
    pub device: Option<String>,
}

/// What is left of a token's life, in seconds.
pub(super) fn lifetime(claims: &Claims, core: &Core) -> u64 {
    u64::try_from(claims.expires_at - core.clock.unix_seconds()).unwrap_or(0)
}

/// Trades a refresh token, whose claims these are, for new tokens. However many uses there are at once, all are answered with one
/// successor; in strict rotation one of them wins, and the others change nothing. A use of a token that is spent is a replay: the session
/// ends (RFC 9700 §4.14.2).
pub async fn refresh(app: &App, claims: Claims, origin: &Origin) -> Result<Issued> {
    let (core, auth) = (app.core(), app.auth());
    let mut retry = Retry::new(core);
    loop {
        let (version, before) = current(core, &claims).await?;
        let standing = match rotation::standing(core, auth.rotation, &before, &claims).await {
            Err(Error::Unauthenticated(AuthError::Ended)) => return Err(end_replayed(core, &claims, origin).await?),
            standing => standing?,
        };
        let (_, stored) = users::load(&core.store, before.user).await?.ok_or(AuthError::NoUser)?;
        if !stored.user.is_active {
            return Err(AuthError::Inactive.into());
        }
        let mut used = Use::of(core, &auth.issuer, auth.rotation, &before, &claims, standing, origin.address)?;
        let access_claims = auth.issuer.claims(TokenType::Access, before.user, claims.session, Some(before.expires_at));
        let access = auth.issuer.sign(&access_claims, &access_claims::of(&auth.access_claims, &stored.user));
        used.session.note_tokens(core, access_claims.expires_at);
        let issued = Issued {
            access: access.into_string(),
            refresh: used.answer.map(|token| {
                let claims = token.claims(claims.session, &before);
                auth.issuer.sign(&claims, &Object::new()).into_string()
            }),
            expires_in: lifetime(&access_claims, core),
            user: stored.user,
            device: None,
        };
        let Some(batch) = used.batch(claims.session, version, &before)? else { return Ok(issued) };
        if auth.rotation == Rotation::Strict {
            return match core.store.commit(batch).await {
                Ok(_) => Ok(issued),
                // Somebody else used the token, or ended the session, in the very same moment.
                Err(CommitError::Conflict { .. }) => Err(AuthError::Ended.into()),
                Err(error) => Err(error.into()),
            };
        }
        if retry.commit(batch).await?.is_some() {
            return Ok(issued);
        }
    }
}

/// The session of these claims, if it has not ended.
pub(super) async fn current(core: &Core, claims: &Claims) -> Result<(Version, StoredSession)> {
    let (version, session) = sessions::load(core, claims.session).await?.ok_or(AuthError::NO_SESSION)?;
    session.check(claims.user, core.clock.unix_seconds())?;
    Ok((version, session))
}

/// Ends the session of a refresh token that was used although it is spent.
async fn end_replayed(core: &Core, claims: &Claims, origin: &Origin) -> Result<Error> {
    tracing::warn!(session = %claims.session, address = %origin.address, "a spent refresh token was used again; its session ends");
    end_one(core, Actor::at(&Caller::Anonymous, origin.address), claims.session, Verb::Replay).await?;
    Ok(AuthError::Ended.into())
}

/// Whether a token of either type would be accepted right now.
pub async fn verify(app: &App, token: &str) -> Result<()> {
    let (core, auth) = (app.core(), app.auth());
    let early = |error: &_| auth.clock_warning.look_at(*error, &core.clock);
    let claims = auth.verifier.verify_any(token).inspect_err(early)?;
    let (_, session) = current(core, &claims).await?;
    match users::load(&core.store, session.user).await? {
        Some((_, stored)) if !stored.user.is_active => return Err(AuthError::Inactive.into()),
        Some(_) => {}
        None => return Err(AuthError::NoUser.into()),
    }
    match claims.token_type {
        TokenType::Access => Ok(()),
        TokenType::Refresh | TokenType::Device => {
            rotation::standing(core, auth.rotation, &session, &claims).await.map(|_| ())
        }
    }
}

/// Ends the session of a refresh token, whose claims these are, if refreshing would take the token. Of several such uses at once one
/// wins.
pub async fn blacklist(app: &App, claims: Claims, origin: &Origin) -> Result<()> {
    let core = app.core();
    let mut retry = Retry::new(core);
    loop {
        let (version, session) = current(core, &claims).await?;
        rotation::standing(core, app.auth().rotation, &session, &claims).await?;
        let caller = Caller::User { id: session.user, is_admin: false, roles: Vec::new() };
        let by = Actor::at(&caller, origin.address);
        let mut batch = Batch::new();
        stage_end(core, by, &mut batch, Current { id: claims.session, version, session }, Verb::SignOut)?;
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Ends the session of a refresh token, whose claims these are, be it good or spent: another tab may have traded it in this very moment,
/// and who signs out means the session.
pub async fn sign_out(core: &Core, claims: Claims, origin: &Origin) -> Result<()> {
    let (_, session) = current(core, &claims).await?;
    let caller = Caller::User { id: session.user, is_admin: false, roles: Vec::new() };
    end_one(core, Actor::at(&caller, origin.address), claims.session, Verb::SignOut).await
}
