//! What a token must claim: T5.

use super::*;

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
