//! A front end that somebody else serves, from another port: what `--cors-origin` lets it do in a real browser, and what it does not.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
};

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    seed::{PASSWORD, make_snacks, set_up},
    server::Server,
};

/// Serves an empty page on a port of its own until the process ends.
fn front_end() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 4096];
            let _ = stream.read(&mut head);
            let page = "<!doctype html><title>front end</title><link rel=icon href=data:,>";
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
                page.len()
            );
        }
    });
    address
}

/// What such a front end does: signs in by name and password, reads, writes and makes mistakes; and tells what it could read.
fn script(api: &str) -> String {
    format!(
        "const api = {api};
        const send = (path, method, body, headers) => fetch(api + path, {{
            method, credentials: 'omit', body: body && JSON.stringify(body), headers: {{'content-type': 'application/json', ...headers}}}});
        const pair = await (await send('/api/token/', 'POST', {{username: 'ada', password: {password}}})).json();
        const bearer = {{authorization: 'Bearer ' + pair.access}};
        const made = await send('/api/records/snacks/', 'POST', {{title: 'Crisps'}}, bearer);
        const changed = await send(
            '/api/records/snacks/' + (await made.json()).id + '/', 'PATCH', {{price: 3}},
            {{...bearer, 'if-match': made.headers.get('etag'), 'x-requested-with': 'XMLHttpRequest'}});
        const stranger = await send('/api/records/snacks/', 'GET');
        const kept = await fetch(api + '/api/', {{credentials: 'include'}});
        const cookie = await send('/api/session/', 'POST', {{username: 'ada', password: {password}}}, {{'x-coffer': '1'}}).catch(String);
        return {{
            made: [made.status, !!made.headers.get('location'), !!made.headers.get('x-request-id'), !!made.headers.get('ratelimit')],
            changed: changed.status,
            stranger: [stranger.status, typeof (await stranger.json()).detail],
            kept: kept.status,
            cookie,
        }};",
        api = json!(api),
        password = json!(PASSWORD),
    )
}

#[tokio::test]
async fn b4_a_front_end_on_another_port_works_where_it_is_named_and_not_where_it_is_not() {
    let (known, unknown) = (front_end(), front_end());
    let server = Server::with(&["--cors-origin", &format!("http://{known}")]);
    let browser = Browser::start(&server).await;
    set_up(&browser, &server).await;
    make_snacks(&browser, json!([{"title": "Popcorn"}])).await;

    browser.go(&format!("http://{known}/")).await;
    let told = browser.run(&script(&server.address)).await;
    let expected = json!({
        "made": [201, true, true, true],
        "changed": 200,
        "stranger": [401, "string"],
        "kept": 200,
        "cookie": "TypeError: Failed to fetch",
    });
    assert_eq!(told, expected);

    browser.go(&format!("http://{unknown}/")).await;
    let told = browser.run(&script(&server.address)).await;
    assert_eq!(told, Value::from("TypeError: Failed to fetch"));
}
