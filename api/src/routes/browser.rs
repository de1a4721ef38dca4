//! `/api/session/`: the web app's own sign-in. The refresh token travels in a cookie that no script can read, and never in
//! a body.

use common::{
    Endpoint,
    endpoints::{
        sessions::{self as endpoints, BrowserSession},
        tokens::Credentials,
    },
};
use http::{HeaderName, header};

use super::{context::Context, cookie, input::Input, reply::Reply, table::Table};
use crate::domain::{
    Error, Result,
    refresh::{self, Issued},
    sign_in::{self, Proof},
};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::SignIn, _, _>(sign_in);
    table.on::<endpoints::Refresh, _, _>(trade);
    table.on::<endpoints::SignOut, _, _>(sign_out);
}

async fn sign_in(context: Context, input: Input<endpoints::SignIn>) -> Result<Reply<endpoints::SignIn>> {
    let Credentials { username, password } = &input.body;
    let proof = Proof { username, password, device: cookie::device(&context, &input.headers) };
    let issued = sign_in::sign_in(&context.app, &proof, &input.origin).await?;
    session(&context, issued)
}

async fn trade(context: Context, input: Input<endpoints::Refresh>) -> Result<Reply<endpoints::Refresh>> {
    session(&context, refresh::refresh(&context.app, input.refresh_claims()?, &input.origin).await?)
}

async fn sign_out(context: Context, input: Input<endpoints::SignOut>) -> Result<Reply<endpoints::SignOut>> {
    if let Ok(claims) = input.refresh_claims() {
        // A session that has ended already is as signed out as can be.
        match refresh::sign_out(context.app.core(), claims, &input.origin).await {
            Ok(()) | Err(Error::Unauthenticated(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let reply = Reply::no_content().header(header::SET_COOKIE, &cookie::set(&context.options, "", 0));
    // Records that were read are in the browser's cache. Not "cookies": those are shared with other ports of this host. On
    // plain HTTP browsers refuse the header, loudly.
    if context.options.insecure_cookie {
        return Ok(reply);
    }
    Ok(reply.header(CLEAR_SITE_DATA, "\"cache\""))
}

fn session<E: Endpoint<Response = BrowserSession>>(context: &Context, issued: Issued) -> Result<Reply<E>> {
    let Issued { access, refresh, expires_in, user, device } = issued;
    let mut reply = Reply::new(&BrowserSession { access, expires_in, user })?;
    if let Some(refresh) = refresh {
        let lifetime = context.app.auth().refresh_lifetime.as_secs();
        reply = reply.header(header::SET_COOKIE, &cookie::set(&context.options, &refresh, lifetime));
    }
    if let Some(device) = device {
        reply = reply.header(header::SET_COOKIE, &cookie::set_device(&context.options, &device));
    }
    Ok(reply)
}
