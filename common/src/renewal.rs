//! When an access token is renewed: one state machine for both clients. It does no I/O and has no clock: the caller says what
//! time it is, sends what there is to send, and says how that went.
//!
//! A token is renewed ahead of its end, so that no request has to wait for a refusal; once the server has refused it; and before
//! anything is sent with one that has ended, as after the machine has slept. Requests that need a new token at once share one
//! renewal. A renewal that fails because nothing answers ends no session.

use crate::call_error::CallError;

/// An access token. No `Debug`: tokens are not for logs.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken<U> {
    /// Goes with every request.
    pub text: String,
    /// The user whose session it is.
    pub user: U,
    /// When to renew it: milliseconds on the caller's clock.
    pub renew_at: u64,
    /// When it ends: milliseconds on the caller's clock.
    pub ends_at: u64,
}

impl<U> AccessToken<U> {
    /// A token that was asked for at `asked_at` and lives for so many seconds. It is renewed when four fifths of its life are
    /// over. Its life is counted from when it was asked for: the answer may have come late.
    pub fn new(text: String, user: U, life: u64, asked_at: u64) -> Self {
        let life = life.saturating_mul(1000);
        Self { text, user, renew_at: asked_at.saturating_add(life / 5 * 4), ends_at: asked_at.saturating_add(life) }
    }
}

/// A renewal that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    number: u64,
    /// When it began: milliseconds on the caller's clock.
    pub began_at: u64,
}

/// The next step of a request.
#[derive(Clone, PartialEq, Eq)]
pub enum Next {
    /// It is sent with this token.
    Send(String),
    /// It renews the token, tells [`Renewal::finish`] how that went, and takes what [`Renewal::usable`] gives then.
    Renew(Attempt),
    /// Another request's renewal is under way: it waits for that one, and takes what [`Renewal::usable`] gives then.
    Wait,
    /// There is no session.
    SignedOut,
}

/// How a renewal went.
pub enum Outcome<U> {
    /// There is a new token.
    Renewed(AccessToken<U>),
    /// The server refuses to renew: the session is over.
    Over,
    /// Nothing answered, or the server could not say.
    Failed,
}

impl<U> Outcome<U> {
    /// What an error means for the session.
    pub fn of_error(error: &CallError) -> Self {
        if matches!(error.status(), 400 | 401) { Self::Over } else { Self::Failed }
    }
}

/// The access token, and the renewal that may be under way.
#[derive(Clone)]
pub struct Renewal<U> {
    token: Option<AccessToken<U>>,
    under_way: Option<Attempt>,
    attempts: u64,
}

impl<U> Default for Renewal<U> {
    fn default() -> Self {
        Self { token: None, under_way: None, attempts: 0 }
    }
}

impl<U: PartialEq> Renewal<U> {
    /// A session begins, or goes on, with this token. What a renewal that was under way brings is not taken any more.
    pub fn begin(&mut self, token: AccessToken<U>) {
        (self.token, self.under_way) = (Some(token), None);
    }

    /// The session is over. What a renewal that was under way brings is not taken any more.
    pub fn end(&mut self) {
        (self.token, self.under_way) = (None, None);
    }

    /// The token at hand, whatever its age.
    pub fn token(&self) -> Option<&AccessToken<U>> {
        self.token.as_ref()
    }

    /// The next step of a request; `refused` is the token with which it was refused before.
    pub fn next(&mut self, now: u64, refused: Option<&str>) -> Next {
        match &self.token {
            None => Next::SignedOut,
            Some(token) if now < token.renew_at && refused != Some(&token.text) => Next::Send(token.text.clone()),
            Some(_) => self.renew(now),
        }
    }

    /// Asks for a renewal whatever the token's age, also where there is no token yet.
    pub fn renew(&mut self, now: u64) -> Next {
        if self.under_way.is_some() {
            return Next::Wait;
        }
        self.attempts += 1;
        let attempt = Attempt { number: self.attempts, began_at: now };
        self.under_way = Some(attempt);
        Next::Renew(attempt)
    }

    /// Takes how a renewal went. Says whether it counts: one that was overtaken by a sign-in or a sign-out changes nothing.
    pub fn finish(&mut self, attempt: Attempt, outcome: Outcome<U>) -> bool {
        if self.under_way != Some(attempt) {
            return false;
        }
        self.under_way = None;
        match outcome {
            Outcome::Renewed(token) => self.token = Some(token),
            Outcome::Over => self.token = None,
            Outcome::Failed => {}
        }
        true
    }

    /// The token for a request of this user once a renewal is over, however it went: the new one, or the one at hand as long as it
    /// has not ended and was not refused. What one user asked for is never sent as another.
    pub fn usable(&self, now: u64, user: &U, refused: Option<&str>) -> Option<String> {
        let token = self.token.as_ref()?;
        (token.user == *user && refused != Some(&token.text) && now <= token.ends_at).then(|| token.text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 10_000_000;
    const SECOND: u64 = 1000;

    fn token(text: &str, asked_at: u64) -> AccessToken<&'static str> {
        AccessToken::new(text.to_owned(), "ada", 300, asked_at)
    }

    fn signed_in() -> Renewal<&'static str> {
        let mut renewal = Renewal::default();
        renewal.begin(token("a1", START));
        renewal
    }

