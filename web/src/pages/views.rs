//! What stands beside a table's filter once its part is there: saved views, the columns that are shown, and charts.

mod columns;
mod insights;
mod menu;

use common::id::ViewId;
use yew::prelude::*;

use self::{columns::ColumnsMenu, insights::Charts, menu::ViewsMenu};
use crate::{chosen::Chosen, ui::popover::Popover, words::views as words};

/// Props of what is drawn beside a table.
#[derive(Properties, PartialEq)]
struct BesideProps {
    chosen: Chosen,
}

/// What a table wants of this part.
#[component]
pub(crate) fn BesideTable() -> Html {
    use_context::<Chosen>().map(|chosen| html! { <Buttons {chosen} /> }).unwrap_or_default()
}

#[component]
fn Buttons(props: &BesideProps) -> Html {
    // The view that was chosen last, which may be shown in another way since.
    let active = use_state(|| None::<ViewId>);
    let onactive = {
        let active = active.setter();
        Callback::from(move |id| active.set(id))
    };
    // The member that is plotted, while charts are seen.
    let plot = use_state(|| None::<String>);
    let onplot = {
        let plot = plot.setter();
        Callback::from(move |member: Option<String>| plot.set(member))
    };
    let toggle = {
        let (onplot, next) = (onplot.clone(), plot.is_none().then(|| "created_at".to_owned()));
        move |_: MouseEvent| onplot.emit(next.clone())
    };
    html! {
        <>
            <div class="beside">
                <Popover label={words::TITLE}>
                    <ViewsMenu chosen={props.chosen.clone()} active={*active} {onactive} plot={(*plot).clone()} onplot={onplot.clone()} />
                </Popover>
                <Popover label={words::COLUMNS}><ColumnsMenu chosen={props.chosen.clone()} /></Popover>
                <button type="button" class="button button-quiet" aria-expanded={plot.is_some().to_string()} onclick={toggle}>{ words::INSIGHTS }</button>
            </div>
            if let Some(member) = (*plot).clone() {
                <Charts chosen={props.chosen.clone()} plot={member} onplot={onplot.reform(Some)} />
            }
        </>
    }
}
