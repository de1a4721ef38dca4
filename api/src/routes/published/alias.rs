//! What aliases of the server's own routes answer.

use bytes::{BufMut, BytesMut};
use http::{StatusCode, header};

use super::super::response::{Body, Response};
use crate::domain::paths::Compiled;

/// The answer of an own route at another address: with the members that the path has.
pub(in crate::routes) fn alias_answer(path: &Compiled, response: Response) -> Response {
    let Some(projection) = path.projection.as_ref().filter(|_| response.status().is_success()) else { return response };
    if response.status() == StatusCode::NO_CONTENT {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Body::Whole(bytes) = &body else { return Response::from_parts(parts, body) };
    let mut json = BytesMut::with_capacity(bytes.len());
    let is_list = results(bytes);
    let put = match is_list {
        Some((before, results, after)) => {
            json.put_slice(before);
            let put = projection.put_all(results, &|_| true, &mut json);
            json.put_slice(after);
            put
        }
        None => projection.put(bytes, &|_| true, &mut json),
    };
    if put.is_err() {
        return Response::from_parts(parts, body);
    }
    // A tag of other bytes.
    parts.headers.remove(header::ETAG);
    Response::from_parts(parts, Body::Whole(json.freeze()))
}

/// The rows of a page, and what stands around them.
fn results(page: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    const BEFORE: &[u8] = b"\"results\":";
    if !page.starts_with(b"{\"count\"") {
        return None;
    }
    let at = page.windows(BEFORE.len()).position(|window| window == BEFORE)? + BEFORE.len();
    let end = page.len().checked_sub(1)?;
    Some((page.get(..at)?, page.get(at..end)?, page.get(end..)?))
}
