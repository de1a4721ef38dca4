//! Runs the conformance cases of the token endpoints against the real server, in each of the three modes of
//! rotation. What a
//! case may hold is in `conformance/README.md`, the cases themselves in `conformance/token_cases.json`.

mod bench;
mod case;
mod expect;
mod make;

use std::{collections::BTreeMap, fs, path::Path};

use reqwest::{
    Method, RequestBuilder,
    header::{CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;

use self::{
    bench::Bench,
    case::{Case, Step},
    expect::{Answer, Received},
    make::Maker,
};

/// A path that only an administrator may GET.
const ADMIN_PATH: &str = "/api/users/";

impl Bench {
    /// Everything that is wrong with the answers to the case's steps.
    async fn faults(&self, case: &Case) -> Vec<String> {
        let mut sessions = BTreeMap::new();
        for name in case.sessions() {
            let account = case.login.get(&name).map_or("user", String::as_str);
            sessions.insert(name, self.sign_in(account).await);
        }
        let mut maker = Maker { accounts: &self.accounts, key: self.key, sessions, answers: Vec::new() };
        let mut faults = Vec::new();
        for (number, step) in case.steps.iter().enumerate() {
            let copies: Vec<_> = (0..step.parallel).map(|_| tokio::spawn(send(self.request(step, &maker)))).collect();
            let mut answers = Vec::new();
            for copy in copies {
                answers.push(copy.await.unwrap());
            }
            let found = expect::faults(step, &answers, &maker.answers);
            faults.extend(
                found
                    .into_iter()
                    .map(|fault| format!("{} ({}), step {number}: {fault}", case.name, case.rules.join(" "))),
            );
            maker.answers.push(answers.swap_remove(0));
        }
        faults
    }

    fn request(&self, step: &Step, maker: &Maker<'_>) -> RequestBuilder {
        let method = Method::from_bytes(step.method.as_bytes()).unwrap();
        let path = maker.text(&step.path).replace("{admin}", ADMIN_PATH);
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        let headers: Vec<(String, String)> = match &step.headers {
            None => Vec::new(),
            Some(Value::Object(headers)) => {
                headers.iter().map(|(name, value)| (name.clone(), maker.text(value))).collect()
            }
            Some(pairs) => {
                let pairs = pairs.as_array().unwrap();
                pairs.iter().map(|pair| (maker.text(&pair[0]), maker.text(&pair[1]))).collect()
            }
        };
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request = request.header(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        match (&step.json, &step.raw) {
            (Some(body), None) => request.header(CONTENT_TYPE, "application/json").body(maker.make(body).to_string()),
            (None, Some(raw)) => request.body(maker.text(raw)),
            (None, None) => request,
            (Some(_), Some(_)) => panic!("a step has one body"),
        }
    }
}

/// Sends on a connection of its own.
async fn send(request: RequestBuilder) -> Answer {
    let Ok(response) = request.send().await else { return Answer(None) };
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers =
        headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let headers = headers.collect();
    let Ok(body) = response.text().await else { return Answer(None) };
    let json = serde_json::from_str(&body).ok();
    Answer(Some(Received { status, headers, body, json }))
}

async fn every_case_holds(rotation: &str) {
    let mut all = Vec::new();
    for file in ["token_cases.json", "neighbour_cases.json"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/conformance").join(file);
        let file: case::File = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        all.extend(file.cases);
    }
    let bench = Bench::start(rotation).await;
    let cases: Vec<&Case> = all.iter().filter(|case| case.is_for(rotation)).collect();
    let mut faults = Vec::new();
    for case in &cases {
        faults.extend(bench.faults(case).await);
    }
    assert!(faults.is_empty(), "of {} cases:\n{}", cases.len(), faults.join("\n"));
}

/// The cases that say `on` were recorded of a server that spends a token by its use.
#[tokio::test]
async fn token_endpoints_conform_in_strict_rotation() {
    every_case_holds("strict").await;
}

#[tokio::test]
async fn token_endpoints_conform_without_rotation() {
    every_case_holds("off").await;
}

#[tokio::test]
async fn token_endpoints_conform_in_the_default_rotation() {
    every_case_holds("adopted").await;
}
