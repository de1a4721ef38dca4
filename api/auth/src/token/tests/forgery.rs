//! What is no token of ours: T1 to T4 and T8 to T10.

use super::*;

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
