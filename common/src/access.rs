//! Access rules: who may do what in a collection. One function, [`AccessRules::decide`], answers for every route, list,
//! count and export. Admins may always.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{id::UserId, name::RoleName, schema::described_as_text};

/// One rule: the callers that it lets in.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rule {
    /// Everybody, with or without a token.
    Anyone,
    /// Every active user.
    SignedIn,
    /// The user who created the record. For `create`: whoever is signed in, since they will own it.
    Owner,
    /// Users with this role.
    Role(RoleName),
    /// Admins only.
    Nobody,
}

/// The text is not a rule.
#[derive(Debug, Error, Clone, Copy, PartialEq, Eq)]
#[error("Use anyone, signed_in, owner, role:<name> or nobody.")]
pub struct InvalidRule;

impl FromStr for Rule {
    type Err = InvalidRule;

    fn from_str(text: &str) -> Result<Self, InvalidRule> {
        match text {
            "anyone" => Ok(Self::Anyone),
            "signed_in" => Ok(Self::SignedIn),
            "owner" => Ok(Self::Owner),
            "nobody" => Ok(Self::Nobody),
            _ => {
                let role = text.strip_prefix("role:").ok_or(InvalidRule)?;
                role.parse().map(Self::Role).map_err(|_| InvalidRule)
            }
        }
    }
}

described_as_text!(Rule, "pattern": "^(anyone|signed_in|owner|nobody|role:[a-z][a-z0-9_]{0,62})$");

impl TryFrom<String> for Rule {
    type Error = InvalidRule;

    fn try_from(text: String) -> Result<Self, InvalidRule> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> String {
        rule.to_string()
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anyone => f.write_str("anyone"),
            Self::SignedIn => f.write_str("signed_in"),
            Self::Owner => f.write_str("owner"),
            Self::Role(role) => write!(f, "role:{role}"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

/// An action on records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Action {
    /// See records in lists, counts and joins.
    List,
    /// See one record.
    View,
    /// Make a record.
    Create,
    /// Change a record.
    Update,
    /// Delete a record.
    Delete,
}

impl Action {
    /// All five, in the order in which they are shown.
    pub const ALL: [Self; 5] = [Self::List, Self::View, Self::Create, Self::Update, Self::Delete];

    /// The member name in `access`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::View => "view",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// The rules of a collection. Several rules for an action are alternatives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(default, deny_unknown_fields))]
pub struct AccessRules {
    /// The callers who see records in lists.
    pub list: Vec<Rule>,
    /// The callers who see one record.
    pub view: Vec<Rule>,
    /// The callers who create records.
    pub create: Vec<Rule>,
    /// The callers who change records.
    pub update: Vec<Rule>,
    /// The callers who delete records.
    pub delete: Vec<Rule>,
}

impl Default for AccessRules {
    /// Everyone who is signed in may read and create; a record is changed and deleted by its owner.
    fn default() -> Self {
        Self {
            list: vec![Rule::SignedIn],
            view: vec![Rule::SignedIn],
            create: vec![Rule::SignedIn],
            update: vec![Rule::Owner],
            delete: vec![Rule::Owner],
        }
    }
}

/// The caller: anonymous, or an active user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// No token came with the request.
    Anonymous,
    /// A user whose token, session and account hold right now.
    User {
        /// Which user.
        id: UserId,
        /// May do everything.
        is_admin: bool,
        /// The roles, read with this request.
        roles: Vec<RoleName>,
    },
}

impl Caller {
    /// The user's id, where there is one.
    pub fn user_id(&self) -> Option<UserId> {
        match self {
            Self::Anonymous => None,
            Self::User { id, .. } => Some(*id),
        }
    }

    /// May do everything.
    pub fn is_admin(&self) -> bool {
        matches!(self, Self::User { is_admin: true, .. })
    }
}

/// The decision of the rules about a caller's action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// All records.
    All,
    /// Only the caller's own records.
    Own(UserId),
    /// None.
    Denied,
}

impl Decision {
    /// Whether the decision covers a record with this owner.
    pub fn covers(self, owner: Option<UserId>) -> bool {
        match self {
            Self::All => true,
            Self::Own(user) => owner == Some(user),
            Self::Denied => false,
        }
    }
}

impl AccessRules {
    /// The rules for one action.
    pub fn rules(&self, action: Action) -> &[Rule] {
        match action {
            Action::List => &self.list,
            Action::View => &self.view,
            Action::Create => &self.create,
            Action::Update => &self.update,
            Action::Delete => &self.delete,
        }
    }

    /// The rules for one action, to be changed.
    pub fn rules_mut(&mut self, action: Action) -> &mut Vec<Rule> {
        match action {
            Action::List => &mut self.list,
            Action::View => &mut self.view,
            Action::Create => &mut self.create,
            Action::Update => &mut self.update,
            Action::Delete => &mut self.delete,
        }
    }

    /// Whether no rule lets anyone do `action`: then only admins may.
    pub fn is_nobodys(&self, action: Action) -> bool {
        self.rules(action).iter().all(|rule| *rule == Rule::Nobody)
    }

    /// Whether `caller` may do `action`, and to which records.
    pub fn decide(&self, action: Action, caller: &Caller) -> Decision {
        if caller.is_admin() {
            return Decision::All;
        }
        let mut decision = Decision::Denied;
        for rule in self.rules(action) {
            match (rule, caller) {
                (Rule::Anyone, _) | (Rule::SignedIn, Caller::User { .. }) => return Decision::All,
                (Rule::Role(role), Caller::User { roles, .. }) if roles.contains(role) => return Decision::All,
                (Rule::Owner, Caller::User { .. }) if action == Action::Create => return Decision::All,
                (Rule::Owner, Caller::User { id, .. }) => decision = Decision::Own(*id),
                _ => {}
            }
        }
        decision
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn user(n: u128, is_admin: bool, roles: &[&str]) -> Caller {
        let roles = roles.iter().map(|role| role.parse().unwrap()).collect();
        Caller::User { id: UserId::from_uuid(Uuid::from_u128(n)), is_admin, roles }
    }

    #[test]
    fn the_default_is_read_for_all_users_and_write_for_the_owner() {
        let rules = AccessRules::default();
        assert_eq!(rules.decide(Action::List, &Caller::Anonymous), Decision::Denied);
        assert_eq!(rules.decide(Action::List, &user(1, false, &[])), Decision::All);
        let own = rules.decide(Action::Update, &user(1, false, &[]));
        assert!(own.covers(Some(UserId::from_uuid(Uuid::from_u128(1)))));
        assert!(!own.covers(Some(UserId::from_uuid(Uuid::from_u128(2)))));
        assert!(!own.covers(None));
    }

    #[test]
    fn nobody_means_admins_only_and_roles_count() {
        let rules = AccessRules {
            list: vec![Rule::Nobody],
            view: vec!["role:editor".parse().unwrap(), Rule::Owner],
            ..AccessRules::default()
        };
        assert_eq!(rules.decide(Action::List, &user(1, false, &["editor"])), Decision::Denied);
        assert_eq!(rules.decide(Action::List, &user(1, true, &[])), Decision::All);
        assert_eq!(rules.decide(Action::View, &user(1, false, &["editor"])), Decision::All);
    }

    #[test]
    fn an_empty_list_lets_nobody_in() {
        let rules = AccessRules { create: vec![], ..AccessRules::default() };
        assert_eq!(rules.decide(Action::Create, &user(1, false, &[])), Decision::Denied);
    }
}
