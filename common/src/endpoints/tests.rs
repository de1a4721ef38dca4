//! What all endpoints have in common, and the table of what is guarded: whoever changes a line of it changes who may do what.

use std::{collections::HashSet, fmt::Write as _};

use super::*;
use crate::answer::AnswerKind;

#[test]
fn no_endpoint_stands_twice_and_api_paths_end_in_a_slash() {
    let mut seen = HashSet::new();
    for endpoint in ENDPOINTS {
        assert!(seen.insert((endpoint.method.clone(), endpoint.path)), "{endpoint:?}");
        assert!(endpoint.path.ends_with('/') == endpoint.path.starts_with("/api/"), "{endpoint:?}");
        assert!(!endpoint.summary.is_empty());
        assert_eq!(endpoint.success == 204, endpoint.answer == AnswerKind::Nothing, "{endpoint:?}");
        assert_eq!(endpoint.body.is_nothing(), endpoint.body.max_bytes == 0, "{endpoint:?}");
    }
}

#[test]
fn who_may_call_what_at_whose_cost_changes_in_sight() {
    let mut table = String::new();
    for info in ENDPOINTS {
        let kinds: Vec<String> = info.body.kinds.iter().map(|kind| format!("{kind:?}")).collect();
        let body =
            if kinds.is_empty() { "-".to_owned() } else { format!("{}≤{}", kinds.join("|"), info.body.max_bytes) };
        let (method, path, access, cost, errors, answer) =
            (&info.method, info.path, info.access, info.cost, info.errors, info.answer);
        writeln!(table, "{method} {path} {access:?} {cost:?} {errors:?} {body} {answer:?}").unwrap();
    }
    assert_eq!(table, TABLE, "is this meant? Then change the table:\n{table}");
}

