//! Changing a field of the chosen rows, or deleting them: what would happen is asked of the server and said before.

use common::{
    Call, CallError,
    endpoints::records,
    form::Form,
    many::{self, Many, ManyQuery},
    record::Record,
};
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlInputElement, HtmlSelectElement};
use yew::prelude::*;

use crate::{
    chosen::Chosen,
    client::Client,
    hooks::{use_client, use_toasts},
    ui::{
        dialog::Dialog,
        field::{FieldFrame, InputView},
        form::form_errors,
    },
    undo::done,
    words::{self as all_words, many as words},
};

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    /// A field is changed.
    Change,
    /// They are deleted.
    Delete,
}

#[derive(Properties, PartialEq)]
pub(super) struct ChangeProps {
    pub(super) chosen: Chosen,
    pub(super) act: Act,
    pub(super) onclose: Callback<()>,
}

/// What is sent: the change, or nothing for a deletion.
type Body = Option<Record>;

async fn send(
    client: &Client,
    chosen: &Chosen,
    query: ManyQuery,
    body: Body,
) -> Result<common::Reply<Many>, CallError> {
    let name = chosen.collection.name.clone();
    match body {
        Some(body) => client.send(Call::<records::UpdateMany>::new((name,), body).query(query)).await,
        None => client.send(Call::<records::DeleteMany>::new((name,), ()).query(query)).await,
    }
}

/// The dialog.
#[component]
pub(super) fn ChangeDialog(props: &ChangeProps) -> Html {
    let ChangeProps { chosen, act, onclose } = props;
    let (client, toasts) = (use_client(), use_toasts());
    let form = use_state(|| Form::create(&chosen.collection));
    let field = use_state(|| 0_usize);
    let would = use_state(|| None::<Result<Many, CallError>>);
    let busy = use_state(|| false);
    let clears = use_state(|| false);
    let body = body(*act, &form, *field, *clears);
    // What would happen is asked as soon as there is something to ask, and of what is asked last the answer is told.
    let asked = use_mut_ref(|| 0_u32);
    use_effect_with((body.clone(), chosen.selection.clone()), {
        let (client, chosen, would) = (client.clone(), chosen.clone(), would.clone());
        move |(body, _)| {
            would.set(None);
            *asked.borrow_mut() += 1;
            let number = *asked.borrow();
            if let Ok(body) = body.clone() {
                spawn_local(async move {
                    let query = chosen.selection.many(&chosen.query, true);
                    let answer = send(&client, &chosen, query, body).await;
                    if *asked.borrow() == number {
                        would.set(Some(answer.map(|reply| reply.body)));
                    }
                });
            }
        }
    });
    let submit = {
        let (chosen, act, busy, would, onclose, body) =
            (chosen.clone(), *act, busy.clone(), would.clone(), onclose.clone(), body.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            let Ok(body) = body.clone() else { return };
            let (client, chosen, busy, would, onclose, toasts) =
                (client.clone(), chosen.clone(), busy.clone(), would.clone(), onclose.clone(), toasts.clone());
            busy.set(true);
            spawn_local(async move {
                let query = chosen.selection.many(&chosen.query, false);
                match send(&client, &chosen, query, body).await {
                    Ok(reply) => {
                        let number = reply.body.own();
                        let said = if act == Act::Delete { words::deleted(number) } else { words::changed(number) };
                        toasts.emit(done(said, reply.operation, words::title(number)));
                        chosen.onselect.emit(common::selection::Selection::default());
                        chosen.again.emit(());
                        onclose.emit(());
                    }
                    Err(error) => {
                        would.set(Some(Err(error)));
                        busy.set(false);
                    }
                }
            });
        }
    };
    let number = would.as_ref().and_then(|would| would.as_ref().ok()).map(Many::own);
    let label = match (act, number) {
        (Act::Delete, number) => words::delete_button(number.unwrap_or_else(|| chosen.selection.count())),
        (Act::Change, number) => words::change_button(number.unwrap_or_else(|| chosen.selection.count())),
    };
    let title = if *act == Act::Delete { all_words::DELETE } else { words::CHANGE };
    let class = if *act == Act::Delete { "button button-danger" } else { "button button-primary" };
    html! {
        <Dialog {title} onclose={onclose.clone()}>
            <form class="form" onsubmit={submit} novalidate=true>
                if *act == Act::Change {
                    { fields(&form, &field, &clears) }
                }
                { said(would.as_ref(), *act, body.is_ok()) }
                <div class="form-actions">
                    <button type="submit" {class} disabled={*busy || number.unwrap_or(0) == 0}>{ if *busy { all_words::SENDING.to_owned() } else { label } }</button>
                    <button type="button" class="button button-quiet" onclick={onclose.reform(|_: MouseEvent| ())}>{ all_words::CANCEL }</button>
                </div>
            </form>
        </Dialog>
    }
}

/// What is to be sent; an error where what is typed is no value.
fn body(act: Act, form: &Form, field: usize, clears: bool) -> Result<Body, ()> {
    if act == Act::Delete {
        return Ok(None);
    }
    many::change(form.inputs.get(field).ok_or(())?, clears).map(Some).ok_or(())
}

fn fields(form: &UseStateHandle<Form>, field: &UseStateHandle<usize>, clears: &UseStateHandle<bool>) -> Html {
    let onchange = {
        let (field, clears) = (field.clone(), clears.clone());
        move |event: Event| {
            if let Ok(chosen) = event.target_unchecked_into::<HtmlSelectElement>().value().parse() {
                field.set(chosen);
                clears.set(false);
            }
        }
    };
    let Some(input) = form.inputs.get(**field) else { return Html::default() };
    let onedit = {
        let form = form.clone();
        Callback::from(move |(index, typed): (usize, String)| {
            let mut next = (*form).clone();
            next.set(index, typed);
            form.set(next);
        })
    };
    let onclear = {
        let clears = clears.clone();
        move |event: Event| clears.set(event.target_unchecked_into::<HtmlInputElement>().checked())
    };
    html! {
        <>
            <FieldFrame id="many-field" label={words::FIELD}>
                <select id="many-field" class="input input-select" {onchange}>
                    { for form.inputs.iter().enumerate().map(|(i, input)| html! {
                        <option key={i} value={i.to_string()} selected={i == **field}>{ &input.label }</option>
                    }) }
                </select>
            </FieldFrame>
            if !**clears {
                <InputView key={input.name().to_owned()} input={input.clone()} index={**field} {onedit} within="many" />
            }
            if many::can_be_emptied(&input.field) {
                <label class="check"><input type="checkbox" checked={**clears} onchange={onclear} />{ words::NO_VALUE }</label>
            }
        </>
    }
}

/// What would happen.
fn said(would: Option<&Result<Many, CallError>>, act: Act, is_asked: bool) -> Html {
    let many = match would {
        None if is_asked => return html! { <p class="hint" role="status">{ words::ASKING }</p> },
        None => return Html::default(),
        Some(Err(error)) => return form_errors(&many::refusal(error)),
        Some(Ok(many)) => many,
    };
    let would = words::would(many);
    let lines = would.iter().map(|(number, does)| html! { <li key={does.clone()}><b>{ number }</b>{ does }</li> });
    html! {
        <div class={if act == Act::Delete { "notice notice-warn" } else { "notice" }} role="status">
            if would.is_empty() {
                <p>{ words::NOTHING_WOULD }</p>
            } else {
                <ul>{ for lines }</ul>
                <p class="hint">{ words::UNDO_HINT }</p>
            }
        </div>
    }
}
