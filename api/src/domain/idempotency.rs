//! Writes that may come twice and are to be done once: `Idempotency-Key`. What a key did is noted in the very commit that does it, so there is never one
//! without the other; the answer is kept beside it for a day, for who sends the same again.

mod state;

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use common::id::{OperationId, RecordId, Revision, UserId};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use store::{Batch, Entry, Expect, Key, Scan, Version};

use super::{
    core::Core,
    error::{Error, Result},
    journal, keyspace,
    numbers::CollectionNumber,
};

pub use state::Idempotency;

/// Seconds for which an answer is kept.
const KEPT: i64 = 24 * 60 * 60;
/// Keys of one user at most.
const MAX_KEYS: usize = 10_000;
/// Characters of a key at most.
const MAX_LENGTH: usize = 255;
/// Bytes of an answer that is kept at most. Of a larger one only is kept that it was given.
const MAX_ANSWER: usize = 512 * 1024;
/// The more keys a user has, the less is kept for each: so many bytes divided by their number. All of one user's take seven times as much at most.
const ANSWERS: usize = 16 * 1024 * 1024;

tokio::task_local! {
    static CURRENT: Arc<Claim>;
}

/// An answer, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredAnswer {
    /// Seconds since 1970.
    at: i64,
    /// Of the request: method, address and body.
    digest: String,
    operation: Option<OperationId>,
    /// The one record that was written, where it is one, and at which version, where that is not the one that this is stored at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    record: Option<(CollectionNumber, RecordId)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    /// What was answered; nothing where the answer was lost, or too large to be kept.
    pub answer: Option<Answer>,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The status line's number.
    pub status: u16,
    /// Headers that say more than that it is JSON.
    pub headers: Vec<(String, String)>,
    /// The body; what is kept is text.
    pub body: String,
}

impl StoredAnswer {
    /// Whether a request is the one that it was kept for.
    pub fn is_of(&self, digest: &str) -> bool {
        self.digest == digest
    }

    /// The operation that the request was.
    pub fn operation(&self) -> Option<OperationId> {
        self.operation
    }

    /// The same, and nothing of which record it was.
    #[must_use]
    pub fn without_record(self) -> Self {
        Self { record: None, ..self }
    }

    /// The one record that the request wrote, and the revision that it had then.
    pub fn record(&self) -> Option<(CollectionNumber, RecordId, Revision)> {
        let (collection, id) = self.record?;
        Some((collection, id, Revision(self.version?)))
    }
}

/// The digest of a request, as far as it has come.
pub type Digested = Arc<dyn Fn() -> String + Send + Sync>;

/// The record that a request writes, where it is one, and the version of its commit.
type Wrote = (Option<(CollectionNumber, RecordId)>, Option<Version>);

/// A key at work. It is free again when this is dropped.
pub struct Claim {
    core: Arc<Idempotency>,
    key: Key,
    /// What stood there before, and is over.
    before: Option<Version>,
    at: i64,
    digest: Digested,
    /// Bytes of an answer that is kept at most.
    max_answer: usize,
    is_committed: AtomicBool,
    /// The record that the request's commit is about, and the version of that.
    wrote: Mutex<Wrote>,
}

/// What a key came to.
pub enum Begun {
    /// Nobody sent it before.
    First(Arc<Claim>),
    /// It was sent before. With the claim it is done once more: where nothing is there of what was done.
    Again(StoredAnswer, Arc<Claim>),
}

/// Takes a key up for a user; an error where it is at work already.
pub async fn begin(core: &Core, user: UserId, name: &str, digest: Digested) -> Result<Begun> {
    let is_plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if name.is_empty() || name.len() > MAX_LENGTH || !name.bytes().all(is_plain) {
        return Err(Error::BadKey(MAX_LENGTH));
    }
    let key = keyspace::idempotency_key(user, &Sha256::digest(name));
    if !core.idempotency.running.lock().unwrap_or_else(PoisonError::into_inner).insert(key.as_bytes().to_vec()) {
        return Err(Error::KeyAtWork);
    }
    let now = core.clock.unix_seconds();
    let mut claim = Claim {
        core: Arc::clone(&core.idempotency),
        key,
        before: None,
        at: now,
        digest,
        max_answer: MAX_ANSWER,
        is_committed: AtomicBool::new(false),
        wrote: Mutex::default(),
    };
    let snapshot = core.store.snapshot().await?;
    let others = snapshot.count(&Scan::prefix(&keyspace::idempotency_keys_of(user))).await?.get();
    claim.max_answer = MAX_ANSWER.min(ANSWERS / (others + 1));
    if let Some(entry) = snapshot.get(&claim.key).await? {
        let mut kept = parse(&entry)?;
        kept.version = kept.version.or(Some(entry.version.get()));
        claim.before = Some(entry.version);
        if now - kept.at < KEPT {
            return Ok(Begun::Again(kept, Arc::new(claim)));
        }
    } else if others >= MAX_KEYS {
        return Err(Error::TooManyKeys(MAX_KEYS));
    }
    Ok(Begun::First(Arc::new(claim)))
}

