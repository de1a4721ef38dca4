//! The event loop: keys, answers and signals come in, the model is updated and drawn, and what the update wants is done
//! in tasks of their own, so that nothing here ever waits for the network.

use std::{
    io::{self, stdout},
    sync::Arc,
    time::Duration,
};

use crossterm::{
    event::{Event, EventStream},
    execute,
    terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate},
};
use futures_util::StreamExt;
use ratatui::DefaultTerminal;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, interval_at, sleep_until, timeout},
};

use crate::{
    client::Client,
    effect::Effect,
    live,
    message::{Live, Message},
    model::Model,
    perform::perform,
    server::Server,
    style::Theme,
    update, view,
};

/// How often the spinner turns.
const MOMENT: Duration = Duration::from_millis(120);
/// For how long after a key nothing is drawn that nobody asked for.
const QUIET: Duration = Duration::from_secs(1);
/// Keys that are taken between two drawings at most.
const AT_ONCE: usize = 500;
/// How long the end waits for tokens that are being traded.
const GRACE: Duration = Duration::from_secs(3);

/// Why the client ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Somebody quit.
    Quit,
    /// A signal with this number came.
    Signal(u8),
}

/// Runs the client in a terminal until somebody quits or a signal comes.
pub async fn run(terminal: &mut DefaultTerminal, server: &Server, mut client: Client, theme: Theme) -> io::Result<End> {
    let in_the_clear = !server.is_encrypted() && !server.is_loopback();
    let size = terminal.size()?;
    let (mut model, effects) =
        Model::new(server.to_string(), in_the_clear, client.has_session(), (size.width, size.height));
    model.theme = theme;
    let client = Arc::new(client);
    let mut tasks = JoinSet::new();
    spawn(&mut tasks, &client, effects);
    let mut events = listen();
    let mut live = live::follow(Arc::clone(&client));
    let mut signals = Signals::new()?;
    let mut ticks = interval_at(Instant::now() + MOMENT, MOMENT);
    let mut unsure = false;
    let mut changed = true;
    // After a key nothing is drawn for a second that nobody asked for: reading and typing are not disturbed.
    let mut quiet_until = Instant::now();
    let mut draw_at = None;
    // What others changed waits as long.
    let mut held = Vec::new();
    let end = loop {
        if changed {
            draw(terminal, &model, &mut unsure)?;
            draw_at = None;
        }
        let message = tokio::select! {
            biased;
            signal = signals.next() => break End::Signal(signal),
            event = events.recv() => match event {
                Some(event) => read(event?),
                None => break End::Quit,
            },
            Some(answer) = tasks.join_next() => match answer {
                Ok(message) => Some(message),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => None,
            },
            Some(live) = live.recv() => Some(Message::Live(live)),
            _ = ticks.tick(), if model.animates() => Some(Message::Tick),
            () = sleep_until(draw_at.unwrap_or(quiet_until)), if draw_at.is_some() => None,
            () = sleep_until(quiet_until), if !held.is_empty() => {
                for message in held.drain(..) {
                    let effects = update(&mut model, message);
                    spawn(&mut tasks, &client, effects);
                }
                None
            }
        };
        if message.as_ref().is_some_and(|message| Instant::now() < quiet_until && model.is_live(message)) {
            held.extend(message);
            changed = false;
        } else if let Some(message) = message {
            // A moment that passes is seen where something turns, or where a sentence goes.
            let by_itself = model.comes_by_itself(&message);
            if matches!(message, Message::Key(_) | Message::Paste(_)) {
                quiet_until = Instant::now() + QUIET;
            }
            let shown = |model: &Model| (model.toast.is_some(), model.marks());
            let (is_tick, is_news) =
                (matches!(message, Message::Tick), matches!(message, Message::Live(Live::News(_))));
            let before = shown(&model);
            let effects = update(&mut model, message);
            // News is shown with the answer to what is asked for it.
            changed = !(is_tick || is_news) || (is_tick && model.is_busy()) || shown(&model) != before;
            spawn(&mut tasks, &client, effects);
            if by_itself && Instant::now() < quiet_until {
                (changed, draw_at) = (false, Some(quiet_until));
            }
        } else {
            changed = true;
        }
        // What was typed or pasted meanwhile is taken before the next drawing, so that drawing never holds typing up.
        for _ in 0..AT_ONCE {
            let Ok(event) = events.try_recv() else { break };
            if let Some(message) = read(event?) {
                let effects = update(&mut model, message);
                spawn(&mut tasks, &client, effects);
                (changed, quiet_until) = (true, Instant::now() + QUIET);
            }
        }
        if client.take_not_kept() {
            update(&mut model, Message::NotKept);
            changed = true;
        }
        if model.quit {
            break End::Quit;
        }
    };
    drop(timeout(GRACE, client.settle()).await);
    Ok(end)
}

/// Draws the model. Terminals do not agree on how wide emoji and piled-up marks are; where the last drawing had any, the
/// next begins with an empty window, so that nothing of them is left between the cells.
fn draw(terminal: &mut DefaultTerminal, model: &Model, unsure: &mut bool) -> io::Result<()> {
    execute!(stdout(), BeginSynchronizedUpdate)?;
    if *unsure {
        // Not `clear`, which asks the terminal where its cursor is, and reads the answer from under the event stream.
        terminal.resize(terminal.size()?.into())?;
    }
    let drawn = terminal.draw(|frame| view(frame, model))?;
    *unsure = drawn.buffer.content().iter().any(|cell| {
        let mut characters = cell.symbol().chars();
        characters.next().is_some_and(|first| first >= '\u{1f000}') || characters.next().is_some()
    });
    execute!(stdout(), EndSynchronizedUpdate)
}

/// The terminal's events, in a queue of their own: the event stream forgets who waits for it when it is only asked
/// whether there is one.
fn listen() -> mpsc::Receiver<io::Result<Event>> {
    let (sender, receiver) = mpsc::channel(AT_ONCE);
    tokio::spawn(async move {
        let mut events = EventStream::new();
        while let Some(event) = events.next().await {
            if sender.send(event).await.is_err() {
                break;
            }
        }
    });
    receiver
}

fn read(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.is_press() || key.is_repeat() => Some(Message::Key(key)),
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        _ => None,
    }
}

fn spawn(tasks: &mut JoinSet<Message>, client: &Arc<Client>, effects: Vec<Effect>) {
    for effect in effects {
        let client = Arc::clone(client);
        tasks.spawn(async move { perform(effect, &client).await });
    }
}

/// Signals that ask a program to end.
#[cfg(unix)]
struct Signals {
    hang_up: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.hang_up.recv() => 1,
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

/// Signals that ask a program to end.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> u8 {
        drop(tokio::signal::ctrl_c().await);
        2
    }
}
