//! Draws plots as SVG: lines over an area of any size, their axes as text beside it, and the same as a table.

use std::fmt::Write as _;

use common::dashboard::{Line, Plot, Series, Tone, ago_text};
use web_sys::HtmlElement;
use yew::prelude::*;

use crate::words::dashboard as words;

/// The drawing's own units: it is stretched to where it stands, its lines are not.
const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 160.0;

/// Props of [`PlotView`].
#[derive(Properties, PartialEq)]
pub(super) struct PlotProps {
    pub(super) plot: Plot,
    /// The table is seen, too.
    pub(super) as_table: bool,
}

/// A plot, its legend with the values of the moment that is pointed at, and its table.
#[component]
pub(super) fn PlotView(props: &PlotProps) -> Html {
    let PlotProps { plot, as_table } = props;
    let pointed = use_state(|| None::<f64>);
    let onpointermove = {
        let pointed = pointed.clone();
        move |event: PointerEvent| {
            let width =
                event.current_target().and_then(|area| wasm_bindgen::JsCast::dyn_into::<HtmlElement>(area).ok());
            let width = width.map_or(1, |area| area.offset_width()).max(1);
            pointed.set(Some(f64::from(event.offset_x()) / f64::from(width)));
        }
    };
    let onpointerleave = {
        let pointed = pointed.clone();
        move |_: PointerEvent| pointed.set(None)
    };
    let moment = pointed.map_or(0.0, |across| plot.moment(across));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an hour of seconds")]
    let when = pointed.map(|_| ago_text(-moment.round() as u32));
    let told = plot.told(moment);
    let [low, middle, high] = plot.ticks().map(|tick| plot.unit.tick(tick));
    html! {
        <figure class="plot">
            <figcaption class="plot-head">
                <span class="plot-title">{ plot.heading }{ when.map(|when| html! { <small>{ format!(" · {when}") }</small> }) }</span>
                <span class="legend" aria-hidden="true">{ for told.iter().map(|(series, value)| html! {
                    <span key={series.name} class={tone(series)}>if !series.name.is_empty() { <i />{ series.name }{ " " } }<b>{ value }</b></span>
                }) }</span>
            </figcaption>
            if !as_table {
                <div class="plot-body" aria-hidden="true">
                    <div class="plot-ticks"><span>{ high }</span><span>{ middle }</span><span>{ low }</span></div>
                    <div class="plot-area" {onpointermove} {onpointerleave}>{ drawing(plot, *pointed) }</div>
                    <div class="plot-times">{ for plot.span.labels().map(|label| html! { <span>{ label }</span> }) }</div>
                </div>
            }
            <div class={if *as_table { "plot-table" } else { "hidden" }}>
                <table>
                    <caption class="hidden">{ words::caption(plot.heading, plot.span) }</caption>
                    <thead><tr>
                        <th scope="col">{ words::WHEN }</th>
                        { for plot.series.iter().map(|series| {
                            let name = if series.name.is_empty() { words::VALUE } else { series.name };
                            html! { <th key={name} scope="col">{ name }</th> }
                        }) }
                    </tr></thead>
                    <tbody>{ for plot.rows().into_iter().map(|(when, values)| html! {
                        <tr key={when.clone()}><th scope="row">{ when }</th>{ for values.into_iter().map(|value| html! { <td>{ value }</td> }) }</tr>
                    }) }</tbody>
                </table>
            </div>
            if let Some((limit, why)) = plot.limit.as_ref().filter(|(limit, _)| *limit <= plot.top) {
                <p class="plot-limit"><i />{ format!("{}: {why}", plot.unit.said(*limit)) }</p>
            }
        </figure>
    }
}

fn tone(series: &Series) -> &'static str {
    match series.tone {
        Tone::Good => "tone tone-good",
        Tone::Other => "tone tone-other",
        Tone::Refused => "tone tone-refused",
        Tone::Failed => "tone tone-failed",
    }
}

fn drawing(plot: &Plot, pointed: Option<f64>) -> Html {
    let level = |value: f64| format!("{:.1}", plot.place((0.0, value)).1 * HEIGHT);
    let grid = |y: String, class: &'static str| html! { <line {class} x1="0" x2="600" y1={y.clone()} y2={y} /> };
    let limit = plot.limit.as_ref().map(|(limit, _)| *limit).filter(|limit| *limit <= plot.top);
    html! {
        <svg viewBox="0 0 600 160" preserveAspectRatio="none" focusable="false">
            { for plot.ticks().map(|tick| grid(level(tick), "grid")) }
            { for plot.series.iter().enumerate().map(|(i, series)| {
                let [line, area] = path(plot, series);
                html! {
                    <g class={tone(series)}>
                        if i == 0 {
                            <path class="area" d={area} />
                        }
                        <path class="line" d={line} />
                    </g>
                }
            }) }
            { limit.map(|limit| grid(level(limit), "limit")) }
            { pointed.map(|across| {
                let x = format!("{:.1}", across.clamp(0.0, 1.0) * WIDTH);
                html! { <line class="pointed" x1={x.clone()} x2={x} y1="0" y2="160" /> }
            }) }
        </svg>
    }
}

/// A series as a line, and as the area under it.
fn path(plot: &Plot, series: &Series) -> [String; 2] {
    let (mut line, mut area) = (String::new(), String::new());
    for stretch in series.stretches(plot.span.step()) {
        let places: Vec<(f64, f64)> = stretch.iter().map(|point| plot.place(*point)).collect();
        let (Some(first), Some(last)) = (places.first(), places.last()) else { continue };
        let _ = write!(area, "M{:.1} {HEIGHT}", first.0 * WIDTH);
        for (i, (x, y)) in places.iter().enumerate() {
            let (x, y) = (x * WIDTH, y * HEIGHT);
            let _ = write!(line, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
            let _ = write!(area, "L{x:.1} {y:.1}");
        }
        if places.len() == 1 {
            // A point alone is seen by its round ends.
            line.push_str("h0");
        }
        let _ = write!(area, "L{:.1} {HEIGHT}Z", last.0 * WIDTH);
    }
    [line, area]
}

/// A line without axes.
pub(super) fn sparkline(line: &Line, seconds: f64) -> Html {
    let most = line.iter().map(|(_, y)| *y).fold(0.0, f64::max);
    if line.len() < 2 || most <= 0.0 {
        return html! { <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true"><path class="line" d="M0 23H100" /></svg> };
    }
    let mut path = String::new();
    for (i, (x, y)) in line.iter().enumerate() {
        let (x, y) = ((1.0 + x / seconds) * 100.0, 23.0 - y / most * 21.0);
        let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    html! {
        <svg class="spark" viewBox="0 0 100 24" preserveAspectRatio="none" aria-hidden="true" focusable="false"><path class="line" d={path} /></svg>
    }
}

/// A bar of a part of its whole.
pub(super) fn bar(part: f64) -> Html {
    let width = format!("{:.1}%", part.clamp(0.0, 1.0) * 100.0);
    html! {
        <svg class="bar" aria-hidden="true" focusable="false"><rect class="bar-all" width="100%" height="100%" rx="3" /><rect {width} height="100%" rx="3" /></svg>
    }
}
