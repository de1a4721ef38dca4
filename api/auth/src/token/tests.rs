//! Each rule about tokens in `docs/security.md` that needs no store (T1 to T11, T20), by name.

use std::time::Duration;

use base::{ClockHand, Entropy};
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::keys::KeyState;

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
fn t1_only_the_keys_own_algorithm_is_accepted() {
    let bench = Bench::new();
    let (header, payload) = bench.parts(TokenType::Access);
    for alg in ["none", "None", "NONE", "nOnE", "", "hs256", "HS384", "HS512", "RS256", "ES256", "EdDSA"] {
        let mut header = header.clone();
        header["alg"] = json!(alg);
        let signed = bench.forge(&header.to_string(), &payload.to_string());
        assert!(is_invalid(bench.refuse(&signed)), "{alg}");
        let unsigned = format!("{}.", signed.rsplit_once('.').unwrap().0);
        assert!(is_invalid(bench.refuse(&unsigned)), "{alg}, unsigned");
    }
    assert!(is_invalid(bench.refuse(&bench.forge_header(|header| _ = header.as_object_mut().unwrap().remove("alg")))));
    let key = EncodingKey::from_secret(bench.ring.signing().material());
    let mut hs512 = header;
    hs512["alg"] = json!("HS512");
    assert!(is_invalid(bench.refuse(&sign(&hs512.to_string(), &payload.to_string(), &key, JwsAlgorithm::HS512))));
}

#[test]
fn t1_a_public_key_is_no_hmac_secret() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let bench = Bench::with(algorithm);
        let (mut header, payload) = bench.parts(TokenType::Access);
        header["alg"] = json!("HS256");
        let jwk = public_jwk(bench.ring.signing()).unwrap();
        let public = serde_json::to_value(&jwk).unwrap();
        let raw = URL_SAFE_NO_PAD.decode(public["x"].as_str().or(public["n"].as_str()).unwrap()).unwrap();
        for secret in [public.to_string().into_bytes(), raw] {
            let key = EncodingKey::from_secret(&secret);
            let token = sign(&header.to_string(), &payload.to_string(), &key, JwsAlgorithm::HS256);
            assert!(is_invalid(bench.refuse(&token)), "{algorithm}");
        }
    }
}

#[test]
fn t2_keys_named_or_carried_by_the_token_are_refused() {
    let bench = Bench::new();
    for (name, value) in [
        ("jwk", json!({"kty": "oct", "alg": "HS256", "k": "AAAA"})),
        ("jku", json!("http://127.0.0.1:9/keys")),
        ("x5u", json!("http://127.0.0.1:9/cert")),
        ("x5c", json!(["AAAA"])),
        ("x5t", json!("AAAA")),
    ] {
        assert!(is_invalid(bench.refuse(&bench.forge_header(|header| header[name] = value))), "{name}");
    }
    let (mut header, payload) = bench.parts(TokenType::Access);
    header["jwk"] = json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(b"attacker")});
    let token =
        sign(&header.to_string(), &payload.to_string(), &EncodingKey::from_secret(b"attacker"), JwsAlgorithm::HS256);
    assert!(is_invalid(bench.refuse(&token)));
}

#[test]
fn t3_kid_is_looked_up_exactly() {
    let bench = Bench::new();
    let kid = bench.ring.signing().kid().to_owned();
    for bad in [
        json!("no-such-key"),
        json!(""),
        json!(kid.to_uppercase() + "x"),
        json!(format!("{kid} ")),
        json!(format!("{kid}\u{0}")),
        json!("../../../../dev/null"),
        json!("/dev/null"),
        json!("x' UNION SELECT 'key'; --"),
        json!("key|sleep 10"),
        json!("k".repeat(7000)),
        json!(7),
        json!(null),
        json!([kid]),
        json!({"kid": kid}),
    ] {
        assert!(is_invalid(bench.refuse(&bench.forge_header(|header| header["kid"] = bad.clone()))), "{bad}");
    }
    assert!(is_invalid(bench.refuse(&bench.forge_header(|header| _ = header.as_object_mut().unwrap().remove("kid")))));
}

