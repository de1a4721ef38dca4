//! Tokens.

use std::{fs, os::unix::fs::PermissionsExt, sync::LazyLock};

use auth::{
    keys::KeyRing,
    token::{Issuer, TokenSettings, TokenType, Verifier},
};
use aws_lc_rs::hmac;
use base::{Clock, Entropy, IdSource};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use common::{
    id::{SessionId, UserId},
    json,
};
use serde_json::Value;
use uuid::Uuid;

use crate::split_at;

const NOW: i64 = 1_800_000_000;
const SECRET: &[u8] = b"correct horse battery staple under the old oak";

struct Held {
    verifier: Verifier,
    kid: String,
    key: hmac::Key,
    access: String,
    refresh: String,
}

static HELD: LazyLock<Held> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("key");
    fs::write(&file, SECRET).expect("a file can be written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("its mode can be set");
    let (clock, _) = Clock::held(NOW);
    let ring = KeyRing::from_key_files(&[file], &clock).expect("the key is a good one");
    let ids = IdSource::new(clock.clone(), Entropy::seeded(1));
    let settings = TokenSettings::default();
    let issuer = Issuer::new(&ring, settings.clone(), clock.clone(), ids).expect("the key signs");
    let (user, session) = (UserId::from_uuid(Uuid::from_u128(1)), SessionId::from_uuid(Uuid::from_u128(2)));
    let issue = |kind| issuer.issue(kind, user, session, None).0.into_string();
    Held {
        access: issue(TokenType::Access),
        refresh: issue(TokenType::Refresh),
        kid: ring.signing().kid().to_owned(),
        key: hmac::Key::new(hmac::HMAC_SHA256, SECRET),
        verifier: Verifier::new(&ring, settings, clock).expect("the key verifies"),
    }
});

/// Nothing is accepted but what was signed by us, to the letter, and only as what it is. What our key signed, but not our program, is accepted only
/// where every claim is right.
pub fn token(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if text != HELD.access && text != HELD.refresh {
        refused(&text);
    }
    mutated(bytes);
    signed(bytes);
}

fn refused(text: &str) {
    assert!(HELD.verifier.verify_any(text).is_err(), "accepted {text}");
    for kind in [TokenType::Access, TokenType::Refresh] {
        assert!(HELD.verifier.verify(text, kind).is_err(), "accepted {text}");
    }
}

/// A good token with something cut out or put in: place, length of what is cut, what is put.
fn mutated(bytes: &[u8]) {
    let [place, cut, put @ ..] = bytes else { return };
    for (good, kind) in [(&HELD.access, TokenType::Access), (&HELD.refresh, TokenType::Refresh)] {
        assert!(HELD.verifier.verify(good, kind).is_ok());
        let mut token = good.clone().into_bytes();
        let from = (usize::from(*place) * 2 + usize::from(*cut >> 7)).min(token.len());
        let to = (from + usize::from(*cut & 0x0f)).min(token.len());
        token.splice(from..to, put.iter().copied());
        if let Ok(token) = String::from_utf8(token)
            && token != HELD.access
            && token != HELD.refresh
        {
            refused(&token);
        }
    }
}

/// Header and payload as they come, signed with our key.
fn signed(bytes: &[u8]) {
    let (header, payload) = split_at(bytes, b"\n---\n");
    let header = String::from_utf8_lossy(&header).replace("KID", &HELD.kid);
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(&header), URL_SAFE_NO_PAD.encode(&payload));
    let signature = hmac::sign(&HELD.key, message.as_bytes());
    let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature));
    let Ok(claims) = HELD.verifier.verify_any(&token) else { return };
    let header = json::parse_value(header.as_bytes()).expect("the header is strict JSON");
    assert_eq!(header["alg"], "HS256");
    assert_eq!(header["kid"], HELD.kid);
    let payload = json::parse_value(&payload).expect("the payload is strict JSON");
    let number = |name: &str| payload.get(name).and_then(Value::as_i64);
    let settings = TokenSettings::default();
    assert!(number("exp").is_some_and(|exp| exp > NOW && exp == claims.expires_at));
    assert!(number("iat").is_some_and(|iat| iat <= NOW + 2 && iat == claims.issued_at));
    assert!(number("nbf").is_none_or(|nbf| nbf <= NOW + 2));
    assert!(claims.expires_at - claims.issued_at <= settings.lifetime(claims.token_type));
    assert_eq!(payload["iss"], settings.issuer);
    assert_eq!(payload["aud"], settings.audience);
    assert_eq!(payload["token_type"], claims.token_type.as_str());
    assert_eq!(payload["jti"], claims.id.to_string());
    assert_eq!(payload["user_id"], claims.user.to_string());
    assert_eq!(payload["sid"], claims.session.to_string());
    let other = if claims.token_type == TokenType::Access { TokenType::Refresh } else { TokenType::Access };
    assert!(HELD.verifier.verify(&token, other).is_err(), "one type of token was taken for the other");
}
