//! Following what others change: one stream for all tabs of a browser. The tab that holds the lock has it, and tells the others what came, two times
//! a second at most. A tab that is not seen keeps what it is told until it is.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use common::{
    event::{HEARTBEAT_SECONDS, follow::Follower, news::News},
    id::{RecordId, UserId},
    name::CollectionName,
};
use futures_util::future::{Either, FutureExt as _, select};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen::{JsCast, prelude::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, BroadcastChannel, Document, Event, MessageEvent};
use yew::prelude::*;

use crate::{
    client::{Client, EventReader, now},
    hooks::{use_frame, use_user},
    news::{self, Concern, Told},
    tabs::{self, SessionLock},
    words,
};

/// Milliseconds after which a stream on which nothing comes is none any more.
const SILENCE: u64 = 3 * HEARTBEAT_SECONDS * 1000;
/// Milliseconds in which the first event comes, which the server sends at once: what keeps it back for so long keeps back everything.
const FIRST: u64 = 10_000;
/// Milliseconds that a mark stays.
const MARKED: u64 = 10_000;
/// How often a tab that is not seen, in a browser without locks, looks whether it is.
const UNSEEN: u32 = 1000;
/// What the tab with the stream tells the others beside news.
const AWAY: &str = "away";
const BACK: &str = "back";

/// Follows as long as it is drawn, and says so while nothing comes.
#[component]
pub(crate) fn Follow() -> Html {
    let frame = use_frame();
    let me = use_user().map(|user| user.id);
    let is_away = use_state(|| false);
    let onaway = {
        let is_away = is_away.setter();
        Callback::from(move |now_away| is_away.set(now_away))
    };
    use_effect_with(me, move |me| {
        let following = me.map(|me| Following::begin(frame.client.clone(), me, onaway));
        move || following.iter().for_each(|following| following.end())
    });
    html! {
        if *is_away {
            <p class="notice notice-warn away" role="status">{ words::live::AWAY }</p>
        }
    }
}

/// What was told, as pages ask for it.
struct Batch {
    news: News,
    marks: Marks,
}

/// What has a mark, and by which batch.
#[derive(Clone, Default)]
struct Marks {
    records: BTreeMap<RecordId, Marked>,
    /// With how many changes there were.
    collections: BTreeMap<CollectionName, (u64, Marked)>,
}

#[derive(Clone, Copy)]
struct Marked {
    batch: u32,
    at: u64,
}

impl Marks {
    /// Adds what others than `me` changed, and takes out what has had its time.
    fn add(&mut self, news: &News, me: UserId, mark: Marked) {
        let stays = |marked: &Marked| mark.at.saturating_sub(marked.at) < MARKED;
        self.records.retain(|_, marked| stays(marked));
        self.collections.retain(|_, (_, marked)| stays(marked));
        for (name, changed) in &news.collections {
            let others = changed.records.keys().filter(|id| changed.by_another(**id, Some(me)).is_some());
            self.records.extend(others.map(|id| (*id, mark)));
            let count = changed.count_by_others(Some(me));
            if count > 0 {
                self.collections.insert(name.clone(), (count, mark));
            }
        }
    }
}

/// Two names for one animation: another name begins it anew.
fn class(batch: u32) -> &'static str {
    if batch.is_multiple_of(2) { "changed-even" } else { "changed-odd" }
}

impl Told for Batch {
    fn concerns(&self, concern: &Concern) -> bool {
        let changed = |name| self.news.collections.get(name);
        self.news.is_reset
            || match concern {
                Concern::All => true,
                Concern::Records(name) => changed(name).is_some(),
                Concern::Definition(name) => changed(name).is_some_and(|changed| changed.is_redefined),
                Concern::Record(name, id) => changed(name).is_some_and(|changed| changed.records.contains_key(id)),
            }
    }

    fn changed(&self, collection: &CollectionName, id: RecordId) -> (Option<UserId>, bool) {
        let Some(changed) = self.news.collections.get(collection) else { return (None, false) };
        (changed.records.get(&id).copied().flatten(), changed.gone.contains(&id))
    }

