//! A token that a client checks by itself, against a key that somebody gives: it goes to no server. What the token says of its signature and what
//! the key is, is read here; the client has the cryptography.

use serde_json::Value;

use super::Inspection;
use crate::{Object, text::single_line};

/// A key as it was given.
#[derive(Debug, Clone, PartialEq)]
pub enum GivenKey {
    /// A secret that both sides know.
    Secret(Vec<u8>),
    /// A public key: `SubjectPublicKeyInfo` (DER), as between `BEGIN PUBLIC KEY` and `END PUBLIC KEY`.
    Public(Vec<u8>),
    /// A public key as a JWK.
    Jwk(Object),
}

/// A token, taken apart for a check of its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct Signed {
    /// The first segment.
    pub header: Object,
    /// The second one.
    pub payload: Object,
    /// How it says that it is signed: one of [`ALGORITHMS`].
    pub algorithm: &'static str,
    /// What is signed.
    pub message: String,
    /// The signature.
    pub signature: Vec<u8>,
}

/// How tokens can be signed that are checked here.
pub const ALGORITHMS: [&str; 12] =
    ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA"];

impl Signed {
    /// Takes a token apart. The error says what is wrong with it.
    pub fn read(token: &str) -> Result<Self, String> {
        let token = token.trim();
        let parts: Vec<&str> = token.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            return Err(format!("A token has three parts with points between them; this has {}.", parts.len()));
        };
        let object = |name: &str, segment: &str| match from_base64(segment).map(|json| serde_json::from_slice(&json)) {
            Some(Ok(Value::Object(object))) => Ok(object),
            _ => Err(format!("Its {name} cannot be read: it is no JSON object in Base64url.")),
        };
        let (header_object, payload_object) = (object("header", header)?, object("payload", payload)?);
        let said = header_object.get("alg").and_then(Value::as_str).unwrap_or_default();
        let algorithm = ALGORITHMS.into_iter().find(|known| *known == said).ok_or_else(|| match said {
            "" | "none" => "It says that it is not signed, so nobody vouches for it.".to_owned(),
            other => format!("It says that it is signed by {}, which is not checked here.", single_line(other)),
        })?;
        let signature = from_base64(signature).ok_or("Its signature cannot be read: it is not Base64url.")?;
        Ok(Self {
            header: header_object,
            payload: payload_object,
            algorithm,
            message: format!("{header}.{payload}"),
            signature,
        })
    }

    /// Whether a key can be the one that signed it. The error says why it cannot: a public key is no secret, whatever a token says.
    pub fn takes(&self, key: &GivenKey) -> Result<(), String> {
        let says = format!("It says that it is signed by {}", self.algorithm);
        let kind = |jwk: &Object| jwk.get("kty").and_then(Value::as_str).unwrap_or_default().to_owned();
        let wanted = match self.algorithm.as_bytes() {
            [b'H', ..] => {
                return match key {
                    GivenKey::Secret(_) => Ok(()),
                    _ => Err(format!("{says}, which takes a secret, and this is a public key.")),
                };
            }
            [b'R' | b'P', ..] => "RSA",
            [b'E', b'S', ..] => "EC",
            _ => "OKP",
        };
        match key {
            GivenKey::Secret(_) => {
                Err(format!("{says}, which takes a public key, and this is none: give it as PEM or JWK."))
            }
            GivenKey::Jwk(jwk) if kind(jwk) != wanted => {
                Err(format!("{says}, which takes a key of the kind {wanted}, and this is {}.", single_line(&kind(jwk))))
            }
            _ => Ok(()),
        }
    }

    /// What is told of it: `is_signed` where the signature is that of the key, `now` in seconds since 1970.
    pub fn told(self, is_signed: bool, now: i64) -> Inspection {
        let second = |name: &str| self.payload.get(name).and_then(Value::as_i64);
        let said = match (is_signed, second("exp"), second("nbf")) {
            (false, ..) => "It is not signed by the key that you gave.",
            (_, Some(until), _) if until <= now => "It is signed by the key that you gave, but it has expired.",
            (_, _, Some(from)) if from > now => "It is signed by the key that you gave, but it is not good yet.",
            _ => "It is signed by the key that you gave, and good by its times.",
        };
        let is_good = is_signed && said.contains("good by");
        Inspection {
            header: Some(self.header),
            payload: Some(self.payload),
            key: None,
            is_signed,
            is_good,
            said: said.to_owned(),
            now,
            is_by_given_key: true,
        }
    }
}

