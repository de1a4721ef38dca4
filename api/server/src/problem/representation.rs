//! Which of its two representations a problem has, by what the client accepts (RFC 9110 §12.5.1).

use http::{HeaderMap, header};

use super::PROBLEM;

/// How an error is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Representation {
    /// RFC 9457: `application/problem+json`.
    Problem,
    /// As Django REST Framework tells it: `application/json`.
    Drf,
}

impl Representation {
    /// What the client names; `None` where it names neither.
    pub fn named(headers: &HeaderMap) -> Option<Self> {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let names =
            accepted.flat_map(|value| value.split(',')).map(|range| range.split(';').next().unwrap_or("").trim());
        let is_named = |name: &str| [PROBLEM, "application/json"].iter().any(|known| name.eq_ignore_ascii_case(known));
        names.into_iter().any(is_named).then(|| Self::of(headers))
    }

    /// The problem document where the client names it and likes it no less than plain JSON. A wildcard names nothing: clients of
    /// Django REST Framework send one without knowing of problem documents.
    pub fn of(headers: &HeaderMap) -> Self {
        let (mut problem, mut json) = (0, Weights::default());
        for range in headers
            .get_all(header::ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
        {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default().to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q")))
                // A weight that is none is taken for the refusal of what it stands at.
                .map_or(1000, |(_, weight)| thousandths(weight.trim()).unwrap_or(0));
            match name.as_str() {
                PROBLEM => problem = problem.max(weight),
                "application/json" => json.exact = json.exact.max(Some(weight)),
                "application/*" => json.application = json.application.max(Some(weight)),
                "*/*" => json.any = json.any.max(Some(weight)),
                _ => {}
            }
        }
        if problem > 0 && problem >= json.weight() { Self::Problem } else { Self::Drf }
    }
}

/// What is said of plain JSON, by how precisely.
#[derive(Default)]
struct Weights {
    exact: Option<u16>,
    application: Option<u16>,
    any: Option<u16>,
}

impl Weights {
    /// The most precise says it.
    fn weight(&self) -> u16 {
        self.exact.or(self.application).or(self.any).unwrap_or(0)
    }
}

/// A weight such as `0.85` in thousandths; `None` where it is none.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{whole}{decimals:0<3}").parse().ok().filter(|weight| *weight <= 1000)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn chosen(accept: &[&'static str]) -> Representation {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(header::ACCEPT, HeaderValue::from_static(value));
        }
        Representation::of(&headers)
    }

    #[test]
    fn a_problem_document_goes_to_who_names_it() {
        for accept in [
            &["application/problem+json"][..],
            &["application/json, application/problem+json"],
            &["application/json", "Application/Problem+JSON"],
            &["application/problem+json, */*"],
            &["application/problem+json;q=0.9, application/json;q=0.9"],
            &["application/problem+json; charset=utf-8, application/json;q=0.8"],
            &["application/problem+json;q=0.2, text/html"],
            &["application/json;q=0, application/*, application/problem+json;q=0.1"],
        ] {
            assert_eq!(chosen(accept), Representation::Problem, "{accept:?}");
        }
    }

    #[test]
    fn everybody_else_reads_what_django_rest_framework_tells() {
        for accept in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/*"],
            &["application/json, text/plain, */*"],
            &["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"],
            &["application/problem+json;q=0"],
            &["application/problem+json;q=0.000, application/json"],
            &["application/problem+json;q=nan"],
            &["application/problem+json;q=1.5"],
            &["application/problem+json;q=0.5, application/json"],
            &["application/problem+json;q=0.5, */*;q=0.8"],
            &["application/problem+xml"],
            &["garbage;;;,,;q"],
        ] {
            assert_eq!(chosen(accept), Representation::Drf, "{accept:?}");
        }
    }
}