#[test]
fn t4_crit_header_is_refused() {
    let bench = Bench::new();
    for crit in [json!(["x"]), json!(["exp"]), json!(["alg"]), json!(["b64"]), json!([]), json!(null), json!("x")] {
        let token = bench.forge_header(|header| {
            header["crit"] = crit.clone();
            header["x"] = json!("1");
        });
        assert!(is_invalid(bench.refuse(&token)), "{crit}");
        assert!(is_invalid(bench.refuse(&bench.forge_header(|header| header["crit"] = crit.clone()))), "{crit} alone");
    }
}

#[test]
fn t4_other_extensions_of_the_header_are_refused() {
    let bench = Bench::new();
    for (name, value) in [
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("x", json!(1)),
    ] {
        assert!(is_invalid(bench.refuse(&bench.forge_header(|header| header[name] = value))), "{name}");
    }
    for typ in [json!("at+jwt"), json!(""), json!(null), json!(1)] {
        assert!(is_invalid(bench.refuse(&bench.forge_header(|header| header["typ"] = typ.clone()))), "{typ}");
    }
}

#[test]
fn t5_every_claim_is_required() {
    let bench = Bench::new();
    for (claim, answer) in [
        ("token_type", "Token has no type"),
        ("exp", "Token has no 'exp' claim"),
        ("iat", "Token is invalid"),
        ("jti", "Token has no id"),
        ("user_id", "Token contained no recognizable user identification"),
        ("sid", "Token is invalid"),
        ("iss", "Token is invalid"),
        ("aud", "Token is invalid"),
    ] {
        for kind in [TokenType::Access, TokenType::Refresh] {
            let token = bench.forge_payload(kind, |payload| _ = payload.as_object_mut().unwrap().remove(claim));
            assert_eq!(bench.verifier.verify(&token, kind).unwrap_err().detail(), answer, "{claim}");
            assert_eq!(bench.verifier.verify_any(&token).unwrap_err().detail(), answer, "{claim}");
        }
    }
}

#[test]
fn t5_every_claim_has_its_type() {
    let bench = Bench::new();
    for claim in ["token_type", "exp", "iat", "nbf", "jti", "user_id", "sid", "iss", "aud"] {
        let (_, good) = bench.parts(TokenType::Access);
        for bad in
            [json!(null), json!(true), json!(""), json!("x"), json!([good[claim]]), json!({}), json!(7.5), json!("7")]
        {
            let token = bench.forge_payload(TokenType::Access, |payload| payload[claim] = bad.clone());
            assert!(bench.verifier.verify(&token, TokenType::Access).is_err(), "{claim}: {bad}");
        }
    }
    for claim in ["token_type", "jti", "user_id", "sid", "iss", "aud"] {
        let token = bench.forge_payload(TokenType::Access, |payload| payload[claim] = json!(7));
        assert!(bench.verifier.verify(&token, TokenType::Access).is_err(), "{claim}");
    }
}

#[test]
fn t5_ids_are_in_the_form_that_was_given_out() {
    let bench = Bench::new();
    for claim in ["jti", "user_id", "sid"] {
        let good = id();
        for bad in [
            good.to_string().to_uppercase(),
            good.simple().to_string(),
            good.braced().to_string(),
            good.urn().to_string(),
            format!("{good} "),
            "MARKER".repeat(500),
        ] {
            let token = bench.forge_payload(TokenType::Access, |payload| payload[claim] = json!(bad));
            assert!(is_invalid(bench.refuse(&token)), "{claim}: {bad}");
        }
    }
}

#[test]
fn t5_tokens_of_another_issuer_or_audience_are_refused() {
    let bench = Bench::new();
    for claim in ["iss", "aud"] {
        for bad in [json!("other"), json!("Coffer"), json!(["coffer"]), json!(["coffer", "other"]), json!("coffer ")] {
            let token = bench.forge_payload(TokenType::Access, |payload| payload[claim] = bad.clone());
            assert!(is_invalid(bench.refuse(&token)), "{claim}: {bad}");
        }
    }
}

