//! Turns at long reading. There are as many as there are processors, and they go round among the callers who wait, one to each, whatever
//! number of requests each of them has. So a caller with a hundred searches delays another's one search as much as a caller with one.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use base::ClientNetwork;
use common::id::UserId;
use tokio::sync::oneshot;

/// Requests of one caller that may wait. One more is told to come back.
const MAX_WAITING: usize = 256;

/// Who takes turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TurnOf {
    /// A user, from wherever they call.
    User(UserId),
    /// Everybody from one network who is not signed in.
    Network(ClientNetwork),
    /// What no request asked for.
    Server,
}

impl TurnOf {
    /// A user, or the network of an address where nobody is signed in.
    pub fn of(user: Option<UserId>, address: IpAddr) -> Self {
        user.map_or_else(|| Self::Network(ClientNetwork::of(address)), Self::User)
    }
}

/// The turns of one server. Clones share them.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Mutex<TurnQueue>>);

#[derive(Debug)]
struct TurnQueue {
    free: usize,
    /// Callers in the order in which they come up; each has somebody waiting.
    order: VecDeque<TurnOf>,
    waiting: HashMap<TurnOf, VecDeque<oneshot::Sender<Turn>>>,
}

/// The right to read for a while. It goes to the next who waits when it is dropped.
#[derive(Debug)]
pub struct Turn(Turns);

/// So many requests of this caller wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// Where among the caller's own requests one lines up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// It has had no turn yet: behind the others.
    Arrival,
    /// It goes on, before the others: one after another ends early, and all at once end late.
    Front,
    /// It goes on for as long as somebody takes what it makes, so the others come in between.
    Back,
}

/// A place among those who wait.
pub enum Admission {
    /// It is one's turn at once.
    Now(Turn),
    /// Later.
    Later(oneshot::Receiver<Turn>),
}

impl Turns {
    /// So many at once.
    pub fn new(count: usize) -> Self {
        Self(Arc::new(Mutex::new(TurnQueue { free: count.max(1), order: VecDeque::new(), waiting: HashMap::new() })))
    }

    /// Lines up among the caller's requests.
    pub fn line_up(&self, of: TurnOf, at: At) -> Result<Admission, TooMany> {
        let mut round = self.lock();
        if round.free > 0 {
            round.free -= 1;
            return Ok(Admission::Now(Turn(self.clone())));
        }
        let own = round.waiting.entry(of).or_default();
        if own.len() >= MAX_WAITING && at == At::Arrival {
            return Err(TooMany);
        }
        let (sender, receiver) = oneshot::channel();
        if at == At::Front {
            own.push_front(sender);
        } else {
            own.push_back(sender);
        }
        if own.len() == 1 {
            round.order.push_back(of);
        }
        Ok(Admission::Later(receiver))
    }

    /// Whether anybody waits.
    pub fn is_wanted(&self) -> bool {
        !self.lock().order.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, TurnQueue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut round = self.0.lock();
            let next = round.next();
            if next.is_none() {
                round.free += 1;
            }
            next
        };
        if let Some(next) = next {
            // Somebody who has left meanwhile gives it back at once, and so to the next.
            let _ = next.send(Self(self.0.clone()));
        }
    }
}

