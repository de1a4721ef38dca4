//! `/metrics` and `/api/metrics/`: gathers what the parts of the server have counted. For admins, or without a token on a listener of its own.

use std::{
    convert::Infallible,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use common::{
    Endpoint,
    endpoint::is_at,
    endpoints::metrics::{Exposition, Get, Recent},
    id::Revision,
    metrics::{FailedRequest, Metrics},
    validate::{before, format_moment},
};
use http::{HeaderMap, Method};
use server::{
    metrics::{Failed, Kind, Process, Route, Text},
    request::{Notes, RequestId},
};
use store::Scan;
use tokio::sync::Mutex;
use warp::Filter;

use super::{
    context::{Context, Options},
    error,
    input::Input,
    reply::Reply,
    response::to_warp,
    samples::moment,
    table::Table,
};
use crate::domain::{App, Result, events, keyspace, sessions};

/// How long a count of the sessions is good: counting reads all of them.
const COUNTED: Duration = Duration::from_secs(15);

/// How much before a moment requests ended that are told as later ones.
const SLACK: time::Duration = time::Duration::seconds(2);

/// The last count of sessions and when it was made; locked while it is made, so that there is one at a time.
type Counted = Arc<Mutex<Option<(Duration, u64)>>>;

pub(crate) fn register(table: &mut Table) {
    let counted = Counted::default();
    table.on::<Recent, _, _>(recent);
    table.on::<Get, _, _>(move |context, _| {
        let counted = counted.clone();
        async move { reply(&context, &counted).await }
    });
}

async fn recent(context: Context, input: Input<Recent>) -> Result<Reply<Recent>> {
    let Context { app, options } = &context;
    let (seconds, tens) = options.samples.later_than(input.query.since.as_deref());
    let ends = options.certificate_end.as_ref().and_then(|end| end());
    let revision = Revision(app.core().store.watermark([]).await?.version.get());
    // What ended about when the last sample was taken may not have been told then.
    let since = input.query.since.as_deref().and_then(|since| before(since, SLACK));
    let is_new = |at: &str| since.as_deref().is_none_or(|since| moment(at) > moment(since));
    let failures: Vec<FailedRequest> =
        options.metrics.failures().iter().map(Failed::told).filter(|failed| is_new(&failed.at)).collect();
    let slow = app.core().newest_slow.all().into_iter().filter(|slow| is_new(&slow.at)).collect();
    Reply::new(&Metrics { seconds, tens, revision, certificate_ends_at: ends.map(format_moment), failures, slow })
}

/// `/metrics` and nothing else, for everybody who reaches it: what listens on `--metrics-listen`.
pub fn open_filter(
    app: App,
    options: Options,
) -> impl Filter<Extract = (warp::reply::Response,), Error = Infallible> + Clone + Send + Sync + 'static {
    let (context, counted) = (Context { app, options: Arc::new(options) }, Counted::default());
    warp::method()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and(warp::ext::optional::<RequestId>())
        .and(warp::ext::optional::<Notes>())
        .then(
            move |method: Method, path: warp::path::FullPath, headers: HeaderMap, request_id, notes: Option<Notes>| {
                let asked = error::Asked::new(request_id, &headers);
                let (context, counted) = (context.clone(), counted.clone());
                async move {
                    if !is_at::<Get>(path.as_str()) {
                        return error::not_found(asked);
                    }
                    notes.unwrap_or_default().route(Route::of(Get::PATH));
                    if ![Method::GET, Method::HEAD].contains(&method) {
                        return error::method_not_allowed(&method, "GET, HEAD", asked);
                    }
                    match reply(&context, &counted).await {
                        Ok(reply) => reply.into_response(),
                        Err(error) => error::of_endpoint::<Get>(error, asked),
                    }
                }
            },
        )
        .map(to_warp)
}

async fn reply(context: &Context, counted: &Counted) -> Result<Reply<Get>> {
    Reply::new(&Exposition(gather(context, counted).await?))
}

