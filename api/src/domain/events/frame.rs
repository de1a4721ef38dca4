//! Events as bytes: server-sent events, as WHATWG HTML §9.2 has them. JSON that is written here has no line breaks, so `data:` is one line.

use bytes::Bytes;
use common::{
    event::{EventData, EventId, EventKind},
    name::CollectionName,
};

use crate::domain::{journal::RecordChange, record};

/// An event that is ready to be sent.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// Where who had it goes on.
    pub id: EventId,
    /// Its bytes.
    pub bytes: Bytes,
}

/// An event about a record's change. What is gone for the reader is told with its id alone.
pub(super) fn of_record(
    id: EventId,
    kind: EventKind,
    collection: &CollectionName,
    change: &RecordChange,
    json: Option<&[u8]>,
) -> Bytes {
    let mut out = Vec::with_capacity(384 + json.map_or(0, <[u8]>::len));
    let head = format!(
        "id: {id}\nevent: {}\ndata: {{\"collection\":\"{collection}\",\"id\":{},\"revision\":{}",
        kind.as_str(),
        change.id.to_value(),
        id.revision
    );
    out.extend_from_slice(head.as_bytes());
    if kind != EventKind::Gone {
        out.extend_from_slice(format!(",\"at\":\"{}\"", record::moment(change.at)).as_bytes());
        if let Some(by) = change.by {
            out.extend_from_slice(format!(",\"by\":\"{by}\"").as_bytes());
        }
        if let Some(operation) = change.operation {
            out.extend_from_slice(format!(",\"operation\":\"{operation}\"").as_bytes());
        }
        if let Some(json) = json {
            out.extend_from_slice(b",\"record\":");
            out.extend_from_slice(json);
        }
    }
    out.extend_from_slice(b"}\n\n");
    out.into()
}

/// A record of a snapshot. It has no id: who breaks off within a snapshot begins anew.
pub(super) fn of_snapshot(collection: &CollectionName, json: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(80 + json.len());
    let head = format!("event: record\ndata: {{\"collection\":\"{collection}\",\"record\":");
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(json);
    out.extend_from_slice(b"}\n\n");
    out.into()
}

/// Any other event.
pub(super) fn of(id: Option<EventId>, kind: EventKind, data: &EventData) -> Bytes {
    // Texts and numbers always write.
    let json = serde_json::to_string(data).unwrap_or_default();
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    Bytes::from(format!("{id}event: {}\ndata: {json}\n\n", kind.as_str()))
}

/// What is held has to be read again: of one collection, or all of it. What follows goes on from here.
pub(super) fn reset(id: EventId, reason: &str, collection: Option<CollectionName>) -> Frame {
    let data = EventData {
        collection,
        revision: Some(id.revision),
        reason: Some(reason.to_owned()),
        since: Some(id),
        ..EventData::default()
    };
    Frame { id, bytes: of(Some(id), EventKind::Reset, &data) }
}

/// A sign of life, which moves the reader's place on: a block without data is no event, but its id counts.
pub(super) fn heartbeat(id: EventId) -> Bytes {
    Bytes::from(format!(":\nid: {id}\n\n"))
}

/// How long a reader waits before it connects again, in milliseconds.
pub(super) fn retry(millis: u64) -> String {
    format!("retry: {millis}\n")
}
