//! Figures of sign-in: `cargo run --release -p coffer --example auth_bench` (about two minutes, the machine to itself).
//!
//! The server runs in this process, over a store on disk and real HTTP on loopback, with the limits on guessing raised; client
//! and server share the processor and the memory that is counted.

#[path = "shared/figures.rs"]
mod figures;

use std::{
    collections::BTreeMap,
    fs, process,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use auth::{
    keys::KeyRing,
    password::{Hasher, HasherSettings, Peppers},
    throttle::{Throttle, ThrottleSettings},
    token::TokenSettings,
};
use base::{Clock, Entropy};
use coffer::{
    assets::Assets,
    domain::{App, Parts, journal::Actor, users},
    routes,
};
use common::{access::Caller, endpoints::users::NewUser};
use figures::memory;
use reqwest::Client;
use serde_json::{Value, json};
use server::{Server, ServerOptions};
use store::{Options, Store};
use tokio::{sync::Barrier, task::JoinSet, time::sleep};

const PASSWORD: &str = "grows seven quinces a year";
const USERS: usize = 10;
const TRIALS: u32 = 1000;
const USES_AT_ONCE: usize = 16;
const SAMPLES: u32 = 500;
const READERS: usize = 8;
const LOGINS: usize = 64;
const PARALLEL: usize = 500;
const STRETCH: Duration = Duration::from_secs(8);

#[tokio::main]
async fn main() -> Result<()> {
    let data = tempfile::tempdir()?;
    let bench = Bench { base: serve(data.path()).await?, client: Client::builder().no_proxy().build()? };
    println!("{:<58} {:>12}", "what", "figure");
    bench.winners().await?;
    bench.timing().await?;
    bench.reads().await?;
    bench.memory().await
}

/// Starts a server with [`USERS`] users and gives its address.
async fn serve(data: &std::path::Path) -> Result<String> {
    let (clock, entropy) = (Clock::system(), Entropy::system());
    let store = Store::open(Options::sled(data.join("store")))?;
    let ring = KeyRing::open(data, &clock, &entropy)?;
    let raised = ThrottleSettings { free_failures: 1 << 20, address_failures: 1 << 20, ..ThrottleSettings::default() };
    let hasher = Hasher::new(HasherSettings::default(), Peppers::default(), entropy.clone())?;
    let throttle = Throttle::new(raised, clock.clone());
    let mut parts = Parts::new(store, clock, entropy, &ring, TokenSettings::default(), hasher)?;
    parts.auth.throttle = throttle;
    let app = App::new(parts);
    for n in 0..USERS {
        let (username, password) = (format!("user{n}").parse()?, PASSWORD.to_owned());
        let new = NewUser::new(username, password);
        users::create(&app, Actor::local(&Caller::Anonymous), new).await?;
    }
    let server = Server::bind(ServerOptions { listen: vec!["127.0.0.1:0".parse()?], ..ServerOptions::default() })?;
    let base = format!("http://{}", server.addresses()?[0]);
    let filter = routes::filter(app, Assets::default(), routes::Options::default());
    tokio::spawn(server.run(warp::service(filter), std::future::pending()));
    Ok(base)
}

#[derive(Clone)]
struct Bench {
    base: String,
    client: Client,
}

impl Bench {
    async fn post(&self, path: &str, body: &Value) -> Result<(u16, Value)> {
        let request = self.client.post(format!("{}{path}", self.base)).header("content-type", "application/json");
        let answer = request.body(body.to_string()).send().await?;
        Ok((answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await?)?))
    }

    async fn sign_in(&self, user: usize) -> Result<(u16, Value)> {
        self.post("/api/token/", &json!({"username": format!("user{user}"), "password": PASSWORD})).await
    }

    /// How many of several uses of one refresh token at once get new tokens.
    async fn winners(&self) -> Result<()> {
        let mut trials_by_winners = BTreeMap::new();
        for trial in 0..TRIALS {
            let (_, pair) = self.sign_in(trial as usize % USERS).await?;
            let body = Arc::new(json!({"refresh": pair["refresh"]}));
            let start = Arc::new(Barrier::new(USES_AT_ONCE));
            let mut uses = JoinSet::new();
            for _ in 0..USES_AT_ONCE {
                let (bench, body, start) = (self.clone(), body.clone(), start.clone());
                uses.spawn(async move {
                    start.wait().await;
                    bench.post("/api/token/refresh/", &body).await.map(|(status, _)| status == 200)
                });
            }
            let mut winners = 0;
            while let Some(won) = uses.join_next().await {
                winners += u32::from(won??);
            }
            *trials_by_winners.entry(winners).or_insert(0_u32) += 1;
        }
        for (winners, trials) in trials_by_winners {
            let what = format!("trials of {USES_AT_ONCE} refreshes at once with {winners} winner(s)");
            println!("{what:<58} {trials:>12}");
        }
        Ok(())
    }

    /// How long the answer takes for a name that nobody has, and for a wrong password.
    async fn timing(&self) -> Result<()> {
        let mut spent = [const { Vec::new() }; 2];
        for sample in 0..2 * SAMPLES {
            // Interleaved, and each is first as often as the other.
            let known = (sample + sample / 2) % 2 == 0;
            let name = if known { "user0" } else { "nobody" };
            let body = json!({"username": name, "password": "not the password at all"});
            let started = Instant::now();
            let (status, _) = self.post("/api/token/", &body).await?;
            spent[usize::from(known)].push(started.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(status == 401, "a wrong password was answered with {status}");
        }
        let [(unknown, error), (wrong, other_error)] = spent.map(|spent| mean(&spent));
        println!("{:<58} {unknown:>12.3}", "unknown name, mean ms");
        println!("{:<58} {wrong:>12.3}", "wrong password, mean ms");
        println!("{:<58} {:>+12.2}", "difference of the means, %", (unknown - wrong) / wrong * 100.0);
        println!("{:<58} {:>12.2}", "its standard error, %", error.hypot(other_error) / wrong * 100.0);
        Ok(())
    }

    /// Guarded reads a second, alone and while others sign in without end.
    async fn reads(&self) -> Result<()> {
        let access = self.sign_in(0).await?.1["access"].as_str().context("a token")?.to_owned();
        println!("{:<58} {:>12.0}", format!("guarded reads a second, {READERS} readers"), self.read(&access).await?);
        let (stop, signed_in) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut logins = JoinSet::new();
        for n in 0..LOGINS {
            let (bench, stop, signed_in) = (self.clone(), stop.clone(), signed_in.clone());
            logins.spawn(async move {
                while !stop.load(Relaxed) {
                    let (status, _) = bench.sign_in(n % USERS).await?;
                    signed_in.fetch_add(u64::from(status == 200), Relaxed);
                }
                Ok::<_, anyhow::Error>(())
            });
        }
        sleep(Duration::from_secs(1)).await;
        signed_in.store(0, Relaxed);
        let reads = self.read(&access).await?;
        let rate = signed_in.load(Relaxed) / STRETCH.as_secs();
        stop.store(true, Relaxed);
        while let Some(login) = logins.join_next().await {
            login??;
        }
        println!("{:<58} {reads:>12.0}", format!("the same while {LOGINS} sign in without end"));
        println!("{:<58} {rate:>12}", "sign-ins a second meanwhile");
        Ok(())
    }

    async fn read(&self, access: &str) -> Result<f64> {
        let until = Instant::now() + STRETCH;
        let mut readers = JoinSet::new();
        for _ in 0..READERS {
            let request = self.client.get(format!("{}/api/users/me/", self.base)).bearer_auth(access);
            readers.spawn(async move {
                let mut reads = 0_u32;
                while Instant::now() < until {
                    let request = request.try_clone().context("a request without a body")?;
                    request.send().await?.error_for_status()?.bytes().await?;
                    reads += 1;
                }
                Ok::<_, anyhow::Error>(reads)
            });
        }
        let mut reads = 0.0;
        while let Some(reader) = readers.join_next().await {
            reads += f64::from(reader??);
        }
        Ok(reads / STRETCH.as_secs_f64())
    }

    /// Resident memory at its highest while many sign in at once.
    async fn memory(&self) -> Result<()> {
        // Forgets the peak so far.
        fs::write("/proc/self/clear_refs", "5")?;
        println!("{:<58} {:>12}", "resident memory before, MiB", memory(process::id(), "VmRSS")?);
        let mut sign_ins = JoinSet::new();
        for n in 0..PARALLEL {
            let bench = self.clone();
            sign_ins.spawn(async move { bench.sign_in(n % USERS).await.map(|(status, _)| status) });
        }
        let mut statuses = BTreeMap::new();
        while let Some(status) = sign_ins.join_next().await {
            *statuses.entry(status??).or_insert(0_u32) += 1;
        }
        println!(
            "{:<58} {:>12}",
            format!("at its highest under {PARALLEL} sign-ins at once, MiB"),
            memory(process::id(), "VmHWM")?
        );
        for (status, count) in statuses {
            println!("{:<58} {count:>12}", format!("of these answered with {status}"));
        }
        Ok(())
    }
}

/// The mean of a sample and its standard error.
fn mean(sample: &[f64]) -> (f64, f64) {
    let count = f64::from(SAMPLES);
    let mean = sample.iter().sum::<f64>() / count;
    let variance = sample.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
    (mean, (variance / count).sqrt())
}
