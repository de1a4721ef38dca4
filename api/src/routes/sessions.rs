//! `/api/sessions/`: who is signed in where.

use common::{endpoints::sessions as endpoints, id::UserId};

use super::{context::Context, input::Input, paging::linked, reply::Reply, table::Table};
use crate::domain::{
    Error, Result,
    sessions::{self, Authenticated},
    users,
};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::End, _, _>(end);
    table.on::<endpoints::EndOthers, _, _>(end_others);
}

/// Whose sessions are meant: the caller's own, or for an admin anyone's.
async fn whose(context: &Context, asking: &Authenticated, user: Option<UserId>) -> Result<UserId> {
    match user {
        Some(user) if user != asking.user.id && !asking.user.is_admin => Err(Error::Denied),
        Some(user) => Ok(users::get(&context.app.core().store, user).await?.id),
        None => Ok(asking.user.id),
    }
}

async fn list(context: Context, input: Input<endpoints::List>) -> Result<Reply<endpoints::List>> {
    let user = whose(&context, input.session()?, input.query.user).await?;
    let page = sessions::list(context.app.core(), input.session()?, user, &input.query.list).await?;
    Reply::new(&linked(&input, &input.query.list, page))
}

async fn end(context: Context, input: Input<endpoints::End>) -> Result<Reply<endpoints::End>> {
    sessions::end(context.app.core(), input.session()?, input.params.0).await?;
    Ok(Reply::no_content())
}

async fn end_others(context: Context, input: Input<endpoints::EndOthers>) -> Result<Reply<endpoints::EndOthers>> {
    let asking = input.session()?;
    let user = whose(&context, asking, input.query.user).await?;
    let except = (user == asking.user.id).then_some(asking.id);
    sessions::end_all(context.app.core(), asking.actor(), user, except).await?;
    Ok(Reply::no_content())
}
