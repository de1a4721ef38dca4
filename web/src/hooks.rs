//! The hooks that pages use: the client, the signed-in user, messages, loading, the page's title, navigation.

use std::{future::Future, rc::Rc};

use common::{
    Call, CallError,
    access::Caller,
    endpoints::root::{self, Root},
    user::User,
};
use wasm_bindgen::{JsCast, prelude::Closure};
use wasm_bindgen_futures::spawn_local;
use web_sys::{Event, HtmlElement};
use yew::prelude::*;
use yew_router::{
    hooks::{use_location, use_navigator},
    navigator::Navigator,
    query::Raw,
};

use crate::{
    client::Client,
    route::{Location, Route},
    session::Session,
    toast::{ToastEvent, Toasts},
    words,
};

/// The context that the frame gives to every page.
#[derive(Clone, PartialEq)]
pub(crate) struct Frame {
    /// The way to the server.
    pub(crate) client: Client,
    /// The session of the signed-in user.
    pub(crate) session: Rc<Session>,
    /// Shows messages.
    pub(crate) toasts: UseReducerDispatcher<Toasts>,
    /// Counts changes made beside the pages, such as an undone deletion; pages then load again.
    pub(crate) changes: u32,
    /// Counts what was told of others' changes.
    pub(crate) batch: u32,
}

/// Counts.
pub(crate) struct Counter(pub(crate) u32);

impl Reducible for Counter {
    type Action = ();

    fn reduce(self: Rc<Self>, (): ()) -> Rc<Self> {
        Rc::new(Self(self.0 + 1))
    }
}

/// The frame's context.
#[hook]
pub(crate) fn use_frame() -> Frame {
    use_context::<Frame>().expect("pages are drawn inside the frame")
}

/// The way to the server.
#[hook]
pub(crate) fn use_client() -> Client {
    use_frame().client
}

/// Shows messages.
#[hook]
pub(crate) fn use_toasts() -> Callback<ToastEvent> {
    let toasts = use_frame().toasts;
    use_callback((), move |event, ()| toasts.dispatch(event))
}

/// How often something was told of others' changes.
#[hook]
pub(crate) fn use_batch() -> u32 {
    use_frame().batch
}

/// The signed-in user, as access rules see them.
#[hook]
pub(crate) fn use_caller() -> Caller {
    use_frame().session.caller()
}

/// The signed-in user.
#[hook]
pub(crate) fn use_user() -> Option<Rc<User>> {
    use_frame().session.user().cloned()
}

/// Something that is loaded from the server.
pub(crate) struct Load<T> {
    /// The latest answer. It stays while the next one is loading, and when that fails.
    pub(crate) value: Option<Rc<T>>,
    /// Why the last try failed.
    pub(crate) error: Option<CallError>,
    /// A try is under way.
    pub(crate) busy: bool,
    /// Which try it is, from 1.
    pub(crate) run: u32,
}

impl<T> Default for Load<T> {
    fn default() -> Self {
        Self { value: None, error: None, busy: true, run: 0 }
    }
}

impl<T> Load<T> {
    /// Why the last try failed; nothing where what there was stands, and the same may work a little later.
    pub(crate) fn failure(&self) -> Option<&CallError> {
        self.error.as_ref().filter(|error| self.value.is_none() || !is_passing(error))
    }
}

/// Whether the same may work a little later.
pub(crate) fn is_passing(error: &CallError) -> bool {
    matches!(error.status(), 0 | 429 | 500..)
}

/// The events of a load. Attempts are numbered, since an early answer may come late.
pub(crate) enum LoadEvent<T> {
    /// A try began.
    Began(u32),
    /// A try ended.
    Ended(u32, Result<T, CallError>),
}

impl<T> Reducible for Load<T> {
    type Action = LoadEvent<T>;

    fn reduce(self: Rc<Self>, event: LoadEvent<T>) -> Rc<Self> {
        let value = self.value.clone();
        match event {
            LoadEvent::Began(run) => Rc::new(Self { value, error: self.error.clone(), busy: true, run }),
            LoadEvent::Ended(run, _) if run != self.run => self,
            LoadEvent::Ended(run, Ok(value)) => {
                Rc::new(Self { value: Some(Rc::new(value)), error: None, busy: false, run })
            }
            LoadEvent::Ended(run, Err(error)) => Rc::new(Self { value, error: Some(error), busy: false, run }),
        }
    }
}

