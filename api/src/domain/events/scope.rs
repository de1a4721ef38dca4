//! What a subscriber follows: in which collections, which records by their owner, and which by the filter. It is worked out by the rules and roles
//! of one moment, and anew when they change.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use common::{
    access::{Action, Caller, Decision},
    collection::Collection,
    condition::{Condition, Operand},
    event::EventQuery,
    field::FieldType,
    id::{CollectionId, SessionId, UserId},
    name::CollectionName,
    problem::FieldErrors,
    query::{ListQuery, Lookup, Named, Part},
    reader::invalid,
    record::Record,
};
use serde_json::Value;
use store::Snapshot;

use super::shared::Shared;
use crate::domain::{
    core::Core,
    error::{AuthError, Result},
    keyspace,
    numbers::CollectionNumber,
    records::{Asked, Conditions, Node},
    schema,
    sessions::StoredSession,
    users::StoredUser,
};

/// What a subscriber asked for when the stream was opened.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The named collections; `None` for all.
    pub collections: Option<Vec<CollectionName>>,
    /// What records must be.
    pub filter: Option<Condition>,
    /// The records come first, so that they have to be such as may be listed.
    pub snapshot: bool,
}

/// What a subscriber follows in each collection.
pub(super) type Scope = BTreeMap<CollectionNumber, Rule>;

/// What a subscriber follows in one collection.
#[derive(Clone)]
pub(super) struct Rule {
    /// The collection.
    pub id: CollectionId,
    /// What it is called.
    pub name: CollectionName,
    /// Which records, by their owner.
    pub may: Decision,
    /// Which of those.
    pub filter: Option<Arc<Filter>>,
}

/// A filter, typed for one collection.
pub(super) struct Filter {
    /// The same for those that ask for the same.
    pub key: String,
    /// A field that must have one value, where there is one, and that value: see [`value_key`].
    pub must: Option<(String, String)>,
    conditions: Conditions,
    collection: Arc<Collection>,
}

impl Wanted {
    /// What a query asks for.
    pub(super) fn new(query: &EventQuery) -> Self {
        Self {
            collections: Some(query.collections.clone()).filter(|names| !names.is_empty()),
            filter: query.filter.clone(),
            snapshot: query.snapshot,
        }
    }

    /// Which of a collection's records a caller may follow.
    pub(super) fn decide(&self, collection: &Collection, caller: &Caller) -> Decision {
        let view = collection.access.decide(Action::View, caller);
        if self.snapshot { narrower(view, collection.access.decide(Action::List, caller)) } else { view }
    }

    /// What is followed in a collection.
    pub(super) fn rule(
        &self,
        core: &Core,
        shared: &Shared<Filter>,
        collection: &Collection,
        caller: &Caller,
    ) -> Result<Rule> {
        let filter = self.filter.as_ref();
        let filter = filter.map(|filter| Filter::new(core, shared, caller, collection, filter)).transpose()?;
        Ok(Rule {
            id: collection.id,
            name: collection.name.clone(),
            may: self.decide(collection, caller),
            filter: filter.map(|filter| shared.filter(&filter.key.clone(), filter)),
        })
    }

    /// Everything that a caller follows; an error where a collection that is named is not there for them, or the filter does not fit it.
    pub(super) async fn scope(
        &self,
        core: &Core,
        shared: &Shared<Filter>,
        snapshot: &Snapshot,
        caller: &Caller,
    ) -> Result<Scope> {
        let mut scope = Scope::new();
        let Some(names) = &self.collections else {
            let mut all = schema::all(snapshot);
            while let Some(definition) = all.next().await? {
                let rule = self.rule(core, shared, &definition.collection, caller)?;
                if rule.may != Decision::Denied {
                    scope.insert(definition.keys.number, rule);
                }
            }
            return Ok(scope);
        };
        for name in names {
            let schema = core.schemas.find(snapshot, name, caller).await?;
            schema.authorize(Action::View, caller)?;
            if self.snapshot {
                schema.authorize(Action::List, caller)?;
            }
            scope.insert(schema.number(), self.rule(core, shared, &schema.collection, caller)?);
        }
        Ok(scope)
    }
}

