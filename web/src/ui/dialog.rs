//! A dialog over the page. The browser's own element keeps the focus inside, makes the page behind inert and closes on Esc.

use web_sys::{Event, HtmlDialogElement};
use yew::prelude::*;

use crate::{
    ui::icon::{Shape, icon},
    words,
};

/// Props of [`Dialog`].
#[derive(Properties, PartialEq)]
pub struct DialogProps {
    pub title: AttrValue,
    /// Closes it; without this it stays until the page takes it away.
    #[prop_or_default]
    pub onclose: Option<Callback<()>>,
    pub children: Html,
}

/// A dialog, open for as long as it is drawn.
#[component]
pub fn Dialog(props: &DialogProps) -> Html {
    let node = use_node_ref();
    let element = node.clone();
    use_effect_with((), move |()| {
        let dialog = element.cast::<HtmlDialogElement>();
        if let Some(dialog) = &dialog {
            let _ = dialog.show_modal();
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
