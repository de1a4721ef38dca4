//! The one task that follows the journal and tells subscribers: it reads each entry once, however many there are, and looks up whom it concerns.

use std::{
    collections::HashMap,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use common::{
    access::Decision,
    change::{Change, Subject, Verb},
    event::{EventId, HEARTBEAT_SECONDS},
    id::{Revision, SessionId, UserId},
};
use store::{
    Snapshot,
    journal::{self as blocks, Position},
};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::{
    definition::Redefined,
    frame::{self, Frame},
    happened::{Happened, Outcome, RecordEntry, event_id, next},
    hub::Hub,
    index::Needs,
    scope,
    subscriber::{Reason, Subscriber},
};
use crate::domain::{
    app::App,
    core::Core,
    error::{Error, Result},
    gone,
    journal::{self, Entry},
    numbered::Directory,
    numbers::CollectionNumber,
    schema::Schema,
};

/// From so many events a second on they are handed over in bundles.
const BUNDLED_FROM: f64 = 50_000.0;
/// A bundle is handed over so long after the one before.
const BUNDLE: Duration = Duration::from_millis(50);
/// How often it is looked at how many there are.
const MEASURED: Duration = Duration::from_millis(250);
/// Entries after which others get the thread.
const ENTRIES_BETWEEN_PAUSES: usize = 64;
/// After a failure to read.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells subscribers, for as long as the server runs.
pub async fn run(app: App) {
    let mut feed = Feed { app, released: Instant::now(), measured: Instant::now(), counted: 0, is_busy: false };
    let mut tick = interval(Duration::from_secs(1));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut beat = 0;
    loop {
        let (position, is_empty, has_waiting) = {
            let state = feed.hub().state();
            (state.position, state.is_empty(), state.has_waiting())
        };
        if is_empty {
            feed.hub().joined.notified().await;
            continue;
        }
        let store = feed.app.core().store.clone();
        tokio::select! {
            _ = store.later_than(position.version) => {
                if let Err(error) = feed.follow().await {
                    tracing::error!(reason = error.with_causes(), "events cannot be read from the journal");
                    tokio::time::sleep(PAUSE).await;
                }
                feed.release(false);
            }
            () = sleep_until(feed.released + BUNDLE), if has_waiting => feed.release(true),
            _ = tick.tick() => {
                beat = (beat + 1) % HEARTBEAT_SECONDS;
                feed.beat(beat).await;
            }
        }
    }
}

struct Feed {
    app: App,
    /// When frames were released last.
    released: Instant,
    measured: Instant,
    counted: u64,
    is_busy: bool,
}

/// What was read of the definitions for one stretch.
#[derive(Default)]
struct Known {
    directory: Directory,
    schemas: HashMap<CollectionNumber, Option<Arc<Schema>>>,
}

impl Known {
    async fn schema(
        &mut self,
        core: &Core,
        snapshot: &Snapshot,
        number: CollectionNumber,
    ) -> Result<Option<Arc<Schema>>> {
        if let Some(schema) = self.schemas.get(&number) {
            return Ok(schema.clone());
        }
        // What is deleted with its collection is told by the rules and filters of it as it was last.
        let schema = gone::last_schema(core, snapshot, number).await?;
        self.schemas.insert(number, schema.clone());
        Ok(schema)
    }
}

impl Feed {
    fn core(&self) -> &Core {
        self.app.core()
    }

    fn hub(&self) -> &Hub {
        &self.app.events().hub
    }

    /// Lets subscribers take what waits for them; in bundles where there is much.
    fn release(&mut self, is_due: bool) {
        if !is_due && self.is_busy && self.released.elapsed() < BUNDLE {
            return;
        }
        let waiting = self.hub().state().take_waiting();
        for subscriber in &waiting {
            subscriber.release();
        }
        self.released = Instant::now();
        let elapsed = self.measured.elapsed();
        if elapsed >= MEASURED {
            let delivered = self.hub().delivered.load(Relaxed);
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let rate = (delivered - self.counted) as f64 / elapsed.as_secs_f64();
            (self.is_busy, self.counted, self.measured) = (rate > BUNDLED_FROM, delivered, Instant::now());
        }
    }

    /// Reads on to the last commit.
    async fn follow(&mut self) -> Result<()> {
        let snapshot = self.core().store.snapshot().await?;
        let from = next(self.hub().state().position);
        let (mut known, mut read) = (Known::default(), 0);
        let mut blocks = blocks::blocks_from(&snapshot, from).await?;
        while let Some(block) = blocks.next().await? {
            for appended in block.entries.into_iter().filter(|entry| entry.at >= from) {
                self.tell(&snapshot, &mut known, appended.at, journal::parse(&appended.bytes)?).await?;
                read += 1;
                if read % ENTRIES_BETWEEN_PAUSES == 0 {
                    self.release(false);
                    tokio::task::yield_now().await;
                }
            }
        }
        let mut state = self.hub().state();
        state.position = state.position.max(Position { version: snapshot.version(), place: u32::MAX });
        Ok(())
    }

    async fn tell(&self, snapshot: &Snapshot, known: &mut Known, at: Position, entry: Entry) -> Result<()> {
        match entry {
            Entry::Record(change, values) => {
                self.tell_record(snapshot, known, RecordEntry { at, change, values }).await
            }
            Entry::Other(change, _) => {
                match change.subject {
                    Subject::Collection => self.tell_definition(snapshot, at, &change).await?,
                    Subject::User | Subject::Session if is_about_rights(&change) => {
                        self.look_at_people(at, &change).await;
                    }
                    _ => {}
                }
                self.hub().state().position = at;
                Ok(())
            }
        }
    }

    async fn tell_record(&self, snapshot: &Snapshot, known: &mut Known, entry: RecordEntry) -> Result<()> {
        let (at, number) = (entry.at, entry.change.collection);
        let mut needs = {
            let mut state = self.hub().state();
            let needs = state.index.needs(number);
            if needs == Needs::Nothing {
                state.position = at;
                return Ok(());
            }
            needs
        };
        let name = known.directory.find(snapshot, number).await?.map(|numbered| numbered.name.clone());
        let schema = known.schema(self.core(), snapshot, number).await?;
        let Some(name) = name else {
            self.hub().state().position = at;
            return Ok(());
        };
        loop {
            let sides = needs == Needs::Sides;
            let happened =
                Happened::read(self.core(), snapshot, schema.as_deref(), name.clone(), entry.clone(), sides).await;
            let mut state = self.hub().state();
            let mut told: Vec<(Arc<Subscriber>, Outcome)> = Vec::new();
            match &happened {
                Ok(happened) if !state.index.each(happened, |to, outcome| told.push((Arc::clone(to), outcome))) => {
                    needs = Needs::Sides;
                    continue;
                }
                Ok(_) => {}
                Err(error) => {
                    tracing::error!(reason = error.with_causes(), %at.version, "a change cannot be told as an event");
                    self.reset_all(&mut state, number, at, name);
                    state.position = at;
                    return Ok(());
                }
            }
            let happened = happened?;
            let (mut frames, mut delivered) = (HashMap::new(), 0);
            for (subscriber, outcome) in told {
                let frame = match frames.get(&outcome) {
                    Some(frame) => frame,
                    None => frames.entry(outcome).or_insert(happened.frame(&self.core().memory, outcome)),
                };
                match frame {
                    Ok(frame) => delivered += u64::from(self.hand(&mut state, &subscriber, frame.clone())),
                    // There is no room to keep it for anybody.
                    Err(_) => self.let_go(&subscriber),
                }
            }
            state.position = at;
            self.hub().delivered.fetch_add(delivered, Relaxed);
            return Ok(());
        }
    }

    fn hand(&self, state: &mut super::hub::State, subscriber: &Arc<Subscriber>, frame: Frame) -> bool {
        let was_ending = subscriber.is_ending();
        let is_taken = state.hand(subscriber, frame);
        if !is_taken && !was_ending {
            self.hub().let_go.fetch_add(1, Relaxed);
        }
        is_taken
    }

    fn let_go(&self, subscriber: &Subscriber) {
        if !subscriber.is_ending() {
            self.hub().let_go.fetch_add(1, Relaxed);
            subscriber.end(Reason::Slow);
        }
    }

    /// What cannot be told in detail has to be read anew.
    fn reset_all(
        &self,
        state: &mut super::hub::State,
        collection: CollectionNumber,
        at: Position,
        name: common::name::CollectionName,
    ) {
        let frame = frame::reset(event_id(at), "history", Some(name));
        for subscriber in state.followers(collection) {
            self.hand(state, &subscriber, frame.clone());
        }
    }

    async fn tell_definition(&self, snapshot: &Snapshot, at: Position, change: &Change) -> Result<()> {
        let Some(redefined) = Redefined::read(change)? else { return Ok(()) };
        let Some(collection) = redefined.collection() else { return Ok(()) };
        let (id, revision) = (event_id(at), event_id(at).revision);
        let known = self.core().schemas.load(snapshot, &collection.name).await?;
        let collection_number = known.filter(|known| known.collection.id == collection.id).map(|known| known.number());
        let mut state = self.hub().state();
        state.rules_changed = state.rules_changed.max(at.version);
        for subscriber in state.subscribers() {
            let number = subscriber.number;
            let rule = state.rule(number, collection.id);
            if rule.is_none() && subscriber.wanted.collections.is_some() {
                continue;
            }
            let Some(effect) = redefined.effect(&subscriber, revision) else { continue };
            let (kind, data) = effect.parts();
            self.hand(&mut state, &subscriber, Frame { id, bytes: frame::of(Some(id), kind, data) });
            let Some(after) = &redefined.after else { continue };
            match subscriber.wanted.rule(self.core(), &self.app.events().shared, after, &subscriber.caller()) {
                Ok(new) if new.may == Decision::Denied && subscriber.wanted.collections.is_some() => {
                    subscriber.end(Reason::Rules);
                }
                Ok(new) => {
                    if let Some(collection) = rule.map(|(collection, _)| collection).or(collection_number) {
                        state.set_rule(number, collection, &new);
                    }
                }
                Err(_) => subscriber.end(Reason::Filter),
            }
        }
        Ok(())
    }

    /// A session or a user is not what it was: their streams end, or go on by other roles.
    async fn look_at_people(&self, at: Position, change: &Change) {
        let (session, user) = match change.subject {
            Subject::Session => (change.id.parse::<SessionId>().ok(), None),
            _ => (None, change.id.parse::<UserId>().ok()),
        };
        let subscribers = {
            let mut state = self.hub().state();
            state.rules_changed = state.rules_changed.max(at.version);
            state.of(session, user)
        };
        for subscriber in subscribers {
            self.look_at(&subscriber, event_id(at)).await;
        }
    }

    /// Whether a subscriber's session holds, and what it may follow.
    async fn look_at(&self, subscriber: &Arc<Subscriber>, id: EventId) {
        match self.newly_allowed(subscriber).await {
            Ok(None) => {}
            Ok(Some((caller, scope))) => {
                let mut state = self.hub().state();
                subscriber.set_caller(caller);
                self.hand(&mut state, subscriber, frame::reset(id, "roles", None));
                state.set_scope(subscriber.number, scope);
            }
            Err(Error::Unauthenticated(_)) => subscriber.end(Reason::Session),
            Err(Error::NotFound | Error::Denied | Error::NobodyMay(_)) => {
                self.hand(&mut self.hub().state(), subscriber, frame::reset(id, "roles", None));
                subscriber.end(Reason::Rules);
            }
            Err(Error::Invalid(_)) => {
                self.hand(&mut self.hub().state(), subscriber, frame::reset(id, "roles", None));
                subscriber.end(Reason::Filter);
            }
            Err(error) => {
                tracing::error!(reason = error.with_causes(), "a stream of events cannot go on");
                subscriber.end(Reason::Failed);
            }
        }
    }

    /// The caller and the scope where they are others than before.
    async fn newly_allowed(&self, subscriber: &Subscriber) -> Result<Option<(common::access::Caller, scope::Scope)>> {
        let snapshot = self.core().store.snapshot().await?;
        let caller = scope::caller(self.core(), &snapshot, subscriber.session, subscriber.user).await?;
        if caller == subscriber.caller() {
            return Ok(None);
        }
        let scope = subscriber.wanted.scope(self.core(), &self.app.events().shared, &snapshot, &caller).await?;
        Ok(Some((caller, scope)))
    }

    /// A sign of life for a fifteenth of the subscribers, whose sessions are looked at too: time ends them without a change. Those who came a moment
    /// ago have their first one, too.
    async fn beat(&mut self, beat: u64) {
        let (position, subscribers) = {
            let state = self.hub().state();
            (state.position, state.subscribers())
        };
        let id = EventId { revision: Revision(position.version.get()), place: position.place };
        for subscriber in subscribers {
            if subscriber.needs_first_beat() {
                subscriber.beat(id);
            } else if subscriber.number % HEARTBEAT_SECONDS == beat {
                self.look_at(&subscriber, id).await;
                subscriber.beat(id);
            }
        }
    }
}

/// Whether an entry about a user or a session may change who may do what. Signing in does not.
fn is_about_rights(change: &Change) -> bool {
    !matches!(
        change.action,
        Verb::SignIn | Verb::SignInRefused | Verb::SignInLocked | Verb::PasswordRefused | Verb::Unlock
    )
}
