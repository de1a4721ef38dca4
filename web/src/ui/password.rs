//! A password input that can be looked at.

use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::words;

/// Props of [`PasswordInput`].
#[derive(Properties, PartialEq)]
pub(crate) struct PasswordInputProps {
    pub(crate) id: AttrValue,
    pub(crate) name: AttrValue,
    pub(crate) value: AttrValue,
    pub(crate) autocomplete: AttrValue,
    pub(crate) described_by: AttrValue,
    pub(crate) invalid: bool,
    pub(crate) onedit: Callback<String>,
    pub(crate) node: NodeRef,
}

/// A password input.
#[component]
pub(crate) fn PasswordInput(props: &PasswordInputProps) -> Html {
    let is_shown = use_state(|| false);
    let toggle = {
        let is_shown = is_shown.clone();
        move |_: MouseEvent| is_shown.set(!*is_shown)
    };
    let oninput = props.onedit.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value());
    html! {
        <div class="with-button">
            <input
                ref={props.node.clone()}
                class="input"
                id={props.id.clone()}
                name={props.name.clone()}
                type={if *is_shown { "text" } else { "password" }}
                value={props.value.clone()}
                {oninput}
                autocomplete={props.autocomplete.clone()}
                autocapitalize="none"
                spellcheck="false"
                aria-describedby={props.described_by.clone()}
                aria-invalid={props.invalid.then_some("true")}
            />
            <button type="button" class="button button-quiet button-small" aria-pressed={is_shown.to_string()} onclick={toggle}>
                { if *is_shown { words::HIDE_PASSWORD } else { words::SHOW_PASSWORD } }
            </button>
        </div>
    }
}
