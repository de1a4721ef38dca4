//! Following what others change: one stream for as long as the client runs, and what comes on it gathered into messages, two a second at most.

use std::{sync::Arc, time::Duration};

use common::event::{HEARTBEAT_SECONDS, follow::Follower};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep, timeout},
};

use coffer_client::{Client, client::EventPieces};

use crate::message::{Failure, Live};

/// A stream on which nothing comes for so long is none any more.
const SILENCE: Duration = Duration::from_secs(3 * HEARTBEAT_SECONDS);
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
        let pause = match client.events(self.follower.since()).await {
            Ok(pieces) => {
                self.follower.opened();
                self.read(pieces).await?;
                self.follower.ended(None)
            }
            Err(Failure::SignedOut) => {
                // Somebody else may sign in next, to whom nothing was told yet.
                self.follower.forget();
                self.tell_away(None).await?;
                sleep(MOMENT).await;
                return (!self.sender.is_closed()).then_some(());
            }
            Err(failure @ Failure::Call(_)) => {
                let status = if let Failure::Call(error) = &failure { error.status() } else { 0 };
                if status != 410 {
                    self.tell_away(Some(failure)).await?;
                }
                self.follower.ended((status > 0).then_some(status))
            }
        };
        sleep(Duration::from_millis(pause)).await;
        (!self.sender.is_closed()).then_some(())
    }

    async fn tell_away(&mut self, why: Option<Failure>) -> Option<()> {
        if why.is_some() || std::mem::take(&mut self.is_away) {
            self.is_away = why.is_some();
            self.sender.send(Live::Away(why)).await.ok()?;
        }
        Some(())
    }

    /// Reads a stream to its end; `None` where nobody listens any more.
    async fn read(&mut self, mut pieces: EventPieces) -> Option<()> {
        self.tell_away(None).await?;
        let mut heard = Instant::now();
        loop {
            let due = self.follower.due(self.now()).map(Duration::from_millis);
            // What is due and cannot be told yet waits until the message before it was taken.
            let wait = due.map_or(SILENCE, |due| if due.is_zero() { MOMENT } else { due });
            match timeout(wait.min(SILENCE.saturating_sub(heard.elapsed())), pieces.next()).await {
                Ok(None) => return Some(()),
                Ok(Some(piece)) => {
                    heard = Instant::now();
                    if self.follower.take(&piece).is_err() {
                        return Some(());
                    }
                }
                Err(_) if heard.elapsed() >= SILENCE => return Some(()),
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
