//! The state that the tabs of one browser share: the session's cookie, so only one of them may trade it for a new one at a time
//! (the server takes the second use of a refresh token for theft); the news that somebody signed in or out; and a mark
//! whether there is a session at all. No token ever goes through here.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue, prelude::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{BroadcastChannel, MessageEvent};

const NAME: &str = "coffer-session";
/// The lock of the tab that follows what others change, and the channel on which it tells the other tabs.
pub(crate) const EVENTS: &str = "coffer-events";

/// Holds the lock until it is dropped.
pub(crate) struct SessionLock(Option<Function>);

impl Drop for SessionLock {
    fn drop(&mut self) {
        if let Some(release) = &self.0 {
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}

/// Waits until no other tab renews the session (Web Locks). Where the browser has no locks, as on plain HTTP, it waits for
/// nothing.
pub(crate) async fn lock_session() -> SessionLock {
    lock(NAME).await.unwrap_or(SessionLock(None))
}

/// Waits until no other tab holds the lock with this name; `None` where the browser has no locks.
pub(crate) async fn lock(name: &str) -> Option<SessionLock> {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).ok()?;
    let locks = Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object)?;
    let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
    let mut release = None;
    let held = Promise::new(&mut |resolve, _| release = Some(resolve));
    let mut start = None;
    let granted = Promise::new(&mut |resolve, _| start = Some(resolve));
    let start = start?;
    // The lock is ours from when the browser calls this until `held` is resolved.
    let on_grant = Closure::once_into_js(move || {
        let _ = start.call0(&JsValue::UNDEFINED);
        held
    });
    request.call2(&locks, &name.into(), &on_grant).ok()?;
    JsFuture::from(granted).await.ok()?;
    Some(SessionLock(release))
}

/// A message from one tab to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TabMessage {
    /// There is a new session.
    SignedIn,
    /// The session is over.
    SignedOut,
}

impl TabMessage {
    const WORDS: [(Self, &'static str); 2] = [(Self::SignedIn, "signed-in"), (Self::SignedOut, "signed-out")];
}

/// The channel between the tabs.
pub(crate) struct Channel(Option<BroadcastChannel>);

impl Channel {
    /// Opens it and listens for as long as the app runs.
    pub(crate) fn open(on_news: impl Fn(TabMessage) + 'static) -> Self {
        let channel = BroadcastChannel::new(NAME).ok();
        if let Some(channel) = &channel {
            let listener = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                let word = event.data().as_string().unwrap_or_default();
                if let Some((news, _)) = TabMessage::WORDS.iter().find(|(_, known)| *known == word) {
                    on_news(*news);
                }
            });
            channel.set_onmessage(Some(listener.as_ref().unchecked_ref()));
            listener.forget();
        }
        Self(channel)
    }

    /// Tells the other tabs.
    pub(crate) fn tell(&self, news: TabMessage) {
        let word = TabMessage::WORDS.iter().find(|(known, _)| *known == news).map_or("", |(_, word)| word);
        if let Some(channel) = &self.0 {
            let _ = channel.post_message(&word.into());
        }
    }
}

/// What this browser remembers from one visit to the next. The cookie cannot be seen from here; without a mark every first
/// visit would begin with a refused request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// There is no session.
    Nothing,
    /// There was one when the server was last asked. A browser that keeps nothing is taken to have one.
    Session,
    /// Somebody signed out, and the server has not heard of it.
    SignOut,
}

const SESSION: &str = "1";
const SIGN_OUT: &str = "signed-out";

/// The mark, as it was last stored.
pub(crate) fn mark() -> Mark {
    let Some(storage) = storage() else { return Mark::Session };
    match storage.get_item(NAME).ok().flatten().as_deref() {
        None => Mark::Nothing,
        Some(SIGN_OUT) => Mark::SignOut,
        Some(_) => Mark::Session,
    }
}

/// Remembers it.
pub(crate) fn set_mark(mark: Mark) {
    let Some(storage) = storage() else { return };
    let _ = match mark {
        Mark::Nothing => storage.remove_item(NAME),
        Mark::Session => storage.set_item(NAME, SESSION),
        Mark::SignOut => storage.set_item(NAME, SIGN_OUT),
    };
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok().flatten()
}
