//! Requests by route, read from what the server counts for Prometheus (`GET /metrics`): how many, with which answers, how long they took.

use std::collections::BTreeMap;

use crate::metrics::Requests;

const COUNTS: &str = "coffer_http_requests_total{";
const TIMES: &str = "coffer_http_request_duration_seconds_bucket{";

/// What was counted since the server started.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Traffic(BTreeMap<(String, String), Counted>);

#[derive(Debug, Clone, Default, PartialEq)]
struct Counted {
    requests: Requests,
    /// How many took no longer than so many seconds; the last bound is infinite.
    took: Vec<(f64, u64)>,
}

/// One route.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The method.
    pub method: String,
    /// The path, as the API's pages write it.
    pub path: String,
    /// Its requests by the class of the answers' status.
    pub requests: Requests,
    /// Half of them took no longer, in milliseconds.
    pub p50_ms: Option<f64>,
    /// The same for 99 of a hundred.
    pub p99_ms: Option<f64>,
    /// Requests since an earlier reading.
    pub new: u64,
}

impl Traffic {
    /// Reads what the server wrote; lines of other measures are passed over.
    pub fn read(exposition: &str) -> Self {
        let mut all = Self::default();
        for line in exposition.lines() {
            let (is_count, rest) = match (line.strip_prefix(COUNTS), line.strip_prefix(TIMES)) {
                (Some(rest), _) => (true, rest),
                (_, Some(rest)) => (false, rest),
                _ => continue,
            };
            all.take(is_count, rest);
        }
        all
    }

    fn take(&mut self, is_count: bool, line: &str) -> Option<()> {
        let (labels, value) = line.rsplit_once("} ")?;
        let value = value.trim().parse().ok()?;
        let label = |name: &str| {
            let at = labels.find(&format!("{name}=\""))? + name.len() + 2;
            labels[at..].split_once('"').map(|(value, _)| value)
        };
        let key = (label("route")?.to_owned(), label("method")?.to_owned());
        let counted = self.0.entry(key).or_default();
        if !is_count {
            let bound = label("le")?;
            let bound = if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? };
            counted.took.push((bound, value));
            return Some(());
        }
        let requests = &mut counted.requests;
        let class = match label("status")? {
            "2xx" => &mut requests.success,
            "3xx" => &mut requests.redirection,
            "4xx" => &mut requests.client_error,
            "5xx" => &mut requests.server_error,
            _ => &mut requests.left,
        };
        *class += value;
        Some(())
    }

    /// The routes with the most requests, and how many each had since `earlier`.
    pub fn routes(&self, earlier: Option<&Self>, most: usize) -> Vec<Route> {
        let mut routes: Vec<Route> = self.0.iter().map(|(key, counted)| counted.route(key, earlier)).collect();
        routes.sort_by_key(|route| std::cmp::Reverse((route.new, route.requests.total())));
        routes.retain(|route| route.requests.total() > 0);
        routes.truncate(most);
        routes
    }
}

impl Counted {
    fn route(&self, key: &(String, String), earlier: Option<&Traffic>) -> Route {
        let total = self.requests.total();
        let before = earlier.map(|earlier| earlier.0.get(key).map_or(0, |counted| counted.requests.total()));
        Route {
            path: key.0.clone(),
            method: key.1.clone(),
            requests: self.requests,
            p50_ms: self.quantile(0.5),
            p99_ms: self.quantile(0.99),
            // A server that was started meanwhile counts from 0.
            new: before.map_or(0, |before| total.checked_sub(before).unwrap_or(total)),
        }
    }

    /// Read from its bucket, as Prometheus does: as if the values in it lay evenly.
    #[allow(clippy::cast_precision_loss, reason = "shown with three digits")]
    fn quantile(&self, part: f64) -> Option<f64> {
        let all = self.took.last().map(|(_, count)| *count).filter(|count| *count > 0)?;
        let rank = part * all as f64;
        let at = self.took.iter().position(|(_, count)| *count as f64 >= rank)?;
        let (low, before) = at.checked_sub(1).map_or((0.0, 0), |before| self.took[before]);
        let (bound, count) = self.took[at];
        let high = if bound.is_finite() { bound } else { low };
        let share = (rank - before as f64) / (count - before).max(1) as f64;
        Some((low + (high - low) * share) * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: &str = r#"# TYPE coffer_http_requests_total counter
coffer_http_requests_total{route="/api/records/{collection}/",method="GET",status="2xx"} 90
coffer_http_requests_total{route="/api/records/{collection}/",method="GET",status="4xx"} 10
coffer_http_requests_total{route="none",method="DELETE",status="left"} 1
coffer_http_request_duration_seconds_bucket{route="/api/records/{collection}/",method="GET",le="0.001"} 50
coffer_http_request_duration_seconds_bucket{route="/api/records/{collection}/",method="GET",le="0.01"} 100
coffer_http_request_duration_seconds_bucket{route="/api/records/{collection}/",method="GET",le="+Inf"} 100
coffer_http_request_duration_seconds_count{route="/api/records/{collection}/",method="GET"} 100
coffer_memory_held_bytes 7
nonsense{ 
"#;

    #[test]
    fn routes_have_their_requests_by_status_and_their_quantiles() {
        let traffic = Traffic::read(READING);
        let routes = traffic.routes(None, 9);
        assert_eq!(routes.len(), 2);
        let list = &routes[0];
        assert_eq!((list.method.as_str(), list.path.as_str()), ("GET", "/api/records/{collection}/"));
        assert_eq!((list.requests.success, list.requests.client_error, list.requests.total()), (90, 10, 100));
        assert_eq!(list.p50_ms, Some(1.0));
        assert!((list.p99_ms.unwrap() - 9.82).abs() < 0.001);
        assert_eq!((routes[1].requests.left, routes[1].p50_ms), (1, None));
        assert_eq!(Traffic::read(""), Traffic::default());
    }

    #[test]
    fn what_is_new_stands_first_and_a_new_start_counts_from_nothing() {
        let earlier = Traffic::read(READING);
        let later = Traffic::read(&READING.replace("\"left\"} 1", "\"left\"} 4"));
        let routes = later.routes(Some(&earlier), 9);
        assert_eq!((routes[0].path.as_str(), routes[0].new, routes[1].new), ("none", 3, 0));
        assert_eq!(earlier.routes(Some(&later), 1)[0].new, 1);
    }
}
