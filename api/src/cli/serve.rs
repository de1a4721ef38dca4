//! `coffer serve`.

mod metrics;

use std::{io::Write, net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::{Context, Result};
use base::Clock;
use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use super::{
    listen::{Sockets, greet},
    open::{AuthSettings, DataDir, Opened, PepperFiles, block_on},
    systemd,
};
use crate::{
    assets::Assets,
    auth::token::TokenSettings,
    domain::{App, demo, quota::Quota, sessions},
    limits::{self, Limits},
    log::{self, Log},
    routes,
    server::{ServerOptions, Tls},
};

/// The server's options. Each is an environment variable too.
#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    data: DataDir,
    #[command(flatten)]
    sockets: Sockets,
    /// Let browsers keep the session over plain HTTP away from this machine. Whoever listens on the way can take it over.
    #[arg(long, env = "COFFER_INSECURE_COOKIE")]
    insecure_cookie: bool,
    /// How long an access token lives, such as 5m.
    #[arg(long, env = "COFFER_ACCESS_LIFETIME", default_value = "5m", value_parser = parse_duration, value_name = "TIME")]
    access_lifetime: Duration,
    /// How long a refresh token lives when it is not used.
    #[arg(long, env = "COFFER_REFRESH_LIFETIME", default_value = "1d", value_parser = parse_duration, value_name = "TIME")]
    refresh_lifetime: Duration,
    /// How long a session lives at most, however much it is used.
    #[arg(long, env = "COFFER_SESSION_LIFETIME", default_value = "30d", value_parser = parse_duration, value_name = "TIME")]
    session_lifetime: Duration,
    /// Whether a refresh token is spent by its use. Off is for clients that ignore the new one.
    #[arg(long, env = "COFFER_ROTATION", default_value = "on", value_name = "on|off")]
    rotation: Switch,
    /// A file with an HS256 key of your own, 32 bytes or more. Given several times, the first signs and the others verify.
    #[arg(long, env = "COFFER_SIGNING_KEY_FILE", value_name = "FILE", value_delimiter = ',')]
    signing_key_file: Vec<PathBuf>,
    #[command(flatten)]
    peppers: PepperFiles,
    /// Characters that a new password must have, 8 or more.
    #[arg(long, env = "COFFER_MIN_PASSWORD_LENGTH", default_value_t = crate::auth::password_policy::DEFAULT_MIN_LENGTH, value_name = "N")]
    min_password_length: usize,
    /// Serve the web app from this folder, not from the binary.
    #[arg(long, env = "COFFER_WEB_DIR", value_name = "DIR")]
    web_dir: Option<PathBuf>,
    /// How the log is written to stderr.
    #[arg(long, env = "COFFER_LOG", default_value = "text", value_name = "text|json")]
    log: LogFormat,
    /// What the log tells, such as info, debug, or coffer=trace.
    #[arg(long, env = "COFFER_LOG_LEVEL", default_value = "info", value_name = "LEVEL")]
    log_level: String,
    /// How often one caller may ask: reads, writes and credentials, each NUMBER/TIME or off; or off for all.
    #[arg(long, env = "COFFER_RATE_LIMIT", default_value_t, value_name = "CLASS=N/TIME,…|off")]
    rate_limit: limits::Settings,
    /// How many records a user may own who is no admin, such as 10000; or off.
    #[arg(long, env = "COFFER_QUOTA_RECORDS", default_value = "1000000", value_parser = parse_records, value_name = "N|off")]
    quota_records: Limit,
    /// How many bytes the records of a user may take who is no admin, such as 500MB or 10GB; or off.
    #[arg(long, env = "COFFER_QUOTA_BYTES", default_value = "1GB", value_parser = parse_bytes, value_name = "SIZE|off")]
    quota_bytes: Limit,
    /// Show `/metrics` on this address too, over plain HTTP and to everybody who reaches it, without a token.
    #[arg(long, env = "COFFER_METRICS_LISTEN", value_name = "ADDR")]
    metrics_listen: Option<SocketAddr>,
    /// How long a stopping server lets requests finish.
    #[arg(long, env = "COFFER_GRACE", default_value = "10s", value_parser = parse_duration, value_name = "TIME")]
    grace: Duration,
    /// Fill an empty store with demo collections and a demo admin first; the password is printed.
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// Reads `90s`, `5m`, `12h`, `1d`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return Err("use a number with s, m, h or d, such as 5m".to_owned()),
    };
    let seconds = digits.parse::<u32>().map_err(|_| "use a number with s, m, h or d, such as 5m".to_owned())?;
    match u64::from(seconds) * factor {
        0 => Err("this must be longer than nothing".to_owned()),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}

/// How much of something there may be; `None` for any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(Option<u64>);

/// Reads `10000` or `off`.
fn parse_records(text: &str) -> Result<Limit, String> {
    parse_limit(text, &[("", 0)], "use a number, such as 10000, or off")
}

/// Reads `500MB`, `10GB` or `off`: units of a thousand.
fn parse_bytes(text: &str) -> Result<Limit, String> {
    let units = [("B", 0), ("kB", 1), ("MB", 2), ("GB", 3), ("TB", 4)];
    parse_limit(text, &units, "use a number with B, kB, MB, GB or TB, such as 500MB, or off")
}

