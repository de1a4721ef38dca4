//! Passwords and their hashes: [`Password`] cannot be printed, [`Hasher`] runs Argon2id on a few threads of its own behind a
//! bounded queue, with a pepper where the operator brings one ([`Peppers`]). Hashes that another program made are compared with as they are
//! ([`PasswordHash::from_foreign`]). Which passwords are good enough is [`super::password_policy`]'s business. No file but those of this
//! module names `argon2`.

mod compute;
mod foreign;
mod pepper;
mod plain;
mod stored;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

use argon2::{Params, ParamsBuilder, password_hash::phc::PasswordHash as Phc};
use base::{
    Charge, Entropy, MemoryBudget,
    histogram::{Histogram, SECONDS},
};
use thiserror::Error;
use tokio::sync::oneshot;

use foreign::Foreign;
use stored::SALT_BYTES;

pub use foreign::ForeignError;
pub use pepper::{PepperError, PepperUse, Peppers};
pub use plain::{MAX_PASSWORD_BYTES, Password, PasswordTooLong};
pub use stored::{HashError, PasswordHash};

/// What hashing costs. [`Cost::default`] is also the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

#[cfg(all(feature = "e2e", debug_assertions))]
impl Cost {
    /// As little as Argon2 allows, for tests whose subject is not the password: most of their time would be hashing. A release, and a build
    /// without the feature, have no way below the floor.
    pub const LEAST: Self = Self { memory_kib: Params::MIN_M_COST, passes: Params::MIN_T_COST, lanes: 1 };
}

/// How a [`Hasher`] is built.
#[derive(Debug, Clone)]
pub struct HasherSettings {
    /// What a new hash costs.
    pub cost: Cost,
    /// How many passwords are hashed at once; each holds the memory of one hash for good.
    pub threads: usize,
    /// How many may wait beyond that. The next one is told to come back.
    pub queue: usize,
    /// What the threads' memory is charged to.
    pub memory: MemoryBudget,
}

impl Default for HasherSettings {
    fn default() -> Self {
        // Half the cores: however many sign in, who is signed in already has the other half.
        let threads = (thread::available_parallelism().map_or(1, usize::from) / 2).clamp(1, 8);
        Self { cost: Cost::default(), threads, queue: threads * 128, memory: MemoryBudget::unlimited() }
    }
}

/// The settings are outside the limits, or the threads could not be started.
#[derive(Debug, Error)]
pub enum HasherError {
    /// Cheaper than the floor, or dearer than [`Hasher::verify`] would accept again.
    #[error("password hashing takes {min} to {max}; {given} is outside", min = "19456 KiB, 2 passes, 1 lane", max = "131072 KiB, 16 passes, 16 lanes", given = format_args!("{} KiB, {} passes, {} lanes", .0.memory_kib, .0.passes, .0.lanes))]
    Cost(Cost),
    /// No thread to hash on.
    #[error("could not start a thread for password hashing")]
    Thread(#[source] std::io::Error),
}

/// The outcome of [`Hasher::verify`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is the one that was hashed. With `rehash`, the hash is not as today's are: store a new one.
    Right {
        /// The stored hash costs something else than a new one would, or has another pepper or none.
        rehash: bool,
    },
    /// It is not, or there was no hash to compare with, or one that is not to be trusted.
    Wrong,
}

/// Hashes and compares passwords. Clones share the threads, which end with the last clone.
///
/// Work that has begun belongs to its thread: a client that hangs up frees nothing early and leaks nothing. Work that has
/// not begun when its client is gone is skipped.
#[derive(Clone)]
pub struct Hasher {
    jobs: SyncSender<Job>,
    /// A new hash's.
    params: Params,
    peppers: Peppers,
    entropy: Entropy,
    /// What an unknown user's password is compared with, at the cost of a known one's.
    dummy: PasswordHash,
    stats: Arc<Stats>,
}