    fn sends(next: &Next) -> Option<String> {
        match next {
            Next::Send(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn attempt(next: &Next) -> Attempt {
        match next {
            Next::Renew(attempt) => *attempt,
            Next::Send(_) => panic!("the token is sent"),
            Next::Wait => panic!("another renewal is waited for"),
            Next::SignedOut => panic!("there is no session"),
        }
    }

    fn usable(renewal: &Renewal<&'static str>, now: u64, refused: Option<&str>) -> Option<String> {
        renewal.usable(now, &"ada", refused)
    }

    #[test]
    fn a_token_is_used_for_four_fifths_of_its_life_and_then_renewed() {
        let mut renewal = signed_in();
        assert_eq!(sends(&renewal.next(START + 239 * SECOND, None)).as_deref(), Some("a1"));
        let now = START + 240 * SECOND;
        let began = attempt(&renewal.next(now, None));
        assert!(renewal.finish(began, Outcome::Renewed(token("a2", began.began_at))));
        assert_eq!(usable(&renewal, now, None).as_deref(), Some("a2"));
        assert_eq!(sends(&renewal.next(now, None)).as_deref(), Some("a2"));
    }

    #[test]
    fn a_token_that_lives_for_seconds_is_not_renewed_for_every_request() {
        let mut renewal = Renewal::default();
        renewal.begin(AccessToken::new("a1".to_owned(), "ada", 5, START));
        assert_eq!(sends(&renewal.next(START + 3 * SECOND, None)).as_deref(), Some("a1"));
    }

    #[test]
    fn several_requests_at_once_share_one_renewal() {
        let mut renewal = signed_in();
        let now = START + 250 * SECOND;
        let began = attempt(&renewal.next(now, None));
        assert!(matches!(renewal.next(now, None), Next::Wait));
        assert!(matches!(renewal.next(now, Some("a1")), Next::Wait), "also one that was refused");
        assert!(renewal.finish(began, Outcome::Renewed(token("a2", now))));
        assert_eq!(usable(&renewal, now, Some("a1")).as_deref(), Some("a2"));
        assert_eq!(
            sends(&renewal.next(now, Some("a1"))).as_deref(),
            Some("a2"),
            "a refusal of the old token is history"
        );
    }

    #[test]
    fn a_refused_token_is_renewed_whatever_its_age() {
        let mut renewal = signed_in();
        let began = attempt(&renewal.next(START + SECOND, Some("a1")));
        assert!(renewal.finish(began, Outcome::Failed));
        assert_eq!(usable(&renewal, START + SECOND, Some("a1")), None);
        assert!(renewal.token().is_some());
    }

    #[test]
    fn a_renewal_that_nothing_answers_ends_no_session() {
        let mut renewal = signed_in();
        let now = START + 250 * SECOND;
        let unreachable = CallError::Unreachable("it took too long".to_owned());
        let began = attempt(&renewal.next(now, None));
        assert!(renewal.finish(began, Outcome::of_error(&unreachable)));
        assert_eq!(usable(&renewal, now, None).as_deref(), Some("a1"), "it is good for fifty seconds more");
        assert_eq!(usable(&renewal, START + 301 * SECOND, None), None, "and no longer");
        assert!(matches!(renewal.next(START + 301 * SECOND, None), Next::Renew(_)), "the next request tries again");
    }

    #[test]
    fn a_renewal_that_is_refused_ends_the_session() {
        let mut renewal = signed_in();
        let began = attempt(&renewal.next(START + 250 * SECOND, None));
        let refused = CallError::Problem(Box::new(crate::Problem::unauthorized("The token is spent.")));
        assert!(renewal.finish(began, Outcome::of_error(&refused)));
        assert!(matches!(renewal.next(START + 250 * SECOND, None), Next::SignedOut));
        let busy = CallError::Problem(Box::new(crate::Problem::unavailable("Not now.")));
        assert!(matches!(Outcome::<()>::of_error(&busy), Outcome::Failed));
    }

    #[test]
    fn after_a_sleep_nothing_is_sent_with_a_token_that_has_ended() {
        let mut renewal = signed_in();
        let woken = START + 3600 * SECOND;
        let began = attempt(&renewal.next(woken, None));
        assert_eq!(usable(&renewal, woken, None), None);
        assert!(renewal.finish(began, Outcome::Renewed(token("a2", woken))));
        assert_eq!(usable(&renewal, woken, None).as_deref(), Some("a2"));
    }

    #[test]
    fn a_sleep_during_a_renewal_makes_the_new_token_no_younger() {
        let mut renewal = signed_in();
        let began = attempt(&renewal.next(START + 250 * SECOND, None));
        let woken = START + 3600 * SECOND;
        assert!(renewal.finish(began, Outcome::Renewed(token("a2", began.began_at))));
        assert!(matches!(renewal.next(woken, None), Next::Renew(_)));
    }

    #[test]
    fn a_renewal_that_is_answered_after_the_session_ended_does_not_bring_it_back() {
        let mut renewal = signed_in();
        let late = attempt(&renewal.next(START + 250 * SECOND, None));
        renewal.end();
        assert!(!renewal.finish(late, Outcome::Renewed(token("a2", START))));
        assert!(renewal.token().is_none());
        renewal.begin(AccessToken::new("b1".to_owned(), "bob", 300, START));
        assert!(!renewal.finish(late, Outcome::Over), "nor end that of somebody else");
        assert_eq!(sends(&renewal.next(START, None)).as_deref(), Some("b1"));
        assert_eq!(usable(&renewal, START, None), None, "what ada asked for is not sent as bob");
    }

    #[test]
    fn a_clock_that_is_set_back_costs_one_refusal() {
        let mut renewal = signed_in();
        let set_back = START - 3600 * SECOND;
        assert_eq!(sends(&renewal.next(set_back, None)).as_deref(), Some("a1"));
        assert!(matches!(renewal.next(set_back, Some("a1")), Next::Renew(_)));
    }
}