    fn class(&self, id: RecordId) -> Option<&'static str> {
        self.marks.records.get(&id).map(|marked| class(marked.batch))
    }

    fn count(&self, collection: &CollectionName) -> Html {
        let Some((count, marked)) = self.marks.collections.get(collection) else { return Html::default() };
        html! { <p class={classes!("changes", class(marked.batch))}>{ words::live::changes(*count) }</p> }
    }
}

/// A tab that follows.
struct Following {
    client: Client,
    me: UserId,
    onaway: Callback<bool>,
    has_ended: Cell<bool>,
    lock: RefCell<Option<SessionLock>>,
    stream: RefCell<Option<AbortController>>,
    channel: Option<BroadcastChannel>,
    /// What was not shown yet.
    waiting: RefCell<News>,
    marks: RefCell<Marks>,
    batches: Cell<u32>,
    listeners: RefCell<Option<Listeners>>,
}

struct Listeners {
    onmessage: Closure<dyn Fn(MessageEvent)>,
    onseen: Closure<dyn Fn(Event)>,
}

impl Following {
    fn begin(client: Client, me: UserId, onaway: Callback<bool>) -> Rc<Self> {
        // Tabs of one browser are of one user, but for a moment when another signs in.
        let name = format!("{}-{me}", tabs::EVENTS);
        let following = Rc::new(Self {
            client,
            me,
            onaway,
            has_ended: Cell::new(false),
            lock: RefCell::default(),
            stream: RefCell::default(),
            channel: BroadcastChannel::new(&name).ok(),
            waiting: RefCell::default(),
            marks: RefCell::default(),
            batches: Cell::new(0),
            listeners: RefCell::default(),
        });
        following.listen();
        // The page was read before anybody told this tab anything.
        following.take(News { is_reset: true, ..News::default() });
        let leader = following.clone();
        spawn_local(async move {
            let lock = tabs::lock(&name).await;
            let has_locks = lock.is_some();
            *leader.lock.borrow_mut() = lock;
            if leader.has_ended.get() {
                leader.end();
            } else {
                leader.follow(has_locks).await;
            }
        });
        following
    }

