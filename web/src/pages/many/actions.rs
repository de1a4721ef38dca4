//! The line of what can be done to the chosen rows.

use common::{
    access::{Action, Decision},
    selection::MAX_CHOSEN,
};
use yew::prelude::*;

use super::{
    ChosenProps,
    change::{Act, ChangeDialog},
    export::formats,
};
use crate::{
    chosen::Chosen,
    hooks::use_caller,
    keys,
    ui::{
        icon::{Shape, icon},
        popover::Popover,
    },
    words::{self as all_words, many as words},
};

/// The line.
#[component]
pub(super) fn Actions(props: &ChosenProps) -> Html {
    let Chosen { collection, count, selection, onselect, .. } = &props.chosen;
    let caller = use_caller();
    let open = use_state(|| None::<Act>);
    let may = |action| collection.access.decide(action, &caller) != Decision::Denied;
    let all = {
        let (onselect, count) = (onselect.clone(), *count);
        move |_: MouseEvent| {
            let mut all = common::selection::Selection::default();
            all.choose_all(count);
            onselect.emit(all);
        }
    };
    let none = onselect.reform(|_: MouseEvent| common::selection::Selection::default());
    let onopen = |act: Act| {
        let open = open.clone();
        move |_: MouseEvent| open.set(Some(act))
    };
    let onclose = {
        let open = open.clone();
        Callback::from(move |()| open.set(None))
    };
    let is_full = !selection.is_all() && selection.count() >= MAX_CHOSEN as u64;
    let is_too_large = selection.is_too_large();
    html! {
        <section class="chosen" aria-label={words::ACTIONS}>
            <p class="chosen-count" role="status">{ words::chosen(selection.count()) }</p>
            if !selection.is_all() && *count > selection.count() {
                <button type="button" class="button button-quiet button-small" onclick={all}>{ words::choose_all(*count) }</button>
            }
            <div class="chosen-acts">
                if may(Action::Update) {
                    <button type="button" class="button button-small" disabled={is_too_large} onclick={onopen(Act::Change)}>
                        { icon(Shape::Pencil) }{ words::CHANGE }
                    </button>
                }
                <Popover label={words::EXPORT}>{ formats(&props.chosen, true) }</Popover>
                if may(Action::Delete) {
                    <button type="button" class="button button-danger button-small" disabled={is_too_large} data-key={keys::DELETE.name} onclick={onopen(Act::Delete)}>
                        { icon(Shape::Trash) }{ all_words::DELETE }
                    </button>
                }
                <button type="button" class="button button-quiet button-icon" aria-label={words::CLEAR} title={words::CLEAR} onclick={none}>
                    { icon(Shape::Close) }
                </button>
            </div>
            if is_too_large {
                <p class="chosen-note">{ words::too_many() }</p>
            } else if is_full {
                <p class="chosen-note">{ words::full() }</p>
            }
            if let Some(act) = *open {
                <ChangeDialog chosen={props.chosen.clone()} {act} {onclose} />
            }
        </section>
    }
}
