//! Work while the server runs. Between pieces requests go first: the work takes a quarter of the time at most, and waits while many commits
//! are queued, though not for ever.

use std::{collections::HashSet, time::Duration};

use common::id::OperationId;
use tokio::time::sleep;

use super::{
    runner::{Held, Outcome, Runner, recurring},
    stored::{Work, load},
    unfinished,
};
use crate::domain::{
    app::App,
    core::Core,
    error::{Error, Result},
};

/// How often the store is looked at for work that nobody does: another process may have died.
const LOOK: Duration = Duration::from_secs(2);
/// From one round of clearing away to the next.
const ROUND: Duration = Duration::from_mins(10);
/// Histories are trimmed in one round of so many: every six hours.
const TRIM_ROUNDS: u32 = 36;
/// How long to wait after an error that may pass.
const AFTER_ERROR: Duration = Duration::from_secs(5);
/// How long one user's work goes on while another's waits.
const TURN: Duration = Duration::from_secs(1);
/// The rest after a piece is so many times as long as the piece took.
const REST: u32 = 3;
/// Waiting commits from which on a piece waits too, and how long at most.
const BUSY: usize = 8;
const BUSY_WAIT: Duration = Duration::from_millis(20);
const BUSY_WAITS: usize = 50;

/// Operations that this process works on, by turns: the oldest one of each user.
type InTurns = Vec<(OperationId, Held)>;

impl Runner<'_> {
    /// Works on everything that is to be done, until there is nothing or the server goes down. A user's operations are done one after the other, and
    /// those of several users by turns: what one asks for does not wait for all that another does.
    async fn work(&self, app: &App, turns: &mut InTurns) -> Result<()> {
        loop {
            self.take_turns(turns).await?;
            if turns.is_empty() {
                return Ok(());
            }
            let mut at = 0;
            while let Some((id, held)) = turns.get_mut(at) {
                let id = *id;
                match self.pieces(app, held, Some(TURN)).await {
                    Ok(Outcome::More) => at += 1,
                    Ok(Outcome::Over | Outcome::Lost) => drop(turns.remove(at)),
                    Err(error) => {
                        turns.remove(at);
                        return Err(self.fail(id, error).await?);
                    }
                }
                if app.is_draining() {
                    for (_, held) in turns.drain(..) {
                        self.release(held).await?;
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Takes the oldest operation of each user of whom none is at work.
    async fn take_turns(&self, turns: &mut InTurns) -> Result<()> {
        let mut users: HashSet<_> = turns.iter().map(|(_, held)| held.stored.by).collect();
        let (_, known) = unfinished::load_all(self.core, |id| turns.iter().any(|(known, _)| known == id)).await?;
        for (id, version, stored) in known {
            let by = stored.by;
            if !users.contains(&by)
                && let Some(held) = self.take_loaded(id, version, stored).await
            {
                users.insert(by);
                turns.push((id, held));
            }
        }
        Ok(())
    }

    /// Does pieces with rests between them, as long as the work is this process's: for so long, or to the end.
    async fn pieces(&self, app: &App, held: &mut Held, time: Option<Duration>) -> Result<Outcome> {
        let until = time.map(|time| self.core.clock.elapsed() + time);
        loop {
            let began = self.core.clock.elapsed();
            match self.step(held).await? {
                Outcome::More => {}
                ended => return Ok(ended),
            }
            let now = self.core.clock.elapsed();
            self.rest(if held.stored.work.is_waited_for() { Duration::ZERO } else { now.saturating_sub(began) }).await;
            if app.is_draining() || until.is_some_and(|until| self.core.clock.elapsed() >= until) {
                return Ok(Outcome::More);
            }
        }
    }

    async fn rest(&self, took: Duration) {
        sleep((took * REST).clamp(Duration::from_millis(1), Duration::from_secs(1))).await;
        for _ in 0..BUSY_WAITS {
            if self.core.store.waiting() < BUSY {
                return;
            }
            sleep(BUSY_WAIT).await;
        }
    }
}

/// Does all work in the background, until the server goes down.
pub async fn run_in_background(app: App) {
    tokio::join!(work_on_operations(&app), clear_away(&app));
}

async fn work_on_operations(app: &App) {
    let (runner, mut turns) = (Runner::new(app.core()), InTurns::new());
    while !app.is_draining() {
        let pause = match runner.work(app, &mut turns).await {
            Ok(()) => LOOK,
            Err(Error::Stopped) => return,
            Err(error) => {
                tracing::warn!(reason = error.with_causes(), "work in the background has to wait");
                AFTER_ERROR
            }
        };
        // A start ends the pause. Nothing is lost if it came before.
        let _ = tokio::time::timeout(pause, app.core().operation_started.notified()).await;
    }
}

async fn clear_away(app: &App) {
    let runner = Runner::new(app.core());
    let mut rounds = 0_u32;
    while !app.is_draining() {
        let mut pause = ROUND;
        if let Err(error) = clear_spool(app.core()).await {
            tracing::warn!(reason = error.with_causes(), "files of imports could not be cleared away");
        }
        for (name, work) in recurring() {
            // It reads all that is older than a day, which changes by little from one round to the next.
            if matches!(work, Work::TrimHistory(_)) && !rounds.is_multiple_of(TRIM_ROUNDS) {
                continue;
            }
            let cleared = match runner.take_recurring(name, work).await {
                Ok(Some(mut held)) => match runner.pieces(app, &mut held, None).await {
                    Ok(Outcome::More) => runner.release(held).await,
                    outcome => outcome.map(|_| ()),
                },
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            match cleared {
                Ok(()) => {}
                Err(Error::Stopped) => return,
                Err(error) => {
                    tracing::warn!(name, reason = error.with_causes(), "what is over could not be cleared away");
                    pause = Duration::from_mins(1);
                }
            }
        }
        rounds = rounds.wrapping_add(1);
        let _ = tokio::time::timeout(pause, app.core().clear_now.notified()).await;
    }
}

/// Removes what the spool keeps of operations that are over: rows at once, and what was left out of an import after a day.
async fn clear_spool(core: &Core) -> Result<()> {
    const KEPT: Duration = Duration::from_hours(24);
    for (id, path) in core.spool.kept() {
        let is_over = load(core, id).await?.is_none_or(|(_, stored)| stored.state.is_over());
        let age = path.metadata().and_then(|file| file.modified()).ok().and_then(|then| then.elapsed().ok());
        let is_left_out = path.to_string_lossy().ends_with(".rejected.csv");
        // What this process only just kept may belong to an operation that is about to begin.
        let most = if is_left_out { KEPT } else { Duration::from_mins(10).min(core.clock.elapsed()) };
        if is_over && age.is_some_and(|age| age > most) {
            // Another process may have removed it.
            let _ = std::fs::remove_file(path);
        }
    }
    Ok(())
}
