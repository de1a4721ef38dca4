//! What the access log says of a request, and what it never says (`docs/security.md`, L1 and L2).

use std::{io, sync::Mutex};

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn lines(&self) -> Vec<serde_json::Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn l1_a_request_is_one_line_without_its_query_headers_and_body() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // With a single subscriber tracing asks the thread that comes first whether anybody listens, for all threads and for ever. Other
    // tests' threads would say no.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    // This thread's, and so the runtime's: a test has one of both.
    let _guard = tracing::subscriber::set_default(subscriber);

    let server = start(ServerOptions::default());
    let request = "POST /body?token=canary HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer canary\r\nCookie: c=canary\r\nContent-Length: 6\r\nConnection: close\r\n\r\ncanary";
    let mut client = Client::connect(server.address).await;
    client.send(request).await;
    let answer = client.answer().await;
    assert_eq!(answer.body, "6");
    client.rest().await;

    let lines = log.lines();
    assert!(!lines.iter().any(|line| line.to_string().contains("canary")), "{lines:#?}");
    let access: Vec<_> = lines.iter().filter(|line| line["target"] == "coffer::access").collect();
    assert_eq!(access.len(), 1, "{lines:#?}");
    let fields = &access[0]["fields"];
    assert_eq!((&fields["method"], &fields["route"]), (&"POST".into(), &"none".into()));
    assert!(fields["path"].is_null() && fields["user"].is_null(), "{fields}");
    assert_eq!((&fields["status"], &fields["bytes"]), (&200.into(), &1.into()));
    assert_eq!(fields["request_id"].as_str(), answer.header("x-request-id"));
    assert!(fields["ms"].is_number());
}
