//! Why nothing came back, in a few words of our own, for the middle of a sentence: a library's error text is no answer for a person.

use std::{error::Error, io};

/// It was silent for too long.
pub(crate) const TIMED_OUT: &str = "it took too long";
/// It ended in the middle.
pub(crate) const BROKEN_OFF: &str = "the connection broke off";
/// Nobody would read so much.
pub(crate) const ANSWER_TOO_LONG: &str = "its answer is too long";
/// A file of certificates has none.
pub(crate) const NO_CERTIFICATE: &str = "there is no certificate in PEM form in the file of --ca-cert";

const NO_SUCH_HOST: &str = "no machine of this name was found";
const NO_CONNECTION: &str = "there is no connection";

/// What an error of the system means, where it is a usual one.
pub(crate) fn unreachable(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some("nothing answers at this address"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::UnexpectedEof => {
            Some(BROKEN_OFF)
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("there is no way to that machine"),
        io::ErrorKind::TimedOut => Some(TIMED_OUT),
        io::ErrorKind::NotFound => Some("there is no such socket"),
        _ => None,
    }
}

/// Why nothing came back.
pub(crate) fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return TIMED_OUT.to_owned();
    }
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(current) = cause {
        if let Some(kind) = current.downcast_ref::<io::Error>().map(io::Error::kind)
            && let Some(words) = unreachable(kind)
        {
            return words.to_owned();
        }
        let text = current.to_string().to_ascii_lowercase();
        if let Some(words) = common::certificate::explain(&text) {
            return words.to_owned();
        }
        if text.contains("dns error") || text.contains("lookup address") {
            return NO_SUCH_HOST.to_owned();
        }
        cause = current.source();
    }
    if error.is_connect() { NO_CONNECTION.to_owned() } else { BROKEN_OFF.to_owned() }
}
