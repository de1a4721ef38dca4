//! What a record's form does: saving, deleting, and taking what the server says to it.

use std::rc::Rc;

use common::{
    Call, CallError,
    collection::Collection,
    endpoints::records,
    id::RecordId,
    record::{OneOrMany, Record},
    table,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::{
    conflict::{Conflict, changed},
    draft::Draft,
};
use crate::{
    client::Client,
    hooks::Go,
    model::Changes,
    places,
    toast::{ToastEvent, Undo},
    ui::{filling::refuse, form::focus_first_error},
    words,
};

/// What the handlers need.
#[derive(Clone)]
pub struct Work {
    pub client: Client,
    pub collection: Rc<Collection>,
    pub changes: Changes<Draft>,
    pub toasts: Callback<ToastEvent>,
    pub go: Go,
    /// Takes note of what is unsent.
    pub note: Callback<Option<Draft>>,
}

/// What becomes of the page once a record has been created.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Back to the table.
    Leave,
    /// An empty form for the next one.
    Another,
}

impl Work {
    /// Sends the form.
    pub fn save(&self, draft: &Draft, then: Then) {
        if draft.busy {
            return;
        }
        let mut draft = draft.clone();
        let Some(body) = draft.form.submit() else {
            self.changes.apply(move |now| *now = draft);
            return focus_first_error();
        };
        let id = draft.base.as_ref().and_then(Record::id);
        if id.is_some() && !draft.form.is_changed() && draft.conflict.is_none() {
            return self.leave(None);
        }
        draft.busy = true;
        let sent = draft.clone();
        self.changes.apply(move |now| *now = draft);
        let work = self.clone();
        let name = self.collection.name.clone();
        spawn_local(async move {
            let body = Record::from_object(body);
            let outcome = if let Some(id) = id {
                work.client.send(Call::<records::Update>::new((name, id), body)).await.map(|_| None)
            } else {
                let body = OneOrMany::One(body);
                work.client.send(Call::<records::Create>::new((name,), body)).await.map(|reply| Some(reply.body))
            };
            match outcome {
                Ok(None) => work.leave(Some(ToastEvent::Said(words::toast::SAVED.to_owned()))),
                Ok(Some(created)) => {
                    let OneOrMany::One(record) = created else { return };
                    let said = ToastEvent::Said(words::toast::created(&table::title(&record)));
                    if then == Then::Leave {
                        return work.leave(Some(said));
                    }
                    work.toasts.emit(said);
                    let collection = work.collection.clone();
                    work.changes.apply(move |draft| {
                        *draft = Draft { number: draft.number + 1, ..Draft::new(&collection, None) };
                    });
                }
                Err(error) => work.refused(id, &sent, &error).await,
            }
        });
    }

    /// Deletes the record.
    pub fn delete(&self, record: &Record) {
        let (Some(id), Some(revision)) = (record.id(), record.revision()) else { return };
        let (work, record) = (self.clone(), record.clone());
        self.changes.apply(|draft| draft.busy = true);
        spawn_local(async move {
            let name = work.collection.name.clone();
            let call = Call::<records::Delete>::new((name.clone(), id), ()).if_match(Some(revision));
            match work.client.send(call).await {
                Ok(_) => {
                    let undo = Undo { collection: name, id, revision };
                    work.leave(Some(ToastEvent::Deleted(words::toast::deleted(&table::title(&record)), undo)));
                }
                Err(error) => {
                    let sent = Draft::new(&work.collection, Some(record));
                    work.refused(Some(id), &sent, &error).await;
                }
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
        self.go.place(&places::table(&self.collection.name));
    }

    /// The server said no to what was sent from `sent`.
    async fn refused(&self, id: Option<RecordId>, sent: &Draft, error: &CallError) {
        let conflict = match (id, error.status()) {
            (Some(id), 412) => self.compare(id, sent).await,
            (Some(_), 404) => Ok(Conflict::Gone),
            _ => Err(error.clone()),
        };
        self.changes.apply(move |draft| {
            draft.busy = false;
            draft.conflict = None;
            match conflict {
                Ok(conflict) => draft.conflict = Some(conflict),
                // Sign-in stands over the page by now; when that is done, nothing is wrong with the form.
                Err(error) if error.status() == 401 => {}
                Err(error) => refuse(&mut draft.form, &error),
            }
        });
        focus_first_error();
    }

    /// Takes the version of somebody else as the base of what was typed here, and says what they changed.
    async fn compare(&self, id: RecordId, sent: &Draft) -> Result<Conflict, CallError> {
        let name = self.collection.name.clone();
        let fresh = match self.client.send(Call::<records::Get>::new((name, id), ())).await {
            Ok(reply) => reply.body,
            Err(error) if error.status() == 404 => return Ok(Conflict::Gone),
            Err(error) => return Err(error),
        };
        let clashes = sent.form.clone().rebase(&fresh);
        let before = sent.base.clone().unwrap_or_default();
        let conflict = Conflict::Changed(changed(&self.collection, &before, &fresh, &clashes));
        self.changes.apply(move |draft| {
            draft.form.rebase(&fresh);
            draft.base = Some(fresh);
        });
        Ok(conflict)
    }
}