#[test]
fn t5_times_in_the_future_and_out_of_range_are_refused() {
    let bench = Bench::new();
    for claim in ["iat", "nbf"] {
        for ahead in [5, 1_000, 1 << 40] {
            let token = bench.forge_payload(TokenType::Access, |payload| payload[claim] = json!(NOW + ahead));
            assert_eq!(bench.refuse(&token), TokenError::Early { seconds: ahead }, "{claim} {ahead}");
        }
    }
    let past = bench.forge_payload(TokenType::Access, |payload| payload["nbf"] = json!(NOW - 5));
    assert!(bench.verifier.verify(&past, TokenType::Access).is_ok());
    for exp in ["1e400", "9007199254740993", "99999999999999999999", "-9223372036854775809", "1800000100.5", "NaN"] {
        let (header, payload) = bench.parts(TokenType::Access);
        let payload = payload.to_string().replace(&format!("\"exp\":{}", NOW + 300), &format!("\"exp\":{exp}"));
        assert!(payload.contains(exp));
        assert!(is_invalid(bench.refuse(&bench.forge(&header.to_string(), &payload))), "{exp}");
    }
}

#[test]
fn t5_a_member_name_twice_is_refused_in_header_and_payload() {
    let bench = Bench::new();
    let (header, payload) = bench.parts(TokenType::Access);
    let (header, payload) = (header.to_string(), payload.to_string());
    assert!(bench.verifier.verify(&bench.forge(&header, &payload), TokenType::Access).is_ok());
    for double in ["\"alg\":\"HS256\"", "\"alg\":\"none\"", "\"kid\":\"x\""] {
        let first = header.replacen('{', &format!("{{{double},"), 1);
        let last = header.replacen('}', &format!(",{double}}}"), 1);
        for header in [first, last] {
            assert!(is_invalid(bench.refuse(&bench.forge(&header, &payload))), "{header}");
        }
    }
    for double in [format!("\"exp\":{}", NOW - 60), format!("\"exp\":{}", NOW + 300), "\"\\u0065xp\":1".to_owned()] {
        let first = payload.replacen('{', &format!("{{{double},"), 1);
        let last = payload.replacen('}', &format!(",{double}}}"), 1);
        for payload in [first, last] {
            assert!(is_invalid(bench.refuse(&bench.forge(&header, &payload))), "{payload}");
        }
    }
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
fn t8_only_the_canonical_three_segments_are_a_token() {
    let bench = Bench::new();
    let (token, _) = bench.issue(TokenType::Access);
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let json = json!({"protected": header, "payload": payload, "signature": signature}).to_string();
    let last = signature.chars().last().unwrap();
    // 256 bits leave two stray bits in the last character; the next character of the alphabet differs in one of them.
    let stray = format!("{message}.{}{}", &signature[..signature.len() - 1], char::from(last as u8 + 1));
    for bad in [
        "",
        "junk",
        ".",
        "..",
        "...",
        "a.b.c",
        &json,
        &stray,
        &format!("{message}."),
        message,
        &token[..token.len() - 4],
        &format!("{token}="),
        &format!("{token}A"),
        &format!("{token}."),
        &format!("{token}.{signature}"),
        &format!("{header}.{payload}=.{signature}"),
        &format!(" {token}"),
        &format!("{token}\n"),
        &format!("\u{feff}{token}"),
        &token.replacen('.', " .", 1),
        &token.replacen('.', "\r\n.", 1),
        &format!("{header}.{payload}.{}", signature.replace('_', "/").replace('-', "+") + "+"),
        &format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode("[]")),
        &"a".repeat(MAX_TOKEN_BYTES + 1),
        &format!("{}.{payload}.{signature}", "A".repeat(MAX_TOKEN_BYTES)),
    ] {
        assert!(is_invalid(bench.refuse(bad)), "{bad}");
    }
    assert!(bench.verifier.verify(&token, TokenType::Access).is_ok());
}

