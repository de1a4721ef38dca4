//! Each rule about tokens in `docs/security.md` that needs no store (T1 to T11, T20), by name.

use std::time::Duration;

use base::{ClockHand, Entropy};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::keys::KeyState;

mod claims;
mod forgery;

const NOW: i64 = 1_800_000_000;

struct Bench {
    directory: tempfile::TempDir,
    ring: KeyRing,
    clock: Clock,
    hand: ClockHand,
    issuer: Issuer,
    verifier: Verifier,
}

impl Bench {
    fn new() -> Self {
        Self::with(Algorithm::Hs256)
    }

    fn with(algorithm: Algorithm) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (clock, hand) = Clock::held(NOW);
        if algorithm != Algorithm::Hs256 {
            KeyRing::add(directory.path(), algorithm, &clock, &Entropy::seeded(5)).unwrap();
        }
        let ring = KeyRing::open(directory.path(), &clock, &Entropy::seeded(5)).unwrap();
        let (issuer, verifier) = pair(&ring, &clock);
        Self { directory, ring, clock, hand, issuer, verifier }
    }

    fn issue(&self, kind: TokenType) -> (String, Claims) {
        let (token, claims) = self.issuer.issue(kind, UserId::from_uuid(id()), SessionId::from_uuid(id()), None);
        (token.into_string(), claims)
    }

    /// Header and payload of a fresh token, to be changed and signed again.
    fn parts(&self, kind: TokenType) -> (Value, Value) {
        let (token, claims) = self.issue(kind);
        let header = token.split('.').next().unwrap();
        let header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
        (header, claims.payload(&TokenSettings::default(), &Object::new()))
    }

    /// Signs any two texts with the ring's own key.
    fn forge(&self, header: &str, payload: &str) -> String {
        sign(header, payload, &encoding_key(self.ring.signing()).unwrap(), JwsAlgorithm::HS256)
    }

    fn forge_payload(&self, kind: TokenType, change: impl FnOnce(&mut Value)) -> String {
        let (header, mut payload) = self.parts(kind);
        change(&mut payload);
        self.forge(&header.to_string(), &payload.to_string())
    }

    fn forge_header(&self, change: impl FnOnce(&mut Value)) -> String {
        let (mut header, payload) = self.parts(TokenType::Access);
        change(&mut header);
        self.forge(&header.to_string(), &payload.to_string())
    }

    fn refuse(&self, token: &str) -> TokenError {
        self.verifier.verify(token, TokenType::Access).expect_err(token)
    }
}

fn pair(ring: &KeyRing, clock: &Clock) -> (Issuer, Verifier) {
    let ids = IdSource::new(clock.clone(), Entropy::seeded(6));
    let settings = TokenSettings::default();
    (
        Issuer::new(ring, settings.clone(), clock.clone(), ids).unwrap(),
        Verifier::new(ring, settings, clock.clone()).unwrap(),
    )
}

fn id() -> Uuid {
    IdSource::new(Clock::system(), Entropy::system()).next_id()
}

fn sign(header: &str, payload: &str, key: &EncodingKey, algorithm: JwsAlgorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

fn is_invalid(error: TokenError) -> bool {
    matches!(error, TokenError::Invalid(_))
}

#[test]
fn every_algorithm_signs_and_verifies_and_publishes_only_public_keys() {
    for algorithm in Algorithm::ALL {
        let bench = Bench::with(algorithm);
        for kind in [TokenType::Access, TokenType::Refresh] {
            let (token, claims) = bench.issue(kind);
            assert_eq!(bench.verifier.verify(&token, kind), Ok(claims), "{algorithm}");
            assert_eq!(bench.verifier.verify_any(&token), Ok(claims), "{algorithm}");
        }
        let published = bench.verifier.public_keys()["keys"].as_array().unwrap();
        if algorithm == Algorithm::Hs256 {
            assert!(published.is_empty());
            continue;
        }
        let key = &published[0];
        assert_eq!(key["alg"], algorithm.as_str());
        assert_eq!(key["kid"], bench.ring.signing().kid());
        assert_eq!(key["use"], "sig");
        for private in ["d", "k", "p", "q", "dp", "dq", "qi"] {
            assert!(key.get(private).is_none(), "{algorithm} publishes {private}");
        }
    }
}

#[test]
fn the_claims_and_the_header_are_those_of_the_contract() {
    let bench = Bench::new();
    let (header, payload) = bench.parts(TokenType::Access);
    assert_eq!(header, json!({"typ": "JWT", "alg": "HS256", "kid": bench.ring.signing().kid()}));
    let names: Vec<_> = payload.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["token_type", "exp", "iat", "jti", "user_id", "sid", "iss", "aud"]);
    assert_eq!(payload["token_type"], "access");
    assert_eq!((&payload["iat"], &payload["exp"]), (&json!(NOW), &json!(NOW + 300)));
}

