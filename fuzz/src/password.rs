//! Passwords, before they are hashed.

use auth::{
    password::{MAX_PASSWORD_BYTES, Password},
    password_policy::Policy,
};

/// Whatever is typed is judged, and judged alike each time; only what is too long is not a password at all. A password that is its user's
/// name is never let in.
pub fn password(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (name, text) = text.split_once('\n').unwrap_or(("ada", &text));
    let Ok(password) = Password::new(text) else {
        assert!(text.len() > MAX_PASSWORD_BYTES);
        return;
    };
    for policy in [Policy::default(), Policy::with_min_length(8).expect("8 is allowed")] {
        let faults = policy.check(&password, name);
        assert_eq!(policy.check(&password, name), faults);
        assert!(!faults.is_empty() || text.chars().count() >= 8);
        if text.eq_ignore_ascii_case(name) {
            assert!(!faults.is_empty(), "{text:?} is the user's name");
        }
    }
    assert_eq!(format!("{password:?}"), "Password(..)");
}