fn parse_limit(text: &str, units: &[(&str, u32)], use_instead: &str) -> Result<Limit, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    let unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - unit.len()];
    let unit = units.iter().find(|(name, _)| unit.eq_ignore_ascii_case(name));
    let number = unit.and_then(|(_, power)| digits.parse::<u64>().ok()?.checked_mul(1000_u64.pow(*power)));
    // Counters have a sign.
    let number = number.filter(|number| i64::try_from(*number).is_ok());
    number.map(|number| Limit(Some(number))).ok_or_else(|| use_instead.to_owned())
}

impl Serve {
    /// Serves until a signal comes.
    pub fn run(self) -> Result<()> {
        let (log, _last_lines) = self.start_log()?;
        block_on(self.serve(log))
    }

    fn start_log(&self) -> Result<(Log, log::Guard)> {
        let format = match self.log {
            LogFormat::Text => log::Format::Text,
            LogFormat::Json => log::Format::Json,
        };
        Log::start(format, &self.log_level, Clock::system(), std::io::stderr()).context("--log-level")
    }

    async fn serve(self, log: Log) -> Result<()> {
        let assets = match &self.web_dir {
            Some(dir) => Assets::from_dir(dir).with_context(|| format!("cannot serve the folder {}", dir.display()))?,
            None => Assets::embedded(),
        };
        let settings = AuthSettings {
            tokens: TokenSettings {
                access_lifetime: self.access_lifetime,
                refresh_lifetime: self.refresh_lifetime,
                ..TokenSettings::default()
            },
            session_lifetime: self.session_lifetime.max(self.refresh_lifetime),
            rotation: self.rotation == Switch::On,
            key_files: self.signing_key_file.clone(),
            min_password_length: self.min_password_length,
            peppers: self.peppers.clone(),
            without_peppers: false,
        };
        // First, so that a taken port is told before anything is written.
        let options = ServerOptions { grace: self.grace, ..ServerOptions::default() };
        let metrics = options.metrics.clone();
        let (server, tls) = self.sockets.bind(options)?;
        let routing = routes::Options {
            insecure_cookie: self.insecure_cookie,
            log: log.clone(),
            limits: Limits::new(self.rate_limit, Clock::system()),
            metrics,
            tls: tls.clone(),
        };
        let for_metrics = self.metrics_listen.map(metrics::Listener::bind).transpose()?;
        let Opened { app, mut setup_code } =
            self.data.open(settings, Quota::new(self.quota_records.0, self.quota_bytes.0)).await?;
        if self.demo {
            let mut out = std::io::stdout();
            if demo::fits(&app).await? {
                let password = demo::fill(&app).await?;
                setup_code = None;
                let _ = writeln!(out, "The demo admin is \"{}\", password: {password}", demo::ADMIN);
            } else {
                let _ = writeln!(out, "The box is not empty, so the demo was left out.");
            }
        }
        let (stop, stopped) = tokio::sync::watch::channel(false);
        // Before the greeting: whoever has read it may send a signal.
        let drain = drain_on_signal(app.clone(), log, stop.clone()).context("signals cannot be listened to")?;
        tokio::spawn(drain);
        if tls.is_some() || systemd::manages() {
            tokio::spawn(
                reload_on_signal(tls.clone(), app.core().clock.clone()).context("signals cannot be listened to")?,
            );
        }
        let metrics_address = for_metrics.as_ref().map(metrics::Listener::address).transpose()?;
        greet(&server.addresses()?, tls.is_some(), metrics_address.as_ref(), setup_code.as_deref());
        systemd::ready();
        if let Some(listener) = for_metrics {
            listener.serve(app.clone(), routing.clone(), stopped.clone());
        }
        tokio::spawn(sweep(app.clone()));
        if let Some(tls) = tls {
            tokio::spawn(tls.watch_expiry(app.core().clock.clone()));
        }
        tokio::spawn(systemd::watchdog());
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

/// SIGTERM or SIGINT drains; a second one ends it now. They are listened to from the call on, not from the first poll.
fn drain_on_signal(
    app: App,
    log: Log,
    stop: tokio::sync::watch::Sender<bool>,
) -> std::io::Result<impl Future<Output = ()>> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
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

/// Clears expired sessions away, a few at a time.
async fn sweep(app: App) {
    let mut after = None;
    loop {
        let pause = match sessions::sweep(app.core(), &mut after).await {
            Ok(true) => Duration::from_millis(100),
            Ok(false) => Duration::from_mins(10),
            Err(error) => {
                tracing::warn!(%error, "expired sessions could not be cleared away");
                Duration::from_mins(1)
            }
        };
        tokio::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d7_quotas_are_read_with_their_unit() {
        assert_eq!(parse_records("10000"), Ok(Limit(Some(10_000))));
        assert_eq!(parse_bytes("500MB"), Ok(Limit(Some(500_000_000))));
        assert_eq!(parse_bytes("10kb"), Ok(Limit(Some(10_000))));
        assert_eq!(parse_bytes("0B"), Ok(Limit(Some(0))));
        for parse in [parse_records, parse_bytes] {
            assert_eq!(parse("off"), Ok(Limit(None)));
            for bad in ["", "-1", "+1", "1.5", "MB", "10XB", "9223372036854775808", "99999999999TB", "1 GB", "5é"] {
                assert!(parse(bad).is_err(), "{bad}");
            }
        }
        assert!(parse_records("1kB").is_err());
        assert!(parse_bytes("500").is_err(), "nobody means so few bytes");
    }

    #[test]
    fn durations_are_read_with_their_unit() {
        assert_eq!(parse_duration("5m"), Ok(Duration::from_mins(5)));
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        for bad in ["", "m", "5x", "-1s", "0s", "1.5h", "99999999999d", "5é"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
