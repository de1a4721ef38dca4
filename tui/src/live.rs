//! Following what others change: one stream for as long as the client runs, and what comes on it gathered into messages, two a second at most.

use std::{pin::pin, sync::Arc, time::Duration};

use common::{
    Call,
    endpoints::root,
    event::follow::{FIRST, Follower},
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use coffer_client::{Client, client::EventPieces};

use crate::message::{Away, Failure, Live};

/// How long it takes to look again whether somebody has signed in, or whether the last message was taken.
const MOMENT: Duration = Duration::from_millis(500);

/// Follows, whoever is signed in; nobody is told of anything while nobody is.
pub(crate) fn follow(client: Arc<Client>) -> mpsc::Receiver<Live> {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut following = Following { sender, follower: Follower::default(), began: Instant::now(), is_away: false };
        while following.follow(&client).await.is_some() {}
    });
    receiver
}

struct Following {
    sender: mpsc::Sender<Live>,
    follower: Follower,
    began: Instant,
    is_away: bool,
}

impl Following {
    /// Opens a stream, reads it to its end, and waits before the next; `None` where nobody listens any more.
    async fn follow(&mut self, client: &Client) -> Option<()> {
        // It is never dropped: a token may be renewed for it.
        let mut opening = pin!(client.events(self.follower.since()));
        let in_time = timeout(Duration::from_millis(FIRST), opening.as_mut()).await;
        let is_late = in_time.is_err();
        let opened = if let Ok(opened) = in_time {
            opened
        } else {
            self.kept_back(unanswered(client).await).await?;
            opening.await
        };
        let pause = match opened {
            Ok(pieces) => {
                self.follower.opened();
                let is_kept_back = self.read(pieces).await?;
                if is_kept_back { self.kept_back(Away::KeptBack).await? } else { self.follower.ended(None) }
            }
            Err(Failure::SignedOut) => {
                // Somebody else may sign in next, to whom nothing was told yet.
                self.follower.forget();
                self.tell_away(None).await?;
                sleep(MOMENT).await;
                return (!self.sender.is_closed()).then_some(());
            }
            Err(failure) if is_late && failure.is_passing() => self.kept_back(unanswered(client).await).await?,
            Err(failure @ Failure::Call(_)) => {
                let status = if let Failure::Call(error) = &failure { error.status() } else { 0 };
                if status != 410 {
                    self.tell_away(Some(Away::Failed(failure))).await?;
                }
                self.follower.ended((status > 0).then_some(status))
            }
        };
        sleep(Duration::from_millis(pause)).await;
        (!self.sender.is_closed()).then_some(())
    }

    async fn tell_away(&mut self, why: Option<Away>) -> Option<()> {
        if why.is_some() || std::mem::take(&mut self.is_away) {
            self.is_away = why.is_some();
            self.sender.send(Live::Away(why)).await.ok()?;
        }
        Some(())
    }

    /// What is sent does not come: says so, and has what is shown read again. Gives the milliseconds to wait.
    async fn kept_back(&mut self, why: Away) -> Option<u64> {
        self.tell_away(Some(why)).await?;
        let pause = self.follower.kept_back();
        self.sender.send(Live::News(self.follower.news(self.now()))).await.ok()?;
        Some(pause)
    }

    /// Reads a stream to its end, and says whether that was because something keeps back what is sent; `None` where nobody listens any more.
    async fn read(&mut self, mut pieces: EventPieces) -> Option<bool> {
        let mut heard = Instant::now();
        loop {
            let due = self.follower.due(self.now()).map(Duration::from_millis);
            // What is due and cannot be told yet waits until the message before it was taken.
            let silence = Duration::from_millis(self.follower.patience());
            let wait = due.map_or(silence, |due| if due.is_zero() { MOMENT } else { due });
            match timeout(wait.min(silence.saturating_sub(heard.elapsed())), pieces.next()).await {
                Ok(None) => return Some(false),
                Ok(Some(piece)) => {
                    heard = Instant::now();
                    if self.follower.take(&piece).is_err() {
                        return Some(false);
                    }
                    if self.follower.comes() {
                        self.tell_away(None).await?;
                    }
                }
                Err(_) if heard.elapsed() >= silence => return Some(self.follower.fell_silent()),
                Err(_) => {}
            }
            if self.follower.due(self.now()) == Some(0) {
                match self.sender.try_reserve() {
                    Ok(place) => place.send(Live::News(self.follower.news(self.now()))),
                    Err(mpsc::error::TrySendError::Full(())) => {}
                    Err(mpsc::error::TrySendError::Closed(())) => return None,
                }
            }
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Why a request for changes was not answered in time: something keeps its answer back where others are answered.
async fn unanswered(client: &Client) -> Away {
    let call = Call::<root::Get>::new((), ());
    match client.send(&call).await {
        Err(failure @ Failure::Call(_)) if failure.is_passing() => Away::Failed(failure),
        _ => Away::KeptBack,
    }
}
