//! A client of a stream, which reads it as a program would.

use std::{collections::VecDeque, time::Duration};

use common::event::{
    EventId, HEARTBEAT_SECONDS,
    parser::{Parser, Read},
};
use reqwest::{Method, Response};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::support::Client;

/// Longer than anything takes that comes at all, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(1);

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Event {
    pub name: String,
    /// The last id that came with or before it.
    pub last: Option<EventId>,
    pub value: Value,
}

impl Event {
    /// Its id.
    pub(crate) fn id(&self) -> String {
        self.last.map(|id| id.to_string()).unwrap_or_default()
    }
}

/// A stream that is open.
pub(crate) struct Reader {
    response: Response,
    parser: Parser,
    waiting: VecDeque<Event>,
    /// Signs of life so far.
    pub heartbeats: usize,
    /// Where to go on.
    pub last: Option<EventId>,
}

impl Reader {
    /// Opens one.
    pub(crate) async fn open(client: &Client, query: &str) -> Self {
        Self::open_after(client, query, None).await
    }

    /// Goes on after an event.
    pub(crate) async fn open_after(client: &Client, query: &str, last: Option<EventId>) -> Self {
        let mut request = client.request(Method::GET, &format!("/api/events/?{query}"));
        if let Some(last) = last {
            request = request.header("last-event-id", last.to_string());
        }
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 200, "{query}: {}", response.text().await.unwrap());
        Self { response, parser: Parser::default(), waiting: VecDeque::new(), heartbeats: 0, last }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The next event; it must come.
    pub(crate) async fn next(&mut self) -> Event {
        self.next_or_end().await.expect("the stream goes on")
    }

    /// The next sign of life, and the place that it says; nothing else may come before it.
    pub(crate) async fn heartbeat(&mut self) -> Option<EventId> {
        let deadline = Instant::now() + Duration::from_secs(2 * HEARTBEAT_SECONDS);
        loop {
            let chunk = timeout_at(deadline, self.response.chunk()).await.expect("it comes in time").unwrap();
            for read in self.parser.push(&chunk.expect("the stream goes on")).unwrap() {
                match read {
                    Read::Heartbeat(id) => return id,
                    Read::Event(event) => panic!("{}", event.text),
                    Read::Retry(_) => {}
                }
            }
        }
    }

    /// The next event, or `None` at the end of the stream.
    pub(crate) async fn next_or_end(&mut self) -> Option<Event> {
        // Signs of life are no events: what comes beside them has to come in time.
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(event) = self.waiting.pop_front() {
                self.last = event.last.or(self.last);
                return Some(event);
            }
            let chunk = timeout_at(deadline, self.response.chunk()).await.expect("something comes in time").unwrap()?;
            for read in self.parser.push(&chunk).unwrap() {
                match read {
                    Read::Event(event) => self.waiting.push_back(Event {
                        name: event.name,
                        last: event.id,
                        value: serde_json::from_str(&event.text).unwrap(),
                    }),
                    Read::Heartbeat(id) => {
                        self.heartbeats += 1;
                        self.last = id.or(self.last);
                    }
                    Read::Retry(_) => {}
                }
            }
        }
    }

    /// Events up to and with the first of this name.
    pub(crate) async fn until(&mut self, name: &str) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let event = self.next().await;
            let is_last = event.name == name;
            events.push(event);
            if is_last {
                return events;
            }
        }
    }
}
