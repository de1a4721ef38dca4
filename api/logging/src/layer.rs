//! Where `tracing` hands its events over: each becomes a line, and the line goes to the writer.

use std::cell::Cell;

use common::{
    Endpoint as _,
    endpoints::{log, metrics},
};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use super::{
    line::Lines,
    request::{ACCESS, RequestId},
    tail::Tail,
    writer::Writer,
};

thread_local! {
    /// Used again for the next line. Taken while in use, since to show a value may log.
    static LINE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The name of the field that says to which request a line belongs.
const REQUEST_ID: &str = "request_id";

/// Makes a line of every event and hands it to the writer.
pub(super) struct LineLayer {
    lines: Lines,
    writer: Writer,
    tail: Tail,
    /// What lines of requests say that look at how the server is, again and again: they would fill the tail.
    looks: [String; 2],
}

impl LineLayer {
    pub(super) fn new(lines: Lines, writer: Writer, tail: Tail) -> Self {
        let looks = [log::Lines::PATH, metrics::Recent::PATH].map(|path| format!(" route={path} status=200 "));
        Self { lines, writer, tail, looks }
    }

    fn keep(&self, line: &[u8], event: &Event<'_>) {
        let metadata = event.metadata();
        let level = *metadata.level();
        let Some((at, text)) = Lines::parts(line) else { return };
        let is_look = metadata.target() == ACCESS && self.looks.iter().any(|look| text.contains(look));
        if !is_look {
            self.tail.push(at, level, text);
        }
    }
}

impl<S: Subscriber> Layer<S> for LineLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = LINE.try_with(Cell::take).unwrap_or_default();
        line.clear();
        write(&self.lines, &mut line, event);
        self.writer.push(&line, *event.metadata().level() <= Level::WARN);
        if self.lines.is_text() {
            self.keep(&line, event);
        } else {
            line.clear();
            write(&self.lines.as_text(), &mut line, event);
            self.keep(&line, event);
        }
        let _ = LINE.try_with(|buffer| buffer.set(line));
    }
}

fn write(lines: &Lines, line: &mut Vec<u8>, event: &Event<'_>) {
    let metadata = event.metadata();
    let mut fields = lines.begin(line, *metadata.level(), metadata.target());
    event.record(&mut fields);
    // The access line names its request itself: it is also written outside of the request's task.
    if let Some(id) = RequestId::current()
        && metadata.fields().field(REQUEST_ID).is_none()
    {
        fields.plain_text(REQUEST_ID, id.as_str());
    }
    lines.end(line);
}

#[cfg(test)]
mod tests {
    use base::Clock;
    use serde_json::{Value, json};
    use tracing_subscriber::{Registry, layer::SubscriberExt as _};
    use uuid::Uuid;

    use super::*;
    use crate::line::Format;

    const HOSTILE: &str = "ada\nroot=1 \"ok\"\r\t\\\u{1b}[2J\u{202e}\u{2028}\u{85}\0é";

    struct Sender(std::sync::mpsc::Sender<Vec<u8>>);

    impl std::io::Write for Sender {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(std::io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What the log makes of the one event of `log`.
    fn line(format: Format, log: impl FnOnce()) -> String {
        let (sent, read) = std::sync::mpsc::channel();
        let lines = Lines::new(format, Clock::held(1_800_000_000).0);
        let writer = Writer::start(Sender(sent), lines.clone()).unwrap();
        let layer = LineLayer::new(lines, writer, Tail::default());
        tracing::subscriber::with_default(Registry::default().with(layer), log);
        String::from_utf8(read.recv().unwrap()).unwrap()
    }

    #[test]
    fn l2_the_tail_has_the_lines_of_both_formats_as_text_but_not_those_of_who_looks_at_it() {
        for format in [Format::Text, Format::Json] {
            let lines = Lines::new(format, Clock::held(1_800_000_000).0);
            let tail = Tail::default();
            let layer = LineLayer::new(lines.clone(), Writer::start(std::io::sink(), lines).unwrap(), tail.clone());
            tracing::subscriber::with_default(Registry::default().with(layer), || {
                tracing::warn!(user = HOSTILE, "odd");
                for (route, status) in [("/api/log/lines/", 200), ("/api/log/lines/", 403), ("/api/metrics/", 200)] {
                    tracing::info!(target: "coffer::access", method = "GET", route, status, ms = 1.0);
                }
            });
            let (kept, _) = tail.after(0, Level::TRACE, 9);
            let texts: Vec<&str> = kept.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(texts.len(), 2, "{texts:?}");
            assert!(
                texts[0].starts_with("odd user=\"ada\\nroot=1 ") && !texts[0].contains(char::is_control),
                "{texts:?}"
            );
            assert_eq!(
                texts[1], "method=GET route=/api/log/lines/ status=403 ms=1",
                "what was refused is worth a line"
            );
            assert_eq!((kept[0].at.as_str(), kept[0].level), ("2027-01-15T08:00:00.000000Z", Level::WARN));
        }
    }

    /// What the log makes of an event with every kind of field.
    fn event(format: Format) -> String {
        line(format, || {
            tracing::info!(
                target: "coffer::access",
                plain = "GET", path = "/a/{b}?", empty = "", hostile = HOSTILE, quote = "a\"b", equal = "a=b", space = "a b",
                back = "a\\b", shown = %"a b", n = 5_u64, below = -5_i64, yes = true, ms = 1.25, none = None::<&str>, "done"
            );
        })
    }

    #[test]
    fn a_line_of_a_request_has_its_id_once() {
        let id = RequestId::new(Uuid::from_u128(7));
        for (format, field) in
            [(Format::Text, format!(" request_id={id}")), (Format::Json, format!(",\"request_id\":\"{id}\""))]
        {
            let written = line(format, || id.sync_scope(|| tracing::error!(reason = "none", "a request failed")));
            assert_eq!(written.matches(&field).count(), 1, "{written}");
            let written = line(format, || id.sync_scope(|| tracing::info!(request_id = id.as_str(), "access")));
            assert_eq!(written.matches("request_id").count(), 1, "{written}");
            let written = line(format, || tracing::error!("nobody asked for this"));
            assert!(!written.contains("request_id"), "{written}");
        }
    }

    #[test]
    fn l2_an_events_fields_are_quoted_and_escaped_where_they_need_it() {
        let shown = r#"ada\nroot=1 \"ok\"\r\t\\\u001b[2J\u202e\u2028\u0085\u0000é"#;
        let expected = format!(
            "2027-01-15T08:00:00.000000Z  INFO done plain=GET path=/a/{{b}}? empty=\"\" hostile=\"{shown}\" quote=\"a\\\"b\" \
             equal=\"a=b\" space=\"a b\" back=\"a\\\\b\" shown=\"a b\" n=5 below=-5 yes=true ms=1.25\n"
        );
        assert_eq!(event(Format::Text), expected);
        let read: Value = serde_json::from_str(&event(Format::Json)).unwrap();
        let expected = json!({
            "timestamp": "2027-01-15T08:00:00.000000Z", "level": "INFO", "target": "coffer::access", "message": "done",
            "plain": "GET", "path": "/a/{b}?", "empty": "", "hostile": HOSTILE, "quote": "a\"b", "equal": "a=b", "space": "a b",
            "back": "a\\b", "shown": "a b", "n": 5, "below": -5, "yes": true, "ms": 1.25
        });
        assert_eq!(read, expected);
    }
}