fn parse(entry: &Entry) -> Result<StoredAnswer> {
    Ok(serde_json::from_slice(&entry.value)?)
}

impl Claim {
    fn kept(&self, operation: Option<OperationId>, answer: Option<Answer>) -> StoredAnswer {
        let (record, version) = *self.wrote.lock().unwrap_or_else(PoisonError::into_inner);
        let version = version.map(Version::get);
        StoredAnswer { at: self.at, digest: (self.digest)(), operation, record, version, answer }
    }

    /// Keeps the answer for who asks again.
    pub async fn finish(&self, core: &Core, operation: Option<OperationId>, answer: Answer) -> Result<()> {
        let answer = Some(answer).filter(|answer| answer.body.len() <= self.max_answer);
        let value = serde_json::to_vec(&self.kept(operation, answer))?;
        let batch = Batch::with(|batch| batch.put(self.key.clone(), value));
        core.store.commit(batch).await?;
        Ok(())
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.core.running.lock().unwrap_or_else(PoisonError::into_inner).remove(self.key.as_bytes());
    }
}

/// `future`, whose first commit notes that the key was used.
pub fn under<F: Future>(claim: Arc<Claim>, future: F) -> impl Future<Output = F::Output> {
    CURRENT.scope(claim, future)
}

/// Notes in a batch that it is what the running request's key does. Gives whether there is one to be noted.
pub fn note(batch: &mut Batch) -> bool {
    let Ok(claim) = CURRENT.try_with(Arc::clone) else { return false };
    if batch.is_empty() || claim.is_committed.load(Relaxed) {
        return false;
    }
    let record = {
        let mut records = batch.written().filter_map(keyspace::record_of);
        records.next().filter(|one| records.all(|other| other == *one))
    };
    *claim.wrote.lock().unwrap_or_else(PoisonError::into_inner) = (record, None);
    let Ok(value) = serde_json::to_vec(&claim.kept(journal::operation(), None)) else { return false };
    let expected = claim.before.map_or(Expect::Absent, Expect::Version);
    batch.expect(claim.key.clone(), expected).put(claim.key.clone(), value);
    true
}

/// The running request's key was noted by the commit of this version.
pub fn noted(version: Version) {
    let _ = CURRENT.try_with(|claim| {
        claim.wrote.lock().unwrap_or_else(PoisonError::into_inner).1 = Some(version);
        claim.is_committed.store(true, Relaxed);
    });
}

/// Notes in a batch that an operation is taken back by another one, all of it: what did it can come again under its key.
pub fn note_taken_back(core: &Core, batch: &mut Batch, operation: OperationId, by: OperationId) -> Result<()> {
    let (at, digest) = (core.clock.unix_seconds(), String::new());
    let kept = StoredAnswer { at, digest, operation: Some(by), record: None, version: None, answer: None };
    batch.put(keyspace::taken_back(operation), serde_json::to_vec(&kept)?);
    Ok(())
}

/// Whether what an operation did was taken back, and what took it back was not.
pub async fn is_taken_back(core: &Core, operation: OperationId) -> Result<bool> {
    let (snapshot, mut operation, mut is_taken_back) = (core.store.snapshot().await?, operation, false);
    while let Some(entry) = snapshot.get(&keyspace::taken_back(operation)).await? {
        let Some(by) = parse(&entry)?.operation else { break };
        (operation, is_taken_back) = (by, !is_taken_back);
    }
    Ok(is_taken_back)
}

/// An entry without the answer that is kept in it, and without what it says of a record, where it is about the record of this id; without one whatever
/// it is about. `None` where nothing of it goes.
pub fn without_answer(entry: &Entry, id: Option<RecordId>) -> Result<Option<Vec<u8>>> {
    let mut kept = parse(entry)?;
    let text = id.map(|id| id.to_string());
    let is_about = |body: &str| text.as_ref().is_none_or(|id| body.contains(id.as_str()));
    let answer = kept.answer.take_if(|answer| is_about(&answer.body));
    let record = kept.record.take_if(|(_, of)| id == Some(*of));
    if answer.is_none() && record.is_none() {
        return Ok(None);
    }
    // It is stored anew, and what it is about was not.
    kept.version = kept.version.or(Some(entry.version.get()));
    Ok(Some(serde_json::to_vec(&kept)?))
}

/// The keys of requests behind one of them, or all.
pub fn keys_after(last: &[u8]) -> Scan {
    let scan = Scan::prefix(&keyspace::idempotency_keys());
    match Key::from_bytes(last) {
        Ok(last) => scan.after(&last),
        // It is empty at the beginning.
        Err(_) => scan,
    }
}

/// Whether an answer was kept long enough.
pub fn is_over(entry: &Entry, now: i64) -> bool {
    parse(entry).is_ok_and(|kept| now - kept.at >= KEPT)
}
