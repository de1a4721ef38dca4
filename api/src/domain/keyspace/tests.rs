//! Whatever names and values are, the keys of one collection stay within it.

use common::{field::FieldType, name::FieldName};
use proptest::prelude::*;

use super::*;

fn field(name: &str) -> Field {
    let name: FieldName = name.parse().expect("a field name");
    Field::new(name, FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false })
}

/// Few enough that equal ones meet.
fn collection() -> impl Strategy<Value = CollectionNumber> {
    prop::sample::select(vec![1, 2, 0xff, 0x100, u32::MAX]).prop_map(CollectionNumber)
}

fn index_number() -> impl Strategy<Value = IndexNumber> {
    prop::sample::select(vec![1, 2, 0x58, 0x100]).prop_map(IndexNumber)
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
        (i, j) in (index_number(), index_number()),
        (v, w) in (value(), value()),
        id in any::<u128>(),
    ) {
        let field = field("a");
        let (f, g) = (&field, &field);
        let id = RecordId::from_uuid(Uuid::from_u128(id));
        let entry = index_entry(a, i, f, &v, id);
        prop_assert_eq!(entry.starts_with(&index_value(b, j, g, &w)), a == b && i == j && v == w);
        prop_assert_eq!(entry.starts_with(&index(b, j)), a == b && i == j);
        prop_assert_eq!(entry.starts_with(&indexes(b)), a == b);
        prop_assert_eq!(last_id(&entry), Some(id));
        prop_assert_eq!(unique(a, i, f, &v) == unique(b, j, g, &w), a == b && i == j && v == w);
        prop_assert_eq!(unique(a, i, f, &v).starts_with(&uniques(b)), a == b);
        prop_assert_eq!(record(a, id).starts_with(&records(b)), a == b);
        for other in [records(b), uniques(b), all_referrers(b), tombstones(b), users(), usernames(), sessions(), collections()] {
            prop_assert!(!entry.starts_with(&other), "{:?} is in {:?}", entry, other);
        }
        prop_assert!(entry.as_bytes().len() <= Key::MAX_BYTES);
    }
}
