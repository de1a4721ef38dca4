//! A drawn screen as an SVG picture. Text is text, every run has its columns given, and the colours follow the reader's
//! choice of light or dark.

use std::fmt::Write;

use ratatui::{
    buffer::{Buffer, Cell},
    style::{Color, Modifier},
};
use unicode_width::UnicodeWidthStr;

const COLUMN: usize = 9;
const ROW: usize = 20;
const MARGIN: usize = 14;
const BAR: usize = 30;

const STYLE: &str = "\
text{font:15px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre;fill:var(--ink)}
svg{--paper:#fbfaf7;--ink:#24292f;--edge:#d4d2cc;--quiet:#6b7280;--magenta:#a21caf;--red:#b91c1c}
@media(prefers-color-scheme:dark){svg{--paper:#16181d;--ink:#e4e6ea;--edge:#363a42;--quiet:#8b93a1;--magenta:#f0abfc;--red:#fca5a5}}
.paper{fill:var(--paper);stroke:var(--edge)}.ink{fill:var(--ink)}.edge{fill:var(--edge)}
.reversed{fill:var(--paper)}.dim{fill:var(--quiet)}.bold{font-weight:700}.under{text-decoration:underline}
.magenta{fill:var(--magenta)}.red{fill:var(--red)}";

/// The picture of a screen.
pub(crate) fn picture(buffer: &Buffer, title: &str) -> String {
    let area = buffer.area;
    let (columns, rows) = (usize::from(area.width), usize::from(area.height));
    let (width, height) = (columns * COLUMN + 2 * MARGIN, rows * ROW + MARGIN + BAR);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<style>\n{STYLE}\n</style>\n"
    );
    line(
        &mut svg,
        format_args!(
            "<rect class=\"paper\" x=\".5\" y=\".5\" width=\"{}\" height=\"{}\" rx=\"8\"/>",
            width - 1,
            height - 1
        ),
    );
    for dot in 0..3 {
        line(&mut svg, format_args!("<circle class=\"edge\" cx=\"{}\" cy=\"15\" r=\"5\"/>", MARGIN + 5 + dot * 18));
    }
    for y in 0..rows {
        let cells = &buffer.content()[y * columns..(y + 1) * columns];
        for (start, end) in runs(cells) {
            run(&mut svg, &cells[start..end], start, y);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Where the look changes.
fn runs(cells: &[Cell]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = 0;
    for end in 1..=cells.len() {
        if end == cells.len() || cells[end].style() != cells[start].style() {
            runs.push((start, end));
            start = end;
        }
    }
    runs
}

fn run(svg: &mut String, cells: &[Cell], column: usize, row: usize) {
    let has = |modifier| cells[0].modifier.contains(modifier);
    let (x, y) = (MARGIN + column * COLUMN, BAR + row * ROW);
    if has(Modifier::REVERSED) {
        line(
            svg,
            format_args!(
                "<rect class=\"ink\" x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{ROW}\"/>",
                cells.len() * COLUMN
            ),
        );
    }
    let mut text = String::new();
    let mut wide = 0;
    for cell in cells {
        if wide == 0 {
            text.push_str(cell.symbol());
            wide = cell.symbol().width().max(1);
        }
        wide -= 1;
    }
    let indent = text.len() - text.trim_start().len();
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let classes = [
        (has(Modifier::REVERSED), "reversed"),
        (has(Modifier::DIM), "dim"),
        (has(Modifier::BOLD), "bold"),
        (has(Modifier::UNDERLINED), "under"),
        (cells[0].fg == Color::Magenta, "magenta"),
        (cells[0].fg == Color::Red, "red"),
    ];
    let classes: Vec<&str> = classes.into_iter().filter_map(|(holds, class)| holds.then_some(class)).collect();
    let text_width = text.width() * COLUMN;
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let class = if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) };
    line(
        svg,
        format_args!(
            "<text{class} x=\"{}\" y=\"{}\" textLength=\"{text_width}\" lengthAdjust=\"spacingAndGlyphs\">{text}</text>",
            x + indent * COLUMN,
            y + 15
        ),
    );
}

fn line(svg: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(svg, "{text}").unwrap();
}