#[test]
fn t8_no_character_can_be_changed_left_out_or_put_in() {
    let bench = Bench::new();
    let (token, _) = bench.issue(TokenType::Access);
    for at in 0..token.len() {
        let mut shorter = token.clone();
        shorter.remove(at);
        assert!(is_invalid(bench.refuse(&shorter)), "{at}");
        for other in ['A', 'e', '_', '.', '=', ' ', '\0', 'é'] {
            let mut longer = token.clone();
            longer.insert(at, other);
            assert!(is_invalid(bench.refuse(&longer)), "{at} {other:?}");
            let mut changed = shorter.clone();
            changed.insert(at, other);
            assert!(changed == token || is_invalid(bench.refuse(&changed)), "{at} {other:?}");
        }
    }
}

#[test]
fn t8_a_payload_that_is_not_one_json_object_is_refused() {
    let bench = Bench::new();
    let (header, payload) = bench.parts(TokenType::Access);
    for bad in ["[]", "1", "null", "\"x\"", "", "{", &format!("{payload}{payload}"), &format!("\u{feff}{payload}")] {
        assert!(is_invalid(bench.refuse(&bench.forge(&header.to_string(), bad))), "{bad}");
    }
}

#[test]
fn t9_a_wrong_or_empty_key_signs_nothing() {
    let bench = Bench::new();
    let (header, payload) = bench.parts(TokenType::Access);
    for key in [&b""[..], b"secret", b"a key that the server has never seen, 48 bytes..", &[0; 64]] {
        let key = EncodingKey::from_secret(key);
        assert!(is_invalid(bench.refuse(&sign(&header.to_string(), &payload.to_string(), &key, JwsAlgorithm::HS256))));
    }
}

#[test]
fn t10_the_signature_is_checked_before_any_claim_is_read() {
    let bench = Bench::new();
    let (header, mut payload) = bench.parts(TokenType::Access);
    payload["exp"] = json!(NOW - 60);
    payload["user_id"] = json!("MARKER-9c1f");
    let wrong = EncodingKey::from_secret(b"a key that the server has never seen");
    let forged = sign(&header.to_string(), &payload.to_string(), &wrong, JwsAlgorithm::HS256);
    let refused = bench.refuse(&forged);
    assert!(is_invalid(refused), "not `expired`: that would be a claim's word");
    let rightly_signed = bench.forge(&header.to_string(), &payload.to_string());
    assert_eq!(bench.refuse(&rightly_signed), TokenError::Expired);
    let bad_user = bench.forge_payload(TokenType::Access, |payload| payload["user_id"] = json!("MARKER-9c1f"));
    for error in [refused, bench.refuse(&bad_user)] {
        assert!(!format!("{error} {error:?} {}", error.detail()).contains("MARKER"));
    }
}

#[test]
fn t10_a_token_that_was_seen_before_is_spared_the_cryptography_and_nothing_else() {
    let bench = Bench::new();
    let (token, claims) = bench.issue(TokenType::Access);
    for _ in 0..2 {
        assert_eq!(bench.verifier.verify(&token, TokenType::Access), Ok(claims));
    }
    assert!(bench.verifier.verify(&token, TokenType::Refresh).is_err(), "it is of the other type");
    let (head, signature) = token.rsplit_once('.').unwrap();
    let other = if signature.starts_with('A') { 'B' } else { 'A' };
    bench.refuse(&format!("{head}.{other}{}", &signature[1..]));
    bench.refuse(&format!("{token}="));
    bench.hand.advance(Duration::from_mins(5));
    bench.refuse(&token);
}

#[test]
fn t10_what_is_kept_of_seen_tokens_is_bounded_and_forged_ones_are_not_kept() {
    let bench = Bench::new();
    for _ in 0..=MAX_SEEN {
        let (token, _) = bench.issue(TokenType::Access);
        bench.verifier.verify(&token, TokenType::Access).unwrap();
        bench.refuse(&format!("{token}A"));
        assert!(bench.verifier.seen.len() <= MAX_SEEN);
    }
    assert!(bench.verifier.seen.len() > MAX_SEEN / 2, "one too many does not let all others go");
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
