//! A request as people send it from elsewhere: HTTPie, curl, and `fetch` in a page or in Node. The access token of who is signed in is in `ACCESS`, or
//! `access`; no other secret is in what is copied either.

use std::borrow::Cow;

use serde_json::Value;

/// Stands for what is not to be copied.
pub const HIDDEN: &str = "…";

/// A request to copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// For which program.
    pub name: &'static str,
    /// It.
    pub text: String,
}

/// A request to be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent<'a> {
    /// `GET`, `POST` …
    pub method: &'a str,
    /// Scheme, host, path and query.
    pub address: &'a str,
    /// A body of JSON, or nothing.
    pub body: &'a str,
    /// It is sent with a token.
    pub is_signed_in: bool,
}

impl Sent<'_> {
    /// The request for each program.
    pub fn snippets(self) -> [Snippet; 3] {
        let body = without_secrets(self.body);
        let shown = Sent { body: &body, ..self };
        [
            Snippet { name: "HTTPie", text: shown.httpie() },
            Snippet { name: "curl", text: shown.curl() },
            Snippet { name: "fetch", text: shown.fetch() },
        ]
    }

    /// Members of a plain object as HTTPie's own items, everything else as it stands.
    fn httpie(&self) -> String {
        let mut words = vec!["http".to_owned()];
        if self.is_signed_in {
            words.push("-A bearer -a \"$ACCESS\"".to_owned());
        }
        let items = self.items();
        if items.is_none() && !self.body.is_empty() {
            words.push(format!("--raw {}", shell(self.body)));
        }
        words.extend([self.method.to_owned(), shell(self.address)]);
        words.extend(items.unwrap_or_default());
        words.join(" ")
    }

    /// The body's members as items of HTTPie, where it has such: `title=Nuts`, `price:=3`.
    fn items(&self) -> Option<Vec<String>> {
        let Ok(Value::Object(members)) = serde_json::from_str::<Value>(self.body) else { return None };
        // HTTPie reads `=`, `:`, `@` and brackets in a name, and a name that a number or a sign begins, in ways of its own.
        let is_plain = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(is_of_name)
        };
        let is_all_plain = !members.is_empty() && members.keys().all(|name| is_plain(name));
        let item = |(name, value): (&String, &Value)| match value {
            Value::String(text) => shell(&format!("{name}={text}")),
            other => shell(&format!("{name}:={other}")),
        };
        is_all_plain.then(|| members.iter().map(item).collect())
    }

    fn curl(&self) -> String {
        let mut words = vec!["curl".to_owned()];
        match self.method {
            "GET" => {}
            "HEAD" => words.push("--head".to_owned()),
            method => words.push(format!("-X {method}")),
        }
        // Brackets and braces in an address are curl's own otherwise.
        if self.address.contains(['[', ']', '{', '}']) {
            words.push("--globoff".to_owned());
        }
        words.push(shell(self.address));
        if self.is_signed_in {
            words.push("-H \"Authorization: Bearer $ACCESS\"".to_owned());
        }
        if !self.body.is_empty() {
            words.push("-H 'Content-Type: application/json'".to_owned());
            words.push(format!("--data-raw {}", shell(self.body)));
        }
        words.join(" ")
    }

    fn fetch(&self) -> String {
        let text = |text: &str| Value::from(text).to_string();
        let mut options = Vec::new();
        if self.method != "GET" {
            options.push(format!("method: {}", text(self.method)));
        }
        let mut headers = Vec::new();
        if self.is_signed_in {
            headers.push("Authorization: `Bearer ${access}`".to_owned());
        }
        if !self.body.is_empty() {
            headers.push("\"Content-Type\": \"application/json\"".to_owned());
        }
        if !headers.is_empty() {
            options.push(format!("headers: {{{}}}", headers.join(", ")));
        }
        if !self.body.is_empty() {
            let is_json = serde_json::from_str::<Value>(self.body).is_ok();
            let body = if is_json { format!("JSON.stringify({})", self.body) } else { text(self.body) };
            options.push(format!("body: {body}"));
        }
        let options = if options.is_empty() { String::new() } else { format!(", {{\n  {}\n}}", options.join(",\n  ")) };
        format!("await fetch({}{options})", text(self.address))
    }
}

/// Whether a member of this name is a secret: a password, a token, an invitation.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "passwd", "secret", "token"].iter().any(|word| name.contains(word))
        || ["refresh", "access", "invitation"].contains(&name.as_str())
}

