//! The event loop: keys, answers and signals come in, the model is updated and drawn, and what the update wants is done
//! in tasks of their own, so that nothing here ever waits for the network.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use coffer_client::{Client, server::Server};
use crossterm::event::{Event, EventStream, MouseEventKind};
use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
    time::{Instant, interval_at, sleep_until, timeout},
};

use crate::{
    config::Refresh,
    editor,
    effect::Effect,
    live,
    message::{Live, Message},
    model::{LastLocation, Model},
    output::Output,
    painter::Painter,
    perform::perform,
    signals::{Signal, Signals},
    style::Theme,
    terminal, update,
};

/// How often the spinner turns.
const MOMENT: Duration = Duration::from_millis(120);
/// For how long after a key nothing is drawn that nobody asked for.
const QUIET: Duration = Duration::from_secs(1);
/// How long it takes at least from one drawing of what others changed to the next.
const BETWEEN: Duration = Duration::from_millis(500);
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

/// How the client is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// How things look.
    pub theme: Theme,
    /// The mouse is the client's.
    pub has_mouse: bool,
    /// Nothing is written.
    pub is_read_only: bool,
    /// How often the dashboard asks.
    pub refresh: Refresh,
    /// The folder of the files of migrations.
    pub migrations: PathBuf,
    /// Where somebody was, the last time.
    pub place: Option<LastLocation>,
}

/// Runs the client in a terminal until somebody quits or a signal comes. Says where they were.
pub async fn run(
    output: &mut Output,
    server: &Server,
    mut client: Client,
    options: Options,
) -> io::Result<(End, Option<LastLocation>)> {
    let in_the_clear = !server.is_encrypted() && !server.is_loopback();
    let size = crossterm::terminal::size()?;
    let (mut model, effects) = Model::new(server.to_string(), in_the_clear, client.has_session(), size);
    (model.theme, model.is_read_only, model.reopen) = (options.theme, options.is_read_only, options.place);
    (model.refresh, model.migrations) = (options.refresh, options.migrations);
    let mut app = App::new(model, Arc::new(client));
    app.spawn(effects);
    let (mut events, mut listening) = listen();
    let mut live = live::follow(Arc::clone(&app.client));
    let mut signals = Signals::new()?;
    let mut ticks = interval_at(Instant::now() + MOMENT, MOMENT);
    let end = loop {
        let is_free = output.is_free()?;
        if app.changed && is_free {
            output.send(app.painter.paint(&app.model)?);
            (app.changed, app.draw_at) = (false, None);
        }
        tokio::select! {
            biased;
            signal = signals.next() => {
                match signal {
                    Signal::End(number) => break End::Signal(number),
                    Signal::Suspend => suspend(output, options.has_mouse)?,
                    // Somebody has stopped it without asking, and a shell has had the terminal.
                    Signal::Continue => terminal::again(output, options.has_mouse)?,
                }
                app.forget_screen()?;
            }
            event = events.recv() => match event {
                Some(event) => {
                    if let Some(message) = read(event?) {
                        app.take(message);
                    }
                }
                None => break End::Quit,
            },
            Some(answer) = app.tasks.join_next() => match answer {
                Ok(message) => app.take(message),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => {}
            },
            Some(live) = live.recv() => app.take(Message::Live(live)),
            _ = ticks.tick(), if app.model.animates() => app.take(Message::Tick),
            () = output.taken() => {}
            () = sleep_until(app.draw_at.unwrap_or(app.quiet_until)), if app.draw_at.is_some() => app.draw_late(),
            () = sleep_until(app.quiet_until), if !app.held.is_empty() => app.take_held(),
        }
        app.take_typed(&mut events)?;
        if app.client.take_not_kept() {
            app.update(Message::NotKept);
        }
        if std::mem::take(&mut app.model.suspend) {
            suspend(output, options.has_mouse)?;
            app.forget_screen()?;
        }
        if let Some(text) = app.model.copy.take() {
            output.send(terminal::copy(&text));
        }
        if let Some(text) = app.model.edit_outside.take() {
            // The other program reads the keys now.
            listening.abort();
            drop(listening.await);
            terminal::leave(output);
            let edited = editor::edit(&text);
            terminal::enter(output, options.has_mouse)?;
            (events, listening) = listen();
            app.update(edited.map_or_else(Message::NotEdited, Message::Edited));
            app.forget_screen()?;
        }
        if app.model.quit {
            break End::Quit;
        }
    };
    drop(timeout(GRACE, app.client.settle()).await);
    Ok((end, app.model.place()))
}

/// The client while it runs.
struct App {
    model: Model,
    client: Arc<Client>,
    tasks: JoinSet<Message>,
    painter: Painter,
    /// Something is to be drawn.
    changed: bool,
    /// After a key nothing is drawn for a second that nobody asked for: reading and typing are not disturbed.
    quiet_until: Instant,
    draw_at: Option<Instant>,
    /// What others changed is not drawn before.
    live_from: Instant,
    /// What others changed waits as long.
    held: Vec<Message>,
}

