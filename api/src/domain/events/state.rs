//! What a server holds of those who follow events.

use std::sync::atomic::Ordering::Relaxed;

use super::{hub::Hub, scope::Filter, shared::Shared, ticket::Tickets};

/// Who follows what happens.
#[derive(Default)]
pub struct Events {
    /// The subscribers.
    pub(in crate::domain) hub: Hub,
    /// What opens streams in place of tokens.
    pub(super) tickets: Tickets,
    /// What subscribers hold together.
    pub(super) shared: Shared<Filter>,
}

/// What is counted of streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Streams that are open.
    pub open: u64,
    /// Events that were handed to streams that are up to date.
    pub delivered: u64,
    /// Streams whose clients took less than happened.
    pub let_go: u64,
}

impl Events {
    /// What was counted so far.
    pub fn counts(&self) -> Counts {
        let Hub { open, delivered, let_go, .. } = &self.hub;
        Counts { open: open.load(Relaxed), delivered: delivered.load(Relaxed), let_go: let_go.load(Relaxed) }
    }
}
