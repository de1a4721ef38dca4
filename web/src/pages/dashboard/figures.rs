//! The figures, each with a line of how it was; those that pass a threshold say why.

use common::dashboard::{Figure, FigureKind, History, Span, clock};
use yew::prelude::*;

use super::plot::{bar, sparkline};
use crate::words::dashboard as words;

/// All figures. Where nothing newer comes, all are old.
pub(super) fn figures(history: &History, span: Span, is_silent: bool) -> Html {
    let old = history.newest().filter(|_| is_silent).map(|sample| clock(&sample.at));
    html! {
        <dl class="figures">{ for history.figures().iter().map(|figure| card(history, figure, span, old.as_deref())) }</dl>
    }
}

fn card(history: &History, figure: &Figure, span: Span, old: Option<&str>) -> Html {
    let as_of = figure.as_of.as_deref().or(old);
    let (value, detail) = match (figure.value.split_once(", "), figure.value.find(" of ")) {
        (Some(parts), _) => parts,
        (None, Some(of)) => (&figure.value[..of], &figure.value[of + 1..]),
        (None, None) => (&*figure.value, ""),
    };
    let class = classes!(
        "figure",
        as_of.is_some().then_some("figure-old"),
        figure.warning.as_ref().filter(|_| as_of.is_none()).map(|_| "figure-warn")
    );
    let full = match figure.kind {
        FigureKind::Disk => history.disk_left().map(|left| 1.0 - left),
        FigureKind::Memory => history.memory_held(),
        _ => None,
    };
    let drawn = match (full, figure.kind) {
        (Some(full), _) => bar(full),
        (None, FigureKind::Certificate) => Html::default(),
        (None, kind) => sparkline(&history.trend(kind, span), f64::from(span.seconds())),
    };
    html! {
        <div key={figure.label} {class}>
            <dt>{ figure.label }</dt>
            <dd class="figure-value">{ value }{ " " }<small>{ detail }</small></dd>
            if let Some(at) = as_of {
                <dd class="figure-note">{ words::as_of(at) }</dd>
            } else if let Some(why) = &figure.warning {
                <dd class="figure-note">{ why }</dd>
            }
            <dd class="figure-drawn">{ drawn }</dd>
        </div>
    }
}
