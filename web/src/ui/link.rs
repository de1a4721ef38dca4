//! Links within the app: real addresses, so that they open in a new tab, and no page load when they do not.

use yew::prelude::*;

use crate::{
    hooks::use_go,
    keys::Shortcut,
    route::{Route, address},
};

/// Props of [`Link`].
#[derive(Properties, PartialEq)]
pub(crate) struct LinkProps {
    pub(crate) to: Route,
    /// The query string, without the question mark.
    #[prop_or_default]
    pub(crate) query: AttrValue,
    #[prop_or_default]
    pub(crate) class: Classes,
    /// The keyboard shortcut that follows it.
    #[prop_or_default]
    pub(crate) shortcut: Option<Shortcut>,
    /// The same, while the focus is in its row.
    #[prop_or_default]
    pub(crate) row_shortcut: Option<Shortcut>,
    /// It leads to the page that is shown, or one below.
    #[prop_or_default]
    pub(crate) current: bool,
    /// It leads to a row of a table.
    #[prop_or_default]
    pub(crate) row: bool,
    /// Called before the page is left by it.
    #[prop_or_default]
    pub(crate) onleave: Option<Callback<()>>,
    #[prop_or_default]
    pub(crate) title: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) label: Option<AttrValue>,
    #[prop_or_default]
    pub(crate) children: Html,
}

/// A link to a page.
#[component]
pub(crate) fn Link(props: &LinkProps) -> Html {
    let go = use_go();
    let location = (props.to.clone(), props.query.to_string());
    let href = address(&location.0, &location.1);
    let onleave = props.onleave.clone();
    let onclick = move |event: MouseEvent| {
        if event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key() {
            return;
        }
        event.prevent_default();
        if let Some(onleave) = &onleave {
            onleave.emit(());
        }
        go.location(&location);
    };
    html! {
        <a
            class={props.class.clone()}
            {href}
            {onclick}
            data-key={props.shortcut.map(|key| key.name)}
            data-row-key={props.row_shortcut.map(|key| key.name)}
            data-row={props.row.then_some("")}
            aria-current={props.current.then_some("page")}
            title={props.title.clone()}
            aria-label={props.label.clone()}
        >
            { props.children.clone() }
        </a>
    }
}

/// Props of [`Redirect`].
#[derive(Properties, PartialEq)]
pub(crate) struct RedirectProps {
    pub(crate) to: Route,
    #[prop_or_default]
    pub(crate) query: AttrValue,
}

/// Leads on at once. The address that leads on does not stay in the history, so the back button passes over it.
#[component]
pub(crate) fn Redirect(props: &RedirectProps) -> Html {
    let go = use_go();
    use_effect_with((props.to.clone(), props.query.to_string()), move |location| go.replace(location));
    Html::default()
}
