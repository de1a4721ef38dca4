//! What stands where something should be: it is on its way, it could not be had, or there is none.

use common::CallError;
use yew::prelude::*;

use crate::words;

/// It is on its way. Shown after a moment only, so that what comes at once does not flicker.
#[component]
pub fn Loading() -> Html {
    html! { <p class="loading" role="status">{ words::LOADING }</p> }
}

/// Props of [`Failure`].
#[derive(Properties, PartialEq)]
pub struct FailureProps {
    pub error: CallError,
    /// Tries again.
    pub again: Callback<()>,
    #[prop_or_default]
    pub children: Html,
}

/// It could not be had: what happened, and the way on.
#[component]
pub fn Failure(props: &FailureProps) -> Html {
    let again = props.again.reform(|_: MouseEvent| ());
    // What is not there does not come by asking again.
    let may_come = !matches!(props.error.status(), 400 | 403 | 404);
    html! {
        <div class="notice notice-bad" role="alert">
            <p class="notice-title">{ words::failure_title(&props.error) }</p>
            <p dir="auto">{ props.error.to_string() }</p>
            { for details(&props.error) }
            <div class="notice-actions">
                if may_come {
                    <button type="button" class="button" onclick={again}>{ words::TRY_AGAIN }</button>
                }
                { props.children.clone() }
            </div>
        </div>
    }
}

/// The messages by field, where there are some and no form has a place for them.
fn details(error: &CallError) -> Option<Html> {
    let errors = &error.problem()?.errors.0;
    let lines = errors.iter().flat_map(|(name, errors)| {
        errors
            .iter()
            .map(move |error| html! { <li><code>{ name.clone() }</code>{ ": " }{ error.message.clone() }</li> })
    });
    (!errors.is_empty()).then(|| html! { <ul>{ for lines }</ul> })
}

/// Props of [`Empty`].
#[derive(Properties, PartialEq)]
pub struct EmptyProps {
    pub title: AttrValue,
    pub text: AttrValue,
    #[prop_or_default]
    pub children: Html,
}

/// There is none, and how there would be.
#[component]
pub fn Empty(props: &EmptyProps) -> Html {
    html! {
        <div class="empty">
            <p class="empty-title">{ &props.title }</p>
            <p>{ &props.text }</p>
            <div class="notice-actions">{ props.children.clone() }</div>
        </div>
    }
}
