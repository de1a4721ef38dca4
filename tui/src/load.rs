//! The requests that are under way. Every request has a ticket of its own, and its answer brings the ticket back, so that an answer reaches
//! the screen that asked and no other.

use std::{cell::Cell, rc::Rc};

/// Tells the answer that is waited for from all others. Only [`Tickets`] makes them, and each of them once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket(u64);

/// Makes tickets. All clones count together.
#[derive(Debug, Clone, Default)]
pub struct Tickets(Rc<Cell<u64>>);

impl Tickets {
    /// A ticket that no request has had yet.
    pub fn next(&self) -> Ticket {
        self.0.set(self.0.get() + 1);
        Ticket(self.0.get())
    }
}

/// A thing that is loaded, perhaps anew while its old state is still shown.
#[derive(Debug, Clone, Default)]
pub struct Load {
    ticket: Option<Ticket>,
    is_quiet: bool,
    /// Somebody else has changed it since it was asked for last.
    pub is_stale: bool,
    /// Why it could not be loaded.
    pub error: Option<String>,
}

impl Load {
    /// An answer with the ticket that this gives is waited for from now on, and no other. The ticket is made here, so that
    /// two screens cannot wait for the same answer.
    pub fn begin(&mut self, tickets: &Tickets) -> Ticket {
        let ticket = tickets.next();
        self.ticket = Some(ticket);
        (self.is_quiet, self.is_stale) = (false, false);
        self.error = None;
        ticket
    }

    /// The same because others changed it: nobody is told that it is being loaded.
    pub fn begin_quietly(&mut self, tickets: &Tickets) -> Ticket {
        let ticket = tickets.next();
        self.ticket = Some(ticket);
        (self.is_quiet, self.is_stale) = (true, false);
        ticket
    }

    /// Whether this is the answer that is waited for. It is not waited for any more.
    pub fn finish(&mut self, ticket: Ticket) -> bool {
        let is_it = self.ticket == Some(ticket);
        if is_it {
            self.ticket = None;
            self.error = None;
        }
        is_it
    }

    /// Whether this is the answer that is waited for, and nobody pressed a key for it.
    pub fn is_quiet(&self, ticket: Ticket) -> bool {
        self.is_quiet && self.ticket == Some(ticket)
    }

    /// Somebody waits for an answer.
    pub fn is_waited_for(&self) -> bool {
        self.ticket.is_some() && !self.is_quiet
    }

    /// An answer is waited for.
    pub fn is_under_way(&self) -> bool {
        self.ticket.is_some()
    }
}
