//! What a browser is held to when it shows a file. Pages of our own run our files and nothing else; those of a folder that the operator brings are what
//! their maker made them, and no rule of ours could know what they load.

use std::{path::PathBuf, str::FromStr};

use http::{HeaderName, HeaderValue, Response, header};
use server::headers::OwnPolicies;

use super::content;

/// `docs/security.md`, B5. `wasm-unsafe-eval` is what compiling WebAssembly is called.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'",
);
pub(super) const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const NO_PERMISSIONS: HeaderValue = HeaderValue::from_static(
    "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), \
     midi=(), payment=(), serial=(), usb=()",
);
pub(super) const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The policies that files are sent with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Policy {
    /// Those of Coffer's own app.
    #[default]
    Ours,
    /// This content security policy on every file, since workers and pictures have one too, and no other policy.
    Given(HeaderValue),
    /// None.
    Off,
}

impl Policy {
    pub(super) fn put_on<B>(&self, response: &mut Response<B>) {
        if *self != Self::Ours {
            response.extensions_mut().insert(OwnPolicies);
        }
        let headers = response.headers_mut();
        match self {
            Self::Ours if headers.get(header::CONTENT_TYPE) == Some(&content::HTML) => {
                headers.insert(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
                headers.insert(OPENER_POLICY, HeaderValue::from_static("same-origin"));
                headers.insert(PERMISSIONS_POLICY, NO_PERMISSIONS);
            }
            Self::Given(policy) => {
                headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
            }
            Self::Ours | Self::Off => {}
        }
    }
}

/// Where an operator says that the policy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// `app`: as for Coffer's own app.
    App,
    /// `off`: nowhere.
    Off,
    /// In this file.
    File(PathBuf),
}

impl FromStr for PolicySource {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "app" => Self::App,
            "off" => Self::Off,
            path => Self::File(path.into()),
        })
    }
}

impl Policy {
    /// A content security policy as people write it into a file: over several lines, if they like. `None` where it is none.
    pub fn from_text(text: &str) -> Option<Self> {
        let policy = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        let is_policy = policy.split(';').map(str::trim).filter(|directive| !directive.is_empty()).all(|directive| {
            let name = directive.split(' ').next().unwrap_or_default();
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        });
        // A comma would begin another policy, which most people mean no more than a header's name before it.
        let is_policy = is_policy && !policy.contains(',') && policy.contains(|c: char| c.is_ascii_lowercase());
        HeaderValue::try_from(policy).ok().filter(|_| is_policy).map(Self::Given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_may_have_lines_and_must_be_one() {
        let policy = "default-src 'self';\n  script-src 'self' https://cdn.example;\n";
        let one_line = HeaderValue::from_static("default-src 'self'; script-src 'self' https://cdn.example;");
        assert_eq!(Policy::from_text(policy), Some(Policy::Given(one_line)));
        for text in [
            "",
            "  \n",
            ";",
            "Content-Security-Policy: default-src 'self'",
            "default-src 'self', script-src *",
            "<meta>",
        ] {
            assert_eq!(Policy::from_text(text), None, "{text}");
        }
    }
}
