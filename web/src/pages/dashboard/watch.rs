//! What the dashboard asks the server for, again and again while somebody looks: samples each second, or less often over a slow line; what was
//! changed as soon as there is something; requests by route and work in the background now and then.

use std::{cell::Cell, rc::Rc, time::Duration};

use common::{
    Call, CallError,
    dashboard::{Feed, History, Traffic},
    endpoints::{changes, metrics, operations, users},
    id::Revision,
    metrics::MetricsQuery,
    operation::Operation,
    query::ListQuery,
};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    client::{Client, now},
    hooks::use_frame,
};

/// Milliseconds that an answer is shown before the next is asked for, over a fast line.
const REFRESH: u64 = 1000;
/// How much longer than the last answer took that is at least, so that the line is free for other things.
const REST: u64 = 4;
/// How long it is at most.
const LONGEST: u64 = 30_000;
/// Milliseconds between two readings of what changes slowly.
const SLOW: u64 = 10_000;
/// How often it is looked whether somebody looks.
const UNSEEN: u32 = 500;
/// Operations that are shown.
const OPERATIONS: u64 = 6;

/// What was told.
#[derive(Debug, Clone, Default)]
pub(super) struct Watched {
    pub(super) history: History,
    pub(super) feed: Feed,
    /// Why there is nothing newer.
    pub(super) silent: Option<String>,
    pub(super) traffic: Option<Traffic>,
    /// The reading before it, and the seconds between the two.
    pub(super) earlier: Option<(Traffic, f64)>,
    pub(super) operations: Option<Vec<Operation>>,
    /// Milliseconds between two answers.
    pub(super) pause: u64,
    read_at: u64,
    heard: Revision,
    has_more: bool,
}

impl Watched {
    pub(super) fn pause(&self) -> Duration {
        Duration::from_millis(self.pause)
    }
}

/// Watches for as long as the page is there.
#[hook]
pub(super) fn use_watched() -> UseStateHandle<Rc<Watched>> {
    let frame = use_frame();
    let watched = use_state(|| Rc::new(Watched::default()));
    let setter = watched.setter();
    use_effect_with(frame.session.epoch, move |_| {
        let is_there = Rc::new(Cell::new(true));
        let watching = watch(frame.client, setter, is_there.clone());
        spawn_local(watching);
        move || is_there.set(false)
    });
    watched
}

async fn watch(client: Client, show: UseStateSetter<Rc<Watched>>, is_there: Rc<Cell<bool>>) {
    let mut watched = Watched::default();
    while is_there.get() {
        if is_hidden() {
            TimeoutFuture::new(UNSEEN).await;
            continue;
        }
        let began = now();
        let asked = watched.ask(&client).await;
        if asked.as_ref().is_err_and(|error| error.status() == 401) {
            // Signing in again begins anew.
            return;
        }
        watched.silent = asked.err().map(|error| error.to_string());
        watched.pause = ((now() - began.min(now())) * REST).clamp(REFRESH, LONGEST);
        if !is_there.get() {
            return;
        }
        show.set(Rc::new(watched.clone()));
        TimeoutFuture::new(u32::try_from(watched.pause).unwrap_or(UNSEEN)).await;
    }
}

impl Watched {
    async fn ask(&mut self, client: &Client) -> Result<(), CallError> {
        let query = MetricsQuery { since: self.history.since() };
        let metrics = client.send(Call::<metrics::Recent>::new((), ()).query(query)).await?.body;
        let newest = metrics.revision;
        self.feed.begin(newest);
        self.history.take(metrics);
        if newest != self.heard || self.has_more {
            self.changes(client, newest).await?;
        }
        let is_working = self.operations.iter().flatten().any(|one| !one.state.is_over());
        if is_working || now().saturating_sub(self.read_at) >= SLOW {
            self.slow(client).await?;
        }
        Ok(())
    }

    async fn changes(&mut self, client: &Client, newest: Revision) -> Result<(), CallError> {
        let Some(query) = self.feed.next().cloned() else { return Ok(()) };
        let changes = client.send(Call::<changes::List>::new((), ()).query(query)).await?.body;
        self.has_more = changes.next.is_some();
        self.heard = newest;
        self.feed.take(changes);
        for user in self.feed.unknown() {
            let name = match client.send(Call::<users::Get>::new((user,), ())).await {
                Ok(reply) => Some(reply.body.username.to_string()),
                Err(error) if error.status() == 404 => None,
                Err(error) => return Err(error),
            };
            self.feed.know(user, name);
        }
        Ok(())
    }

    #[allow(clippy::cast_precision_loss, reason = "milliseconds of a few seconds")]
    async fn slow(&mut self, client: &Client) -> Result<(), CallError> {
        let query = ListQuery { page_size: OPERATIONS, ..ListQuery::default() };
        let operations = client.send(Call::<operations::List>::new((), ()).query(query)).await?.body;
        self.operations = Some(operations.results);
        let since = now().saturating_sub(self.read_at);
        if since >= SLOW {
            let exposition = client.send(Call::<metrics::Get>::new((), ())).await?.body;
            let traffic = Traffic::read(&exposition.0);
            let before = self.traffic.replace(traffic);
            self.earlier = before.map(|before| (before, since as f64 / 1000.0));
            self.read_at = now();
        }
        Ok(())
    }
}

fn is_hidden() -> bool {
    web_sys::window().and_then(|window| window.document()).is_some_and(|document| document.hidden())
}
