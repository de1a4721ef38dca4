//! Makes the values that a step asks for: names and passwords of accounts, tokens changed and signed again, parts of earlier
//! answers. Signs with the server's own key by hand, so that a fault in the server's signing cannot hide itself.

use std::{collections::BTreeMap, fmt::Write as _};

use aws_lc_rs::hmac;
use base::{Clock, Entropy, IdSource};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value, json};

use super::{
    bench::{Account, Tokens},
    expect::Answer,
};

const WRONG_KEY: &str = "a key that the server has never seen, 48 bytes..";

/// What the values of one case are made of.
pub(crate) struct Maker<'a> {
    pub accounts: &'a BTreeMap<String, Account>,
    pub key: &'a [u8],
    pub sessions: BTreeMap<String, Tokens>,
    pub answers: Vec<Answer>,
}

impl Maker<'_> {
    /// `value` with everything made that is to be made.
    pub(crate) fn make(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) if members.len() == 1 => {
                let (name, argument) = members.iter().next().unwrap();
                self.special(name, argument).map_or_else(|| self.members(members), Value::String)
            }
            Value::Object(members) => self.members(members),
            Value::Array(items) => items.iter().map(|item| self.make(item)).collect(),
            plain => plain.clone(),
        }
    }

    /// The same for what has to be a text.
    pub(crate) fn text(&self, value: &Value) -> String {
        match self.make(value) {
            Value::String(text) => text,
            other => panic!("{other} is not a text"),
        }
    }

    fn members(&self, members: &Map<String, Value>) -> Value {
        members.iter().map(|(name, member)| (name.clone(), self.make(member))).collect()
    }

    fn special(&self, name: &str, argument: &Value) -> Option<String> {
        Some(match name {
            "$account" => {
                let account = &self.accounts[argument[0].as_str().unwrap()];
                match argument[1].as_str().unwrap() {
                    "username" => account.username.clone(),
                    "password" => account.password.clone(),
                    other => panic!("accounts have no {other}"),
                }
            }
            "$token" => self.token(argument),
            "$bearer" => format!("Bearer {}", self.text(argument)),
            "$prev" => {
                let answer = &self.answers[usize::try_from(argument[0].as_u64().unwrap()).unwrap()];
                let member = answer.json().and_then(|body| body.get(argument[1].as_str().unwrap()));
                member.and_then(Value::as_str).unwrap_or("(the earlier answer has no such member)").to_owned()
            }
            "$join" => argument.as_array().unwrap().iter().map(|part| self.text(part)).collect(),
            "$repeat" => argument[0].as_str().unwrap().repeat(usize::try_from(argument[1].as_u64().unwrap()).unwrap()),
            "$json" => self.make(argument).to_string(),
            "$form" => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                for (name, member) in argument.as_object().unwrap() {
                    form.append_pair(name, &self.text(member));
                }
                form.finish()
            }
            other if other.starts_with('$') => panic!("{other} is not known"),
            _ => return None,
        })
    }

    fn token(&self, spec: &Value) -> String {
        let tokens = &self.sessions[spec["session"].as_str().unwrap_or("a")];
        let base = match spec["base"].as_str().unwrap() {
            "access" => &tokens.access,
            "refresh" => &tokens.refresh,
            other => panic!("there is no {other} token"),
        };
        let mut token = if spec["verbatim"] == json!(true) { base.clone() } else { self.forge(base, spec) };
        if spec["form"] == "json" {
            let mut parts = token.split('.');
            let mut next = || parts.next().unwrap();
            token = json!({"protected": next(), "payload": next(), "signature": next()}).to_string();
        }
        for edit in spec["edit"].as_array().into_iter().flatten() {
            let [old, new] = [&edit[0], &edit[1]].map(|text| text.as_str().unwrap());
            token =
                token.replacen(old, new, usize::try_from(edit[2].as_u64().unwrap_or(u64::MAX)).unwrap_or(usize::MAX));
        }
        token
    }

    /// Changes a token and signs it again.
    fn forge(&self, base: &str, spec: &Value) -> String {
        let known = [
            "base",
            "session",
            "fresh_jti",
            "user",
            "int_user",
            "set",
            "rel",
            "drop",
            "alg",
            "header",
            "dup",
            "dup_first",
            "key",
            "form",
            "edit",
            "verbatim",
        ];
        let unknown = spec.as_object().unwrap().keys().find(|name| !known.contains(&name.as_str()));
        assert_eq!(unknown, None, "a token member is not known");
        let [mut header, mut payload] = decode(base);

        if spec["fresh_jti"] == json!(true) {
            payload.insert("jti".to_owned(), json!(hex(&Entropy::system().bytes::<16>())));
        }
        match spec["user"].as_str() {
            Some("inactive") => _ = payload.insert("user_id".to_owned(), json!(self.accounts["inactive"].id)),
            Some("unknown") => {
                let nobody = IdSource::new(Clock::system(), Entropy::system()).next_id();
                payload.insert("user_id".to_owned(), json!(nobody.to_string()));
            }
            Some(other) => panic!("no user is {other}"),
            None => {}
        }
        if spec["int_user"] == json!(true) {
            let number = payload["user_id"].as_str().and_then(|id| id.parse::<u64>().ok()).unwrap_or(1);
            payload.insert("user_id".to_owned(), json!(number));
        }
        for (name, value) in spec["set"].as_object().into_iter().flatten() {
            payload.insert(name.clone(), value.clone());
        }
        for (name, seconds) in spec["rel"].as_object().into_iter().flatten() {
            payload.insert(name.clone(), json!(Clock::system().unix_seconds() + seconds.as_i64().unwrap()));
        }
        for name in spec["drop"].as_array().into_iter().flatten() {
            payload.shift_remove(name.as_str().unwrap());
        }
        if let Some(alg) = spec.get("alg") {
            header.insert("alg".to_owned(), alg.clone());
        }
        for (name, value) in spec["header"].as_object().into_iter().flatten() {
            header.insert(name.clone(), value.clone());
        }

        let again = spec["dup"].as_array().into_iter().flatten().map(|dup| {
            let value = match dup[1].get("rel") {
                Some(seconds) => json!(Clock::system().unix_seconds() + seconds.as_i64().unwrap()),
                None => dup[1].clone(),
            };
            format!("{}:{value}", dup[0])
        });
        let once = payload.iter().map(|(name, value)| format!("{}:{value}", json!(name)));
        let members: Vec<String> =
            if spec["dup_first"] == json!(true) { again.chain(once).collect() } else { once.chain(again).collect() };
        let payload = format!("{{{}}}", members.join(","));

        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(json!(header).to_string()), URL_SAFE_NO_PAD.encode(payload));
        let alg = spec["alg"].as_str().unwrap_or("HS256");
        if alg.eq_ignore_ascii_case("none") {
            return format!("{message}.");
        }
        let algorithm = match alg {
            "HS384" => hmac::HMAC_SHA384,
            "HS512" => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        let key = match spec["key"].as_str() {
            None => self.key,
            Some("wrong") => WRONG_KEY.as_bytes(),
            Some(text) => text.as_bytes(),
        };
        let signature = hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Header and payload of a token.
pub(crate) fn decode(token: &str) -> [Map<String, Value>; 2] {
    let mut parts = token.split('.');
    [(); 2].map(|()| {
        let part = URL_SAFE_NO_PAD.decode(parts.next().unwrap_or_default()).unwrap_or_default();
        serde_json::from_slice(&part).unwrap_or_default()
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
