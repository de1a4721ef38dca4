//! Whatever names and values are, the keys of one collection stay within it.

use common::{field::FieldType, name::FieldName};
use proptest::prelude::*;

use super::*;

fn field(name: &str) -> Field {
    let name: FieldName = name.parse().expect("a field name");
    Field::new(name, FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false })
}

/// Few enough that equal ones meet.
fn collection() -> impl Strategy<Value = CollectionId> {
    prop::sample::select(vec![0, 1, 0xff, u128::MAX]).prop_map(|id| CollectionId::from_uuid(Uuid::from_u128(id)))
}

fn name() -> impl Strategy<Value = Field> {
    prop::sample::select(vec!["a", "b", "ab", "a_b"]).prop_map(field)
}

fn value() -> impl Strategy<Value = Value> {
    let awkward = prop::sample::select(vec!["", "\0", "\0\u{ff}", "a", "a\0", "a\0b", "records\0", "b\u{10ffff}"]);
    prop_oneof![
        awkward.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(Value::Null),
        "x{250,260}".prop_map(Value::from)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn d3_no_value_reaches_into_another_field_or_collection(
        (a, b) in (collection(), collection()),
        (f, g) in (name(), name()),
        (v, w) in (value(), value()),
        id in any::<u128>(),
    ) {
        let id = RecordId::from_uuid(Uuid::from_u128(id));
        let entry = index_entry(a, &f, &v, id);
        prop_assert_eq!(entry.starts_with(&index_value(b, &g, &w)), a == b && f.name == g.name && v == w);
        prop_assert_eq!(entry.starts_with(&index(b, g.name.as_str())), a == b && f.name == g.name);
        prop_assert_eq!(entry.starts_with(&indexes(b)), a == b);
        prop_assert_eq!(last_id(&entry), Some(id));
        prop_assert_eq!(unique(a, &f, &v) == unique(b, &g, &w), a == b && f.name == g.name && v == w);
        prop_assert_eq!(unique(a, &f, &v).starts_with(&uniques(b)), a == b);
        prop_assert_eq!(record(a, id).starts_with(&records(b)), a == b);
        for other in [records(b), uniques(b), all_referrers(b), tombstones(b), users(), usernames(), sessions(), collections()] {
            prop_assert!(!entry.starts_with(&other), "{:?} is in {:?}", entry, other);
        }
        prop_assert!(entry.as_bytes().len() <= Key::MAX_BYTES);
    }
}
