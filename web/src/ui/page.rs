//! The head of a page: where it is, what it is called, what can be done.

use yew::prelude::*;

use crate::{hooks::use_title, keys, route::Location, ui::link::Link, words};

/// Props of [`PageHead`].
#[derive(Properties, PartialEq)]
pub(crate) struct PageHeadProps {
    pub(crate) title: AttrValue,
    /// The pages above this one, from the top: their names and locations.
    #[prop_or_default]
    pub(crate) above: Vec<(AttrValue, Location)>,
    /// A sentence about it.
    #[prop_or_default]
    pub(crate) description: AttrValue,
    /// The actions: links and buttons.
    #[prop_or_default]
    pub(crate) children: Html,
}

/// The head of a page.
#[component]
pub(crate) fn PageHead(props: &PageHeadProps) -> Html {
    use_title(&props.title);
    let last = props.above.len().saturating_sub(1);
    let above = props.above.iter().enumerate().map(|(i, (name, (route, query)))| {
        let shortcut = (i == last).then_some(keys::BACK);
        html! { <li key={i}><Link to={route.clone()} query={query.clone()} {shortcut}><bdi>{ name }</bdi></Link></li> }
    });
    html! {
        <div class="page-head">
            if !props.above.is_empty() {
                <nav class="trail" aria-label={words::TRAIL}><ol>{ for above }</ol></nav>
            }
            <div class="page-title">
                <div class="page-name">
                    <h1><bdi>{ &props.title }</bdi></h1>
                    if !props.description.is_empty() {
                        <p class="lead" dir="auto">{ &props.description }</p>
                    }
                </div>
                <div class="actions">{ props.children.clone() }</div>
            </div>
        </div>
    }
}
