//! Reading a stream of server-sent events as its bytes come, however they are cut (WHATWG HTML §9.2.6).

use super::{EventData, EventId, EventKind};

/// Bytes of one event at most: a record has a quarter of this.
const MAX_BYTES: usize = 1024 * 1024;

/// An event that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What it says.
    pub kind: EventKind,
    /// As its `event:` line has it.
    pub name: String,
    /// Where the stream is after it, where that is known.
    pub id: Option<EventId>,
    /// Its `data:` as it came.
    pub text: String,
    /// The same, read.
    pub data: EventData,
}

/// What the bytes are that came.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all are events")]
pub enum Read {
    /// An event.
    Event(Event),
    /// Nothing happened up to here.
    Heartbeat(Option<EventId>),
    /// The server says how many milliseconds to wait before connecting again.
    Retry(u64),
}

/// The stream is not one of Coffer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotEvents;

/// Reads one stream. Bytes go in as they come; events come out.
#[derive(Debug, Clone, Default)]
pub struct Parser {
    line: Vec<u8>,
    after_return: bool,
    has_begun: bool,
    name: String,
    text: String,
    has_text: bool,
    id: Option<EventId>,
    is_heartbeat: bool,
}

impl Parser {
    /// Takes bytes, and gives what they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Read>, NotEvents> {
        let mut read = Vec::new();
        for &byte in bytes {
            match byte {
                b'\n' if std::mem::take(&mut self.after_return) => {}
                b'\n' | b'\r' => {
                    self.after_return = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.line(&line, &mut read)?;
                }
                byte => {
                    self.after_return = false;
                    self.line.push(byte);
                    if self.line.len() + self.text.len() > MAX_BYTES {
                        return Err(NotEvents);
                    }
                }
            }
        }
        Ok(read)
    }

    fn line(&mut self, line: &[u8], read: &mut Vec<Read>) -> Result<(), NotEvents> {
        let line = if self.has_begun { line } else { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line) };
        self.has_begun = true;
        let line = str::from_utf8(line).map_err(|_| NotEvents)?;
        if line.is_empty() {
            read.extend(self.complete());
            return Ok(());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "" => self.is_heartbeat = true,
            "event" => value.clone_into(&mut self.name),
            "data" => {
                if std::mem::replace(&mut self.has_text, true) {
                    self.text.push('\n');
                }
                self.text.push_str(value);
            }
            "id" => self.id = Some(value.parse().map_err(|_| NotEvents)?),
            "retry" => read.extend(value.parse().ok().map(Read::Retry)),
            _ => {}
        }
        Ok(())
    }

    fn complete(&mut self) -> Option<Read> {
        let (name, text) = (std::mem::take(&mut self.name), std::mem::take(&mut self.text));
        let (has_text, is_heartbeat) = (std::mem::take(&mut self.has_text), std::mem::take(&mut self.is_heartbeat));
        if !has_text {
            return is_heartbeat.then_some(Read::Heartbeat(self.id));
        }
        // What a later version says in data of another form is an event of a kind that this one does not know.
        let (kind, data) = match serde_json::from_str(&text) {
            Ok(data) => (EventKind::of(&name), data),
            Err(_) => (EventKind::Other, EventData::default()),
        };
        Some(Read::Event(Event { kind, name, id: self.id, text, data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "\u{feff}retry: 2000\nid: 7\nevent: open\ndata: {\"since\":\"7\"}\n\n:\nid: 9\n\nid: 10.2\r\nevent: update\r\ndata: {\"collection\":\"words\",\r\ndata: \"revision\":10,\"record\":{\"word\":\"bücher\",\"n\":12.917521550408111}}\r\n\r\nevent: later\ndata: []\n\nevent: empty\n\n";

    fn all(cuts: impl Iterator<Item = usize>) -> Vec<Read> {
        let (mut parser, mut read, mut at) = (Parser::default(), Vec::new(), 0);
        for cut in cuts.chain([STREAM.len()]) {
            read.extend(parser.push(&STREAM.as_bytes()[at..cut]).unwrap());
            at = cut;
        }
        read
    }

    #[test]
    fn events_are_the_same_wherever_their_bytes_are_cut() {
        let whole = all(std::iter::empty());
        assert_eq!(whole.len(), 5, "{whole:?}");
        assert_eq!(whole[0], Read::Retry(2000));
        assert_eq!(whole[2], Read::Heartbeat("9".parse().ok()));
        let Read::Event(update) = &whole[3] else { panic!("{whole:?}") };
        assert_eq!((update.kind, update.id), (EventKind::Update, "10.2".parse().ok()));
        assert!(update.data.record.as_ref().unwrap().to_string().contains("12.917521550408111"));
        let Read::Event(later) = &whole[4] else { panic!("{whole:?}") };
        assert_eq!((later.kind, later.name.as_str(), later.id), (EventKind::Other, "later", update.id));
        for cut in 0..STREAM.len() {
            assert_eq!(all(std::iter::once(cut)), whole, "{cut}");
        }
        assert_eq!(all(0..STREAM.len()), whole);
    }

    #[test]
    fn what_is_no_stream_of_events_is_refused() {
        for bad in ["id: x\n", "data: \u{0}\nid: 1.\n"] {
            assert!(Parser::default().push(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Parser::default().push(b"\xff\xfe\n").is_err());
        assert!(Parser::default().push(&vec![b'x'; MAX_BYTES + 1]).is_err());
    }
}
