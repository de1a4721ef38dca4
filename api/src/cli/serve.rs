//! `coffer serve`.

mod accounts;
mod auto;
mod children;
mod events;
mod in_force;
mod metrics;
mod rotation;
mod sign_up;

use std::{fs, future::pending, io::Write, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use auth::token::TokenSettings;
use base::Clock;
use clap::{Args, ValueEnum};
use common::{duration::parse_duration, endpoints::settings::Setting};
use logging::Log;
use server::{ServerOptions, Tls, metrics::Http};
use tokio::signal::unix::{SignalKind, signal};

pub(super) use self::in_force::settings;
use self::{accounts::AccountOptions, events::EventOptions, rotation::RotationOptions, sign_up::SignUpOptions};
use super::{
    control,
    listen::{Sockets, greet},
    memory::{self, MemoryOptions},
    open::{AuthSettings, DataDir, Opened, PasswordRules, PepperFiles, block_on},
    systemd,
    units::{Limit, parse_count, parse_size},
};
use crate::{
    assets::{Assets, Policy, PolicySource},
    domain::{self, App, demo, operations, quota::Quota},
    limits::{self, Limits},
    routes::{self, AuthSchemes},
};

/// Bytes of a policy's file at most: it goes into a header.
const MAX_POLICY_BYTES: u64 = 16 * 1024;

/// The server's options. Each is an environment variable too, but `--accept-data-loss`: that is for one start, and would go on for ever
/// in a file of settings.
#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    sockets: Sockets,
    /// Let browsers keep the session over plain HTTP away from this machine. Others who can read the network can then take it over.
    #[arg(long, env = "COFFER_INSECURE_COOKIE")]
    insecure_cookie: bool,
    /// How long an access token lives, such as 5m.
    #[arg(long, env = "COFFER_ACCESS_LIFETIME", default_value = "5m", allow_hyphen_values = true, value_parser = parse_duration, value_name = "TIME")]
    access_lifetime: Duration,
    /// How long a refresh token lives when it is not used.
    #[arg(long, env = "COFFER_REFRESH_LIFETIME", default_value = "1d", allow_hyphen_values = true, value_parser = parse_duration, value_name = "TIME")]
    refresh_lifetime: Duration,
    /// How long a session lives at most, however much it is used.
    #[arg(long, env = "COFFER_SESSION_LIFETIME", default_value = "30d", allow_hyphen_values = true, value_parser = parse_duration, value_name = "TIME")]
    session_lifetime: Duration,
    #[command(flatten)]
    rotation: RotationOptions,
    #[command(flatten)]
    accounts: AccountOptions,
    #[command(flatten)]
    sign_up: SignUpOptions,
    /// A file with a key of your own: a private key (RSA, P-256, Ed25519) as PEM, DER or JWK, or a secret of 32 or more random bytes. Given
    /// several times, the first signs and the others verify; public keys only verify.
    #[arg(long, env = "COFFER_SIGNING_KEY_FILE", value_name = "FILE", value_delimiter = ',')]
    signing_key_file: Vec<PathBuf>,
    #[command(flatten)]
    peppers: PepperFiles,
    #[command(flatten)]
    passwords: PasswordRules,
    /// Serve the files of this folder, which has an index.html, in place of the web app: a front end of your own.
    #[arg(long, env = "COFFER_WEB_DIR", value_name = "DIR")]
    web_dir: Option<PathBuf>,
    /// The content security policy of the files in --web-dir: a file that holds it, off for none, or app for that of Coffer's own web app.
    #[arg(long, env = "COFFER_WEB_CSP", default_value = "off", value_name = "FILE|off|app")]
    web_csp: PolicySource,
    /// What becomes of members of a body that nobody knows. A request can say the same: Prefer: handling=lenient.
    #[arg(long, env = "COFFER_UNKNOWN_MEMBERS", default_value = "refuse", value_name = "refuse|ignore")]
    unknown_members: Unknown,
    /// What becomes of query parameters that nobody knows, in requests that only read. Others refuse them always.
    #[arg(long, env = "COFFER_UNKNOWN_PARAMETERS", default_value = "refuse", value_name = "refuse|ignore")]
    unknown_parameters: Unknown,
    /// Whether a search tells letters with accents from those without: ignore finds "Łódź" by "lodz".
    #[arg(long, env = "COFFER_SEARCH_ACCENTS", default_value = "keep", value_name = "keep|ignore")]
    search_accents: Accents,
    /// How the log is written to stderr.
    #[arg(long, env = "COFFER_LOG", default_value = "text", value_name = "text|json")]
    log: LogFormat,
    /// What the log tells, such as info, debug, or coffer=trace.
    #[arg(long, env = "COFFER_LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    log_level: String,
    /// How often one caller may ask: reads, writes and credentials, each NUMBER/TIME or off; or off for all.
    #[arg(long, env = "COFFER_RATE_LIMIT", default_value_t, value_name = "CLASS=N/TIME,…|off")]
    rate_limit: limits::Settings,
    #[command(flatten)]
    events: EventOptions,
    #[command(flatten)]
    auto: auto::Auto,
    /// How many records a user may own who is no admin, such as 10000; or off.
    #[arg(long, env = "COFFER_QUOTA_RECORDS", default_value = "1000000", allow_hyphen_values = true, value_parser = parse_count, value_name = "N|off")]
    quota_records: Limit,
    /// How many bytes the records of a user may take who is no admin, such as 500MB or 10GB (thousands) or 10GiB (1024s); or off.
    #[arg(long, env = "COFFER_QUOTA_BYTES", default_value = "1GB", allow_hyphen_values = true, value_parser = parse_size, value_name = "SIZE|off")]
    quota_bytes: Limit,
    #[command(flatten)]
    memory: MemoryOptions,
    /// Show `/metrics` on this address too, over plain HTTP and to everybody who reaches it, without a token.
    #[arg(long, env = "COFFER_METRICS_LISTEN", value_name = "ADDR")]
    metrics_listen: Option<SocketAddr>,
    /// How long a stopping server lets requests finish.
    #[arg(long, env = "COFFER_GRACE", default_value = "10s", allow_hyphen_values = true, value_parser = parse_duration, value_name = "TIME")]
    grace: Duration,
    /// Start with a store that is there only, and never make a new one: where the data is on a disk of its own, which may not be mounted.
    #[arg(long, env = "COFFER_REQUIRE_STORE")]
    require_store: bool,
    /// Make Coffer's tables in the database of --database-url if they are not there, which takes a role that may.
    #[cfg(feature = "postgres")]
    #[arg(long, env = "COFFER_DATABASE_CREATE")]
    database_create: bool,
    /// Fill an empty store with demo collections and a demo admin first; the password is printed.
    #[arg(long, env = "COFFER_DEMO")]
    demo: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Unknown {
    Refuse,
    Ignore,
}

impl Unknown {
    fn both(members: Self, parameters: Self) -> routes::Unknown {
        let (ignores_members, ignores_parameters) = (members == Self::Ignore, parameters == Self::Ignore);
        routes::Unknown { ignores_members, ignores_parameters }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Accents {
    Keep,
    Ignore,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

impl Serve {
    /// Serves until a signal comes. `settings`: what admins are told of its options.
    pub(super) fn run(self, settings: Vec<Setting>) -> Result<()> {
        let (log, _last_lines) = self.start_log()?;
        block_on(self.serve(log, settings))
    }

    fn start_log(&self) -> Result<(Log, logging::Guard)> {
        let format = match self.log {
            LogFormat::Text => logging::Format::Text,
            LogFormat::Json => logging::Format::Json,
        };
        Log::start(format, &self.log_level, Clock::system(), std::io::stderr()).context("--log-level")
    }

    fn web_policy(&self) -> Result<Policy> {
        let file = match &self.web_csp {
            PolicySource::App => return Ok(Policy::Ours),
            PolicySource::Off => return Ok(Policy::Off),
            PolicySource::File(file) => file,
        };
        let read = base::file::read(file, MAX_POLICY_BYTES).context("cannot read --web-csp")?;
        let text = String::from_utf8(read.bytes).with_context(|| format!("--web-csp {} is no text", file.display()))?;
        Policy::from_text(&text).with_context(|| {
            format!(
                "--web-csp {}: use directives with semicolons between them, such as default-src 'self'; img-src *",
                file.display()
            )
        })
    }

    fn routing(&self, log: &Log, metrics: Arc<Http>, tls: Option<&Tls>) -> routes::Options {
        let certificate_end = tls.cloned().map(|tls| Arc::new(move || tls.expires_at()) as routes::CertificateEnd);
        routes::Options {
            insecure_cookie: self.insecure_cookie,
            unknown: Unknown::both(self.unknown_members, self.unknown_parameters),
            sign_up: self.sign_up.settings(),
            search_ignores_accents: self.search_accents == Accents::Ignore,
            auth_schemes: AuthSchemes::new(self.accounts.auth_scheme.clone()),
            log: log.clone(),
            limits: Limits::new(self.rate_limit, Clock::system()),
            event_streams: self.events.limits(),
            metrics,
            samples: Arc::default(),
            settings: Arc::default(),
            certificate_end,
        }
    }

    fn auth_settings(&self) -> Result<AuthSettings> {
        let settings = AuthSettings {
            tokens: TokenSettings {
                access_lifetime: self.access_lifetime,
                refresh_lifetime: self.refresh_lifetime,
                ..TokenSettings::default()
            },
            session_lifetime: self.session_lifetime.max(self.refresh_lifetime),
            rotation: self.rotation.chosen(),
            access_claims: self.accounts.access_claims.clone(),
            key_files: self.signing_key_file.clone(),
            passwords: self.passwords.clone(),
            peppers: self.peppers.clone(),
            without_peppers: false,
            #[cfg(feature = "postgres")]
            creates_tables: self.database_create && !self.require_store,
            #[cfg(not(feature = "postgres"))]
            creates_tables: false,
        };
        if self.data.database.is_named() && settings.key_files.is_empty() {
            bail!(
                "with --database-url, several servers sign tokens for one store; give each of them the same key with --signing-key-file, such as \
                 32 random bytes: head -c 32 /dev/urandom > signing.key"
            );
        }
        Ok(settings)
    }

    async fn serve(self, log: Log, told: Vec<Setting>) -> Result<()> {
        let assets = match &self.web_dir {
            Some(dir) => Assets::from_dir(dir, self.web_policy()?)
                .with_context(|| format!("cannot serve the folder {}", dir.display()))?,
            None => Assets::embedded(),
        };
        let settings = self.auth_settings()?;
        // First, so that a taken port is told before anything is written.
        let budget = self.memory.budget();
        let options = memory::server(ServerOptions { grace: self.grace, ..ServerOptions::default() }, &budget);
        let metrics = options.metrics.clone();
        let (server, tls) = self.sockets.bind(options)?;
        self.sockets.warn();
        let mut routing = self.routing(&log, metrics, tls.as_ref());
        routing.settings = told.into();
        if self.require_store {
            self.data.require_store()?;
        }
        let for_metrics = self.metrics_listen.map(metrics::Listener::bind).transpose()?;
        let Opened { app, mut setup_code } =
            self.data.open(settings, Quota::new(self.quota_records.0, self.quota_bytes.0), &budget).await?;
        if self.demo {
            let mut out = std::io::stdout();
            if demo::fits(&app).await? {
                let password = demo::fill(&app).await?;
                setup_code = None;
                let _ = writeln!(out, "The demo admin is \"{}\", password: {password}", demo::ADMIN);
            } else {
                let _ = writeln!(out, "The store is not empty, so the demo was left out.");
            }
        }
        let (stop, stopped) = tokio::sync::watch::channel(false);
        // Before the greeting: whoever has read it may send a signal.
        let reloads = tls.is_some() || systemd::manages();
        let drain = drain_on_signal(app.clone(), log, stop.clone(), reloads);
        tokio::spawn(drain.context("signals cannot be listened to")?);
        if reloads {
            tokio::spawn(
                reload_on_signal(tls.clone(), app.core().clock.clone()).context("signals cannot be listened to")?,
            );
        }
        control::listen(&self.data.data, &app);
        tokio::spawn(children::reap().context("signals cannot be listened to")?);
        let metrics_address = for_metrics.as_ref().map(metrics::Listener::address).transpose()?;
        let addresses = server.addresses()?;
        let outside = self.sockets.outside(&addresses, tls.as_ref());
        greet(&addresses, tls.is_some(), metrics_address.as_ref(), outside, setup_code.as_deref());
        systemd::ready();
        if let Some(listener) = for_metrics {
            listener.serve(app.clone(), routing.clone(), stopped.clone());
        }
        tokio::spawn(operations::run_in_background(app.clone()));
        tokio::spawn(domain::events::run(app.clone()));
        self.auto.begin(&app);
        if let Some(tls) = tls {
            tokio::spawn(tls.watch_expiry(app.core().clock.clone()));
        }
        tokio::spawn(systemd::watchdog());
        tokio::spawn(routes::measure(
            app.clone(),
            routing.samples.clone(),
            routing.metrics.clone(),
            self.data.data.clone(),
        ));
        let filter = routes::filter(app.clone(), assets, routing);
        let service = warp::service(filter);
        let failed = app.core().store.failed();
        let failure = tokio::spawn(async move {
            let failure = failed.await;
            let _ = stop.send(true);
            failure
        });
        let mut until = stopped.clone();
        let serving = server.run(service, async move {
            let _ = until.wait_for(|stop| *stop).await;
        });
        let outcome = serving.await;
        app.core().store.close().await;
        if failure.is_finished() {
            let failure = failure.await?;
            return Err(anyhow::anyhow!("{failure}").context("the store cannot write any more; start the server again"));
        }
        failure.abort();
        if let Err(unfinished) = outcome {
            tracing::warn!(requests = unfinished.0, "the grace period ended before these requests did");
        }
        Ok(())
    }
}

/// SIGHUP reads the TLS certificate and key again. A pair that cannot be used leaves the one that is there.
fn reload_on_signal(tls: Option<Tls>, clock: Clock) -> std::io::Result<impl Future<Output = ()>> {
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        while hang_up.recv().await.is_some() {
            systemd::reloading();
            if let Some(tls) = &tls {
                match tls.reload() {
                    Ok(()) => tracing::info!("the TLS certificate and its key were read again"),
                    Err(error) => tracing::error!("{:#}; the old certificate stays", anyhow::Error::from(error)),
                }
                tls.tell_expiry(clock.now());
            } else {
                tracing::info!("there is nothing to read again without --tls-cert");
            }
            systemd::ready();
        }
    })
}

/// SIGTERM or SIGINT drains; a second one ends it now. So does SIGHUP, the end of a terminal, where it reads nothing again and whoever started us (`nohup`)
/// does not have it ignored. They are listened to from the call on, not from the first poll.
fn drain_on_signal(
    app: App,
    log: Log,
    stop: tokio::sync::watch::Sender<bool>,
    hang_up_reloads: bool,
) -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut hang_up = if hang_up_reloads || is_hang_up_ignored() { None } else { Some(signal(SignalKind::hangup())?) };
    Ok(async move {
        let mut next = async || {
            let terminal_ends = async {
                match &mut hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => pending().await,
                }
            };
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                _ = terminal_ends => {}
            }
        };
        next().await;
        tracing::info!("stopping; a second signal ends it now");
        systemd::stopping();
        app.drain();
        let _ = stop.send(true);
        next().await;
        // The store's own promise holds without a goodbye: what was acknowledged is on disk.
        log.flush();
        std::process::exit(1);
    })
}

/// Whether whoever started us has SIGHUP ignored (`SigIgn` in `proc_pid_status(5)`, whose lowest bit is the first signal).
fn is_hang_up_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    u64::from_str_radix(mask.trim(), 16).is_ok_and(|ignored| ignored & 1 == 1)
}
