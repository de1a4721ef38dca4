//! Invitations: what an admin gives to who shall sign up. What is sent with the sign-up is sealed and told once; kept is what an admin sees of it.

use std::{ops::Bound, time::Duration};

use common::{
    endpoints::users::{Invitation, NewInvitation, NewUser, OpenInvitation},
    id::InvitationId,
    name::RoleName,
    page::Page,
    problem::FieldErrors,
    reader::{invalid, required},
};
use serde::{Deserialize, Serialize};
use store::{Batch, Expect, Key, Scan};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::create::distinct;
use crate::domain::{
    app::App,
    core::Core,
    error::{Error, Result},
    keyspace,
    retry::Retry,
};

/// How long an invitation is good.
const GOOD_FOR: Duration = Duration::from_hours(7 * 24);
/// What an invitation is sealed for.
const SCOPE: &[&[u8]] = &[b"invitation"];
/// How many are read or removed in one go.
const AT_ONCE: usize = 1000;

/// What is sealed in an invitation.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    id: Uuid,
    expires: i64,
    roles: Vec<RoleName>,
}

/// What is kept of one that nobody has used yet.
#[derive(Debug, Serialize, Deserialize)]
struct StoredInvitation {
    roles: Vec<RoleName>,
    created_at: String,
    expires: i64,
}

/// An invitation that came with a sign-up, and still counts.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) id: Uuid,
    pub(super) roles: Vec<RoleName>,
    /// As it was found.
    expect: Expect,
}

impl Opened {
    /// The invitation in a body, if it is one that still counts.
    pub(super) async fn of(app: &App, new: &NewUser) -> Result<Self> {
        let refused = || {
            let message = "This invitation does not count, or not any more. Ask for another one.";
            Error::from(FieldErrors::of("invitation", invalid(message)))
        };
        let text = new.invitation.as_deref().ok_or_else(|| FieldErrors::of("invitation", required()))?;
        let sealed = app.auth().sealer.open(SCOPE, text).ok_or_else(refused)?;
        let Sealed { id, expires, roles } = serde_json::from_slice(&sealed)?;
        let kept = app.core().store.get(&keyspace::invitation(id)).await?;
        let is_over = expires < app.core().clock.now().unix_timestamp();
        let expect = match kept {
            Some(kept) if !kept.value.is_empty() => Expect::Version(kept.version),
            // Earlier versions kept those alone that were used.
            None => Expect::Absent,
            Some(_) => return Err(refused()),
        };
        if is_over { Err(refused()) } else { Ok(Self { id, roles, expect }) }
    }

    /// It counts no more.
    pub(super) fn use_up(&self, batch: &mut Batch) {
        batch.put(keyspace::invitation(self.id), Vec::new());
    }

    /// The same, if nobody else was faster.
    pub(super) fn use_once(&self, batch: &mut Batch) {
        batch.expect(keyspace::invitation(self.id), self.expect);
        self.use_up(batch);
    }
}

/// Makes an invitation. Those that are over are forgotten.
pub async fn invite(app: &App, new: &NewInvitation) -> Result<Invitation> {
    let core = app.core();
    let (id, created_at) = core.new_id();
    let expires = core.clock.now() + GOOD_FOR;
    let roles = distinct(new.roles.clone());
    let expires_at = written(expires)?;
    let expires = expires.unix_timestamp();
    let kept = serde_json::to_vec(&StoredInvitation { roles: roles.clone(), created_at, expires })?;
    let mut retry = Retry::new(core);
    loop {
        let mut batch = Batch::new();
        batch.put(keyspace::invitation(id), kept.clone());
        let old = Scan::range(Bound::Included(keyspace::invitations()), Bound::Excluded(first_that_counts(core)));
        for (key, _) in core.store.snapshot().await?.scan(old.limit(AT_ONCE)).await? {
            batch.delete(key);
        }
        if retry.commit(batch).await?.is_some() {
            break;
        }
    }
    let sealed = serde_json::to_vec(&Sealed { id, expires, roles: roles.clone() })?;
    let invitation = app.auth().sealer.seal(SCOPE, &sealed);
    Ok(Invitation { id: InvitationId::from_uuid(id), invitation, roles, expires_at })
}

/// Those that nobody has used yet, newest first.
pub async fn invitations(core: &Core) -> Result<Page<OpenInvitation>> {
    let end = keyspace::invitations().after_children();
    let scan = Scan::range(Bound::Included(first_that_counts(core)), Bound::Excluded(end)).backward();
    let now = core.clock.now().unix_timestamp();
    let mut open = Vec::new();
    for (key, entry) in core.store.snapshot().await?.scan(scan.limit(AT_ONCE)).await? {
        let Some(id) = id_of(&key).filter(|_| !entry.value.is_empty()) else { continue };
        let StoredInvitation { roles, created_at, expires } = serde_json::from_slice(&entry.value)?;
        if expires >= now {
            let expires_at = OffsetDateTime::from_unix_timestamp(expires).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            let expires_at = written(expires_at)?;
            open.push(OpenInvitation { id: InvitationId::from_uuid(id), roles, created_at, expires_at });
        }
    }
    Ok(Page::single(open))
}

/// Takes one back.
pub async fn take_back(core: &Core, id: InvitationId) -> Result<()> {
    let key = keyspace::invitation(id.uuid());
    let mut retry = Retry::new(core);
    loop {
        let kept = core.store.get(&key).await?.filter(|kept| !kept.value.is_empty()).ok_or(Error::NotFound)?;
        let mut batch = Batch::new();
        batch.expect(key.clone(), Expect::Version(kept.version)).put(key.clone(), Vec::new());
        if retry.commit(batch).await?.is_some() {
            return Ok(());
        }
    }
}

/// Where those begin that may still be good: ids begin with the millisecond at which they were made.
fn first_that_counts(core: &Core) -> Key {
    let since = core.clock.now() - GOOD_FOR;
    let millis = u128::try_from(since.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    keyspace::invitation(Uuid::from_u128(millis << 80))
}

fn id_of(key: &Key) -> Option<Uuid> {
    let mut elements = key.elements();
    elements.space().ok()?;
    elements.uuid().ok()
}

fn written(moment: OffsetDateTime) -> Result<String> {
    let moment = moment.replace_nanosecond(0).unwrap_or(moment).format(&Rfc3339);
    moment.map_err(|error| Error::caused("a time cannot be written", error))
}
