//! Following what others change: one stream for all tabs of a browser. The tab that holds the lock has it, and tells the others what came, two times
//! a second at most. A tab that is not seen keeps what it is told until it is.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use common::{
    Call,
    endpoints::root,
    event::{
        follow::{FIRST, Follower},
        news::News,
    },
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

/// Milliseconds that a mark stays.
const MARKED: u64 = 10_000;
/// How often a tab that is not seen, in a browser without locks, looks whether it is.
const UNSEEN: u32 = 1000;

/// Whether changes come. The tab with the stream tells the others beside news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flow {
    Comes,
    /// The server does not answer.
    Away,
    /// Other requests are answered.
    KeptBack,
}

impl Flow {
    const ALL: [Self; 3] = [Self::Comes, Self::Away, Self::KeptBack];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Comes => "comes",
            Self::Away => "away",
            Self::KeptBack => "kept back",
        }
    }

    /// What is said of it.
    const fn sentence(self) -> Option<&'static str> {
        match self {
            Self::Comes => None,
            Self::Away => Some(words::live::AWAY),
            Self::KeptBack => Some(words::live::KEPT_BACK),
        }
    }
}

/// Follows as long as it is drawn, and says so while nothing comes.
#[component]
pub(crate) fn Follow() -> Html {
    let frame = use_frame();
    let me = use_user().map(|user| user.id);
    let flow = use_state_eq(|| Flow::Comes);
    let onflow = {
        let flow = flow.setter();
        Callback::from(move |now| flow.set(now))
    };
    use_effect_with(me, move |me| {
        let following = me.map(|me| Following::begin(frame.client.clone(), me, onflow));
        move || following.iter().for_each(|following| following.end())
    });
    html! {
        if let Some(sentence) = flow.sentence() {
            <p class="notice notice-warn away" role="status">{ sentence }</p>
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
    onflow: Callback<Flow>,
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
    fn begin(client: Client, me: UserId, onflow: Callback<Flow>) -> Rc<Self> {
        // Tabs of one browser are of one user, but for a moment when another signs in.
        let name = format!("{}-{me}", tabs::EVENTS);
        let following = Rc::new(Self {
            client,
            me,
            onflow,
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
            let Some(text) = event.data().as_string() else { return };
            if let Some(flow) = Flow::ALL.into_iter().find(|flow| flow.as_str() == text) {
                following.onflow.emit(flow);
            } else if let Ok(news) = serde_json::from_str(&text) {
                following.take(news);
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
                abort.abort();
                // A token that is being renewed for it is waited for.
                drop(still.await);
                let other = self.client.send(Call::<root::Get>::new((), ())).await;
                return self.kept_back(follower, if other.is_ok() { Flow::KeptBack } else { Flow::Away });
            }
        };
        match answer {
            Ok(reader) => {
                follower.opened();
                let is_kept_back = self.read(&reader, follower, has_locks).await;
                abort.abort();
                if is_kept_back { self.kept_back(follower, Flow::KeptBack) } else { follower.ended(None) }
            }
            Err(status) => {
                if !matches!(status, Some(401 | 410)) && !self.has_ended.get() {
                    self.say(Flow::Away);
                }
                follower.ended(status)
            }
        }
    }

    /// What is sent does not come: says so, and has what is shown read again. Gives the milliseconds to wait.
    fn kept_back(&self, follower: &mut Follower, flow: Flow) -> u64 {
        let pause = follower.kept_back();
        if !self.has_ended.get() {
            self.say(flow);
            self.hand_out(follower.news(now()));
        }
        pause
    }

    /// Reads a stream to its end; whether that is because something keeps back what is sent.
    async fn read(&self, reader: &EventReader, follower: &mut Follower, has_locks: bool) -> bool {
        let (mut heard, mut next, mut is_told) = (now(), reader.next(), false);
        while !self.has_ended.get() && (has_locks || !is_hidden()) {
            let patience = follower.patience();
            let wait = follower.due(now()).unwrap_or(patience).min(patience);
            match select(next, TimeoutFuture::new(u32::try_from(wait).unwrap_or(UNSEEN))).await {
                Either::Left((Some(piece), _)) => {
                    heard = now();
                    if follower.take(&piece).is_err() {
                        return false;
                    }
                    if follower.comes() && !std::mem::replace(&mut is_told, true) {
                        self.say(Flow::Comes);
                    }
                    next = reader.next();
                }
                Either::Left((None, _)) => return false,
                Either::Right(((), still)) => next = still,
            }
            if now().saturating_sub(heard) >= follower.patience() {
                return follower.fell_silent();
            }
            if follower.due(now()) == Some(0) {
                self.hand_out(follower.news(now()));
            }
        }
        false
    }

    /// Shows news here and in the other tabs.
    fn hand_out(&self, news: News) {
        if let Ok(text) = serde_json::to_string(&news) {
            self.tell(&text);
        }
        self.take(news);
    }

    /// Says here and in the other tabs whether changes come.
    fn say(&self, flow: Flow) {
        self.tell(flow.as_str());
        self.onflow.emit(flow);
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
