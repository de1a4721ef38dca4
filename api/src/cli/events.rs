//! `coffer events`: following a running server's changes.

use std::{
    fs,
    io::{self, ErrorKind, Write as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use coffer_client::{Failure, client::EventPieces};
use common::{
    Call,
    condition::{self, Condition},
    endpoints::root,
    event::{
        EventId, EventKind, EventQuery,
        follow::{FIRST, Passing},
        parser::{Event, Parser, Read},
    },
    name::CollectionName,
    text::single_line,
    words::KEPT_BACK,
};
use tokio::time::{sleep, timeout};

use super::{
    open::block_on,
    server::{Asked, Session},
};

/// How long to wait before connecting again, and at most.
const RETRY: Duration = Duration::from_secs(2);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Which events, and from where.
#[derive(Debug, Args)]
pub(super) struct Events {
    /// Follow this collection; may be given several times. Without it, all that the user may view.
    #[arg(long, value_name = "NAME")]
    collection: Vec<CollectionName>,
    /// Only records that match this condition, such as 'price < 3'.
    #[arg(long, value_name = "CONDITION", value_parser = parse_filter, requires = "collection")]
    filter: Option<Condition>,
    /// Begin after this event or revision.
    #[arg(long, value_name = "ID", value_parser = parse_id, conflicts_with = "snapshot")]
    since: Option<EventId>,
    /// Begin with the records as they are.
    #[arg(long)]
    snapshot: bool,
    /// Keep in this file where it is, and go on from there the next time.
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// One JSON object on each line, with everything that the server says.
    #[arg(long)]
    json: bool,
    /// End after so many events.
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    server: Asked,
}

pub(super) fn parse_filter(text: &str) -> Result<Condition, String> {
    condition::parse(text).map_err(|error| error.to_string())
}

fn parse_id(text: &str) -> Result<EventId, String> {
    text.parse().map_err(|_| "use the id of an event, such as 42.0, or a revision, such as 42".to_owned())
}

/// How one connection ended.
enum End {
    /// What was asked for has been shown, or nobody looks any more.
    Done,
    /// It broke off; go on after a while.
    BrokeOff(Duration),
    /// Read the records again: the next stream begins with them, where they are asked for at all.
    Anew,
}

impl Events {
    /// Follows until it is stopped.
    pub(super) fn run(self) -> Result<()> {
        let server = self.server.named()?;
        block_on(async {
            let session = server.sign_in().await?;
            let mut following = Following {
                last: self.begin()?,
                left: self.count,
                unsaved: false,
                passing: Passing::default(),
                asked: &self,
            };
            let outcome = following.run(&session).await;
            following.save()?;
            session.sign_out().await;
            outcome
        })
    }

    /// Where to begin: what the file says, if there is one.
    fn begin(&self) -> Result<Option<EventId>> {
        let Some(file) = &self.resume else { return Ok(self.since) };
        match fs::read_to_string(file) {
            Ok(text) if text.trim().is_empty() => Ok(self.since),
            Ok(text) => {
                let id = text.trim().parse::<EventId>();
                let id = id.with_context(|| format!("{} does not say where to go on", file.display()))?;
                Ok(Some(id))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(self.since),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }
}

struct Following<'a> {
    asked: &'a Events,
    /// Everything up to here was shown.
    last: Option<EventId>,
    /// So many more are to be shown.
    left: Option<u64>,
    /// The file does not say so yet.
    unsaved: bool,
    passing: Passing,
}

impl Following<'_> {
    async fn run(&mut self, session: &Session) -> Result<()> {
        let mut waited = RETRY;
        loop {
            let before = self.last;
            let end = match self.connect(session).await {
                Ok(stream) => self.read(stream).await?,
                Err(Refused::Final(error)) => return Err(error),
                Err(Refused::KeptBack) => {
                    tell(KEPT_BACK);
                    End::BrokeOff(LONGEST_RETRY)
                }
                Err(Refused::Unanswered(error)) => {
                    tell(&format!("{error:#}; trying again"));
                    End::BrokeOff(waited)
                }
            };
            self.save()?;
            match end {
                End::Done => return Ok(()),
                End::Anew => self.last = None,
                End::BrokeOff(pause) => {
                    waited = if self.last == before { (waited * 2).min(LONGEST_RETRY) } else { RETRY };
                    sleep(pause).await;
                }
            }
        }
    }

    async fn connect(&self, session: &Session) -> Result<EventPieces, Refused> {
        let query = EventQuery {
            collections: self.asked.collection.clone(),
            filter: self.asked.filter.clone(),
            since: self.last,
            snapshot: self.asked.snapshot,
            ticket: None,
        };
        let asked = Instant::now();
        let failure = match session.follow(query).await {
            Ok(stream) => return Ok(stream),
            Err(failure) => failure,
        };
        let Failure::Call(error) = &failure else { return Err(Refused::Final(session.failed(failure))) };
        if failure.is_passing() {
            let is_late = asked.elapsed() >= Duration::from_millis(FIRST);
            if is_late && session.call(&Call::<root::Get>::new((), ())).await.is_ok() {
                return Err(Refused::KeptBack);
            }
            return Err(Refused::Unanswered(session.failed(failure)));
        }
        if error.status() == 410 {
            let begin = error.problem().and_then(|problem| problem.extra.get("since")?.as_str());
            let begin = begin.unwrap_or_default();
            return Err(Refused::Final(anyhow::anyhow!(
                "what happened since then is not all kept any more; read the records, then follow with --since {begin}, or use --snapshot"
            )));
        }
        Err(Refused::Final(session.failed(failure)))
    }

    /// Shows what comes.
    async fn read(&mut self, mut stream: EventPieces) -> Result<End> {
        let (mut parser, mut pause) = (Parser::default(), RETRY);
        self.passing.opened();
        loop {
            let chunk = match timeout(Duration::from_millis(self.passing.patience()), stream.next()).await {
                Ok(Some(chunk)) => chunk,
                Err(_) if self.passing.fell_silent() => {
                    tell(KEPT_BACK);
                    return Ok(End::BrokeOff(LONGEST_RETRY));
                }
                Ok(None) | Err(_) => return Ok(End::BrokeOff(pause)),
            };
            self.passing.heard();
            let Ok(events) = parser.push(&chunk) else {
                bail!("the answer is no stream of events; look at the address, and at a proxy before it")
            };
            for read in events {
                match read {
                    Read::Retry(millis) => pause = Duration::from_millis(millis),
                    Read::Heartbeat(id) => {
                        self.passing.heartbeat();
                        self.reached(id);
                    }
                    Read::Event(event) => {
                        if let Some(end) = self.show(&event)? {
                            return Ok(end);
                        }
                        self.reached(event.id);
                        if self.left == Some(0) {
                            return Ok(End::Done);
                        }
                    }
                }
            }
            self.save()?;
        }
    }

    /// Shows one event; says where the connection ends with it.
    fn show(&mut self, event: &Event) -> Result<Option<End>> {
        match event.kind {
            EventKind::Open => return Ok(None),
            EventKind::Close => {
                let reason = event.data.reason.as_deref().unwrap_or_default();
                return match reason {
                    "session" => bail!("the session has ended; coffer sign-in begins another"),
                    "filter" => bail!("the filter, or what you may view, does not fit the collection any more"),
                    _ => Ok(None),
                };
            }
            _ => {}
        }
        let line = if self.asked.json { as_json(event) } else { in_words(event) };
        let mut out = io::stdout().lock();
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            Ok(()) => {}
            // Somebody who read it has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(Some(End::Done)),
            Err(error) => return Err(error.into()),
        }
        self.left = self.left.map(|left| left.saturating_sub(1));
        let is_anew = self.asked.snapshot && event.kind == EventKind::Reset && self.left != Some(0);
        Ok(is_anew.then_some(End::Anew))
    }

    fn reached(&mut self, id: Option<EventId>) {
        if id.is_some() && id != self.last {
            (self.last, self.unsaved) = (id, true);
        }
    }

    /// Writes down where it is. What was shown and not written down comes again, and nothing is left out.
    fn save(&mut self) -> Result<()> {
        let (Some(file), Some(last), true) = (&self.asked.resume, self.last, self.unsaved) else { return Ok(()) };
        let cannot = || format!("cannot write {}", file.display());
        let beside = file.with_extension("new");
        fs::write(&beside, format!("{last}\n")).with_context(cannot)?;
        fs::rename(&beside, file).with_context(cannot)?;
        self.unsaved = false;
        Ok(())
    }
}

enum Refused {
    /// It may work later.
    Unanswered(anyhow::Error),
    /// Other requests are answered.
    KeptBack,
    /// It will not.
    Final(anyhow::Error),
}

fn tell(text: &str) {
    let _ = writeln!(io::stderr(), "coffer: {text}");
}

fn as_json(event: &Event) -> String {
    let id = event.id.map_or("null".to_owned(), |id| format!("\"{id}\""));
    // The name is a text of the server's; its data is JSON as it came, in which no digit is lost.
    let name = serde_json::Value::from(event.name.as_str());
    format!("{{\"id\":{id},\"event\":{name},\"data\":{}}}", event.text)
}

/// A line for people: when, what, where, which, and the record.
fn in_words(event: &Event) -> String {
    let data = &event.data;
    let collection = data.collection.as_ref().map(ToString::to_string).unwrap_or_default();
    let at = data.at.as_deref().map(|at| format!("{at} ")).unwrap_or_default();
    let what = match event.kind {
        EventKind::Reset => {
            format!("{} changed: read again what you have", data.reason.as_deref().unwrap_or("something"))
        }
        EventKind::Definition => format!("definition: {}", data.action.as_deref().unwrap_or_default()),
        _ => {
            let record = data.record.as_ref().and_then(|record| serde_json::to_string(record).ok());
            record.or(data.id.map(|id| id.to_string())).unwrap_or_default()
        }
    };
    single_line(format!("{at}{} {collection} {what}", event.name).trim_end()).into_owned()
}
