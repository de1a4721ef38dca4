//! The web app's files.

use std::{fs, io::Read, sync::LazyLock};

use coffer::assets::{Assets, Policy};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};

const SCRIPT: &str = "boot-0123456789abcdef.js";

/// What is served, and the files' texts.
struct Files(Assets, [Vec<u8>; 2]);

/// The texts are long enough to be worth compressing.
static FILES: LazyLock<Files> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let files = [("index.html", "<p>page</p>\n".repeat(100)), (SCRIPT, "let a = 1;\n".repeat(100))];
    for (name, text) in &files {
        fs::write(folder.path().join(name), text).expect("a file can be written");
    }
    fs::write(folder.path().with_extension("outside"), "outside").expect("a file can be written");
    let assets = Assets::from_dir(folder.path(), Policy::Ours).expect("the folder has a page");
    Files(assets, files.map(|(_, text)| text.into_bytes()))
});

/// Whatever is asked, a file is sent whole or in the part that the answer names, in the encoding that it names, and nothing is sent but the files.
/// The first line is the path, the others are headers.
pub fn files(bytes: &[u8]) {
    let Files(assets, files) = &*FILES;
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let path = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let mut headers = HeaderMap::new();
    for line in lines {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(&line[..colon]), HeaderValue::from_bytes(&line[colon + 1..]))
        {
            headers.append(name, value);
        }
    }
    let Some(response) = assets.respond(&Method::GET, &path, &headers, "id") else { return };
    let head = assets.respond(&Method::HEAD, &path, &headers, "id").expect("HEAD is answered where GET is");
    assert!(head.body().is_empty());
    let text = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let body = response.body();
    match response.status() {
        StatusCode::OK => {
            let file = decoded(text(header::CONTENT_ENCODING), body);
            assert!(files.contains(&file), "{path} is answered with something else");
            assert_eq!(head.headers().get(header::ETAG), response.headers().get(header::ETAG));
        }
        StatusCode::PARTIAL_CONTENT => {
            assert!(headers.contains_key(header::RANGE));
            assert_eq!(text(header::CONTENT_ENCODING), None, "a part is of the file itself");
            let range =
                text(header::CONTENT_RANGE).and_then(|range| range.strip_prefix("bytes ")).expect("a part is named");
            let (range, length) = range.split_once('/').expect("with the whole length");
            let (first, last) = range.split_once('-').expect("from and to");
            let [first, last, length] = [first, last, length].map(|number| number.parse::<usize>().expect("a number"));
            let is_part = |text: &Vec<u8>| text.len() == length && text.get(first..=last) == Some(&body[..]);
            assert!(files.iter().any(is_part), "{range} of {path} is something else");
        }
        StatusCode::NOT_MODIFIED => {
            assert!(headers.contains_key(header::IF_NONE_MATCH));
            assert!(body.is_empty());
        }
        StatusCode::RANGE_NOT_SATISFIABLE => assert!(headers.contains_key(header::RANGE)),
        other => panic!("{path} is answered with {other}"),
    }
}

fn decoded(encoding: Option<&str>, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        None => out.extend_from_slice(body),
        Some("gzip") => drop(flate2::read::GzDecoder::new(body).read_to_end(&mut out).expect("gzip")),
        Some("br") => drop(brotli::Decompressor::new(body, 4096).read_to_end(&mut out).expect("brotli")),
        Some(other) => panic!("{other} is no encoding of ours"),
    }
    out
}