/// Method, path, who may call it, what it costs and whom, the dialect of its faults, its body, its answer.
const TABLE: &str = "\
GET /api/ Anyone Reads(Address) Drf - Json
POST /api/setup/ Proof Credentials(Address) Drf Json≤262144 Json
POST /api/token/ Proof Credentials(Address) SimpleJwt Json|Form|Multipart≤262144 Json
POST /api/token/refresh/ Proof Credentials(Session) SimpleJwt Json|Form|Multipart≤262144 Json
POST /api/token/verify/ Proof Reads(Address) SimpleJwt Json|Form|Multipart≤262144 Json
POST /api/token/blacklist/ Proof Credentials(Session) SimpleJwt Json|Form|Multipart≤262144 Json
GET /api/token/keys/ Anyone Reads(Address) SimpleJwt - Json
POST /api/token/inspect/ SignedIn Inspections(User) Drf Json≤262144 Json
GET /api/keys/ Admin Reads(User) Drf - Json
POST /api/session/ BrowserSignIn Credentials(Address) Drf Json≤262144 Json
POST /api/session/refresh/ Cookie Credentials(Session) Drf - Json
DELETE /api/session/ Cookie Credentials(Session) Drf - Nothing
GET /api/sessions/ SignedIn Reads(User) Drf - Json
DELETE /api/sessions/{id}/ SignedIn Writes(User) Drf - Nothing
DELETE /api/sessions/ SignedIn Writes(User) Drf - Nothing
GET /api/users/me/ SignedIn Reads(User) Drf - Json
PATCH /api/users/me/ SignedIn Writes(User) Drf Json≤262144 Json
POST /api/users/me/password/ SignedIn Credentials(User) Drf Json≤262144 Nothing
GET /api/users/ Admin Reads(User) Drf - Json
POST /api/users/ SignUp Writes(User) Drf Json≤262144 Json
POST /api/invitations/ Admin Writes(User) Drf Json≤262144 Json
GET /api/invitations/ Admin Reads(User) Drf - Json
DELETE /api/invitations/{id}/ Admin Writes(User) Drf - Nothing
GET /api/users/{id}/ Admin Reads(User) Drf - Json
PATCH /api/users/{id}/ Admin Writes(User) Drf Json≤262144 Json
POST /api/users/{id}/unlock/ Admin Writes(User) Drf - Nothing
DELETE /api/users/{id}/ Admin Writes(User) Drf - Nothing
GET /api/collections/ SignedIn Reads(User) Drf - Json
POST /api/collections/ Admin Writes(User) Drf Json≤1048575 Json
GET /api/collections/{collection}/ SignedIn Reads(User) Drf - Json
PUT /api/collections/{collection}/ Admin Writes(User) Drf Json≤1048575 Json
PATCH /api/collections/{collection}/ Admin Writes(User) Drf Json≤1048575 Json
POST /api/collections/{collection}/fields/ Admin Writes(User) Drf Json≤1048575 Json
PATCH /api/collections/{collection}/fields/{field}/ Admin Writes(User) Drf Json≤1048575 Json
DELETE /api/collections/{collection}/fields/{field}/ Admin Writes(User) Drf - Json
DELETE /api/collections/{collection}/ Admin Writes(User) Drf - Nothing
POST /api/guess/ Admin Reads(User) Drf Rows≤1073741824 Json
GET /api/migrations/ Admin Reads(User) Drf - Json
POST /api/migrations/ Admin Writes(User) Drf Json≤1048575 Json
POST /api/migrations/{collection}/{name}/revert/ Admin Writes(User) Drf - Json
GET /api/paths/ Admin Reads(User) Drf - Json
POST /api/paths/ Admin Writes(User) Drf Json≤1048575 Json
GET /api/paths/{id}/ Admin Reads(User) Drf - Json
PUT /api/paths/{id}/ Admin Writes(User) Drf Json≤1048575 Json
PATCH /api/paths/{id}/ Admin Writes(User) Drf Json≤1048575 Json
DELETE /api/paths/{id}/ Admin Writes(User) Drf - Nothing
GET /api/views/ SignedIn Reads(User) Drf - Json
POST /api/views/ SignedIn Writes(User) Drf Json≤262144 Json
GET /api/views/{id}/ SignedIn Reads(User) Drf - Json
PUT /api/views/{id}/ SignedIn Writes(User) Drf Json≤262144 Json
PATCH /api/views/{id}/ SignedIn Writes(User) Drf Json≤262144 Json
DELETE /api/views/{id}/ SignedIn Writes(User) Drf - Nothing
GET /api/records/ Rules([]) Reads(User) Drf - Json
GET /api/records/{collection}/ Rules([List]) Reads(User) Drf - Json
GET /api/records/{collection}/aggregate/ Rules([List]) Reads(User) Drf - Json
GET /api/records/{collection}/export/ Rules([List]) Reads(User) Drf - File
POST /api/records/{collection}/import/ Rules([Create]) Writes(User) Drf Rows≤1073741824 Json
POST /api/records/{collection}/ Rules([Create]) Writes(User) Drf Json|Form|Multipart≤10485760 Json
PATCH /api/records/{collection}/ Rules([List, Update]) Writes(User) Drf Json|Form|Multipart≤1048575 Json
DELETE /api/records/{collection}/ Rules([List, Delete]) Writes(User) Drf - Json
OPTIONS /api/records/{collection}/ Rules([]) Reads(User) Drf - Json
OPTIONS /api/records/{collection}/{id}/ Rules([]) Reads(User) Drf - Json
GET /api/records/{collection}/{id}/ Rules([View]) Reads(User) Drf - Json
PUT /api/records/{collection}/{id}/ Rules([View, Update]) Writes(User) Drf Json|Form|Multipart≤1048575 Json
PATCH /api/records/{collection}/{id}/ Rules([View, Update]) Writes(User) Drf Json|Form|Multipart≤1048575 Json
DELETE /api/records/{collection}/{id}/ Rules([View, Delete]) Writes(User) Drf - Nothing
GET /api/records/{collection}/{id}/history/ Rules([View]) Reads(User) Drf - Json
POST /api/records/{collection}/{id}/history/{revision}/restore/ Rules([View]) Writes(User) Drf - Json
GET /api/records/{collection}/trash/ Rules([List]) Reads(User) Drf - Json
POST /api/batch/ SignedIn Writes(User) Drf Json≤10485760 Json
GET /api/changes/ SignedIn Reads(User) Drf - Json
POST /api/changes/trim/ Admin Writes(User) Drf Json≤1048575 Json
POST /api/changes/erase/ Admin Writes(User) Drf Json≤1048575 Json
GET /api/changes/{operation}/ SignedIn Reads(User) Drf - Json
POST /api/changes/{operation}/revert/ Rules([]) Writes(User) Drf - Json
GET /api/events/ SignedInOrTicket Reads(User) Drf - Events
POST /api/events/ticket/ SignedIn Reads(User) Drf - Json
GET /api/schema/ SignedIn Reads(User) Drf - Json
GET /api/operations/ Admin Reads(User) Drf - Json
GET /api/operations/{id}/ SignedIn Reads(User) Drf - Json
GET /api/operations/{id}/rejected/ SignedIn Reads(User) Drf - File
DELETE /api/operations/{id}/ SignedIn Writes(User) Drf - Nothing
POST /api/operations/{id}/resume/ Admin Writes(User) Drf - Json
GET /api/backup/ Admin Reads(User) Drf - File
POST /api/storage/compact/ Admin Writes(User) Drf - Json
GET /api/storage/compact/ Admin Reads(User) Drf - Json
GET /api/log/ Admin Reads(User) Drf - Json
PUT /api/log/ Admin Writes(User) Drf Json≤262144 Json
GET /api/log/lines/ Admin Reads(User) Drf - Json
GET /api/settings/ Admin Reads(User) Drf - Json
GET /api/metrics/ Admin Reads(User) Drf - Json
GET /metrics Admin Reads(User) Drf - Text
GET /healthz Supervisor Free Drf - Json
GET /readyz Supervisor Free Drf - Json
";
