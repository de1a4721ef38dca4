//! The stored form gives back what went in, whatever that was.

use common::validate::format_moment;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const ID: &str = "01920000-0000-7000-8000-0000000000ab";

fn id() -> RecordId {
    ID.parse().unwrap()
}

fn record(value: Value) -> Record {
    let Value::Object(members) = value else { panic!("no object") };
    Record::from_object(members)
}

#[test]
fn any_record_comes_back_as_it_went_in() {
    let at = "2026-01-02T03:04:05.678000Z";
    let usual = json!({"id": ID, "b": "\u{0}ü\"", "a": [1, {"x": null}], "owner": ID, "created_at": at, "updated_at": "2026-01-02T03:04:06Z"});
    let bare = json!({"id": ID, "owner": null, "created_at": at, "updated_at": at});
    for members in [
        usual,
        bare,
        json!({"id": ID, "owner": "somebody", "created_at": at, "updated_at": at}),
        json!({"id": ID, "owner": null, "created_at": "2026-01-02T03:04:05.678+00:30", "updated_at": at}),
        json!({"id": ID, "owner": null, "created_at": "2026-01-02T03:04:05.0000001Z", "updated_at": at}),
        json!({"id": ID, "owner": null, "created_at": at, "updated_at": at, "late": 1}),
        json!({"owner": null}),
        json!({}),
    ] {
        let record = record(members);
        let head = Head::new(7, Some(0), 3);
        let encoded = encode(head, &record).unwrap();
        let json = serde_json::to_vec(&record).unwrap();
        assert_eq!(decode(id(), &encoded.value).unwrap(), record);
        assert_eq!(super::head(&encoded.value).unwrap(), head);
        assert_eq!(owner(&encoded.value).unwrap(), record.owner());
        assert_eq!((encoded.json, encoded.counted), (json.len(), counted_size(&encoded.value).unwrap()), "{record:?}");
        let updated = record.get("updated_at").and_then(Value::as_str).map_or(0, str::len);
        assert_eq!(encoded.counted, i64::try_from(json.len() - updated).unwrap());
        assert_eq!(super::json(id(), &encoded.value, None).unwrap(), json);
    }
}

#[test]
fn the_revision_is_the_last_member() {
    let record = record(
        json!({"id": ID, "owner": null, "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}),
    );
    let value = encode(Head::new(1, None, 0), &record).unwrap().value;
    let sent = json(id(), &value, Some(Revision(9))).unwrap();
    assert!(sent.ends_with(b"Z\",\"revision\":9}"), "{sent:?}");
    assert_eq!(head(&value).unwrap().place(), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn moments_are_written_as_they_are_everywhere_else(at in -62_167_219_200_000_000..253_402_300_799_999_999_i64) {
        for at in [at, at / 1000 * 1000, at / 1_000_000 * 1_000_000] {
            let whole = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1000).unwrap();
            prop_assert_eq!(moment(stamp_of(at)), format_moment(whole));
            prop_assert_eq!(moment(stamp_of(at)).len(), moment_length(stamp_of(at)));
            // As it was written before: without zeros at the end. It is counted so, and sent as all are.
            let before = whole.format(&Rfc3339).unwrap();
            prop_assert_eq!((moment(stamp_of(at) | 1), before.len()), (moment(stamp_of(at)), moment_length(stamp_of(at) | 1)));
            for text in [moment(stamp_of(at)), before] {
                prop_assert_eq!(stamp(&text), Some(stamp_of(at)));
            }
            prop_assert_eq!([micros(stamp_of(at)), micros(stamp_of(at) | 1)], [at, at]);
        }
    }
}
