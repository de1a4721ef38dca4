//! Users and sessions as tables: what their lists can be searched, filtered and ordered by, and the columns that both clients
//! show. To the code behind tables each is a collection, so that everything that there is for records holds for them.

use crate::{
    access::AccessRules,
    collection::{Collection, Ids, server_field},
    condition::Condition,
    field::{Field, FieldType},
    id::{CollectionId, Revision, UserId},
    name::{CollectionName, FieldName},
    problem::FieldErrors,
    query::{Filter, ListQuery, Named, Pairs, Query, SessionQuery, no_such_field, unknown_parameter},
    reader::invalid,
    table::Column,
};

pub(crate) const TEXT: FieldType =
    FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false };

/// The users as a table.
pub fn users() -> Collection {
    let roles = FieldType::Choice { choices: Vec::new(), many: true };
    table(
        "users",
        vec![
            field("username", TEXT),
            field("email", TEXT),
            field("is_admin", FieldType::Boolean),
            field("is_active", FieldType::Boolean),
            Field { nullable: true, ..field("last_login", FieldType::Datetime) },
            field("roles", roles),
        ],
    )
}

/// The columns of the table of users.
pub fn user_columns() -> Vec<Column> {
    [
        ("username", "Name"),
        ("is_admin", "Admin"),
        ("is_active", "Active"),
        ("last_login", "Last sign-in"),
        ("roles", "Roles"),
        ("created_at", "Created"),
    ]
    .map(column)
    .into()
}

/// One user's sessions as a table.
pub fn sessions() -> Collection {
    table("sessions", vec![field("address", TEXT), field("user_agent", TEXT), field("last_used", FieldType::Datetime)])
}

/// The columns of the table of sessions.
pub fn session_columns() -> Vec<Column> {
    [
        ("current", "Session"),
        ("last_used", "Last used"),
        ("created_at", "Signed in"),
        ("address", "Address"),
        ("user_agent", "Program"),
    ]
    .map(column)
    .into()
}

fn column((name, label): (&str, &str)) -> Column {
    let sortable = !matches!(name, "roles" | "current");
    Column { name: name.to_owned(), label: label.to_owned(), numeric: false, sortable }
}

pub(crate) fn field(name: &str, kind: FieldType) -> Field {
    Field::new(name.parse::<FieldName>().expect("the names here are valid"), kind)
}

pub(crate) fn table(name: &str, fields: Vec<Field>) -> Collection {
    Collection {
        aliases: Vec::new(),
        history: crate::history::History::All,
        id: CollectionId::from_uuid(uuid::Uuid::nil()),
        ids: Ids::default(),
        name: name.parse::<CollectionName>().expect("the names here are valid"),
        description: String::new(),
        fields,
        indexes: Vec::new(),
        access: AccessRules::default(),
        created_at: String::new(),
        updated_at: String::new(),
        revision: Revision(0),
        count: None,
    }
}

/// Checks a query against one of these tables. Of what the server writes into every record they have `id` and `created_at` only,
/// and nothing can be left out of a row or joined to it.
pub fn check(table: &Collection, query: &ListQuery) -> Result<(), FieldErrors> {
    query.check(table)?;
    let is_there = |name: &str| match Named::find(table, name) {
        Some(Named::Field { member, .. }) => table.field(member).is_some() || matches!(member, "id" | "created_at"),
        _ => false,
    };
    let mut errors = FieldErrors::new();
    for comparison in query.filter.iter().flat_map(Condition::comparisons).filter(|said| !is_there(&said.path)) {
        errors.push("filter", invalid(comparison.fault("There is no field of this name.").to_string()));
    }
    for order in query.ordering.iter().filter(|order| !is_there(&order.field)) {
        errors.push("ordering", no_such_field(&order.field));
    }
    let is_ignored = |name: &str| query.ignores_unknown && server_field(name).is_none();
    let refused = |filter: &&Filter| !is_there(&filter.field) && !is_ignored(&filter.field);
    for filter in query.filters.iter().chain(&query.empty).filter(refused) {
        errors.push(filter.parameter(), unknown_parameter());
    }
    for (parameter, is_said) in [
        ("fields", !query.fields.is_empty()),
        ("left_join", !query.left_join.is_empty()),
        ("expand", !query.expand.is_empty()),
        ("cursor", query.cursor.is_some()),
        ("explain", query.explain),
        ("highlight", query.highlight),
        ("named", query.named),
        ("facets", !query.facets.is_empty()),
    ] {
        if is_said {
            errors.push(parameter, unknown_parameter());
        }
    }
    errors.or(())
}

/// The parameters of the list of sessions: whose, and those that every list has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionsQuery {
    /// The user whose sessions are listed; only admins may ask for another's.
    pub user: Option<UserId>,
    /// Which of them.
    pub list: ListQuery,
}

impl Query for SessionsQuery {
    fn from_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let (whose, rest): (Pairs, Pairs) = pairs.into_iter().partition(|(name, _)| name == "user");
        Ok(Self { user: SessionQuery::from_pairs(whose)?.user, list: ListQuery::from_pairs(rest)? })
    }

    fn from_known_pairs(pairs: Pairs) -> Result<Self, FieldErrors> {
        let (whose, rest): (Pairs, Pairs) = pairs.into_iter().partition(|(name, _)| name == "user");
        Ok(Self { user: SessionQuery::from_pairs(whose)?.user, list: ListQuery::from_known_pairs(rest)? })
    }

    fn to_pairs(&self) -> Pairs {
        let mut pairs = SessionQuery { user: self.user }.to_pairs();
        pairs.extend(self.list.to_pairs());
        pairs
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::{decode, encode};

    #[test]
    fn every_column_but_the_marked_ones_can_be_ordered_by() {
        for (table, columns) in [(users(), user_columns()), (sessions(), session_columns())] {
            for column in columns.iter().filter(|column| column.sortable) {
                let query = ListQuery::from_pairs(decode(&format!("ordering=-{}", column.name))).unwrap();
                assert_eq!(check(&table, &query), Ok(()), "{}", column.name);
            }
        }
    }

    #[test]
    fn what_only_records_have_is_refused_by_name() {
        for (raw, place) in [
            ("ordering=updated_at", "ordering"),
            ("ordering=password_hash", "ordering"),
            ("owner__isnull=true", "owner__isnull"),
            ("revision=1", "revision"),
            ("password_hash__startswith=x", "password_hash__startswith"),
            ("fields=id", "fields"),
            ("left_join=snacks:id=id", "left_join"),
            ("is_admin=maybe", "is_admin"),
        ] {
            let query = ListQuery::from_pairs(decode(raw)).unwrap();
            assert!(check(&users(), &query).unwrap_err().0.contains_key(place), "{raw}");
        }
        let query =
            ListQuery::from_pairs(decode("is_admin=true&roles=cook&search=ada&last_login__isnull=true")).unwrap();
        assert_eq!(check(&users(), &query), Ok(()));
    }

    #[test]
    fn whose_sessions_stands_beside_what_every_list_takes() {
        let raw = "user=01920000-0000-7000-8000-000000000001&address=192.0.2.7&search=curl&page=2";
        let query = SessionsQuery::from_pairs(decode(raw)).unwrap();
        assert_eq!((query.list.page, encode(&query.to_pairs()).as_str()), (2, raw));
        assert!(SessionsQuery::from_pairs(decode("user=ada")).unwrap_err().0.contains_key("user"));
    }
}
