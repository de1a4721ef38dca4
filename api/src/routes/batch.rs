//! `/api/batch/`.

use bytes::{BufMut as _, Bytes, BytesMut};
use common::endpoints::batch::Run;

use super::{context::Context, input::Input, reply::Reply, table::Table};
use crate::domain::{
    Result,
    records::{self, Did},
};

pub(crate) fn register(table: &mut Table) {
    table.on::<Run, _, _>(run);
}

async fn run(context: Context, input: Input<Run>) -> Result<Reply<Run>> {
    let by = input.actor();
    let done = records::run_batch(context.app.core(), by, &input.body, input.manner()).await?;
    let mut json = BytesMut::from(&b"{\"items\":["[..]);
    for (i, Did { action, collection, id, sent }) in done.iter().enumerate() {
        let (action, id) = (serde_json::to_value(action)?, id.to_value());
        let comma = if i > 0 { "," } else { "" };
        json.put_slice(
            format!("{comma}{{\"action\":{action},\"collection\":\"{collection}\",\"id\":{id},\"record\":").as_bytes(),
        );
        json.put_slice(sent.as_ref().map_or(b"null", |sent| &sent.json));
        json.put_u8(b'}');
    }
    json.put_slice(b"]}");
    Ok(Reply::stored_json(Bytes::from(json)))
}
