//! `/api/users/`.

use common::{
    endpoints::users::{self as endpoints, ProfilePatch, UserPatch},
    user::User,
};
use http::header;

use super::{context::Context, input::Input, paging::linked, reply::Reply, table::Table};
use crate::domain::{Result, users};

pub(crate) fn register(table: &mut Table) {
    table.on::<endpoints::Me, _, _>(me);
    table.on::<endpoints::UpdateMe, _, _>(update_me);
    table.on::<endpoints::ChangePassword, _, _>(change_password);
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::Create, _, _>(create);
    table.on::<endpoints::Invite, _, _>(invite);
    table.on::<endpoints::Invitations, _, _>(invitations);
    table.on::<endpoints::TakeBack, _, _>(take_back);
    table.on::<endpoints::Get, _, _>(get);
    table.on::<endpoints::Update, _, _>(update);
    table.on::<endpoints::Unlock, _, _>(unlock);
    table.on::<endpoints::Delete, _, _>(delete);
}

/// A user as all of these endpoints send them.
async fn shown(context: &Context, user: User) -> Result<User> {
    users::with_usage(context.app.core(), user).await
}

async fn me(context: Context, input: Input<endpoints::Me>) -> Result<Reply<endpoints::Me>> {
    Reply::new(&shown(&context, User::clone(&input.session()?.user)).await?)
}

async fn update_me(context: Context, input: Input<endpoints::UpdateMe>) -> Result<Reply<endpoints::UpdateMe>> {
    let ProfilePatch { username, email, sent_back } = input.body.clone();
    let patch = UserPatch { username, email, sent_back, ..UserPatch::default() };
    let user = users::update_own(&context.app, input.session()?.actor(), input.session()?.user.id, patch).await?;
    Reply::new(&shown(&context, user).await?)
}

async fn change_password(
    context: Context,
    input: Input<endpoints::ChangePassword>,
) -> Result<Reply<endpoints::ChangePassword>> {
    users::change_password(&context.app, input.session()?, input.body.clone()).await?;
    Ok(Reply::no_content())
}

async fn list(context: Context, input: Input<endpoints::List>) -> Result<Reply<endpoints::List>> {
    let mut page = users::list(context.app.core(), &input.query).await?;
    for user in &mut page.results {
        *user = shown(&context, user.clone()).await?;
    }
    Reply::new(&linked(&input, &input.query, page))
}

async fn create(context: Context, input: Input<endpoints::Create>) -> Result<Reply<endpoints::Create>> {
    if input.is_strangers() {
        let user = users::sign_up(&context.app, input.actor(), &context.options.sign_up, input.body.clone()).await?;
        return Reply::new(&user);
    }
    let user = users::create(&context.app, input.actor(), input.body.clone()).await?;
    let user = shown(&context, user).await?;
    let location = input.link::<endpoints::Get>(&(user.id,), &());
    Ok(Reply::new(&user)?.header(header::LOCATION, &location))
}

async fn invite(context: Context, input: Input<endpoints::Invite>) -> Result<Reply<endpoints::Invite>> {
    Reply::new(&users::invite(&context.app, &input.body).await?)
}

async fn invitations(context: Context, _: Input<endpoints::Invitations>) -> Result<Reply<endpoints::Invitations>> {
    Reply::new(&users::invitations(context.app.core()).await?)
}

async fn take_back(context: Context, input: Input<endpoints::TakeBack>) -> Result<Reply<endpoints::TakeBack>> {
    users::take_back(context.app.core(), input.params.0).await?;
    Ok(Reply::no_content())
}

async fn get(context: Context, input: Input<endpoints::Get>) -> Result<Reply<endpoints::Get>> {
    let user = users::get(&context.app.core().store, input.params.0).await?;
    Reply::new(&shown(&context, user).await?)
}

async fn update(context: Context, input: Input<endpoints::Update>) -> Result<Reply<endpoints::Update>> {
    let user = users::update(&context.app, input.session()?.actor(), input.params.0, input.body.clone()).await?;
    Reply::new(&shown(&context, user).await?)
}

async fn unlock(context: Context, input: Input<endpoints::Unlock>) -> Result<Reply<endpoints::Unlock>> {
    users::unlock(&context.app, input.session()?.actor(), input.params.0).await?;
    Ok(Reply::no_content())
}

async fn delete(context: Context, input: Input<endpoints::Delete>) -> Result<Reply<endpoints::Delete>> {
    users::delete(context.app.core(), input.session()?.actor(), input.params.0).await?;
    Ok(Reply::no_content())
}
