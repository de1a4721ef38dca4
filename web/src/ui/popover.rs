//! A small panel under its button. It closes on Esc, and when the focus goes elsewhere.

use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, Node};
use yew::prelude::*;

/// Props of [`Popover`].
#[derive(Properties, PartialEq)]
pub(crate) struct PopoverProps {
    pub(crate) label: AttrValue,
    pub(crate) children: Html,
}

/// The button, and the panel while it is open.
#[component]
pub(crate) fn Popover(props: &PopoverProps) -> Html {
    let is_open = use_state(|| false);
    let button = use_node_ref();
    let toggle = {
        let is_open = is_open.clone();
        move |_: MouseEvent| is_open.set(!*is_open)
    };
    let onkeydown = {
        let (is_open, button) = (is_open.clone(), button.clone());
        move |event: KeyboardEvent| {
            if event.key() == "Escape" && *is_open {
                is_open.set(false);
                if let Some(button) = button.cast::<HtmlElement>() {
                    let _ = button.focus();
                }
            }
        }
    };
    let onfocusout = {
        let is_open = is_open.clone();
        move |event: FocusEvent| {
            let next = event.related_target().and_then(|next| next.dyn_into::<Node>().ok());
            let around = event.current_target().and_then(|around| around.dyn_into::<Node>().ok());
            // A click on the panel's own text leaves the focus nowhere; that is no reason to close.
            if next.is_some_and(|next| around.is_some_and(|around| !around.contains(Some(&next)))) {
                is_open.set(false);
            }
        }
    };
    html! {
        <div class="popover-frame" {onkeydown} {onfocusout}>
            <button ref={button} type="button" class="button button-quiet" aria-expanded={is_open.to_string()} onclick={toggle}>
                { &props.label }
            </button>
            if *is_open {
                <div class="popover" tabindex="-1">{ props.children.clone() }</div>
            }
        </div>
    }
}
