//! The form of a record, generated from its collection's fields: creating, saving, deleting, and what the server says to it.

use std::rc::Rc;

use common::{
    Call, CallError,
    access::Action,
    collection::Collection,
    endpoints::records,
    form::{Form, Input},
    id::RecordId,
    record::{OneOrMany, Record},
    table,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use super::conflict::{Conflict, ConflictNotice, changed};
use crate::{
    client::Client,
    drafts::use_draft,
    hooks::{Go, use_caller, use_client, use_go, use_toasts, use_unsent},
    keys,
    model::{Changes, use_model},
    pages::sign_in::refuse,
    places,
    toast::{ToastEvent, Undo},
    ui::{
        field::InputView,
        form::{FormErrors, Submit, focus_first_error, send_on_ctrl_s},
        icon::{Icon, Shape},
        link::Link,
        reference::record_label,
    },
    words,
};

/// Props of [`RecordForm`].
#[derive(Properties, PartialEq)]
pub struct RecordFormProps {
    pub collection: Rc<Collection>,
    /// The record to edit; without it, one is made. Later versions that come while the form is open change nothing in it.
    #[prop_or_default]
    pub record: Option<Record>,
}

/// The form with all that belongs to it.
#[derive(Clone)]
struct Draft {
    form: Form,
    /// The version that is edited.
    base: Option<Record>,
    conflict: Option<Conflict>,
    busy: bool,
    /// All is sent; the page is about to be left.
    is_done: bool,
    /// It was left unsent, and came back.
    is_kept: bool,
    /// Counts forms begun one after the other, so that each puts the focus on its first input.
    number: usize,
}

impl Draft {
    fn new(collection: &Collection, record: Option<Record>) -> Self {
        let form = record.as_ref().map_or_else(|| Form::create(collection), |record| Form::edit(collection, record));
        Self { form, base: record, conflict: None, busy: false, is_done: false, is_kept: false, number: 0 }
    }

    /// Goes on with what was left unsent, where there is something. What others changed since then comes to light when it
    /// is saved.
    fn begin(collection: &Collection, record: Option<Record>, left: Option<Self>) -> Self {
        let fits = |left: &Self| {
            let fields = left.form.inputs.iter().map(|input| &input.field);
            fields.eq(&collection.fields) && left.base.is_some() == record.is_some()
        };
        match left.filter(fits) {
            Some(left) => Self { busy: false, is_kept: true, ..left },
            None => Self::new(collection, record),
        }
    }

    /// The record is not there any more: what was typed becomes a new one.
    fn make_new(&mut self, collection: &Collection) {
        let texts: Vec<String> = self.form.inputs.iter().map(|input| input.text.clone()).collect();
        *self = Self::new(collection, None);
        for (index, text) in texts.into_iter().enumerate() {
            self.form.set(index, text);
        }
    }
}

/// What the handlers need.
#[derive(Clone)]
struct Work {
    client: Client,
    collection: Rc<Collection>,
    changes: Changes<Draft>,
    toasts: Callback<ToastEvent>,
    go: Go,
    /// Takes note of what is unsent.
    note: Callback<Option<Draft>>,
}

/// What becomes of the page once a record has been created.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    Leave,
    Another,
}

