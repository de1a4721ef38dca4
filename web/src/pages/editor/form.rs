//! The editor's form: its state is [`super::draft`]; what is loaded for it, and the page around it, is the editor's.

use std::rc::Rc;

use common::{
    Call, CallError,
    collection::{Collection, Definition, DefinitionAnswer, DefinitionQuery},
    editor::{Editor, FieldPart, Part, Preview, progress},
    endpoints::{collections, operations},
    id::OperationId,
    operation::{Operation, OperationState},
    text,
};
use gloo_timers::future::TimeoutFuture;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlTextAreaElement};
use yew::prelude::*;

use super::{access, draft::Draft, field};
use crate::{
    client::Client,
    drafts::use_draft,
    hooks::{use_client, use_focus, use_go, use_load, use_toasts, use_unsent},
    model::{Changes, use_model},
    pages::records::collections_breadcrumb,
    table_locations,
    ui::{
        field::{FieldFrame, described_by},
        form::{focus_first_error, form_errors, kept, send_on_ctrl_s, submit},
        icon::{Shape, icon},
        link::Link,
    },
    undo::done,
    words,
};

/// Props of [`EditorForm`].
#[derive(Properties, PartialEq)]
pub(crate) struct EditorFormProps {
    /// The collection to edit; without it, one is made.
    #[prop_or_default]
    pub(crate) collection: Option<Rc<Collection>>,
    /// Somebody else changed the collection: loads it anew.
    pub(crate) onreload: Callback<()>,
}