    fn listen(self: &Rc<Self>) {
        let hears = Rc::downgrade(self);
        let onmessage = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
            let Some(following) = hears.upgrade() else { return };
            match event.data().as_string().as_deref() {
                Some(AWAY) => following.onaway.emit(true),
                Some(BACK) => following.onaway.emit(false),
                Some(text) => {
                    if let Ok(news) = serde_json::from_str(text) {
                        following.take(news);
                    }
                }
                None => {}
            }
        });
        let sees = Rc::downgrade(self);
        let onseen = Closure::<dyn Fn(Event)>::new(move |_| {
            if let Some(following) = sees.upgrade() {
                following.show();
            }
        });
        if let Some(channel) = &self.channel {
            channel.set_onmessage(Some(onmessage.as_ref().unchecked_ref()));
        }
        if let Some(document) = document() {
            let _ = document.add_event_listener_with_callback("visibilitychange", onseen.as_ref().unchecked_ref());
        }
        *self.listeners.borrow_mut() = Some(Listeners { onmessage, onseen });
    }

    /// Stops: the stream ends, and another tab may have one.
    fn end(&self) {
        self.has_ended.set(true);
        self.lock.take();
        if let Some(stream) = self.stream.take() {
            stream.abort();
        }
        if let Some(channel) = &self.channel {
            channel.close();
        }
        if let (Some(listeners), Some(document)) = (self.listeners.take(), document()) {
            let onseen = listeners.onseen.as_ref().unchecked_ref();
            let _ = document.remove_event_listener_with_callback("visibilitychange", onseen);
            drop(listeners.onmessage);
        }
    }

    /// Has one stream after the other. Without locks each tab has its own, as long as it is seen: browsers open six connections to a server over
    /// HTTP/1.1, and those are not to be used up by tabs that nobody looks at.
    async fn follow(&self, has_locks: bool) {
        let mut follower = Follower::default();
        while !self.has_ended.get() {
            if !has_locks && is_hidden() {
                TimeoutFuture::new(UNSEEN).await;
                continue;
            }
            let pause = self.stream(&mut follower, has_locks).await;
            if !self.has_ended.get() {
                TimeoutFuture::new(u32::try_from(pause).unwrap_or(UNSEEN)).await;
            }
        }
    }

    /// Reads one stream to its end. Gives the milliseconds to wait before the next.
    async fn stream(&self, follower: &mut Follower, has_locks: bool) -> u64 {
        let Ok(abort) = AbortController::new() else { return follower.ended(None) };
        *self.stream.borrow_mut() = Some(abort.clone());
        let signal = abort.signal();
        let answer = self.client.events(follower.since(), &signal).boxed_local();
        let answer = match select(answer, TimeoutFuture::new(u32::try_from(FIRST).unwrap_or(UNSEEN))).await {
            Either::Left((answer, _)) => answer,
            Either::Right(((), still)) => {
                self.say(true);
                still.await
            }
        };
        match answer {
            Ok(reader) => {
                follower.opened();
                self.read(&reader, follower, has_locks).await;
                abort.abort();
                follower.ended(None)
            }
            Err(status) => {
                if !matches!(status, Some(401 | 410)) && !self.has_ended.get() {
                    self.say(true);
                }
                follower.ended(status)
            }
        }
    }

    async fn read(&self, reader: &EventReader, follower: &mut Follower, has_locks: bool) {
        let (mut heard, mut next, mut is_heard) = (now(), reader.next(), false);
        while !self.has_ended.get() && (has_locks || !is_hidden()) {
            let wait = follower.due(now()).unwrap_or(SILENCE).min(if is_heard { SILENCE } else { FIRST });
            match select(next, TimeoutFuture::new(u32::try_from(wait).unwrap_or(UNSEEN))).await {
                Either::Left((Some(piece), _)) => {
                    heard = now();
                    if !std::mem::replace(&mut is_heard, true) {
                        self.say(false);
                    }
                    if follower.take(&piece).is_err() {
                        return;
                    }
                    next = reader.next();
                }
                Either::Left((None, _)) => return,
                Either::Right(((), still)) => next = still,
            }
            if now().saturating_sub(heard) >= SILENCE {
                return;
            }
            if !is_heard && now().saturating_sub(heard) >= FIRST {
                self.say(true);
            }
            if follower.due(now()) == Some(0) {
                let news = follower.news(now());
                if let Ok(text) = serde_json::to_string(&news) {
                    self.tell(&text);
                }
                self.take(news);
            }
        }
    }

    /// Says here and in the other tabs whether changes come.
    fn say(&self, is_away: bool) {
        self.tell(if is_away { AWAY } else { BACK });
        self.onaway.emit(is_away);
    }

    /// Tells the other tabs.
    fn tell(&self, text: &str) {
        if let Some(channel) = &self.channel {
            let _ = channel.post_message(&text.into());
        }
    }

    fn take(&self, news: News) {
        self.waiting.borrow_mut().merge(news);
        self.show();
    }

    /// Shows what waits, where anybody looks.
    fn show(&self) {
        if is_hidden() || self.has_ended.get() || self.waiting.borrow().is_empty() {
            return;
        }
        let (news, batch) = (self.waiting.take(), self.batches.get() + 1);
        self.batches.set(batch);
        self.marks.borrow_mut().add(&news, self.me, Marked { batch, at: now() });
        news::tell(Rc::new(Batch { news, marks: self.marks.borrow().clone() }));
    }
}

fn document() -> Option<Document> {
    web_sys::window()?.document()
}

fn is_hidden() -> bool {
    document().is_some_and(|document| document.hidden())
}
