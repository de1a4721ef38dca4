//! Claims of a user's own: members that an admin has put into the user's access tokens, for clients that read them there.

use serde_json::Value;

use crate::{
    Object,
    problem::FieldError,
    reader::{invalid, not_null},
    text::bytes,
};

/// Bytes that one user's claims may take as JSON. They go with each of the user's requests.
pub const MAX_BYTES: usize = 2048;

/// Names that a token's claims have already: those of RFC 7519 §4.1, those that every token of ours has, and those that
/// `--access-claims` gives.
pub const REGISTERED: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "token_type",
    "user_id",
    "sid",
    "username",
    "email",
    "roles",
    "is_admin",
];

/// Claims of a user's own, or what is wrong with them.
pub fn check(value: Value) -> Result<Object, FieldError> {
    let claims = match value {
        Value::Object(claims) => claims,
        Value::Null => return Err(not_null()),
        _ => return Err(invalid("Enter a JSON object: the claims by their names.")),
    };
    if let Some(name) = claims.keys().find(|name| REGISTERED.contains(&name.as_str())) {
        return Err(invalid(format!("\"{name}\" is a claim that the server sets itself. Use another name.")));
    }
    let size = Value::Object(claims.clone()).to_string().len();
    if size > MAX_BYTES {
        let [size, limit] = [size, MAX_BYTES].map(|size| bytes(size as u64));
        return Err(FieldError::new(
            "max_bytes",
            format!("These claims take {size} as JSON; there is room for {limit}."),
        ));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_are_an_object_of_names_that_no_token_has_already() {
        assert!(check(json!({"tenant": "north", "limits": {"a": [1, 2]}, "https://example.org/level": 3})).is_ok());
        assert!(check(json!({})).is_ok());
        for name in REGISTERED {
            assert!(check(json!({"fine": 1, name: "x"})).unwrap_err().message.contains(name));
        }
        for bad in [json!(null), json!([]), json!("{}"), json!(3)] {
            assert!(check(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn claims_are_bounded_in_bytes() {
        let of = |length: usize| json!({"a": "x".repeat(length)});
        let room = MAX_BYTES - r#"{"a":""}"#.len();
        assert!(check(of(room)).is_ok());
        assert_eq!(check(of(room + 1)).unwrap_err().code, "max_bytes");
    }
}