/// The form.
#[component]
pub(crate) fn EditorForm(props: &EditorFormProps) -> Html {
    let (client, toasts, go) = (use_client(), use_toasts(), use_go());
    let (left, note) = use_draft::<Draft>();
    let draft = use_model(|| Draft::begin(editor_of(props.collection.as_deref()), left));
    let names = use_load((), |client, ()| async move {
        let page = client.send(Call::<collections::List>::new((), ())).await?.body;
        Ok(page.results.into_iter().map(|collection| collection.name).collect::<Vec<_>>())
    });
    let names = names.0.value.clone().unwrap_or_default();
    let changes = Changes::of(&draft);
    let state = &draft.0;
    let editor = &state.editor;
    let is_unsent = editor.is_changed() && !state.is_done;
    use_unsent(is_unsent);
    note.emit(is_unsent.then(|| state.clone()));
    let leave = {
        let (changes, note) = (changes.clone(), note.clone());
        Callback::from(move |()| {
            changes.apply(|draft| draft.is_done = true);
            note.emit(None);
        })
    };

    let onsubmit = {
        let (changes, draft, leave) = (changes.clone(), draft.0.clone(), leave.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            if draft.busy {
                return;
            }
            let mut next = draft.clone();
            let definition = next.submit();
            changes.apply(move |draft| *draft = next);
            let Some(definition) = definition else { return focus_first_error() };
            let (is_edit, query) = (draft.editor.is_edit(), draft.editor.query());
            let (client, changes, toasts, go) = (client.clone(), changes.clone(), toasts.clone(), go.clone());
            let leave = leave.clone();
            spawn_local(async move {
                let name = definition.name.clone();
                match save(&client, &changes, is_edit, definition, query).await {
                    Ok(Some(operation)) => {
                        leave.emit(());
                        let label = text::label(name.as_str());
                        toasts.emit(done(words::toast::collection_saved(&label), operation, label));
                        go.location(&table_locations::table(&name));
                    }
                    Ok(None) => focus_first_error(),
                    Err(error) => {
                        changes.apply(move |draft| draft.refused(&error));
                        focus_first_error();
                    }
                }
            });
        }
    };
    let onstop = {
        let client = use_client();
        let operation = state.changing.as_ref().map(|operation| operation.id);
        move |_: MouseEvent| {
            let (Some(operation), client) = (operation, client.clone()) else { return };
            // How it ended is seen where it is followed.
            spawn_local(async move { drop(client.send(Call::<operations::Stop>::new((operation,), ())).await) });
        }
    };
    let (ondrop, onids) = (onedit_flag(&changes, Part::Drop), onedit_flag(&changes, Part::Ids));
    let onedit = {
        let changes = changes.clone();
        Callback::from(move |(part, text): (Part, String)| changes.apply(move |draft| draft.editor.write(part, text)))
    };
    let onname =
        onedit.reform(|event: InputEvent| (Part::Name, event.target_unchecked_into::<HtmlInputElement>().value()));
    let ondescription = onedit
        .reform(|event: InputEvent| (Part::Description, event.target_unchecked_into::<HtmlTextAreaElement>().value()));
    let onhistory =
        onedit.reform(|event: InputEvent| (Part::History, event.target_unchecked_into::<HtmlInputElement>().value()));
    let onindexes = onedit
        .reform(|event: InputEvent| (Part::Indexes, event.target_unchecked_into::<HtmlTextAreaElement>().value()));
    let indexes_errors = editor.errors_of(Part::Indexes);
    let onact = {
        let changes = changes.clone();
        Callback::from(move |(index, act): (usize, field::Act)| changes.apply(move |draft| draft.act(index, act)))
    };
    let onadd = {
        let changes = changes.clone();
        move |_: MouseEvent| changes.apply(Draft::add)
    };
    let onreload = {
        let (leave, onreload) = (leave.clone(), props.onreload.clone());
        move |_: MouseEvent| {
            leave.emit(());
            onreload.emit(());
        }
    };
    let ondiscard = {
        let (changes, collection) = (changes.clone(), props.collection.clone());
        move |_: MouseEvent| {
            let editor = editor_of(collection.as_deref());
            changes.apply(|draft| draft.restart(editor));
        }
    };
    let gone = removed_fields(props.collection.as_deref(), editor);
    let name_error = editor.errors_of(Part::Name);
    let is_bad_name = !name_error.is_empty();
    let focus = use_focus(!editor.is_edit());
    let (to, query) = props
        .collection
        .as_ref()
        .map_or_else(|| collections_breadcrumb().1, |known| table_locations::table(&known.name));
    let cards = editor.draft.fields.iter().enumerate().map(|(index, field)| {
        let of_values = editor.of_values(index);
        let mut errors = Vec::new();
        for part in FieldPart::all(&field.kind).into_iter().chain(of_values.iter().copied()) {
            let wrong = editor.errors_of(Part::Field(index, part));
            if !wrong.is_empty() {
                errors.push((part, wrong));
            }
        }
        html! {
            <field::FieldCard
                key={state.ids[index]}
                id={state.ids[index]}
                {index}
                of={editor.draft.fields.len()}
                field={field.clone()}
                {of_values}
                open={state.open[index]}
                {errors}
                names={names.clone()}
                own_name={editor.draft.name.trim().to_owned()}
                onedit={onedit.clone()}
                onact={onact.clone()}
            />
        }
    });
    html! {
        <form class="form editor" {onsubmit} onkeydown={Callback::from(send_on_ctrl_s)} novalidate=true>
            if state.is_kept {
                { kept(Callback::from(ondiscard)) }
            }
            { form_errors(&state.messages()) }
            if state.is_stale {
                <p><button type="button" class="button" id="reload" onclick={onreload}>{ words::editor::RELOAD }</button></p>
            }
            <FieldFrame id="collection-name" label={Part::Name.label()} hint={Part::Name.hint()} errors={name_error} required=true>
                <input
                    ref={focus}
                    id="collection-name"
                    name="name"
                    class="input input-code"
                    type="text"
                    value={editor.draft.name.clone()}
                    oninput={onname}
                    readonly={editor.is_edit()}
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby={described_by("collection-name")}
                    aria-invalid={is_bad_name.then_some("true")}
                />
            </FieldFrame>
            <FieldFrame id="collection-description" label={Part::Description.label()} hint={Part::Description.hint()} errors={editor.errors_of(Part::Description)}>
                <textarea
                    id="collection-description"
                    name="description"
                    class="input"
                    rows="2"
                    dir="auto"
                    value={editor.draft.description.clone()}
                    oninput={ondescription}
                    aria-describedby={described_by("collection-description")}
                />
            </FieldFrame>
            <section aria-labelledby="fields-title">
                <h2 id="fields-title">{ words::editor::FIELDS }</h2>
                <p class="hint">{ if editor.draft.fields.is_empty() { words::editor::NO_FIELDS } else { words::editor::FIELDS_HINT } }</p>
                <ol class="cards">{ for cards }</ol>
                <p class="hidden" role="status">{ &state.said }</p>
                <button type="button" class="button" id="add-field" onclick={onadd}>{ icon(Shape::Plus) }{ words::editor::ADD }</button>
            </section>
            <FieldFrame id="collection-indexes" label={Part::Indexes.label()} hint={Part::Indexes.hint()} errors={indexes_errors}>
                <textarea
                    id="collection-indexes"
                    name="indexes"
                    class="input input-code"
                    rows="2"
                    value={editor.draft.indexes.clone()}
                    oninput={onindexes}
                    spellcheck="false"
                    aria-describedby={described_by("collection-indexes")}
                />
            </FieldFrame>
            <access::AccessEditor
                key={state.number}
                access={editor.draft.access.clone()}
                errors={std::array::from_fn(|index| !editor.errors_of(Part::Access(index)).is_empty())}
                {onedit}
            />
            <FieldFrame id="collection-history" label={Part::History.label()} hint={Part::History.hint()} errors={editor.errors_of(Part::History)}>
                <input
                    id="collection-history"
                    name="history"
                    class="input"
                    value={editor.draft.history.clone()}
                    oninput={onhistory}
                    autocomplete="off"
                    spellcheck="false"
                    aria-describedby={described_by("collection-history")}
                />
            </FieldFrame>
            <FieldFrame id="collection-ids" label="" hint={Part::Ids.hint()} errors={editor.errors_of(Part::Ids)}>
                <label class="check">
                    <input
                        id="collection-ids"
                        type="checkbox"
                        checked={editor.draft.is_numbered}
                        onchange={onids}
                        aria-describedby={described_by("collection-ids")}
                        aria-invalid={(!editor.errors_of(Part::Ids).is_empty()).then_some("true")}
                    />
                    { Part::Ids.label() }
                </label>
            </FieldFrame>
            <div role="status">
                if !gone.is_empty() {
                    <p class="notice notice-warn">{ words::editor::removed_fields(&gone) }</p>
                }
            </div>
            if let Some(may_drop) = editor.drops() {
                <FieldFrame id="may-drop" label="" hint={Part::Drop.hint()} errors={editor.errors_of(Part::Drop)}>
                    <label class="check">
                        <input
                            id="may-drop"
                            type="checkbox"
                            checked={may_drop}
                            onchange={ondrop}
                            aria-describedby={described_by("may-drop")}
                            aria-invalid={(!editor.errors_of(Part::Drop).is_empty()).then_some("true")}
                        />
                        { Part::Drop.label() }
                    </label>
                </FieldFrame>
            }
            <div role="status">
                if let Some(operation) = &state.changing {
                    <p class="notice" id="changing">{ progress(operation) }</p>
                    <button type="button" class="button" id="stop-changing" onclick={onstop}>{ words::editor::STOP }</button>
                }
            </div>
            <div class="form-actions">
                { submit(if editor.is_edit() { words::editor::SAVE } else { words::editor::CREATE }, state.busy, "") }
                <Link {to} {query} class="button button-quiet" onleave={leave}>{ words::CANCEL }</Link>
            </div>
        </form>
    }
}

