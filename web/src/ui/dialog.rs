//! A dialog over the page. The browser's own element keeps the focus inside, makes the page behind inert and closes on Esc.

use wasm_bindgen::JsCast;
use web_sys::{Event, HtmlDialogElement, HtmlElement};
use yew::prelude::*;

use crate::{
    ui::icon::{Shape, icon},
    words,
};

/// Props of [`Dialog`].
#[derive(Properties, PartialEq)]
pub(crate) struct DialogProps {
    pub(crate) title: AttrValue,
    /// Closes it; without this it stays until the page takes it away.
    #[prop_or_default]
    pub(crate) onclose: Option<Callback<()>>,
    /// What has the focus when it opens, as a CSS selector; without this, what the browser chooses.
    #[prop_or_default]
    pub(crate) focus: Option<&'static str>,
    pub(crate) children: Html,
}

/// A dialog, open for as long as it is drawn.
#[component]
pub(crate) fn Dialog(props: &DialogProps) -> Html {
    let node = use_node_ref();
    let element = node.clone();
    let focus = props.focus;
    use_effect_with((), move |()| {
        let dialog = element.cast::<HtmlDialogElement>();
        if let Some(dialog) = &dialog {
            let _ = dialog.show_modal();
            let wanted = focus.and_then(|css| dialog.query_selector(css).ok().flatten());
            if let Some(wanted) = wanted.and_then(|wanted| wanted.dyn_into::<HtmlElement>().ok()) {
                let _ = wanted.focus();
            }
        }
        // Closing gives the focus back to where it was.
        move || dialog.iter().for_each(HtmlDialogElement::close)
    });
    let oncancel = {
        let onclose = props.onclose.clone();
        move |event: Event| {
            event.prevent_default();
            if let Some(close) = &onclose {
                close.emit(());
            }
        }
    };
    html! {
        <dialog ref={node} class="dialog" {oncancel} aria-labelledby="dialog-title">
            <header class="dialog-head">
                <h2 id="dialog-title">{ &props.title }</h2>
                if let Some(close) = props.onclose.clone() {
                    <button
                        type="button"
                        class="button button-quiet button-icon"
                        aria-label={words::CLOSE}
                        onclick={move |_| close.emit(())}
                    >{ icon(Shape::Close) }</button>
                }
            </header>
            { props.children.clone() }
        </dialog>
    }
}