/// What the hashing threads have been doing.
#[derive(Debug)]
pub struct Stats {
    /// Passwords that wait for a thread.
    pub waiting: AtomicUsize,
    /// Passwords that were turned away because too many waited.
    pub refused: AtomicU64,
    /// How long one took, without its wait.
    pub time: Histogram,
    /// How many threads there are.
    pub threads: usize,
}

impl Stats {
    /// How long one waits that comes now, if each takes as long as they did so far; `None` where none was hashed yet.
    pub fn wait(&self) -> Option<Duration> {
        let (_, count) = self.time.cumulative();
        let one = self.time.sum().checked_div(count)?;
        let ahead = self.waiting.load(Relaxed) as u64;
        Some(Duration::from_nanos(one.saturating_mul(ahead) / self.threads.max(1) as u64))
    }
}

struct Job {
    work: Work,
    reply: oneshot::Sender<Result<Done, HashError>>,
}

enum Work {
    Hash { password: Password, salt: [u8; SALT_BYTES], params: Params },
    Verify { password: Password, stored: Stored },
}

/// A hash that can be compared with.
enum Stored {
    Own(Box<Phc>),
    Foreign(Foreign),
}

impl Work {
    /// Bytes that it takes.
    fn memory(&self) -> u64 {
        let params = match self {
            Self::Hash { params, .. } => Some(params.clone()),
            Self::Verify { stored: Stored::Own(stored), .. } => Params::try_from(&**stored).ok(),
            Self::Verify { stored: Stored::Foreign(stored), .. } => return stored.memory(),
        };
        params.map_or(0, |params| u64::from(params.m_cost()) * 1024)
    }
}

enum Done {
    Hashed(PasswordHash),
    Compared(bool),
}

impl Hasher {
    /// Starts the threads.
    pub fn new(settings: HasherSettings, peppers: Peppers, entropy: Entropy) -> Result<Self, HasherError> {
        let HasherSettings { cost, threads, queue: waiting, memory } = settings;
        let floor = Cost::default();
        let mut params = ParamsBuilder::new();
        params.m_cost(cost.memory_kib).t_cost(cost.passes).p_cost(cost.lanes).keyid(peppers.current());
        let params = params.build().map_err(|_| HasherError::Cost(cost))?;
        let is_too_cheap = cost.memory_kib < floor.memory_kib || cost.passes < floor.passes;
        #[cfg(all(feature = "e2e", debug_assertions))]
        let is_too_cheap = is_too_cheap && cost != Cost::LEAST;
        if is_too_cheap || !compute::within_ceiling(&params) {
            return Err(HasherError::Cost(cost));
        }
        let (waiting_now, refused) = (AtomicUsize::new(0), AtomicU64::new(0));
        let stats = Arc::new(Stats { waiting: waiting_now, refused, time: Histogram::new(SECONDS), threads });
        let (jobs, queue) = sync_channel(waiting);
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..threads.max(1) {
            let (queue, peppers, stats) = (queue.clone(), peppers.clone(), stats.clone());
            let held = memory.charge_anyway(u64::from(cost.memory_kib) * 1024);
            thread::Builder::new()
                .name("password".to_owned())
                .spawn(move || work_off(&queue, &peppers, &stats, held))
                .map_err(HasherError::Thread)?;
        }
        // Nobody's password has this outcome. It is not computed: only the work of comparing matters.
        let dummy = compute::phc(&params, &entropy.bytes(), &entropy.bytes()).map_err(|_| HasherError::Cost(cost))?;
        Ok(Self { jobs, params, peppers, entropy, dummy, stats })
    }

    /// What the threads have been doing, for metrics.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What goes into the hashes.
    pub fn peppers(&self) -> &Peppers {
        &self.peppers
    }