fn editor_of(collection: Option<&Collection>) -> Editor {
    collection.map_or_else(Editor::default, Editor::edit)
}

/// The fields that are not there any more, where records may hold something in them.
fn removed_fields(collection: Option<&Collection>, editor: &Editor) -> String {
    let Some(collection) = collection.filter(|collection| collection.count != Some(0)) else { return String::new() };
    let is_known = |name: &&str| collection.field(name).is_some();
    editor.dropped().filter(is_known).map(|name| format!("“{}”", text::label(name))).collect::<Vec<_>>().join(", ")
}

/// What saved a definition, if it is saved: an operation, where something was changed.
type Saved = Option<Option<OperationId>>;

/// Saves a definition. What that would do is asked first; where that has to be agreed to, or it ends otherwise, nothing is saved.
async fn save(
    client: &Client,
    changes: &Changes<Draft>,
    is_edit: bool,
    definition: Definition,
    mut query: DefinitionQuery,
) -> Result<Saved, CallError> {
    if !is_edit {
        let made = client.send(Call::<collections::Create>::new((), definition)).await?;
        return Ok(Some(made.operation));
    }
    let name = definition.name.clone();
    loop {
        let call = Call::<collections::Replace>::new((name.clone(),), definition.clone()).query(query.clone());
        let reply = client.send(call).await?;
        match reply.body {
            DefinitionAnswer::Changed(_) => return Ok(Some(reply.operation)),
            DefinitionAnswer::WouldBe(told) => {
                let is_plain = Preview::of(&told).is_none();
                changes.apply(move |draft| draft.told(&told));
                if !is_plain {
                    return Ok(None);
                }
                query.dry_run = false;
            }
            DefinitionAnswer::Begun(begun) => return follow(client, changes, *begun).await,
        }
    }
}

/// Shows how far a change is, until it is over.
async fn follow(client: &Client, changes: &Changes<Draft>, mut operation: Operation) -> Result<Saved, CallError> {
    while !operation.state.is_over() {
        let (id, shown) = (operation.id, operation);
        changes.apply(move |draft| draft.changing = Some(shown));
        TimeoutFuture::new(500).await;
        operation = client.send(Call::<operations::Get>::new((id,), ())).await?.body;
    }
    let saved = (operation.state == OperationState::Done).then_some(Some(operation.id));
    changes.apply(move |draft| draft.over(&operation));
    Ok(saved)
}

fn onedit_flag(changes: &Changes<Draft>, part: Part) -> Callback<Event> {
    let changes = changes.clone();
    Callback::from(move |event: Event| {
        let is_ticked = event.target_unchecked_into::<HtmlInputElement>().checked();
        changes.apply(move |draft| draft.editor.write(part, is_ticked.to_string()));
    })
}