/// A body without the secrets in it. One that is no JSON yet is not shown where it may have some.
pub fn without_secrets(body: &str) -> Cow<'_, str> {
    match serde_json::from_str::<Value>(body) {
        Ok(mut value) => {
            if hide(&mut value) {
                Cow::Owned(value.to_string())
            } else {
                Cow::Borrowed(body)
            }
        }
        Err(_) if body.split(|c: char| !is_of_name(c)).any(is_secret) => Cow::Borrowed(HIDDEN),
        Err(_) => Cow::Borrowed(body),
    }
}

/// Whether there was something to hide.
fn hide(value: &mut Value) -> bool {
    match value {
        Value::Object(members) => {
            let mut has_hidden = false;
            for (name, value) in members.iter_mut() {
                if is_secret(name) && matches!(value, Value::String(_) | Value::Number(_)) {
                    *value = HIDDEN.into();
                    has_hidden = true;
                } else {
                    has_hidden |= hide(value);
                }
            }
            has_hidden
        }
        // Of all of them, not up to the first.
        Value::Array(items) => items.iter_mut().filter_map(|item| hide(item).then_some(())).count() > 0,
        _ => false,
    }
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// A word for a shell: nothing in it means anything to it.
pub(crate) fn shell(word: &str) -> String {
    let is_plain = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-./:=,@%+".contains(c));
    if is_plain { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "http://localhost:8000/api/records/snacks/";

    fn of(method: &str, address: &str, body: &str) -> [String; 3] {
        Sent { method, address, body, is_signed_in: true }.snippets().map(|snippet| snippet.text)
    }

    #[test]
    fn a_request_can_be_read_by_people_in_all_three() {
        let address = "http://localhost:8000/api/records/snacks/?page=2&a=b c";
        let get = Sent { method: "GET", address, body: "", is_signed_in: false };
        let [httpie, curl, fetch] = get.snippets().map(|snippet| snippet.text);
        assert_eq!(httpie, format!("http GET '{address}'"));
        assert_eq!(curl, format!("curl '{address}'"));
        assert_eq!(fetch, format!("await fetch(\"{address}\")"));
        let [httpie, curl, fetch] = of("POST", ADDRESS, r#"{"title": "Nuts", "price": 3, "vegan": true}"#);
        assert_eq!(httpie, format!("http -A bearer -a \"$ACCESS\" POST {ADDRESS} title=Nuts price:=3 vegan:=true"));
        assert!(fetch.contains("body: JSON.stringify({\"title\": \"Nuts\""), "{fetch}");
        assert!(curl.contains("-X POST") && curl.contains("Bearer $ACCESS"), "{curl}");
    }

    #[test]
    fn nothing_in_a_value_means_anything_to_a_shell() {
        let body = r#"{"title": "it's $(id) `id` \"x\""}"#;
        for snippets in [of("POST", ADDRESS, body), of("PATCH", "http://h/?a='", "[1, '2]")] {
            for command in &snippets[..2] {
                // Outside of single quotes stands nothing but the token's name that a shell would replace.
                let outside: String = command.replace(r"'\''", "").split('\'').step_by(2).collect();
                assert!(!outside.replace("$ACCESS", "").contains(['$', '`', '(', ';', '&', '<', '>']), "{command}");
            }
        }
    }

    #[test]
    fn names_that_httpie_would_read_otherwise_go_as_they_stand() {
        for body in [r#"{"a:b": 1}"#, r#"{"a[b]": 1}"#, r#"{"1": 1}"#, r#"{"": 1}"#, "[1]", "{}", "no json"] {
            assert!(of("POST", ADDRESS, body)[0].contains("--raw"), "{body}");
        }
    }

    #[test]
    fn no_secret_is_copied() {
        for body in [
            r#"{"username": "ada", "password": "otters"}"#,
            r#"{"current_password": "otters", "new_password": "otters"}"#,
            r#"{"refresh": "otters"}"#,
            r#"[{"a": {"Api_Token": "otters"}}]"#,
            r#"{"password2": "otters", "invitation": "otters"}"#,
            r#"{"username": "ada", "password": "otters"#,
            r"{password: 'otters'}",
        ] {
            for text in of("POST", "http://h/api/token/", body) {
                assert!(!text.contains("otters") && text.contains(HIDDEN), "{text}");
            }
        }
        // What only has such a name is shown: rules are no secret.
        let rules = r#"{"access": {"list": ["anyone"]}, "title": "tokens"}"#;
        assert_eq!(without_secrets(rules), rules);
        assert_eq!(without_secrets(r#"{"title": "half"#), r#"{"title": "half"#);
    }
}
