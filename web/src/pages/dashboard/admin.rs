//! An admin's dashboard.

use common::{
    Call,
    dashboard::{Span, clock},
    endpoints::collections,
};
use yew::prelude::*;

use super::{figures::figures, panels, plot::PlotView, start::Start, watch::use_watched};
use crate::{
    hooks::{use_caller, use_load},
    keys,
    news::{Concern, use_times},
    route::Route,
    ui::{
        icon::{Shape, icon},
        link::Link,
        page::PageHead,
        state::loading,
    },
    words::{collections as collection_words, dashboard as words},
};

/// The page.
#[component]
pub(super) fn Admin() -> Html {
    let caller = use_caller();
    let watched = use_watched();
    let span = use_state(Span::default);
    let as_tables = use_state(|| false);
    let times = use_times(Some(Concern::All));
    let (list, _) = use_load(times, |client, _| async move {
        Ok(client.send(Call::<collections::List>::new((), ())).await?.body.results)
    });
    let list = list.value.clone();
    let names = list.as_deref().map_or_else(Vec::new, |list| panels::that_tell_growth(list));
    let (growth, _) = use_load((names, times), |client, (names, _)| panels::growth(client, names));
    let growth = growth.value.clone();
    let is_empty = list.as_deref().is_some_and(Vec::is_empty);
    let at = watched.history.newest().map(|sample| clock(&sample.at));
    let is_silent = watched.silent.is_some();
    let choice = |chosen: Span, label: &'static str| {
        let is_chosen = *span == chosen;
        let span = span.clone();
        html! {
            <button type="button" class="button button-small" aria-pressed={is_chosen.to_string()} onclick={move |_| span.set(chosen)}>{ label }</button>
        }
    };
    let toggle = {
        let as_tables = as_tables.clone();
        move |_: MouseEvent| as_tables.set(!*as_tables)
    };
    html! {
        <div class="page page-board">
            <PageHead title={words::TITLE} description={at.map(|at| words::state(Some(&at), watched.pause())).unwrap_or_default()}>
                <div class="segments" role="group" aria-label={words::SPAN}>
                    { choice(Span::Minutes, words::MINUTES) }
                    { choice(Span::Hour, words::HOUR) }
                </div>
                <button type="button" class="button button-small" aria-pressed={as_tables.to_string()} onclick={toggle}>{ words::TABLES }</button>
                if !is_empty {
                    <Link to={Route::NewCollection} class="button button-primary button-small" shortcut={keys::NEW}>{ icon(Shape::Plus) }{ collection_words::NEW }</Link>
                }
            </PageHead>
            if let Some(reason) = &watched.silent {
                <p class="notice notice-warn" role="status">{ words::silent(reason) }</p>
            }
            if is_empty {
                <Start />
            }
            if watched.history.newest().is_none() {
                if watched.pause == 0 {
                    { loading() }
                } else if !is_silent {
                    <p class="hint">{ words::NOTHING_MEASURED }</p>
                }
            } else {
                <h2 class="hidden">{ words::FIGURES }</h2>
                { figures(&watched.history, *span, is_silent) }
                <h2 class="hidden">{ words::PLOTS }</h2>
                <div class={classes!("plots", is_silent.then_some("panel-old"))}>{ for watched.history.plots(*span).into_iter().map(|plot| {
                    let key = plot.heading;
                    html! { <PlotView {key} {plot} as_table={*as_tables} /> }
                }) }</div>
            }
            <div class="panels">
                if let Some(list) = list.as_deref().filter(|list| !list.is_empty()) {
                    { panels::collections(list, growth.as_deref().map_or(&[], Vec::as_slice), &caller) }
                }
                if watched.pause > 0 {
                    { panels::changes(&watched.feed, is_silent) }
                    { panels::notable(&watched.history, is_silent) }
                    { panels::routes(watched.traffic.as_ref(), watched.earlier.as_ref()) }
                    { panels::work(watched.operations.as_deref()) }
                }
            </div>
        </div>
    }
}