    /// A new hash of `password`, with a salt of its own.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, HashError> {
        let work = Work::Hash { password, salt: self.entropy.bytes(), params: self.params.clone() };
        match self.run(work).await? {
            Done::Hashed(hash) => Ok(hash),
            Done::Compared(_) => Err(HashError::Failed),
        }
    }

    /// Compares `password` with what is stored. `None` (no such user) and a hash that cannot be used cost as much as one
    /// that can, and never match.
    pub async fn verify(&self, stored: Option<&PasswordHash>, password: Password) -> Result<Verdict, HashError> {
        let usable = stored.and_then(|hash| self.usable(hash));
        if stored.is_some_and(|hash| !hash.is_unusable()) && usable.is_none() {
            tracing::error!(
                "a stored password hash is not Argon2id within the limits, with a pepper that is there; its user cannot sign in"
            );
        }
        let known = usable.is_some();
        let against = match usable {
            Some(stored) => stored,
            None => Stored::Own(Box::new(Phc::new(self.dummy.as_str()).map_err(|_| HashError::Failed)?)),
        };
        let rehash = match &against {
            Stored::Own(phc) => self.is_outdated(phc),
            Stored::Foreign(_) => true,
        };
        match self.run(Work::Verify { password, stored: against }).await? {
            Done::Compared(true) if known => Ok(Verdict::Right { rehash }),
            _ => Ok(Verdict::Wrong),
        }
    }

    fn usable(&self, hash: &PasswordHash) -> Option<Stored> {
        match Phc::new(hash.as_str()) {
            Ok(phc) if compute::is_own(&phc) => {
                compute::is_usable(&phc, &self.peppers).then(|| Stored::Own(Box::new(phc)))
            }
            _ => Foreign::parse(hash.as_str()).ok().map(Stored::Foreign),
        }
    }

    fn is_outdated(&self, stored: &Phc) -> bool {
        Params::try_from(stored).is_ok_and(|stored| {
            // A dearer one too: Django's costs ten times as much with each sign-in, and this server's settings are what its operator wants.
            stored.m_cost() != self.params.m_cost()
                || stored.t_cost() != self.params.t_cost()
                || stored.p_cost() != self.params.p_cost()
                || stored.keyid() != self.params.keyid()
        })
    }

    async fn run(&self, work: Work) -> Result<Done, HashError> {
        let (reply, answer) = oneshot::channel();
        self.stats.waiting.fetch_add(1, Relaxed);
        self.jobs.try_send(Job { work, reply }).map_err(|refused| {
            self.stats.waiting.fetch_sub(1, Relaxed);
            self.stats.refused.fetch_add(1, Relaxed);
            match refused {
                TrySendError::Full(_) => HashError::Busy,
                TrySendError::Disconnected(_) => HashError::Failed,
            }
        })?;
        answer.await.map_err(|_| HashError::Failed)?
    }
}

/// One thread's life. Its memory is its own and is used again, so that all hashing together never holds more than
/// threads × one hash.
fn work_off(queue: &Mutex<Receiver<Job>>, peppers: &Peppers, stats: &Stats, mut held: Charge) {
    let usual = held.bytes();
    let mut memory = Vec::new();
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(Job { work, reply }) = next else { return };
        stats.waiting.fetch_sub(1, Relaxed);
        if reply.is_closed() {
            continue;
        }
        let started = Instant::now();
        // A stored hash may have been made with more memory than a new one.
        if held.grow(work.memory().saturating_sub(usual)).is_err() {
            let _ = reply.send(Err(HashError::Busy));
            continue;
        }
        let done = catch_unwind(AssertUnwindSafe(|| match work {
            Work::Hash { password, salt, params } => {
                compute::hash(&password, &salt, &params, peppers, &mut memory).map(Done::Hashed)
            }
            Work::Verify { password, stored: Stored::Own(stored) } => {
                compute::compare(&password, &stored, peppers, &mut memory).map(Done::Compared)
            }
            Work::Verify { password, stored: Stored::Foreign(stored) } => stored.is_of(&password).map(Done::Compared),
        }));
        stats.time.observe_time(started.elapsed());
        if held.bytes() > usual {
            memory = Vec::new();
            held.shrink_to(usual);
        }
        let _ = reply.send(done.unwrap_or(Err(HashError::Failed)));
    }
}

#[cfg(test)]
mod tests;