/// The form.
#[component]
pub fn RecordForm(props: &RecordFormProps) -> Html {
    let caller = use_caller();
    let (left, note) = use_draft::<Draft>();
    let draft = use_model(|| Draft::begin(&props.collection, props.record.clone(), left));
    let work = Work {
        client: use_client(),
        collection: props.collection.clone(),
        changes: Changes::of(&draft),
        toasts: use_toasts(),
        go: use_go(),
        note,
    };
    let Draft { form, base, conflict, busy, is_done, is_kept, number } = draft.0.clone();
    let is_unsent = form.is_changed() && !is_done;
    use_unsent(is_unsent);
    work.note.emit(is_unsent.then(|| draft.0.clone()));
    let may = |action| {
        let owner = base.as_ref().and_then(Record::owner);
        base.is_none() || props.collection.access.decide(action, &caller).covers(owner)
    };
    let (may_update, may_delete) = (may(Action::Update), may(Action::Delete));
    let onedit = {
        let changes = work.changes.clone();
        Callback::from(move |(index, text): (usize, String)| changes.apply(move |draft| draft.form.set(index, text)))
    };
    let send = |then| {
        let (work, draft) = (work.clone(), draft.0.clone());
        Callback::from(move |()| work.save(&draft, then))
    };
    let onsubmit = send(Then::Leave).reform(|event: SubmitEvent| event.prevent_default());
    let ondelete = {
        let (work, base) = (work.clone(), base.clone());
        move |_: MouseEvent| base.iter().for_each(|record| work.delete(record))
    };
    let onleave = {
        let (changes, note) = (work.changes.clone(), work.note.clone());
        Callback::from(move |()| {
            changes.apply(|draft| draft.is_done = true);
            note.emit(None);
        })
    };
    let ondiscard = {
        let (changes, collection, record) = (work.changes.clone(), props.collection.clone(), props.record.clone());
        move |_: MouseEvent| {
            let (collection, record) = (collection.clone(), record.clone());
            changes.apply(move |draft| *draft = Draft::new(&collection, record));
        }
    };
    let ontheirs = {
        let work = work.clone();
        Callback::from(move |()| {
            let collection = work.collection.clone();
            work.changes.apply(move |draft| *draft = Draft::new(&collection, draft.base.clone()));
        })
    };
    let onnew = {
        let work = work.clone();
        let draft = draft.0.clone();
        Callback::from(move |()| {
            let mut next = draft.clone();
            next.make_new(&work.collection);
            work.save(&next, Then::Leave);
        })
    };
    if form.inputs.is_empty() && base.is_none() {
        return super::no_fields();
    }
    let (to, query) = places::table(&props.collection.name);
    html! {
        <form class="form" {onsubmit} onkeydown={Callback::from(send_on_ctrl_s)} novalidate=true>
            if is_kept && conflict.is_none() {
                <div class="notice" role="status">
                    <p>{ words::record::KEPT }</p>
                    <div class="notice-actions">
                        <button type="button" class="button" onclick={ondiscard}>{ words::record::DISCARD }</button>
                    </div>
                </div>
            }
            if let Some(conflict) = conflict {
                <ConflictNotice {conflict} {busy} onmine={send(Then::Leave)} {ontheirs} {onnew} />
            }
            <FormErrors errors={form.errors.clone()} />
            if !may_update {
                <p class="notice">{ words::record::READ_ONLY }</p>
            }
            <fieldset class="inputs" key={number} disabled={!may_update}>
                { for form.inputs.iter().enumerate().map(|(index, input)| input_view(index, input, &onedit, base.is_none())) }
            </fieldset>
            <div class="form-actions">
                if may_update {
                    <Submit label={if base.is_some() { words::record::SAVE } else { words::record::CREATE }} {busy} />
                }
                if base.is_none() {
                    <button type="button" class="button" disabled={busy} onclick={send(Then::Another).reform(|_: MouseEvent| ())}>
                        { words::record::ANOTHER }
                    </button>
                }
                <Link {to} {query} class="button button-quiet" onleave={onleave}>{ words::CANCEL }</Link>
                if base.is_some() && may_delete {
                    <button type="button" class="button button-danger form-delete" disabled={busy} data-key={keys::DELETE.name} onclick={ondelete}>
                        <Icon shape={Shape::Trash} />{ words::record::DELETE }
                    </button>
                }
            </div>
            { for base.as_ref().map(facts) }
        </form>
    }
}

fn input_view(index: usize, input: &Input, onedit: &Callback<(usize, String)>, is_new: bool) -> Html {
    html! {
        <InputView
            key={input.name().to_owned()}
            input={input.clone()}
            {index}
            onedit={onedit.clone()}
            focus={is_new && index == 0}
        />
    }
}

/// What the server knows of a record.
fn facts(record: &Record) -> Html {
    let moment = |name| format!("{} {}", table::short_moment(&table::cell(record.get(name))), words::record::UTC);
    html! {
        <dl class="facts">
            <div><dt>{ words::record::CREATED }</dt><dd>{ moment("created_at") }</dd></div>
            <div><dt>{ words::record::UPDATED }</dt><dd>{ moment("updated_at") }</dd></div>
            <div><dt>{ words::record::REVISION }</dt><dd>{ table::cell(record.get("revision")) }</dd></div>
            <div><dt>{ words::record::ID }</dt><dd><code>{ table::cell(record.get("id")) }</code></dd></div>
        </dl>
    }
}

impl Work {
    fn save(&self, draft: &Draft, then: Then) {
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
                    let said = ToastEvent::Said(words::toast::created(&record_label(&record)));
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

    fn delete(&self, record: &Record) {
        let (Some(id), Some(revision)) = (record.id(), record.revision()) else { return };
        let (work, record) = (self.clone(), record.clone());
        self.changes.apply(|draft| draft.busy = true);
        spawn_local(async move {
            let name = work.collection.name.clone();
            let call = Call::<records::Delete>::new((name.clone(), id), ()).if_match(Some(revision));
            match work.client.send(call).await {
                Ok(_) => {
                    let undo = Undo { collection: name, id, revision };
                    work.leave(Some(ToastEvent::Deleted(words::toast::deleted(&record_label(&record)), undo)));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_typed_outlives_the_record() {
        let collection: Collection = serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000001", "name": "snacks", "created_at": "", "updated_at": "", "revision": 1,
            "fields": [{"name": "title", "type": "text"}, {"name": "price", "type": "integer", "nullable": true}],
            "access": {"list": [], "view": [], "create": [], "update": [], "delete": []}
        }))
        .unwrap();
        let record = serde_json::from_value(json!({"title": "Popcorn", "price": 3, "revision": 5})).unwrap();
        let mut draft = Draft::new(&collection, Some(record));
        draft.form.set(0, "Corn");
        draft.make_new(&collection);
        assert!(draft.base.is_none());
        let mut again = Draft::begin(&collection, None, Some(draft.clone()));
        assert!(again.is_kept && again.form.submit() == draft.form.submit());
        let other = Collection { fields: vec![], ..collection.clone() };
        assert!(!Draft::begin(&other, None, Some(draft.clone())).is_kept);
        assert_eq!(serde_json::Value::Object(draft.form.submit().unwrap()), json!({"title": "Corn", "price": 3}));
    }
}
