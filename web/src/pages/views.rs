//! What stands beside a table's filter once its part is there: saved views, the columns that are shown, and charts.

mod columns;
mod insights;
mod join;
mod menu;
mod widths;

use std::rc::Rc;

use common::{
    id::ViewId,
    query::{ListQuery, Query as _, encode},
    table,
};
use yew::prelude::*;

use self::{
    columns::ColumnsMenu,
    insights::Charts,
    join::{JoinMenu, joins},
    menu::ViewsMenu,
    widths::{Widths, left, use_widths},
};
use crate::{
    chosen::Chosen,
    hooks::use_go,
    route::Route,
    ui::popover::Popover,
    words::{self as all_words, views as words},
};

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
    let collection = &props.chosen.collection;
    let widths = use_state(|| Rc::new(left(&collection.name)));
    let onwidths = {
        let widths = widths.setter();
        Callback::from(move |next: Widths| widths.set(Rc::new(next)))
    };
    let shown = columns::shown(&table::columns(collection), &props.chosen.query.fields);
    let names = shown.into_iter().map(|column| column.name).collect();
    use_widths(&collection.name, names, &widths, onwidths.clone());
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
    let ongo = {
        let (go, name) = (use_go(), collection.name.clone());
        Callback::from(move |query: ListQuery| {
            go.location(&(Route::Records { name: name.clone() }, encode(&query.to_pairs())));
        })
    };
    let query = (*props.chosen.query).clone();
    html! {
        <>
            <div class="beside">
                <Popover label={words::TITLE}>
                    <ViewsMenu chosen={props.chosen.clone()} active={*active} {onactive} plot={(*plot).clone()} onplot={onplot.clone()}
                        widths={(*widths).clone()} onwidths={onwidths.clone()} />
                </Popover>
                <Popover label={words::COLUMNS}><ColumnsMenu chosen={props.chosen.clone()} has_widths={!widths.is_empty()} onwidths={onwidths.reform(|()| Widths::new())} /></Popover>
                <Popover label={all_words::join::TITLE}>
                    <JoinMenu collection={collection.clone()} query={query.clone()} ongo={ongo.clone()} />
                </Popover>
                <button type="button" class="button button-quiet" aria-expanded={plot.is_some().to_string()} onclick={toggle}>{ words::INSIGHTS }</button>
            </div>
            { joins(&query, &ongo) }
            if let Some(member) = (*plot).clone() {
                <Charts chosen={props.chosen.clone()} plot={member} onplot={onplot.reform(Some)} />
            }
        </>
    }
}
