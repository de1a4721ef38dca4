//! Users, and where somebody is signed in: two lists. What is written about them is in [`super::AccountForm`].

use common::{
    id::SessionId,
    user::{Session, User},
};

use super::Listing;
use crate::{effect::Effect, message::Ticket};

/// All users.
#[derive(Default)]
pub struct Users {
    /// The users.
    pub list: Listing<User>,
}

impl Users {
    /// Loads them.
    pub fn load(&mut self, ticket: Ticket) -> Effect {
        self.list.load.begin(ticket);
        Effect::Users(ticket)
    }
}

/// Where somebody is signed in.
#[derive(Default)]
pub struct Sessions {
    /// Whose they are; `None` for one's own.
    pub of: Option<User>,
    /// The sessions.
    pub list: Listing<Session>,
    /// What was asked for once, and is done when it is asked for again.
    pub asked: Option<Ending>,
}

/// What is to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// This session.
    One(SessionId),
    /// All others of one's own; all of somebody else's.
    Others,
}

impl Sessions {
    /// Loads them.
    pub fn load(&mut self, ticket: Ticket) -> Effect {
        self.list.load.begin(ticket);
        Effect::Sessions(ticket, self.of.as_ref().map(|user| user.id))
    }
}
