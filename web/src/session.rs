//! The session of the signed-in user, as a state and its events. Tokens are not here: the client holds them.

use std::rc::Rc;

use common::{CallError, access::Caller, user::User};
use yew::Reducible;

/// Where the session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Phase {
    /// The app has just been loaded; the server is being asked.
    Starting,
    /// The server could not say.
    Failed(CallError),
    /// Nobody is signed in.
    SignedOut {
        /// Somebody was, until the server said otherwise.
        is_lost: bool,
    },
    /// This user is.
    SignedIn(Rc<User>),
    /// This user was until a moment ago. The page stays as it is, with what was typed; sign-in stands over it.
    Expired(Rc<User>),
}

/// The state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Where it stands.
    pub(crate) phase: Phase,
    /// Counts the times that a session began. What could not be loaded is loaded again when it changes.
    pub(crate) epoch: u32,
}

impl Default for Session {
    fn default() -> Self {
        Self { phase: Phase::Starting, epoch: 0 }
    }
}

/// The events of a session.
#[derive(Debug, Clone)]
pub(crate) enum SessionEvent {
    /// The server is asked again.
    Restarted,
    /// The server could not be asked.
    Failed(CallError),
    /// There are tokens for this user.
    Began(Rc<User>),
    /// The server does not take the tokens any more.
    Lost,
    /// The user signed out, here or in another tab.
    Ended,
}

impl Session {
    /// The user whose pages are shown.
    pub(crate) fn user(&self) -> Option<&Rc<User>> {
        match &self.phase {
            Phase::SignedIn(user) | Phase::Expired(user) => Some(user),
            _ => None,
        }
    }

    /// The user as access rules see them.
    pub(crate) fn caller(&self) -> Caller {
        self.user().map_or(Caller::Anonymous, |user| Caller::User {
            id: user.id,
            is_admin: user.is_admin,
            roles: user.roles.clone(),
        })
    }

    fn after(&self, event: SessionEvent) -> Self {
        let mut epoch = self.epoch;
        let phase = match (event, &self.phase) {
            (SessionEvent::Restarted, Phase::Failed(_)) => Phase::Starting,
            (SessionEvent::Failed(error), Phase::Starting) => Phase::Failed(error),
            (SessionEvent::Restarted | SessionEvent::Failed(_), phase) => phase.clone(),
            (SessionEvent::Began(user), phase) => {
                if !matches!(phase, Phase::SignedIn(known) if known.id == user.id) {
                    epoch += 1;
                }
                Phase::SignedIn(user)
            }
            (SessionEvent::Lost, Phase::SignedIn(user) | Phase::Expired(user)) => Phase::Expired(user.clone()),
            (SessionEvent::Lost, Phase::Starting) => Phase::SignedOut { is_lost: true },
            (SessionEvent::Lost | SessionEvent::Ended, _) => Phase::SignedOut { is_lost: false },
        };
        Self { phase, epoch }
    }
}

impl Reducible for Session {
    type Action = SessionEvent;

    fn reduce(self: Rc<Self>, event: SessionEvent) -> Rc<Self> {
        let next = self.after(event);
        if next == *self { self } else { Rc::new(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u8) -> User {
        User {
            id: format!("01920000-0000-7000-8000-0000000000{n:02}").parse().unwrap(),
            username: "ada".parse().unwrap(),
            email: String::new(),
            roles: vec![],
            is_admin: false,
            is_active: true,
            created_at: String::new(),
            last_login: None,
            claims: common::Object::new(),
            number: None,
            usage: None,
        }
    }

    fn run(events: impl IntoIterator<Item = SessionEvent>) -> Session {
        let session = events.into_iter().fold(Rc::new(Session::default()), Reducible::reduce);
        (*session).clone()
    }

    #[test]
    fn a_lost_session_keeps_the_page_and_signing_in_again_loads_anew() {
        let lost = run([SessionEvent::Began(user(1).into()), SessionEvent::Lost]);
        assert_eq!(lost.phase, Phase::Expired(Rc::new(user(1))));
        assert_eq!(lost.epoch, 1);
        let again = run([SessionEvent::Began(user(1).into()), SessionEvent::Lost, SessionEvent::Began(user(1).into())]);
        assert_eq!((again.phase, again.epoch), (Phase::SignedIn(Rc::new(user(1))), 2));
    }

    #[test]
    fn new_tokens_alone_change_nothing() {
        let began = Rc::new(run([SessionEvent::Began(user(1).into())]));
        assert!(Rc::ptr_eq(&began, &began.clone().reduce(SessionEvent::Began(user(1).into()))));
        assert_eq!(run([SessionEvent::Began(user(1).into()), SessionEvent::Began(user(2).into())]).epoch, 2);
    }

    #[test]
    fn signing_out_forgets_the_user() {
        let ended = run([SessionEvent::Began(user(1).into()), SessionEvent::Lost, SessionEvent::Ended]);
        assert_eq!((ended.user(), ended.caller()), (None, Caller::Anonymous));
        assert_eq!(ended.phase, Phase::SignedOut { is_lost: false });
    }

    #[test]
    fn who_comes_back_to_a_session_that_ended_is_told() {
        assert_eq!(run([SessionEvent::Lost]).phase, Phase::SignedOut { is_lost: true });
        assert_eq!(run([SessionEvent::Ended, SessionEvent::Lost]).phase, Phase::SignedOut { is_lost: false });
    }

    #[test]
    fn a_server_that_cannot_be_reached_can_be_asked_again() {
        let error = CallError::Unreachable(String::new());
        let failed = run([SessionEvent::Failed(error.clone())]);
        assert_eq!(failed.phase, Phase::Failed(error.clone()));
        assert_eq!(run([SessionEvent::Failed(error.clone()), SessionEvent::Restarted]).phase, Phase::Starting);
        let still_in = run([SessionEvent::Began(user(1).into()), SessionEvent::Failed(error)]);
        assert_eq!(still_in.phase, Phase::SignedIn(Rc::new(user(1))));
    }
}