async fn gather(context: &Context, counted: &Counted) -> Result<String> {
    let Context { app, options } = context;
    let mut text = Text::default();
    text.family("coffer_build_info", Kind::Gauge, "The version of the server.");
    text.sample("", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    options.metrics.write(&mut text);
    write_store(app, &mut text).await?;
    if let Some((free, size)) = options.samples.disk() {
        text.single("coffer_disk_free_bytes", Kind::Gauge, "What is free on the disk with the data.", free);
        text.single("coffer_disk_size_bytes", Kind::Gauge, "How large the disk with the data is.", size);
    }
    write_passwords(app, &mut text);
    let memory = &app.core().memory;
    text.single("coffer_memory_budget_bytes", Kind::Gauge, "Memory that may be held.", memory.limit());
    text.single("coffer_memory_held_bytes", Kind::Gauge, "Memory that is held.", memory.held());
    text.single("coffer_memory_peak_bytes", Kind::Gauge, "The most memory that was held.", memory.peak());
    text.single("coffer_memory_refused_total", Kind::Counter, "What there was no memory for.", memory.refused());
    text.single("coffer_sessions_active", Kind::Gauge, "Sessions that are open.", sessions(app, counted).await?);
    text.family(
        "coffer_rate_limited_total",
        Kind::Counter,
        "Requests refused by a limit, by class and by who is limited.",
    );
    for (class, payer, count) in options.limits.refused() {
        text.sample("", &[("class", class), ("by", payer)], count);
    }
    let refused = app.core().quota.refused.load(Relaxed);
    text.single("coffer_quota_refused_total", Kind::Counter, "Changes that a quota refused.", refused);
    let slow = app.core().slow_queries.load(Relaxed);
    text.single("coffer_slow_queries_total", Kind::Counter, "Lists that took more than 0.1 s.", slow);
    let remembered = options.limits.remembered();
    text.single("coffer_rate_limit_callers", Kind::Gauge, "Callers whose allowance is remembered.", remembered);
    if let Some(end) = options.certificate_end.as_ref().and_then(|end| end()) {
        text.single(
            "coffer_tls_certificate_expiry_timestamp_seconds",
            Kind::Gauge,
            "When the TLS certificate ends, in seconds since 1970.",
            end.unix_timestamp(),
        );
    }
    let events::Counts { open, delivered, let_go } = app.events().counts();
    text.single("coffer_event_streams", Kind::Gauge, "Streams of events that are open.", open);
    text.single("coffer_events_delivered_total", Kind::Counter, "Events that were handed to streams.", delivered);
    text.single("coffer_event_streams_let_go_total", Kind::Counter, "Streams whose clients were too slow.", let_go);
    write_requests(app, &mut text).await?;
    let lost = options.log.lost();
    text.single("coffer_log_lines_lost_total", Kind::Counter, "Lines of the log that nobody read in time.", lost);
    Process::look().write(&mut text);
    Ok(text.finish())
}

/// What is kept of requests beyond their answers: files that are taken in, and keys of writes that may come twice.
async fn write_requests(app: &App, text: &mut Text) -> Result<()> {
    let core = app.core();
    text.single(
        "coffer_import_file_bytes",
        Kind::Gauge,
        "What files that are taken in hold on the disk.",
        core.spool.held(),
    );
    let keys = core.store.snapshot().await?.count(&Scan::prefix(&keyspace::idempotency_keys())).await?;
    text.single("coffer_idempotency_keys", Kind::Gauge, "Idempotency keys that are kept.", keys.get());
    let replayed = core.idempotency.replayed.load(Relaxed);
    text.single("coffer_idempotency_replayed_total", Kind::Counter, "Answers given again for a key.", replayed);
    Ok(())
}

async fn write_store(app: &App, text: &mut Text) -> Result<()> {
    let store = app.core().store.clone();
    let bytes = tokio::task::spawn_blocking(move || store.disk_bytes()).await;
    let bytes = bytes.map_err(|error| crate::domain::Error::caused("a task ended early", error))??;
    text.single("coffer_store_disk_bytes", Kind::Gauge, "What the store's files take on the disk.", bytes);
    let stats = app.core().store.stats();
    text.family("coffer_store_commits_total", Kind::Counter, "Commits by what became of them.");
    text.sample("", &[("outcome", "committed")], stats.committed.load(Relaxed));
    text.sample("", &[("outcome", "refused")], stats.refused.load(Relaxed));
    text.family("coffer_store_commit_duration_seconds", Kind::Histogram, "From a commit's arrival to its answer.");
    text.seconds(&[], &stats.commit_time);
    let groups = stats.groups.load(Relaxed);
    text.single("coffer_store_groups_total", Kind::Counter, "Groups of commits, one sync of the disk each.", groups);
    text.family("coffer_store_group_commits", Kind::Histogram, "How many commits a group has.");
    text.sizes(&[], &stats.group_sizes);
    text.single("coffer_store_queue", Kind::Gauge, "Commits that wait for the next group.", app.core().store.waiting());
    Ok(())
}

fn write_passwords(app: &App, text: &mut Text) {
    let stats = app.auth().hasher.stats();
    let waiting = stats.waiting.load(Relaxed);
    text.single("coffer_password_queue", Kind::Gauge, "Passwords that wait to be hashed.", waiting);
    let refused = stats.refused.load(Relaxed);
    text.single("coffer_password_refused_total", Kind::Counter, "Passwords turned away, since too many wait.", refused);
    text.family("coffer_password_duration_seconds", Kind::Histogram, "How long one password takes, without its wait.");
    text.seconds(&[], &stats.time);
}

async fn sessions(app: &App, counted: &Counted) -> Result<u64> {
    let mut counted = counted.lock().await;
    let now = app.core().clock.elapsed();
    if let Some((at, count)) = *counted
        && now.saturating_sub(at) < COUNTED
    {
        return Ok(count);
    }
    let count = sessions::count(app.core()).await?;
    *counted = Some((now, count));
    Ok(count)
}