impl GivenKey {
    /// Reads a key: PEM, a JWK or a set of them, of which `kid` says which; what is none of these is a secret, in Base64 behind `base64:`.
    pub fn read(text: &str, kid: Option<&str>) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("Give the key too.".to_owned());
        }
        if text.starts_with("-----BEGIN") {
            return pem(text);
        }
        if text.starts_with('{') {
            let Ok(Value::Object(object)) = serde_json::from_str(text) else {
                return Err("This looks like a JWK, and is no JSON object.".to_owned());
            };
            return match object.get("keys") {
                Some(Value::Array(keys)) => one_of(keys, kid).and_then(jwk),
                _ => jwk(object),
            };
        }
        match text.strip_prefix("base64:") {
            None => Ok(Self::Secret(text.as_bytes().to_vec())),
            Some(encoded) => from_base64(encoded.trim())
                .map(Self::Secret)
                .ok_or_else(|| "What stands behind \"base64:\" is not Base64.".to_owned()),
        }
    }
}

/// A key of a set: the one of this id, or the only one.
fn one_of(keys: &[Value], kid: Option<&str>) -> Result<Object, String> {
    let named = keys.iter().find(|key| kid.is_some() && key.get("kid").and_then(Value::as_str) == kid);
    match (named, keys) {
        (Some(Value::Object(key)), _) | (None, [Value::Object(key)]) => Ok(key.clone()),
        _ => Err("None of these keys is the one that the token names.".to_owned()),
    }
}

fn jwk(mut object: Object) -> Result<GivenKey, String> {
    if object.get("kty").and_then(Value::as_str) == Some("oct") {
        let secret = object.get("k").and_then(Value::as_str).and_then(from_base64);
        return secret.map(GivenKey::Secret).ok_or_else(|| "This JWK has no secret (k) in Base64url.".to_owned());
    }
    if object.get("kty").and_then(Value::as_str).is_none() {
        return Err("This JSON is no JWK: it has no kty.".to_owned());
    }
    // A private key has its public one in it; nothing else of it is wanted. What it is for is not asked either.
    object.retain(|name, _| matches!(name.as_str(), "kty" | "crv" | "x" | "y" | "n" | "e"));
    Ok(GivenKey::Jwk(object))
}

fn pem(text: &str) -> Result<GivenKey, String> {
    let inside = text
        .strip_prefix("-----BEGIN PUBLIC KEY-----")
        .and_then(|rest| rest.split_once("-----END"))
        .map(|(inside, _)| inside);
    let Some(inside) = inside else {
        return Err("Of PEM a public key is taken: it begins with -----BEGIN PUBLIC KEY-----.".to_owned());
    };
    let encoded: String = inside.chars().filter(|c| !c.is_whitespace()).collect();
    from_base64(&encoded).map(GivenKey::Public).ok_or_else(|| "What stands in this PEM is not Base64.".to_owned())
}