impl App {
    fn new(model: Model, client: Arc<Client>) -> Self {
        let (tasks, painter) = (JoinSet::new(), Painter::new());
        Self {
            model,
            client,
            tasks,
            painter,
            changed: true,
            quiet_until: Instant::now(),
            draw_at: None,
            live_from: Instant::now(),
            held: Vec::new(),
        }
    }

    fn spawn(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            let client = Arc::clone(&self.client);
            self.tasks.spawn(async move { perform(effect, &client).await });
        }
    }

    /// Takes a message whose effect is seen.
    fn update(&mut self, message: Message) {
        let effects = update(&mut self.model, message);
        self.spawn(effects);
        self.changed = true;
    }

    /// Takes a message, or keeps it while somebody types.
    fn take(&mut self, message: Message) {
        if Instant::now() < self.quiet_until && self.model.is_live(&message) {
            self.held.push(message);
            return;
        }
        // A moment that passes is seen where something turns, or where a sentence goes.
        let (by_itself, is_live) = (self.model.comes_by_itself(&message), self.model.is_live(&message));
        if matches!(message, Message::Key(_) | Message::Paste(_) | Message::Mouse(_)) {
            self.quiet_until = Instant::now() + QUIET;
        }
        let shown = |model: &Model| (model.toast.is_some(), model.marks());
        let (is_tick, is_news) = (matches!(message, Message::Tick), matches!(message, Message::Live(Live::News(_))));
        let before = shown(&self.model);
        let effects = update(&mut self.model, message);
        // News is shown with the answer to what is asked for it.
        let is_seen = !(is_tick || is_news) || (is_tick && self.model.is_busy()) || shown(&self.model) != before;
        self.spawn(effects);
        if by_itself && Instant::now() < self.quiet_until {
            self.draw_at = Some(self.quiet_until);
        } else if is_live && is_seen && Instant::now() < self.live_from {
            self.draw_at.get_or_insert(self.live_from);
        } else {
            self.changed |= is_seen;
            if is_live && is_seen {
                self.live_from = Instant::now() + BETWEEN;
            }
        }
    }

    /// Draws what waited.
    fn draw_late(&mut self) {
        self.changed = true;
        self.live_from = Instant::now() + BETWEEN;
    }

    fn take_held(&mut self) {
        for message in std::mem::take(&mut self.held) {
            self.update(message);
        }
    }

    /// What was typed or pasted meanwhile is taken before the next drawing, so that drawing never holds typing up.
    fn take_typed(&mut self, events: &mut mpsc::Receiver<io::Result<Event>>) -> io::Result<()> {
        for _ in 0..AT_ONCE {
            let Ok(event) = events.try_recv() else { break };
            if let Some(message) = read(event?) {
                self.update(message);
                self.quiet_until = Instant::now() + QUIET;
            }
        }
        Ok(())
    }

    /// Somebody else has had the terminal: all of it is drawn.
    fn forget_screen(&mut self) -> io::Result<()> {
        self.painter.forget();
        let (columns, rows) = crossterm::terminal::size()?;
        self.update(Message::Resize(columns, rows));
        Ok(())
    }
}

/// Gives the terminal back and stops, as Ctrl-Z asks. It goes on here when it is continued.
fn suspend(output: &mut Output, has_mouse: bool) -> io::Result<()> {
    terminal::leave(output);
    stop()?;
    terminal::enter(output, has_mouse)
}

#[cfg(unix)]
fn stop() -> io::Result<()> {
    use rustix::process::{Signal, getpid, kill_process};
    Ok(kill_process(getpid(), Signal::STOP)?)
}

#[cfg(not(unix))]
fn stop() -> io::Result<()> {
    Ok(())
}

/// The terminal's events, in a queue of their own: the event stream forgets who waits for it when it is only asked
/// whether there is one.
fn listen() -> (mpsc::Receiver<io::Result<Event>>, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(AT_ONCE);
    let task = tokio::spawn(async move {
        let mut events = EventStream::new();
        while let Some(event) = events.next().await {
            if sender.send(event).await.is_err() {
                break;
            }
        }
    });
    (receiver, task)
}

fn read(event: Event) -> Option<Message> {
    match event {
        Event::Key(key) if key.is_press() || key.is_repeat() => Some(Message::Key(key)),
        Event::Mouse(event) if !matches!(event.kind, MouseEventKind::Moved | MouseEventKind::Drag(_)) => {
            Some(Message::Mouse(event))
        }
        Event::Paste(text) => Some(Message::Paste(text)),
        Event::Resize(columns, rows) => Some(Message::Resize(columns, rows)),
        _ => None,
    }
}
