//! `Accept-Encoding` (RFC 9110 §12.5.3): which of the forms that there are the client likes best. Compressing is not done here.

use http::{HeaderMap, HeaderValue, header};

/// The forms of a file, best first where the client does not mind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    const ALL: [Self; 3] = [Self::Brotli, Self::Gzip, Self::Identity];

    /// The name in `Content-Encoding`; the file as it is has none.
    pub(crate) fn name(self) -> Option<HeaderValue> {
        match self {
            Self::Brotli => Some(HeaderValue::from_static("br")),
            Self::Gzip => Some(HeaderValue::from_static("gzip")),
            Self::Identity => None,
        }
    }

    fn is_called(self, name: &str) -> bool {
        match self {
            Self::Brotli => name.eq_ignore_ascii_case("br"),
            Self::Gzip => name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip"),
            Self::Identity => name.eq_ignore_ascii_case("identity"),
        }
    }
}

/// The available encoding with the highest weight. Where the client refuses all of them, the file as it is: better than nothing.
pub(crate) fn choose(headers: &HeaderMap, available: impl Fn(Encoding) -> bool) -> Encoding {
    let mut best = (Encoding::Identity, 0);
    for encoding in Encoding::ALL.into_iter().filter(|encoding| available(*encoding)) {
        let weight = weight(headers, encoding);
        if weight > best.1 {
            best = (encoding, weight);
        }
    }
    best.0
}

/// Whether the client says in words that it does not want what is not compressed.
pub(crate) fn refuses_identity(headers: &HeaderMap) -> bool {
    weight(headers, Encoding::Identity) == 0
}

/// How much the client likes `encoding`: 0 for not at all, and never less than 1 for the file as it is, unless that is refused in words.
fn weight(headers: &HeaderMap, encoding: Encoding) -> u16 {
    let (mut named, mut any) = (None, None);
    for item in headers
        .get_all(header::ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().unwrap_or_default();
        let quality = weight_of(parts);
        if encoding.is_called(name) {
            named = Some(named.map_or(quality, |before: u16| before.max(quality)));
        } else if name == "*" {
            any = Some(quality);
        }
    }
    // The star stands for the file as it is only where it refuses; a client may have nothing else to decode.
    let is_identity = encoding == Encoding::Identity;
    named.or(any.filter(|any| *any == 0 || !is_identity)).unwrap_or(u16::from(is_identity))
}

/// What a client says that it likes something, in thousandths, by the parameters behind it.
pub(super) fn weight_of<'a>(mut parameters: impl Iterator<Item = &'a str>) -> u16 {
    parameters
        .find_map(|part| part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q")))
        // A weight that is none is taken for the refusal of what it stands at.
        .map_or(1000, |(_, quality)| thousandths(quality.trim()).unwrap_or(0))
}

/// A weight such as `0.85` in thousandths: `0` or `1` with at most three decimals.
fn thousandths(quality: &str) -> Option<u16> {
    let (whole, decimals) = quality.split_once('.').unwrap_or((quality, ""));
    let whole: u16 = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    (whole + decimals <= 1000).then_some(whole + decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(accept: &[&'static str]) -> Encoding {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(value));
        }
        choose(&headers, |_| true)
    }

    #[test]
    fn brotli_comes_before_gzip_where_the_client_does_not_mind() {
        assert_eq!(chosen(&["gzip, deflate, br, zstd"]), Encoding::Brotli);
        assert_eq!(chosen(&["gzip", "br"]), Encoding::Brotli, "two headers are one list");
        assert_eq!(chosen(&["*"]), Encoding::Brotli);
        assert_eq!(chosen(&["X-GZIP"]), Encoding::Gzip);
    }

    #[test]
    fn the_file_as_it_is_goes_to_clients_that_name_nothing_else() {
        assert_eq!(chosen(&[]), Encoding::Identity);
        assert_eq!(chosen(&[""]), Encoding::Identity);
        assert_eq!(chosen(&["deflate, zstd"]), Encoding::Identity);
        assert_eq!(chosen(&["broccoli"]), Encoding::Identity);
    }

    #[test]
    fn weights_decide() {
        assert_eq!(chosen(&["br;q=0.5, gzip;q=0.8"]), Encoding::Gzip);
        assert_eq!(chosen(&["br ; Q=0.001, gzip;q=0"]), Encoding::Brotli);
        assert_eq!(chosen(&["br;q=0.9, identity;q=1"]), Encoding::Identity);
        assert_eq!(chosen(&["gzip;q=0.5, *;q=0.7"]), Encoding::Brotli);
        assert_eq!(chosen(&["*;q=0.1, identity;q=0.05"]), Encoding::Brotli);
    }

    #[test]
    fn a_weight_of_zero_refuses() {
        assert_eq!(chosen(&["br;q=0, gzip"]), Encoding::Gzip);
        assert_eq!(chosen(&["br;q=0.000, gzip;q=0"]), Encoding::Identity);
        assert_eq!(chosen(&["*;q=0, gzip"]), Encoding::Gzip);
        assert_eq!(chosen(&["br;q=0, *"]), Encoding::Gzip);
        assert_eq!(chosen(&["identity;q=0, gzip;q=0.1"]), Encoding::Gzip);
        assert_eq!(chosen(&["*;q=0"]), Encoding::Identity, "all refused: better than nothing");
    }

    #[test]
    fn a_weight_that_is_none_refuses_too() {
        for accept in ["br;q=2", "br;q=-1", "br;q=0.1234", "br;q=1.001", "br;q=x", "br;q="] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accept));
            assert_eq!(choose(&headers, |_| true), Encoding::Identity, "{accept}");
        }
    }

    #[test]
    fn only_what_there_is_can_be_chosen() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip;q=0.1"));
        assert_eq!(choose(&headers, |encoding| encoding != Encoding::Brotli), Encoding::Gzip);
    }
}
