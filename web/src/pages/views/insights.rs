//! Charts of the records that the table shows: over time, by choice, by number, by what they refer to. A bar filters the table.

use std::rc::Rc;

use common::{
    Call, CallError,
    endpoints::records,
    insight::{Bar, Chart, ChartStep, Charting, Insight, Kind, Zone, filtered, insights},
    name::CollectionName,
    query::{ListQuery, Query as _, encode},
    text::{count, single_line, thousands},
};
use js_sys::{Array, Intl, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, HtmlElement, HtmlSelectElement};
use yew::prelude::*;

use crate::{
    chosen::Chosen,
    client::Client,
    hooks::{use_go, use_load},
    route::Route,
    ui::{
        download::save,
        state::{failure, loading},
    },
    words::views as words,
};

/// Props of [`Charts`].
#[derive(Properties, PartialEq)]
pub(super) struct ChartsProps {
    pub(super) chosen: Chosen,
    /// The member that somebody plotted last.
    pub(super) plot: AttrValue,
    pub(super) onplot: Callback<String>,
}

/// A chart of each kind that the collection has a field for.
#[component]
pub(super) fn Charts(props: &ChartsProps) -> Html {
    let as_table = use_state(|| false);
    let all = insights(&props.chosen.collection);
    let panels = Kind::ALL.into_iter().filter_map(|kind| {
        let choices: Vec<Insight> = all.iter().filter(|insight| insight.kind == kind).cloned().collect();
        let key = choices.first()?.name.clone();
        Some(html! {
            <Panel {key} chosen={props.chosen.clone()} choices={Rc::new(choices)} plot={props.plot.clone()} onplot={props.onplot.clone()} as_table={*as_table} />
        })
    });
    let toggle = {
        let as_table = as_table.clone();
        move |_: MouseEvent| as_table.set(!*as_table)
    };
    html! {
        <section class="insights" aria-label={words::INSIGHTS}>
            <div class="insights-head">
                <p class="hint">{ words::INSIGHTS_LEAD }</p>
                <button type="button" class="button button-quiet button-small" aria-pressed={as_table.to_string()} onclick={toggle}>{ words::AS_TABLES }</button>
            </div>
            <div class="insights-charts">{ for panels }</div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct PanelProps {
    chosen: Chosen,
    /// What it can show.
    choices: Rc<Vec<Insight>>,
    plot: AttrValue,
    onplot: Callback<String>,
    as_table: bool,
}

#[component]
fn Panel(props: &PanelProps) -> Html {
    let PanelProps { chosen, choices, plot, onplot, as_table } = props;
    let wanted = use_state(|| 0_usize);
    let (which, setter) = (*wanted, wanted.setter());
    // A view, or somebody, asks for another field of this kind.
    use_effect_with((plot.clone(), choices.clone()), move |(plot, choices)| {
        if let Some(at) = choices.iter().position(|choice| *choice.name == **plot) {
            setter.set(at);
        }
    });
    let Some(insight) = choices.get(which.min(choices.len().saturating_sub(1))).cloned() else {
        return Html::default();
    };
    let shown = Rc::new(ListQuery {
        filters: chosen.query.filters.clone(),
        filter: chosen.query.filter.clone(),
        search: chosen.query.search.clone(),
        ..ListQuery::default()
    });
    let (chart, again) = use_load(
        (chosen.collection.name.clone(), insight.clone(), shown),
        |client, (name, insight, shown)| async move { load(&client, &name, insight, (*shown).clone()).await },
    );
    let onchange = {
        let (onplot, choices) = (onplot.clone(), choices.clone());
        move |event: Event| {
            let name = event.target_unchecked_into::<HtmlSelectElement>().value();
            if choices.iter().any(|choice| choice.name == name) {
                onplot.emit(name);
            }
        }
    };
    let data = chart.value.as_deref().and_then(Option::as_ref);
    let heading = data.map_or_else(|| insight.label.clone(), |chart| chart.heading.clone());
    let body = match (&chart.value, &chart.error, data) {
        (_, _, Some(chart)) if !chart.bars.is_empty() => {
            html! { <Drawn chart={chart.clone()} {as_table} chosen={chosen.clone()} /> }
        }
        (Some(_), ..) => html! { <p class="hint">{ words::NO_VALUES }</p> },
        (None, Some(error), _) => failure(error, &again),
        (None, None, _) => loading(),
    };
    let csv = data.map(|chart| {
        let (text, file) = (chart.csv(), format!("{}-by-{}.csv", chosen.collection.name, insight.name));
        move |_: MouseEvent| {
            if let Ok(blob) = Blob::new_with_str_sequence(&Array::of1(&JsValue::from_str(&text))) {
                save(&blob, &file);
            }
        }
    });
    html! {
        <figure class="plot insight">
            <figcaption class="plot-head">
                <span class="plot-title" dir="auto">{ single_line(&heading).into_owned() }</span>
                <span class="insight-tools">
                    if choices.len() > 1 {
                        <select class="input input-select" aria-label={words::FIELD} {onchange}>
                            { for choices.iter().map(|choice| html! {
                                <option key={choice.name.clone()} value={choice.name.clone()} selected={choice.name == insight.name}>{ &choice.label }</option>
                            }) }
                        </select>
                    }
                    if let Some(onclick) = csv {
                        <button type="button" class="button button-quiet button-small" aria-label={words::csv(&insight.label)} {onclick}>{ "CSV" }</button>
                    }
                </span>
            </figcaption>
            { body }
        </figure>
    }
}

/// The browser's time zone.
fn here() -> Zone {
    let options = Intl::DateTimeFormat::new(&Array::new(), &Object::new()).resolved_options();
    let name = Reflect::get(&options, &"timeZone".into()).ok().and_then(|name| name.as_string());
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // moments, and minutes of a day
    Zone::new(name.unwrap_or_default(), |at| {
        let date = js_sys::Date::new(&JsValue::from_f64(at as f64 * 1000.0));
        -(date.get_timezone_offset() as i32) * 60
    })
}

/// The data of a chart.
async fn load(
    client: &Client,
    name: &CollectionName,
    insight: Insight,
    shown: ListQuery,
) -> Result<Option<Chart>, CallError> {
    let (mut charting, mut query) = Charting::begin(insight, shown, here());
    loop {
        let call = Call::<records::Aggregate>::new((name.clone(),), ()).query(query);
        match charting.take(&client.send(call).await?.body) {
            ChartStep::Ask(next) => query = *next,
            ChartStep::Done(chart) => return Ok(chart),
        }
    }
}

#[derive(Properties, PartialEq)]
struct DrawnProps {
    chosen: Chosen,
    chart: Chart,
    as_table: bool,
}

/// The bars; each is a button that filters the table. Arrow keys go from one to the next.
#[component]
fn Drawn(props: &DrawnProps) -> Html {
    let DrawnProps { chosen, chart, as_table } = props;
    let go = use_go();
    let filter = |bar: &Bar| {
        let (go, name, query) = (go.clone(), chosen.collection.name.clone(), filtered(&chosen.query, bar));
        move |_: MouseEvent| go.location(&(Route::Records { name: name.clone() }, encode(&query.to_pairs())))
    };
    if *as_table {
        let row = |(n, bar): (usize, &Bar)| {
            html! {
                <tr key={n}>
                    <th scope="row"><button type="button" class="insight-link" onclick={filter(bar)}><bdi>{ &bar.label }</bdi></button></th>
                    <td>{ thousands(bar.count) }</td>
                </tr>
            }
        };
        return html! {
            <div class="plot-table"><table>
                <thead><tr><th scope="col">{ &chart.of }</th><th scope="col">{ words::RECORDS }</th></tr></thead>
                <tbody>{ for chart.bars.iter().enumerate().map(row) }</tbody>
            </table>{ note(chart) }</div>
        };
    }
    let top = chart.top();
    let is_columns = chart.kind.is_in_order();
    let bars = chart.bars.iter().enumerate().map(|(n, bar)| {
        let said = words::bar(&bar.label, &count(bar.count, "record"));
        let tabindex = if n == 0 { "0" } else { "-1" };
        let drawn = if is_columns { column(bar.count, top) } else { row(bar, top) };
        html! {
            <button key={n} type="button" class={if is_columns { "bar-column" } else { "bar-row" }} {tabindex} title={said.clone()} aria-label={said} onclick={filter(bar)}>
                { drawn }
            </button>
        }
    });
    html! {
        <div class={if is_columns { "bars bars-columns" } else { "bars" }}>
            if is_columns {
                <div class="bars-top" aria-hidden="true"><span>{ thousands(top) }</span><span>{ "0" }</span></div>
            }
            <div class={if is_columns { "bar-columns" } else { "bar-rows" }} role="group" aria-label={single_line(&chart.heading).into_owned()} onkeydown={|event: KeyboardEvent| step(&event)}>
                { for bars }
            </div>
            if let (true, [first, .., last]) = (is_columns, chart.bars.as_slice()) {
                <div class="bars-ends" aria-hidden="true"><span>{ &first.label }</span><span>{ &last.label }</span></div>
            }
            { note(chart) }
        </div>
    }
}

fn note(chart: &Chart) -> Html {
    html! {
        if let Some(note) = chart.note() {
            <p class="hint">{ note }</p>
        }
    }
}

/// Goes to the bar before or after.
fn step(event: &KeyboardEvent) {
    let Some(here) = event.target_dyn_into::<HtmlElement>() else { return };
    let next = match event.key().as_str() {
        "ArrowRight" | "ArrowDown" => here.next_element_sibling(),
        "ArrowLeft" | "ArrowUp" => here.previous_element_sibling(),
        _ => return,
    };
    event.prevent_default();
    if let Some(next) = next.and_then(|next| next.dyn_into::<HtmlElement>().ok()) {
        let _ = next.focus();
    }
}

#[allow(clippy::cast_precision_loss, reason = "drawn to a tenth")]
fn part(count: u64, top: u64) -> f64 {
    let part = count as f64 / top as f64 * 100.0;
    if count > 0 { part.max(1.0) } else { 0.0 }
}

fn column(count: u64, top: u64) -> Html {
    let height = part(count, top);
    html! {
        <svg viewBox="0 0 10 100" preserveAspectRatio="none" aria-hidden="true" focusable="false">
            <rect class="bar-fill" x="0" width="10" y={format!("{:.1}", 100.0 - height)} height={format!("{height:.1}")} />
        </svg>
    }
}

fn row(bar: &Bar, top: u64) -> Html {
    html! {
        <>
            <span class="bar-label"><bdi>{ &bar.label }</bdi></span>
            <svg class="bar" aria-hidden="true" focusable="false"><rect class="bar-fill" width={format!("{:.1}%", part(bar.count, top))} height="100%" rx="2" /></svg>
            <span class="bar-count">{ thousands(bar.count) }</span>
        </>
    }
}
