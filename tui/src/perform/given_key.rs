//! Checks a token against a key that somebody gave. Neither goes anywhere.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use common::{
    inspection::{GivenKey, Inspection, Signed},
    words::server::UNUSABLE_KEY,
};
use jsonwebtoken::{Algorithm, DecodingKey, crypto, errors::Error, jwk::Jwk};

/// What the token says, and whether it is signed by the key. The error says why that cannot be told.
pub(super) fn check(token: &str, key: &str) -> Result<Inspection, String> {
    let signed = Signed::read(token)?;
    let kid = signed.header.get("kid").and_then(|kid| kid.as_str());
    let key = GivenKey::read(key, kid)?;
    signed.takes(&key)?;
    let unusable = |_: Error| UNUSABLE_KEY.to_owned();
    let key = decoding_key(&signed, &key).map_err(unusable)?;
    let algorithm: Algorithm = signed.algorithm.parse().map_err(unusable)?;
    let signature = URL_SAFE_NO_PAD.encode(&signed.signature);
    let is_signed = crypto::verify(&signature, signed.message.as_bytes(), &key, algorithm).map_err(unusable)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    Ok(signed.told(is_signed, i64::try_from(now).unwrap_or(i64::MAX)))
}

fn decoding_key(signed: &Signed, key: &GivenKey) -> Result<DecodingKey, Error> {
    match key {
        GivenKey::Secret(secret) => Ok(DecodingKey::from_secret(secret)),
        GivenKey::Jwk(jwk) => DecodingKey::from_jwk(&serde_json::from_value::<Jwk>(jwk.clone().into())?),
        GivenKey::Public(der) => {
            let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
            match signed.algorithm {
                "EdDSA" => DecodingKey::from_ed_pem(pem.as_bytes()),
                "ES256" | "ES384" => DecodingKey::from_ec_pem(pem.as_bytes()),
                _ => DecodingKey::from_rsa_pem(pem.as_bytes()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7515, appendix A.1, and RFC 8037, appendix A.4.
    const HMAC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const HMAC_KEY: &str =
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;

    #[test]
    fn a_token_is_that_of_the_key_that_was_given_or_not() {
        let found = check(HMAC, HMAC_KEY).unwrap();
        assert!(found.is_signed && !found.is_good, "it is from 2011: {}", found.said);
        assert!(found.said.contains("expired"), "{}", found.said);
        let other = check(HMAC, "another secret").unwrap();
        assert_eq!((other.is_signed, other.said.as_str()), (false, "It is not signed by the key that you gave."));
        assert!(
            check(HMAC, "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----")
                .unwrap_err()
                .contains("takes a secret")
        );
    }

    #[test]
    fn public_keys_verify_as_jwk_and_as_pem() {
        let key = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
        let der = [
            &[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00][..],
            &URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap(),
        ]
        .concat();
        let pem = format!("-----BEGIN PUBLIC KEY----- {} -----END PUBLIC KEY-----", STANDARD.encode(der));
        // Signed for this test with the private key of RFC 8037, appendix A.1.
        let private = [
            &[0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20][..],
            &URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap(),
        ]
        .concat();
        let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#), URL_SAFE_NO_PAD.encode("{}"));
        let signature =
            crypto::sign(message.as_bytes(), &jsonwebtoken::EncodingKey::from_ed_der(&private), Algorithm::EdDSA)
                .unwrap();
        let token = format!("{message}.{signature}");
        for key in [key, pem.as_str()] {
            let found = check(&token, key).unwrap();
            assert!(found.is_good, "{key}: {}", found.said);
        }
        let other = format!(
            "{}.{}.{signature}",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#),
            URL_SAFE_NO_PAD.encode(r#"{"a":1}"#)
        );
        assert!(!check(&other, key).unwrap().is_signed);
        assert!(check(&token, r#"{"kty":"OKP","crv":"Ed25519"}"#).unwrap_err().contains("cannot be used"));
    }
}
