//! `/api/session/`: the web app's own sign-in. The refresh token travels in a cookie that no script can read, and never in
//! a body.

use common::{
    Endpoint,
    endpoints::sessions::{self as endpoints, BrowserSession},
};
use http::{HeaderName, header};

use super::{context::Context, cookie, input::Input, reply::Reply, table::Table};
use crate::domain::{
    Error, Result,
    refresh::{self, Issued},
    sign_in,
};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::SignIn, _, _>(sign_in);
    table.on::<endpoints::Refresh, _, _>(trade);
    table.on::<endpoints::SignOut, _, _>(sign_out);
}

async fn sign_in(context: Context, input: Input<endpoints::SignIn>) -> Result<Reply<endpoints::SignIn>> {
    let issued = sign_in::sign_in(&context.app, &input.body.username, &input.body.password, &input.origin).await?;
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
    let Issued { access, refresh, expires_in, user } = issued;
    let reply = Reply::new(&BrowserSession { access, expires_in, user })?;
    let Some(refresh) = refresh else { return Ok(reply) };
    let lifetime = context.app.auth().refresh_lifetime.as_secs();
    Ok(reply.header(header::SET_COOKIE, &cookie::set(&context.options, &refresh, lifetime)))
}
