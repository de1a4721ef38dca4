//! A newer version of the record that is edited: who wrote it, and which fields are others in it.

use std::rc::Rc;

use common::{
    Call,
    collection::Collection,
    conflict::EditedRecord,
    endpoints::{records, users},
    record::Record,
};
use yew::prelude::*;

use crate::{
    hooks::{use_load, use_user},
    news::{self, Concern, use_times},
    words,
};

/// What is to be said of a newer version, if there is one.
#[hook]
pub(crate) fn use_newer(collection: &Rc<Collection>, edited: &EditedRecord) -> Option<String> {
    let (id, me) = (edited.id(), use_user());
    let times = use_times(id.map(|id| Concern::Record(collection.name.clone(), id)));
    let last = use_mut_ref(|| (0, None, false));
    if last.borrow().0 != times {
        let told = news::told().zip(id).map(|(told, id)| told.changed(&collection.name, id));
        let (by, is_gone) = told.unwrap_or_default();
        // What is told after a pause may not say who it was.
        let by = by.or(last.borrow().1);
        *last.borrow_mut() = (times, by, is_gone);
    }
    let (_, by, is_gone) = *last.borrow();
    let is_me = by.is_some() && by == me.as_ref().map(|user| user.id);
    let asked = by.filter(|_| !is_me && me.is_some_and(|user| user.is_admin));
    let on = (times, collection.name.clone(), id.filter(|_| !is_gone), asked);
    let (newer, _) = use_load(on, |client, (times, name, id, asked)| async move {
        let Some(id) = id.filter(|_| times > 0) else { return Ok(None) };
        let record = client.send(Call::<records::Get>::new((name, id), ())).await?.body;
        let who = match asked {
            Some(user) => client.send(Call::<users::Get>::new((user,), ())).await.ok(),
            None => None,
        };
        Ok(Some((record, who.map(|reply| reply.body.username.to_string()))))
    });
    if is_gone || times > 0 && newer.error.as_ref().is_some_and(|error| error.status() == 404) {
        return Some(words::live::GONE.to_owned());
    }
    let (record, who) = newer.value.as_deref().and_then(Option::as_ref)?;
    let is_newer = record.revision() > edited.base.as_ref().and_then(Record::revision);
    is_newer.then(|| words::live::newer(is_me, who.as_deref(), &edited.changes(collection, record)))
}
