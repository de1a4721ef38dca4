//! The names of routes that the log and the metrics use: numbers into a table that is fixed at the start, never text out of a request.

use std::sync::LazyLock;

use common::{ENDPOINTS, answer::AnswerKind};

/// A route of the API by its template, or what is none: the only names of URLs that the log and the metrics know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route(pub(super) u8);

static TEMPLATES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let mut templates = vec!["none", "file"];
    for info in ENDPOINTS {
        if !templates.contains(&info.path) {
            templates.push(info.path);
        }
    }
    templates
});

static EVENTS: LazyLock<Vec<usize>> = LazyLock::new(|| {
    let streams = ENDPOINTS.iter().filter(|info| info.answer == AnswerKind::Events);
    streams.map(|info| usize::from(Route::of(info.path).0)).collect()
});

impl Route {
    /// Nothing is at the URL, or the request was refused before it was looked at.
    pub const NONE: Self = Self(0);
    /// A file of the web app.
    pub const FILE: Self = Self(1);

    /// The route of an endpoint's path.
    pub fn of(template: &str) -> Self {
        let at = TEMPLATES.iter().position(|known| *known == template);
        at.and_then(|at| u8::try_from(at).ok()).map_or(Self::NONE, Self)
    }

    /// As in `/api/records/{collection}/{id}/`; `file`, or `none`.
    pub fn template(self) -> &'static str {
        TEMPLATES.get(usize::from(self.0)).copied().unwrap_or("none")
    }
}

impl Route {
    /// Whether the route of this number is a stream of events.
    pub(super) fn is_events(number: usize) -> bool {
        EVENTS.contains(&number)
    }
}

/// How many routes there are.
pub(super) fn routes() -> usize {
    TEMPLATES.len()
}