impl TurnQueue {
    /// The next who waits and is still there.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        while let Some(of) = self.order.pop_front() {
            let Some(own) = self.waiting.get_mut(&of) else { continue };
            let next = std::iter::from_fn(|| own.pop_front()).find(|sender| !sender.is_closed());
            if own.is_empty() {
                self.waiting.remove(&of);
            } else {
                self.order.push_back(of);
            }
            if next.is_some() {
                return next;
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(n: u8) -> TurnOf {
        TurnOf::of(None, [192, 0, 2, n].into())
    }

    fn later(turns: &Turns, n: u8) -> oneshot::Receiver<Turn> {
        match turns.line_up(caller(n), At::Arrival) {
            Ok(Admission::Later(receiver)) => receiver,
            _ => panic!("there is no turn left"),
        }
    }

    fn is_up(receiver: &mut oneshot::Receiver<Turn>) -> Option<Turn> {
        receiver.try_recv().ok()
    }

    #[test]
    fn m2_turns_go_round_among_callers_and_not_among_requests() {
        let turns = Turns::new(1);
        let Ok(Admission::Now(turn)) = turns.line_up(caller(1), At::Arrival) else { panic!("it is free") };
        let mut many: Vec<_> = (0..100).map(|_| later(&turns, 1)).collect();
        let mut lone = later(&turns, 2);
        drop(turn);
        let first = is_up(&mut many[0]).expect("who came first");
        assert!(is_up(&mut lone).is_none());
        drop(first);
        let second = is_up(&mut lone).expect("the other caller is next, and not the other 99 requests");
        drop(second);
        assert!(is_up(&mut many[1]).is_some());
    }

    #[test]
    fn m2_who_has_left_is_passed_over_and_no_turn_is_lost() {
        let turns = Turns::new(2);
        let held: Vec<_> = (0..2).map(|_| turns.line_up(caller(1), At::Arrival).map_err(drop)).collect();
        let (gone, mut waits) = (later(&turns, 2), later(&turns, 3));
        drop(gone);
        assert!(turns.is_wanted());
        drop(held);
        assert!(is_up(&mut waits).is_some());
        assert!(!turns.is_wanted());
        assert_eq!(turns.lock().free, 2, "all turns are back");
        assert!(turns.lock().waiting.is_empty(), "nothing is remembered of those who are gone");
    }

    #[test]
    fn m2_a_turn_that_is_given_to_somebody_who_leaves_goes_on() {
        let turns = Turns::new(1);
        let Ok(Admission::Now(turn)) = turns.line_up(caller(1), At::Arrival) else { panic!("it is free") };
        let (leaves, mut waits) = (later(&turns, 2), later(&turns, 3));
        drop(turn);
        // It was sent and never taken.
        drop(leaves);
        assert!(is_up(&mut waits).is_some());
    }

    #[test]
    fn m2_one_caller_cannot_have_any_number_of_requests_waiting() {
        let turns = Turns::new(1);
        let _turn = turns.line_up(caller(1), At::Arrival).map_err(drop);
        let waiting: Vec<_> = (0..MAX_WAITING).map(|_| later(&turns, 1)).collect();
        assert!(matches!(turns.line_up(caller(1), At::Arrival), Err(TooMany)));
        assert!(turns.line_up(caller(2), At::Arrival).is_ok());
        drop(waiting);
    }

    #[test]
    fn m2_of_one_callers_requests_the_first_goes_on_first() {
        let turns = Turns::new(1);
        let Ok(Admission::Now(turn)) = turns.line_up(caller(1), At::Arrival) else { panic!("it is free") };
        let mut second = later(&turns, 1);
        let Ok(Admission::Later(mut first)) = turns.line_up(caller(1), At::Front) else { panic!("it is held") };
        drop(turn);
        assert!(is_up(&mut second).is_none());
        drop(is_up(&mut first).expect("it has begun"));
        assert!(is_up(&mut second).is_some());
    }
    #[test]
    fn m2_what_goes_on_for_long_lets_the_callers_other_requests_in_between() {
        let turns = Turns::new(1);
        let Ok(Admission::Now(turn)) = turns.line_up(caller(1), At::Arrival) else { panic!("it is free") };
        let mut search = later(&turns, 1);
        let Ok(Admission::Later(mut backup)) = turns.line_up(caller(1), At::Back) else { panic!("it is held") };
        drop(turn);
        assert!(is_up(&mut backup).is_none());
        drop(is_up(&mut search).expect("the search is first"));
        assert!(is_up(&mut backup).is_some());
    }
}
