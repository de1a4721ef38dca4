//! The chart: requests per second of both servers, a line each, on a logarithmic scale, as an SVG that follows the reader's light or
//! dark colours.

use std::fmt::Write as _;

use super::result::{CEILING, COFFER, Figures, REFERENCE};

const WIDTH: f64 = 800.0;
const LEFT: f64 = 130.0;
const RIGHT: f64 = 110.0;
const TOP: f64 = 64.0;
const ROW: f64 = 38.0;

pub(crate) const STYLE: &str = "\
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 }
.small { font-size: 12px; fill: #57606a }
.times { font-weight: 600 }
.ground { fill: #ffffff }
.grid { stroke: #d8dee4 }
.span { stroke: #9aa4af; stroke-width: 2 }
.coffer { fill: #0550ae }
.reference { fill: #bc4c00 }
.ceiling { fill: none; stroke: #57606a; stroke-width: 2 }
.reads { fill: none; stroke: #0550ae; stroke-width: 1.5 }
.writes { fill: none; stroke: #bc4c00; stroke-width: 1.5 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .small { fill: #9198a1 }
  .ground { fill: #0d1117 }
  .grid { stroke: #30363d }
  .span { stroke: #6e7681 }
  .coffer { fill: #79c0ff }
  .reference { fill: #ffa657 }
  .ceiling { stroke: #9198a1 }
  .reads { stroke: #79c0ff }
  .writes { stroke: #ffa657 }
}";

/// In place of a number where nothing was answered.
pub(crate) const NONE: &str = "–";

/// Draws the workloads that have a short name.
pub(crate) fn draw(figures: &[Figures]) -> String {
    let rows: Vec<&Figures> = figures.iter().filter(|figures| !figures.workload.short.is_empty()).collect();
    let of = |server: usize| rows.iter().map(move |figures| figures.per_second(server)).filter(|rate| *rate > 0.0);
    let all = || of(COFFER).chain(of(REFERENCE)).chain(of(CEILING));
    let lowest = all().fold(f64::INFINITY, f64::min).log10().floor();
    let highest = all().fold(1.0, f64::max).log10().ceil();
    let x = |rate: f64| LEFT + (rate.log10() - lowest) / (highest - lowest) * (WIDTH - LEFT - RIGHT);
    let mut bottom = TOP;
    let mut body = String::new();
    for figures in &rows {
        let y = bottom + ROW / 2.0;
        bottom += ROW;
        row(&mut body, figures, y, x);
    }
    let mut grid = String::new();
    let mut decade = lowest;
    while decade <= highest {
        let (rate, at) = (10f64.powf(decade), x(10f64.powf(decade)));
        line(&mut grid, "grid", (at, TOP), (at, bottom));
        text(&mut grid, "small", "middle", (at, bottom + 18.0), &spaced(rate));
        decade += 1.0;
    }
    let height = bottom + 34.0;
    let mut head = String::new();
    text(
        &mut head,
        "title",
        "start",
        (16.0, 26.0),
        "Requests per second (each line of the grid is ten times the last)",
    );
    let legend = [("reference", "Django REST Framework", LEFT), ("coffer", "Coffer", LEFT + 190.0)];
    for (class, name, at) in legend.into_iter().chain([("ceiling", "a bare warp route", LEFT + 280.0)]) {
        dot(&mut head, class, (at, 46.0));
        text(&mut head, "small", "start", (at + 12.0, 50.0), name);
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>Requests per second, Coffer and Django REST Framework</title>\n<style>\n{STYLE}\n</style>\n\
         <rect class=\"ground\" width=\"{WIDTH}\" height=\"{height}\" rx=\"6\"/>\n{head}{grid}{body}</svg>\n"
    )
}

fn row(body: &mut String, figures: &Figures, y: f64, x: impl Fn(f64) -> f64) {
    text(body, "", "end", (LEFT - 16.0, y + 4.0), figures.workload.short);
    let (coffer, reference) = (figures.per_second(COFFER), figures.per_second(REFERENCE));
    if !(coffer > 0.0 && reference > 0.0) {
        return;
    }
    line(body, "span", (x(reference), y), (x(coffer), y));
    dot(body, "reference", (x(reference), y));
    dot(body, "coffer", (x(coffer), y));
    // Where the dots are far enough apart for a number each.
    if x(coffer) - x(reference) > 60.0 {
        text(body, "small", "middle", (x(reference), y - 9.0), &spaced(reference));
    }
    text(body, "small", "middle", (x(coffer), y - 9.0), &spaced(coffer));
    let ceiling = figures.per_second(CEILING);
    if ceiling > 0.0 {
        dot(body, "ceiling", (x(ceiling), y));
    }
    text(body, "times", "end", (WIDTH - 20.0, y + 4.0), &times(figures.ratio()));
}

pub(crate) fn text(out: &mut String, class: &str, anchor: &str, (x, y): (f64, f64), words: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
}

pub(crate) fn line(out: &mut String, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = writeln!(out, "<path class=\"{class}\" d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\"/>");
}

fn dot(out: &mut String, class: &str, (x, y): (f64, f64)) {
    let _ = writeln!(out, "<circle class=\"{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\"/>");
}

/// `58 ×`, and below ten with one digit more.
pub(crate) fn times(ratio: f64) -> String {
    if !ratio.is_finite() {
        return NONE.to_owned();
    }
    if ratio < 9.95 { format!("{ratio:.1} ×") } else { format!("{} ×", spaced(ratio)) }
}

/// Three digits that count, with a thin space at the thousands: `71 300`.
pub(crate) fn spaced(value: f64) -> String {
    if !value.is_finite() {
        return NONE.to_owned();
    }
    if value < 99.5 {
        return if value < 9.95 { format!("{value:.1}") } else { format!("{value:.0}") };
    }
    let step = 10f64.powf(value.log10().floor() - 2.0);
    let digits = format!("{:.0}", (value / step).round() * step);
    match digits.len().checked_sub(3) {
        Some(at) if at > 0 => format!("{}\u{2009}{}", &digits[..at], &digits[at..]),
        _ => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{generator::Measured, workload::WORKLOADS},
        *,
    };

    #[test]
    fn numbers_have_three_digits_that_count() {
        let shown = [2.345, 45.67, 123.4, 1234.0, 71_349.0, 123_456.0].map(spaced);
        assert_eq!(shown, ["2.3", "46", "123", "1\u{2009}230", "71\u{2009}300", "123\u{2009}000"]);
        assert_eq!([9.94, 9.96, 58.4, f64::NAN].map(times), ["9.9 ×", "10 ×", "58 ×", NONE]);
    }

    #[test]
    fn the_chart_has_a_line_for_every_workload_and_only_numbers_in_it() {
        let mut figures = Figures::new(&WORKLOADS[0]);
        for (rounds, per_second) in figures.rounds.iter_mut().zip([50_000.0, 900.0, 80_000.0]) {
            rounds.push(Measured { per_second, ..Measured::default() });
        }
        let chart = draw(&[figures]);
        assert!(chart.contains(">56 ×<") && chart.contains(">get one<"), "{chart}");
        assert!(!chart.contains("NaN") && !chart.contains("inf"), "{chart}");
    }
}
