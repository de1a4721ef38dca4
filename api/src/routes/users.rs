//! `/api/users/`.

use common::endpoints::users::{self as endpoints, ProfilePatch, UserPatch};
use http::header;

use super::{Context, Input, Reply, Table, paging::linked};
use crate::domain::{Result, users};

pub fn register(table: &mut Table) {
    table.on::<endpoints::Me, _, _>(me);
    table.on::<endpoints::UpdateMe, _, _>(update_me);
    table.on::<endpoints::ChangePassword, _, _>(change_password);
    table.on::<endpoints::List, _, _>(list);
    table.on::<endpoints::Create, _, _>(create);
    table.on::<endpoints::Get, _, _>(get);
    table.on::<endpoints::Update, _, _>(update);
    table.on::<endpoints::Delete, _, _>(delete);
}

async fn me(_: Context, input: Input<endpoints::Me>) -> Result<Reply> {
    Reply::json(&*input.session()?.user)
}

async fn update_me(context: Context, input: Input<endpoints::UpdateMe>) -> Result<Reply> {
    let ProfilePatch { username, sent_back } = input.body.clone();
    let patch = UserPatch { username, sent_back, ..UserPatch::default() };
    Reply::json(&users::update(&context.app, input.session()?.actor(), input.session()?.user.id, patch).await?)
}

async fn change_password(context: Context, input: Input<endpoints::ChangePassword>) -> Result<Reply> {
    users::change_password(&context.app, input.session()?, input.body.clone()).await?;
    Ok(Reply::empty())
}

async fn list(context: Context, input: Input<endpoints::List>) -> Result<Reply> {
    let page = users::list(&context.app, &input.query).await?;
    Reply::json(&linked(&input, &input.query, page))
}

async fn create(context: Context, input: Input<endpoints::Create>) -> Result<Reply> {
    let location = input.base_url();
    let user = users::create(&context.app, input.session()?.actor(), input.body.clone()).await?;
    Ok(Reply::json(&user)?.header(header::LOCATION, &format!("{location}/api/users/{}/", user.id)))
}

async fn get(context: Context, input: Input<endpoints::Get>) -> Result<Reply> {
    Reply::json(&users::get(&context.app, input.params.0).await?)
}

async fn update(context: Context, input: Input<endpoints::Update>) -> Result<Reply> {
    Reply::json(&users::update(&context.app, input.session()?.actor(), input.params.0, input.body.clone()).await?)
}

async fn delete(context: Context, input: Input<endpoints::Delete>) -> Result<Reply> {
    users::delete(&context.app, input.session()?.actor(), input.params.0).await?;
    Ok(Reply::empty())
}
