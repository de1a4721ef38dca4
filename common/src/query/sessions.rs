//! The parameters of the list of sessions.

use super::pairs::{Pairs, Query, unknown_parameter};
use crate::{id::UserId, problem::FieldErrors, reader::invalid};

/// The query of a list of sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SessionQuery {
    /// The user whose sessions are listed; only admins may ask for another's.
    pub user: Option<UserId>,
}

impl Query for SessionQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let mut query = Self::default();
        let mut errors = FieldErrors::new();
        for (name, value) in pairs {
            match (name.as_str(), value.parse()) {
                ("user", Ok(user)) => query.user = Some(user),
                ("user", Err(_)) => errors.push(name, invalid("This is not the id of a user.")),
                _ => errors.push(name, unknown_parameter()),
            }
        }
        errors.or(query)
    }

    fn to_pairs(&self) -> Pairs {
        self.user.iter().map(|user| ("user".to_owned(), user.to_string())).collect()
    }
}