/// Base64, with either alphabet, and with or without `=` at the end.
fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    if text.len() % 4 == 1 {
        return None;
    }
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len() * 3 / 4), 0_u32, 0);
    for c in text.bytes() {
        let value = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first example of RFC 7515, appendix A.1, and its key.
    const RFC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const JWK: &str =
        r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;

    fn headed(header: &str) -> String {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut text = String::new();
        for chunk in header.as_bytes().chunks(3) {
            let bits = (0..3).fold(0_u32, |bits, i| bits << 8 | u32::from(chunk.get(i).copied().unwrap_or(0)));
            for i in 0..=chunk.len() {
                text.push(char::from(alphabet[(bits >> (18 - 6 * i) & 63) as usize]));
            }
        }
        format!("{text}.e30.AAAA")
    }

    #[test]
    fn a_token_is_taken_apart_and_told_of() {
        let signed = Signed::read(&format!(" {RFC}\n")).unwrap();
        assert_eq!((signed.algorithm, signed.signature.len()), ("HS256", 32));
        assert_eq!(signed.message, RFC.rsplit_once('.').unwrap().0);
        let GivenKey::Secret(secret) = GivenKey::read(JWK, None).unwrap() else { panic!("it is a secret") };
        assert_eq!((secret.len(), secret[0]), (64, 3));
        for (is_signed, now, good, said) in [
            (true, 1_300_819_000, true, "good by its times"),
            (true, 1_300_819_380, false, "has expired"),
            (false, 1_300_819_000, false, "not signed by the key"),
        ] {
            let told = signed.clone().told(is_signed, now);
            assert_eq!((told.is_good, told.said.contains(said)), (good, true), "{}", told.said);
            assert!(told.is_by_given_key && told.key.is_none());
        }
    }

    #[test]
    fn what_is_no_token_says_why() {
        for (token, why) in [
            ("a.b".to_owned(), "this has 2"),
            ("%.b.c".to_owned(), "Its header cannot be read"),
            (headed("[]"), "Its header cannot be read"),
            (headed(r#"{"alg":"none"}"#), "not signed"),
            (headed("{}"), "not signed"),
            (headed(r#"{"alg":"XX1\u001b"}"#), "signed by XX1"),
            (format!("{}%", headed(r#"{"alg":"HS256"}"#)), "Its signature cannot be read"),
        ] {
            let said = Signed::read(&token).unwrap_err();
            assert!(said.contains(why) && !said.contains('\u{1b}'), "{token}: {said}");
        }
    }

    #[test]
    fn a_public_key_is_no_secret_whatever_a_token_says() {
        let pem = "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n";
        let of = |algorithm: &str| Signed::read(&headed(&format!(r#"{{"alg":"{algorithm}"}}"#))).unwrap();
        let read = |text: &str| GivenKey::read(text, None).unwrap();
        assert_eq!(read(pem), GivenKey::Public(vec![0x30, 0x2a, 0x30]));
        assert_eq!(read(&pem.replace('\n', " ")), read(pem), "as one line");
        assert!(of("HS256").takes(&read(pem)).unwrap_err().contains("takes a secret"));
        assert!(of("RS256").takes(&read("hunter2")).unwrap_err().contains("takes a public key"));
        let ed = read(r#"{"kty":"OKP","crv":"Ed25519","x":"AA","d":"private","use":"sig"}"#);
        let GivenKey::Jwk(members) = &ed else { panic!("it is a JWK") };
        assert!(!members.contains_key("d"));
        assert_eq!(of("EdDSA").takes(&ed), Ok(()));
        assert!(of("ES256").takes(&ed).unwrap_err().contains("kind EC"));
        assert!(of("HS256").takes(&ed).is_err());
        assert_eq!(of("HS512").takes(&read("hunter2")), Ok(()));
    }

    #[test]
    fn a_key_that_cannot_be_read_says_why_and_a_set_has_one_by_name() {
        for (text, why) in [
            ("", "Give the key"),
            ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "a public key is taken"),
            ("-----BEGIN PUBLIC KEY-----\n%\n-----END PUBLIC KEY-----", "not Base64"),
            ("{", "no JSON object"),
            ("{}", "no kty"),
            (r#"{"kty":"oct"}"#, "no secret"),
            ("base64:%", "not Base64"),
            (r#"{"keys":[]}"#, "None of these keys"),
        ] {
            assert!(GivenKey::read(text, Some("a")).unwrap_err().contains(why), "{text}");
        }
        let set = r#"{"keys":[{"kty":"RSA","kid":"a","n":"AQ","e":"AQ"},{"kty":"EC","kid":"b"}]}"#;
        let GivenKey::Jwk(key) = GivenKey::read(set, Some("b")).unwrap() else { panic!("it is a JWK") };
        assert_eq!(key["kty"], "EC");
        assert!(GivenKey::read(set, None).is_err());
        assert_eq!(GivenKey::read("base64:aGk=", None), Ok(GivenKey::Secret(b"hi".to_vec())));
    }
}
