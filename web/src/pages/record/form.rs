//! The form of a record, generated from its collection's fields.

use std::{collections::BTreeMap, rc::Rc};

use common::{
    Call, access::Action, collection::Collection, conflict::EditedRecord, endpoints::records, form::Input,
    record::Record, table,
};
use yew::prelude::*;

use super::{
    conflict::conflict_notice,
    draft::Draft,
    newer::use_newer,
    work::{Then, Work},
};
use crate::{
    drafts::use_draft,
    hooks::{use_caller, use_client, use_go, use_load, use_toasts, use_unsent, use_user},
    keys,
    model::{Changes, use_model},
    table_locations,
    ui::{
        confirm::Confirm,
        field::InputView,
        form::{form_errors, kept, send_on_ctrl_s, submit},
        icon::{Shape, icon},
        link::Link,
    },
    words,
};

/// Props of [`RecordForm`].
#[derive(Properties, PartialEq)]
pub(crate) struct RecordFormProps {
    pub(crate) collection: Rc<Collection>,
    /// The record to edit; without it, one is made. Later versions that come while the form is open change nothing in it.
    #[prop_or_default]
    pub(crate) record: Option<Record>,
}

/// The form.
#[component]
pub(crate) fn RecordForm(props: &RecordFormProps) -> Html {
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
    let is_unsent = draft.0.is_unsent();
    let newer = use_newer(&props.collection, &draft.0.edited);
    let Draft { form, edited: EditedRecord { base, conflict, .. }, busy, takes_along, is_kept, number, .. } =
        draft.0.clone();
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
        move |_: MouseEvent| base.iter().for_each(|record| work.ask_to_delete(record))
    };
    let onconfirm = {
        let (work, base) = (work.clone(), base.clone());
        move |()| base.iter().for_each(|record| work.delete(record))
    };
    let onclose = {
        let changes = work.changes.clone();
        move |()| changes.apply(|draft| draft.takes_along = None)
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
            work.changes.apply(|draft| draft.edited.take_theirs(&mut draft.form));
        })
    };
    let onnew = {
        let work = work.clone();
        let draft = draft.0.clone();
        Callback::from(move |()| {
            let mut next = draft.clone();
            next.edited.make_new(&mut next.form, &work.collection);
            work.save(&next, Then::Leave);
        })
    };
    if form.inputs.is_empty() && base.is_none() {
        return super::no_fields();
    }
    let (to, query) = table_locations::table(&props.collection.name);
    html! {
        <form class="form" {onsubmit} onkeydown={Callback::from(send_on_ctrl_s)} novalidate=true>
            if is_kept && conflict.is_none() {
                { kept(Callback::from(ondiscard)) }
            }
            if let Some(conflict) = &conflict {
                { conflict_notice(conflict, busy, [&send(Then::Leave), &ontheirs, &onnew]) }
            }
            { form_errors(&form.errors) }
            if !may_update {
                <p class="notice">{ words::record::READ_ONLY }</p>
            }
            <fieldset class="inputs" key={number} disabled={!may_update}>
                { for form.inputs.iter().enumerate().map(|(index, input)| input_view(index, input, &onedit, base.is_none())) }
            </fieldset>
            <div class="form-actions">
                if may_update {
                    { submit(if base.is_some() { words::record::SAVE } else { words::record::CREATE }, busy, "") }
                }
                if base.is_none() {
                    <button type="button" class="button" disabled={busy} onclick={send(Then::Another).reform(|_: MouseEvent| ())}>
                        { words::record::ANOTHER }
                    </button>
                }
                <Link {to} {query} class="button button-quiet" onleave={onleave}>{ words::CANCEL }</Link>
                if base.is_some() && may_delete {
                    <button type="button" class="button button-danger form-delete" disabled={busy} data-key={keys::DELETE.name} onclick={ondelete}>
                        { icon(Shape::Trash) }{ words::record::DELETE }
                    </button>
                }
            </div>
            // Below what is typed and the buttons, so that none of them moves from under a pointer.
            if let Some(newer) = newer.filter(|_| conflict.is_none() && !busy) {
                <p class="notice notice-warn newer" role="status">{ newer }</p>
            }
            if let Some(record) = &base {
                <Facts collection={props.collection.clone()} record={record.clone()} />
            }
            if let Some(text) = takes_along {
                <Confirm title={words::record::TAKES_ALONG} {text} submit={words::record::DELETE_ALL} {onconfirm} {onclose} />
            }
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

#[derive(Properties, PartialEq)]
struct FactsProps {
    collection: Rc<Collection>,
    record: Record,
}

/// The members of a record that the server sets.
#[component]
fn Facts(props: &FactsProps) -> Html {
    let (record, me) = (&props.record, use_user());
    let (id, owner) = (record.id(), record.owner());
    let mine = me.filter(|me| Some(me.id) == owner).map(|me| me.username.to_string());
    // Whose it is else is told by a list that has it.
    let asked = id.filter(|_| owner.is_some() && mine.is_none());
    let (named, _) = use_load((props.collection.clone(), asked), |client, (collection, id)| async move {
        let Some(id) = id else { return Ok(BTreeMap::new()) };
        let query = table::names_query(&collection, id);
        Ok(client.send(Call::<records::List>::new((collection.name.clone(),), ()).query(query)).await?.body.names)
    });
    let told = record.get("owner").filter(|owner| !owner.is_null()).map(|owner| {
        let told = named.value.as_deref().and_then(|names| table::named(names, "owner", owner));
        mine.or(told)
            .map_or_else(|| html! { <code>{ table::cell(Some(owner)) }</code> }, |name| html! { <bdi>{ name }</bdi> })
    });
    let moment = |name| format!("{} {}", table::short_moment(&table::cell(record.get(name))), words::record::UTC);
    html! {
        <dl class="facts">
            if let Some(owner) = told {
                <div><dt>{ words::record::OWNER }</dt><dd>{ owner }</dd></div>
            }
            <div><dt>{ words::record::CREATED }</dt><dd>{ moment("created_at") }</dd></div>
            <div><dt>{ words::record::UPDATED }</dt><dd>{ moment("updated_at") }</dd></div>
            <div><dt>{ words::record::REVISION }</dt><dd>{ table::cell(record.get("revision")) }</dd></div>
            <div><dt>{ words::record::ID }</dt><dd><code>{ table::cell(record.get("id")) }</code></dd></div>
        </dl>
    }
}