/// What both cover.
fn narrower(one: Decision, other: Decision) -> Decision {
    match (one, other) {
        (Decision::Denied, _) | (_, Decision::Denied) => Decision::Denied,
        (Decision::All, may) | (may, Decision::All) => may,
        (Decision::Own(user), Decision::Own(_)) => Decision::Own(user),
    }
}

/// The caller of a session, as both are stored now.
pub(super) async fn caller(core: &Core, snapshot: &Snapshot, session: SessionId, user: UserId) -> Result<Caller> {
    let keys = [keyspace::session(session), keyspace::user(user)];
    let mut found = snapshot.get_many(&keys).await?.into_iter();
    let stored = found.next().flatten().ok_or(AuthError::NO_SESSION)?;
    serde_json::from_slice::<StoredSession>(&stored.value)?.check(user, core.clock.unix_seconds())?;
    let stored = found.next().flatten().ok_or(AuthError::NoUser)?;
    let stored: StoredUser = serde_json::from_slice(&stored.value)?;
    if stored.user.is_active { Ok(stored.caller()) } else { Err(AuthError::Inactive.into()) }
}

impl Filter {
    fn new(
        core: &Core,
        shared: &Shared<Filter>,
        caller: &Caller,
        collection: &Collection,
        condition: &Condition,
    ) -> Result<Self> {
        let mut errors = FieldErrors::new();
        let (mut is_mine, mut is_of_now) = (false, false);
        for comparison in condition.comparisons() {
            is_mine |= comparison.operands.contains(&Operand::Me);
            is_of_now |= comparison.operands.contains(&Operand::Now);
            let named = Named::find(collection, &comparison.path);
            if let Some(Named::Reference { .. } | Named::Field { part: Some(Part::Username), .. }) = named {
                let message = format!(
                    "\"{}\" is of another record, which may change without this one. Events are filtered by the record's own fields.",
                    common::text::single_line(&comparison.path)
                );
                errors.push("filter", invalid(message));
            }
        }
        errors.or(())?;
        let query = ListQuery { filter: Some(condition.clone()), ..ListQuery::default() };
        query.check(collection)?;
        let conditions = Conditions::new(&Asked::new(core, caller), collection, &query)?;
        // A filter is typed by a definition: by another one it is another.
        let (number, collection) = shared.definition(collection);
        let mut key = format!("{number}\0{condition}");
        if is_mine {
            let _ = write!(key, "\0{:?}", caller.user_id());
        }
        if is_of_now {
            let _ = write!(key, "\0{}", core.timestamp());
        }
        Ok(Self { key, must: must(&conditions), conditions, collection })
    }

    /// Whether a record matches.
    pub(super) fn holds(&self, record: &Record) -> bool {
        // Every record has its own allowance for patterns, which are searched for in linear time.
        self.conditions.begin_anew();
        self.conditions.hold(&self.collection, record)
    }
}

/// A comparison that all matches have in common: one field, which equals one value.
fn must(conditions: &Conditions) -> Option<(String, String)> {
    conditions.all.iter().find_map(|node| {
        let Node::Is(condition) = node else { return None };
        let (path, [value]) = (&condition.path, &condition.values[..]) else { return None };
        let is_plain = condition.lookup == Lookup::Exact && path.steps.is_empty() && path.part.is_none();
        let is_exact = match path.field.kind {
            FieldType::Choice { many, .. } | FieldType::Reference { many, .. } => !many,
            FieldType::Text { .. } | FieldType::Integer { .. } | FieldType::Boolean | FieldType::Date => true,
            _ => false,
        };
        if !is_plain || !is_exact {
            return None;
        }
        Some((path.member.clone(), value_key(value)?))
    })
}

/// Values that are equal to a filter have equal keys.
pub(super) fn value_key(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(base::fold::nfc(text).into_owned()),
        Value::Bool(_) => Some(value.to_string()),
        Value::Number(number) => number.as_i64().map(|number| number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