#[test]
fn a_token_signed_again_with_other_spacing_and_more_claims_is_good() {
    let bench = Bench::new();
    let (header, mut payload) = bench.parts(TokenType::Access);
    payload["note"] = json!({"anything": [1.5, null]});
    let token = bench.forge(&format!(" {header:#}\n"), &format!("{payload:#} "));
    assert!(bench.verifier.verify(&token, TokenType::Access).is_ok());
}

#[test]
fn t6_access_and_refresh_tokens_are_not_taken_for_each_other() {
    let bench = Bench::new();
    let (access, _) = bench.issue(TokenType::Access);
    let (refresh, _) = bench.issue(TokenType::Refresh);
    assert_eq!(bench.verifier.verify(&refresh, TokenType::Access), Err(TokenError::WrongType));
    assert_eq!(bench.verifier.verify(&access, TokenType::Refresh), Err(TokenError::WrongType));
    for other in ["fake_type", "Access", "sliding", ""] {
        let token = bench.forge_payload(TokenType::Refresh, |payload| payload["token_type"] = json!(other));
        assert_eq!(bench.verifier.verify_any(&token), Err(TokenError::WrongType), "{other}");
    }
}

#[test]
fn t7_expiry_is_exact_and_by_the_servers_clock() {
    let bench = Bench::new();
    let (token, claims) = bench.issue(TokenType::Access);
    bench.hand.set(claims.expires_at - 1);
    assert_eq!(bench.verifier.verify(&token, TokenType::Access), Ok(claims));
    bench.hand.set(claims.expires_at);
    assert_eq!(bench.verifier.verify(&token, TokenType::Access), Err(TokenError::Expired));
    assert_eq!(
        bench.verifier.verify(&token, TokenType::Refresh),
        Err(TokenError::Expired),
        "time is judged before type"
    );
}

#[test]
fn t7_a_longer_life_than_was_given_out_is_refused() {
    let bench = Bench::new();
    for (kind, lifetime) in [(TokenType::Access, 300), (TokenType::Refresh, 86_400)] {
        let exact = bench.forge_payload(kind, |payload| payload["exp"] = json!(NOW + lifetime));
        assert!(bench.verifier.verify(&exact, kind).is_ok());
        let longer = bench.forge_payload(kind, |payload| payload["exp"] = json!(NOW + lifetime + 1));
        assert!(is_invalid(bench.verifier.verify(&longer, kind).unwrap_err()));
        let backdated = bench.forge_payload(kind, |payload| payload["iat"] = json!(NOW - 1));
        assert!(is_invalid(bench.verifier.verify(&backdated, kind).unwrap_err()));
        let year_3000 = bench.forge_payload(kind, |payload| payload["exp"] = json!(32_503_680_000_i64));
        assert!(is_invalid(bench.verifier.verify(&year_3000, kind).unwrap_err()));
    }
}

#[test]
fn t11_no_token_outlives_its_session() {
    let bench = Bench::new();
    let (user, session) = (UserId::from_uuid(id()), SessionId::from_uuid(id()));
    let (_, claims) = bench.issuer.issue(TokenType::Refresh, user, session, Some(NOW + 100));
    assert_eq!(claims.expires_at, NOW + 100);
    let (_, claims) = bench.issuer.issue(TokenType::Access, user, session, Some(NOW + 1_000));
    assert_eq!(claims.expires_at, NOW + 300);
}

#[test]
fn t20_the_old_key_verifies_until_it_is_retired() {
    let bench = Bench::new();
    let (old, _) = bench.issue(TokenType::Refresh);
    let data = bench.directory.path();

    KeyRing::add(data, Algorithm::EdDsa, &bench.clock, &Entropy::seeded(8)).unwrap();
    let both = KeyRing::open(data, &bench.clock, &Entropy::seeded(9)).unwrap();
    let (issuer, verifier) = pair(&both, &bench.clock);
    let (new, _) = issuer.issue(TokenType::Refresh, UserId::from_uuid(id()), SessionId::from_uuid(id()), None);
    let new = new.into_string();
    assert!(verifier.verify(&old, TokenType::Refresh).is_ok());
    assert!(verifier.verify(&new, TokenType::Refresh).is_ok());

    let retired = KeyRing::retire(data, bench.ring.signing().kid()).unwrap();
    assert_eq!(retired.state(), KeyState::Retired);
    let only_new = KeyRing::open(data, &bench.clock, &Entropy::seeded(9)).unwrap();
    let (_, verifier) = pair(&only_new, &bench.clock);
    assert!(is_invalid(verifier.verify(&old, TokenType::Refresh).unwrap_err()));
    assert!(verifier.verify(&new, TokenType::Refresh).is_ok());
}

#[test]
fn every_token_has_an_id_of_its_own_and_none_shows_in_debug() {
    let bench = Bench::new();
    let (first, a) = bench.issue(TokenType::Access);
    let (second, b) = bench.issue(TokenType::Access);
    assert_ne!((first, a.id), (second, b.id));
    let (token, _) = bench.issuer.issue(TokenType::Access, a.user, a.session, None);
    assert_eq!(format!("{token:?}"), "SignedToken(..)");
}
