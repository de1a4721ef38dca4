//! The actions of a record's form: saving, deleting, and reading the server's answers.

use std::rc::Rc;

use common::{
    Call, CallError,
    collection::Collection,
    conflict::{Conflict, Refusal},
    endpoints::records,
    id::RecordId,
    record::{OneOrMany, Record},
    table,
    undo::DeleteQuery,
    words::takes_along,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::draft::Draft;
use crate::{
    client::Client, hooks::Go, model::Changes, table_locations, toast::ToastEvent, ui::form::focus_first_error,
    undo::done, words,
};

/// The state that the handlers share.
#[derive(Clone)]
pub(crate) struct Work {
    pub(crate) client: Client,
    pub(crate) collection: Rc<Collection>,
    pub(crate) changes: Changes<Draft>,
    pub(crate) toasts: Callback<ToastEvent>,
    pub(crate) go: Go,
    /// Takes note of what is unsent.
    pub(crate) note: Callback<Option<Draft>>,
}

/// The page that follows once a record has been created.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Back to the table.
    Leave,
    /// An empty form for the next one.
    Another,
}

impl Work {
    /// Sends the form.
    pub(crate) fn save(&self, draft: &Draft, then: Then) {
        if draft.busy {
            return;
        }
        let mut draft = draft.clone();
        let Some(body) = draft.form.submit() else {
            self.changes.apply(move |now| *now = draft);
            return focus_first_error();
        };
        let id = draft.edited.id();
        if id.is_some() && !draft.form.is_changed() && draft.edited.conflict.is_none() {
            return self.leave(None);
        }
        draft.busy = true;
        self.changes.apply(move |now| *now = draft);
        let work = self.clone();
        let name = self.collection.name.clone();
        spawn_local(async move {
            let outcome = if let Some(id) = id {
                work.client.send(Call::<records::Update>::new((name, id), body)).await.map(|reply| {
                    let said = words::toast::SAVED.to_owned();
                    (done(said, reply.operation, table::title_of(&work.collection, &reply.body)), true)
                })
            } else {
                let body = OneOrMany::One(body);
                work.client.send(Call::<records::Create>::new((name,), body)).await.map(|reply| {
                    let title = match &reply.body {
                        OneOrMany::One(record) => table::title_of(&work.collection, record),
                        OneOrMany::Many(_) => String::new(),
                    };
                    (done(words::toast::created(&title), reply.operation, title), then == Then::Leave)
                })
            };
            match outcome {
                Ok((said, true)) => work.leave(Some(said)),
                Ok((said, false)) => {
                    work.toasts.emit(said);
                    let collection = work.collection.clone();
                    work.changes.apply(move |draft| {
                        *draft = Draft { number: draft.number + 1, ..Draft::new(&collection, None) };
                    });
                }
                Err(error) => work.refused(id, &error).await,
            }
        });
    }

    /// Deletes the record; where others go with it, it is asked first whether that is meant.
    pub(crate) fn ask_to_delete(&self, record: &Record) {
        let (Some(id), Some(revision)) = (record.id(), record.revision()) else { return };
        let (work, record) = (self.clone(), record.clone());
        self.changes.apply(|draft| draft.busy = true);
        spawn_local(async move {
            let name = work.collection.name.clone();
            let call = Call::<records::DryDelete>::new((name.clone(), id), ()).if_match(Some(revision));
            match work.client.send(call.query(DeleteQuery { dry_run: true })).await {
                Ok(reply) => {
                    let title = format!("“{}”", table::title_of(&work.collection, &record));
                    let Some(told) = takes_along(&title, &name, &reply.body) else { return work.delete(&record) };
                    work.changes.apply(|draft| (draft.busy, draft.takes_along) = (false, Some(told)));
                }
                Err(error) => work.refused(Some(id), &error).await,
            }
        });
    }

    /// Deletes the record.
    pub(crate) fn delete(&self, record: &Record) {
        let (Some(id), Some(revision)) = (record.id(), record.revision()) else { return };
        let (work, record) = (self.clone(), record.clone());
        self.changes.apply(|draft| (draft.busy, draft.takes_along) = (true, None));
        spawn_local(async move {
            let name = work.collection.name.clone();
            let call = Call::<records::Delete>::new((name, id), ()).if_match(Some(revision));
            match work.client.send(call).await {
                Ok(reply) => {
                    let title = table::title_of(&work.collection, &record);
                    let said = words::toast::deleted(&title);
                    work.leave(Some(done(said, reply.operation, title)));
                }
                Err(error) => work.refused(Some(id), &error).await,
            }
        });
    }

    /// Back to the table, with something to say.
    fn leave(&self, said: Option<ToastEvent>) {
        // What was typed is safe now: nothing is to be kept, and the window may be closed without a question.
        self.changes.apply(|draft| draft.is_done = true);
        self.note.emit(None);
        if let Some(said) = said {
            self.toasts.emit(said);
        }
        self.go.location(&table_locations::table(&self.collection.name));
    }

    /// The server said no.
    async fn refused(&self, id: Option<RecordId>, error: &CallError) {
        let mut answer = (Refusal::of(error, id.is_some()), error.clone());
        let mut theirs = None;
        if let (Refusal::Changed, Some(id)) = (answer.0, id) {
            let call = Call::<records::Get>::new((self.collection.name.clone(), id), ());
            match self.client.send(call).await {
                Ok(reply) => theirs = Some(reply.body),
                Err(error) => answer = (Refusal::of(&error, true), error),
            }
        }
        let collection = self.collection.clone();
        self.changes.apply(move |draft| {
            draft.busy = false;
            draft.edited.conflict = None;
            match (answer, theirs) {
                (_, Some(theirs)) => draft.edited.merge(&mut draft.form, &collection, theirs),
                ((Refusal::Deleted, _), None) => draft.edited.conflict = Some(Conflict::Deleted),
                ((Refusal::SignedOut, _), None) => {}
                ((_, error), None) => draft.form.refuse_call(&error),
            }
        });
        focus_first_error();
    }
}