/// Loads something, and again whenever `on` changes, somebody signs in anew, or the second value is called.
#[hook]
pub(crate) fn use_load<D, T, F>(
    on: D,
    load: impl Fn(Client, D) -> F + 'static,
) -> (UseReducerHandle<Load<T>>, Callback<()>)
where
    D: Clone + PartialEq + 'static,
    T: 'static,
    F: Future<Output = Result<T, CallError>> + 'static,
{
    let frame = use_frame();
    let state = use_reducer(Load::<T>::default);
    let attempts = use_reducer(|| Counter(0));
    let runs = use_mut_ref(|| 0);
    let dispatch = state.dispatcher();
    use_effect_with((on, frame.session.epoch, frame.changes, attempts.0), move |(on, ..)| {
        let run = {
            let mut runs = runs.borrow_mut();
            *runs += 1;
            *runs
        };
        dispatch.dispatch(LoadEvent::Began(run));
        let work = load(frame.client.clone(), on.clone());
        spawn_local(async move { dispatch.dispatch(LoadEvent::Ended(run, work.await)) });
    });
    let attempts = attempts.dispatcher();
    let again = use_callback((), move |(), ()| attempts.dispatch(()));
    (state, again)
}

/// The server's root document.
#[hook]
pub(crate) fn use_root() -> UseReducerHandle<Load<Root>> {
    use_load((), |client, ()| async move { Ok(client.send(Call::<root::Get>::new((), ())).await?.body) }).0
}

/// The least length of a new password, once the server has said it.
#[hook]
pub(crate) fn use_min_password_length() -> Option<u64> {
    use_root().value.as_ref().map(|root| root.min_password_length)
}

/// The title of the window, and so of the entry in the browser's history.
#[hook]
pub(crate) fn use_title(title: &str) {
    use_effect_with(title.to_owned(), |title| {
        if let Some(document) = web_sys::window().and_then(|window| window.document()) {
            document.set_title(&words::window_title(title));
        }
    });
}

/// Goes to pages.
#[derive(Clone, PartialEq)]
pub(crate) struct Go(Navigator);

impl Go {
    /// Goes to a page.
    pub(crate) fn to(&self, route: &Route) {
        self.location(&(route.clone(), String::new()));
    }

    /// Goes to a location.
    pub(crate) fn location(&self, (route, query): &Location) {
        if query.is_empty() {
            self.0.push(route);
        } else {
            let Ok(()) = self.0.push_with_query(route, Raw(query));
        }
    }

    /// Goes to a location that takes the present one's entry in the history.
    pub(crate) fn replace(&self, (route, query): &Location) {
        if query.is_empty() {
            self.0.replace(route);
        } else {
            let Ok(()) = self.0.replace_with_query(route, Raw(query));
        }
    }
}

/// Goes to pages.
#[hook]
pub(crate) fn use_go() -> Go {
    Go(use_navigator().expect("pages are drawn inside the router"))
}

/// The query string of the address, without the question mark.
#[hook]
pub(crate) fn use_query() -> String {
    let location = use_location().expect("pages are drawn inside the router");
    location.query_str().trim_start_matches('?').to_owned()
}

/// Puts the focus on an element when it is first drawn.
#[hook]
pub(crate) fn use_focus(wanted: bool) -> NodeRef {
    let node = use_node_ref();
    let target = node.clone();
    use_effect_with((), move |()| {
        if let Some(element) = target.cast::<HtmlElement>().filter(|_| wanted) {
            let _ = element.focus();
        }
    });
    node
}

/// Asks before the window is closed while something typed has not been sent.
#[hook]
pub(crate) fn use_unsent(is_unsent: bool) {
    use_effect_with(is_unsent, |is_unsent| {
        let guard = is_unsent.then(|| {
            let ask = Closure::<dyn Fn(Event)>::new(|event: Event| event.prevent_default());
            if let Some(window) = web_sys::window() {
                let _ = window.add_event_listener_with_callback("beforeunload", ask.as_ref().unchecked_ref());
            }
            ask
        });
        move || {
            if let (Some(ask), Some(window)) = (guard, web_sys::window()) {
                let _ = window.remove_event_listener_with_callback("beforeunload", ask.as_ref().unchecked_ref());
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(events: impl IntoIterator<Item = LoadEvent<u32>>) -> Rc<Load<u32>> {
        events.into_iter().fold(Rc::new(Load::default()), Reducible::reduce)
    }

    #[test]
    fn an_early_answer_that_comes_late_is_dropped() {
        let load =
            run([LoadEvent::Began(1), LoadEvent::Began(2), LoadEvent::Ended(2, Ok(22)), LoadEvent::Ended(1, Ok(11))]);
        assert_eq!((load.value.as_deref(), load.busy), (Some(&22), false));
    }

    #[test]
    fn what_was_there_stays_while_newer_is_on_its_way_and_when_that_fails() {
        let error = || CallError::Unreachable(String::new());
        let load = run([LoadEvent::Began(1), LoadEvent::Ended(1, Ok(11)), LoadEvent::Began(2)]);
        assert_eq!((load.value.as_deref(), load.busy), (Some(&11), true));
        let load = load.reduce(LoadEvent::Ended(2, Err(error())));
        assert_eq!((load.value.as_deref(), &load.error, load.busy), (Some(&11), &Some(error()), false));
        let load = load.reduce(LoadEvent::Began(3)).reduce(LoadEvent::Ended(3, Ok(33)));
        assert_eq!((load.value.as_deref(), &load.error), (Some(&33), &None));
    }
}
