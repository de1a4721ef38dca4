//! Many records at once: what is done to the chosen rows of a table, files in and out, and how rows were found.

mod actions;
mod change;
mod explain;
mod export;
mod faults;
mod file;
mod from_file;
mod going_on;
mod import;
mod options;
mod preview;
mod progress;

use yew::prelude::*;

pub(crate) use self::{from_file::FromFilePage, import::ImportPage};
use crate::chosen::{Chosen, Wanted};

/// Props of what is drawn of chosen rows.
#[derive(Properties, PartialEq)]
struct ChosenProps {
    chosen: Chosen,
}

/// What a table wants of this part.
#[component]
pub(crate) fn ManyView() -> Html {
    let Some(chosen) = use_context::<Chosen>() else { return Html::default() };
    match chosen.wanted {
        Wanted::Actions => html! { <actions::Actions {chosen} /> },
        Wanted::Export => html! { <export::Export {chosen} /> },
        Wanted::Explain => html! { <explain::ExplainView {chosen} /> },
        // Another part draws this.
        Wanted::Beside => Html::default(),
    }
}
