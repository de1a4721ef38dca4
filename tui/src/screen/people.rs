//! Where somebody is signed in: a table, and what was asked for in it. What is written about users is in [`super::AccountForm`].

use common::{id::SessionId, record::Record, user::User};

use super::records::{Records, Rows};
use crate::words;

/// Where somebody is signed in.
pub struct Sessions {
    /// The user whose sessions they are; `None` for the signed-in user.
    pub of: Option<User>,
    /// The sessions.
    pub list: Records,
    /// The action that was asked for once, and is done when it is asked for again.
    pub asked: Option<Ending>,
}

/// The sessions that are to be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// This session.
    One(SessionId),
    /// All others of one's own; all of somebody else's.
    Others,
}

impl Sessions {
    /// The list in its first state.
    pub fn new(of: Option<User>) -> Self {
        let list = Records::people(Rows::Sessions(of.as_ref().map(|user| user.id)));
        Self { of, list, asked: None }
    }

    /// The session under the cursor, and whether it is the one that asks.
    pub fn current(&self) -> Option<(SessionId, bool)> {
        let row = self.list.current()?;
        let is_this_one = row.get("current").is_some_and(|current| current == true);
        Some((row.id().map(|id| SessionId::from_uuid(id.bits()))?, is_this_one))
    }
}

impl Ending {
    /// The question that is asked before it happens.
    pub fn question(self, is_this_one: bool, of: Option<&User>) -> String {
        match (self, of) {
            (Self::One(_), _) if is_this_one => words::ASK_THIS_ONE.to_owned(),
            (Self::One(_), _) => words::ASK_ONE.to_owned(),
            (Self::Others, None) => words::ASK_OTHERS.to_owned(),
            (Self::Others, Some(user)) => words::ask_all(user),
        }
    }
}

/// The user of a row.
pub(crate) fn user(row: &Record) -> Option<User> {
    serde_json::from_value(row.as_object().clone().into()).ok()
}
