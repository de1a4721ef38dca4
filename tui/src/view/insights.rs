//! Draws the charts of a collection: where there is room all of them, otherwise the one that the keys are about.

use common::{
    insight::{Chart, Kind},
    text::thousands,
};
use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Direction, Layout, Rect},
    style::Style,
    text::Line as Text,
    widgets::{Bar, BarChart, BarGroup, Block, Borders, Tabs, Widget as _},
};

use super::{first_row, paragraph, put};
use crate::{
    model::Model,
    screen::{Insights, Panel},
    style::{Plot, Theme},
    width::{cut, width},
    words,
};

/// With fewer columns or rows one chart is shown at a time.
const ROOMY: (u16, u16) = (110, 26);

/// Draws them.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model, screen: &Insights) {
    let theme = model.theme;
    let filter = common::table::filter_line(&screen.shown);
    let head = if filter.is_empty() { words::OF_ALL_RECORDS.to_owned() } else { words::of_filter(&filter) };
    put(
        buffer,
        body,
        1,
        0,
        &cut(&common::text::single_line(&head), usize::from(body.width).saturating_sub(2)),
        theme.quiet(),
    );
    let mut body = Rect { y: body.y + 1, height: body.height.saturating_sub(1), ..body };
    if body.width < ROOMY.0 || body.height < ROOMY.1 || screen.panels.len() < 2 {
        if screen.panels.len() > 1 && body.height > 3 {
            tabs(buffer, Rect { height: 1, ..body }, theme, screen);
            body = Rect { y: body.y + 1, height: body.height - 1, ..body };
        }
        if let Some(panel) = screen.current() {
            draw_panel(buffer, body, theme, screen, panel, true);
        }
        return;
    }
    let rows = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas::<2>(body);
    let of_row = screen.panels.len().div_ceil(2);
    for (at, panel) in screen.panels.iter().enumerate() {
        let count = if at < of_row { of_row } else { screen.panels.len() - of_row };
        let columns = Layout::new(Direction::Horizontal, vec![Constraint::Fill(1); count]).spacing(2);
        let area = columns.split(rows[usize::from(at >= of_row)])[at % of_row];
        draw_panel(buffer, area, theme, screen, panel, at == screen.focus);
    }
}

/// What the charts are of, where one is seen at a time; as many as fit with the one in focus.
fn tabs(buffer: &mut Buffer, area: Rect, theme: Theme, screen: &Insights) {
    let name = |panel: &Panel| common::text::single_line(&panel.insight().label).into_owned();
    let names: Vec<String> = screen.panels.iter().map(name).collect();
    let needed = |first: usize| names[first..=screen.focus].iter().map(|name| width(name) + 3).sum::<usize>();
    let first = (0..screen.focus).find(|first| needed(*first) <= usize::from(area.width)).unwrap_or(screen.focus);
    Tabs::new(names[first..].to_vec())
        .select(screen.focus - first)
        .style(theme.quiet())
        .highlight_style(theme.accent())
        .render(area, buffer);
}

fn draw_panel(buffer: &mut Buffer, area: Rect, theme: Theme, screen: &Insights, panel: &Panel, is_focused: bool) {
    let title = panel.drawn().map_or_else(|| panel.insight().label.clone(), |chart| chart.heading.clone());
    let style = if is_focused { theme.accent() } else { theme.strong() };
    let block = Block::new()
        .borders(Borders::TOP)
        .border_style(theme.quiet())
        .title(Text::styled(format!(" {} ", common::text::single_line(&title)), style));
    let inner = block.inner(area);
    block.render(area, buffer);
    if let Some(error) = &panel.load.error {
        paragraph(buffer, inner, 0, &format!("! {error}"), theme.error());
        return;
    }
    let chart = match &panel.chart {
        Some(chart) if !chart.bars.is_empty() => chart,
        _ if panel.is_known => return put(buffer, inner, 1, 0, words::NO_VALUES, theme.quiet()),
        _ => return put(buffer, inner, 1, 0, words::LOADING, theme.quiet()),
    };
    let selected = is_focused.then_some(panel.selected);
    if screen.as_table || !chart.kind.is_in_order() {
        draw_list(buffer, inner, theme, chart, selected, screen.as_table);
    } else {
        draw_columns(buffer, inner, theme, chart, selected);
    }
}

/// A row for each value: what it is called, a bar, how many.
fn draw_list(buffer: &mut Buffer, area: Rect, theme: Theme, chart: &Chart, selected: Option<usize>, as_table: bool) {
    let note = chart.note();
    let height = usize::from(area.height).saturating_sub(usize::from(note.is_some()));
    let first = first_row(selected.unwrap_or(0), chart.bars.len(), height);
    let shown = &chart.bars[first..];
    let label = chart.bars.iter().map(|bar| width(&bar.label)).max().unwrap_or(0).min(usize::from(area.width) / 3);
    let digits = chart.bars.iter().map(|bar| width(&thousands(bar.count))).max().unwrap_or(0);
    let room = if as_table { 0 } else { usize::from(area.width).saturating_sub(label + digits + 5) };
    let symbol = if theme.ascii { "#" } else { "█" };
    let mut row = 0;
    for (at, bar) in shown.iter().take(height).enumerate() {
        let is_here = selected == Some(first + at);
        if is_here {
            let line = Rect { y: area.y + row, height: 1, ..area };
            buffer.set_style(line.intersection(area), theme.cursor());
        }
        let style = if is_here { theme.cursor() } else { Style::new() };
        let name = cut(&bar.label, label);
        put(buffer, area, 1, row, &name, style);
        let count = format!("{:>digits$}", thousands(bar.count));
        put(buffer, area, label + 3, row, &count, style);
        let length = usize::try_from(bar.count.saturating_mul(room as u64) / chart.top()).unwrap_or(0);
        let length = if bar.count > 0 { length.max(1) } else { 0 };
        let colour = if is_here { theme.cursor() } else { theme.plot(tone(chart.kind)) };
        put(buffer, area, label + digits + 4, row, &symbol.repeat(length.min(room)), colour);
        row += 1;
    }
    if let Some(note) = note {
        put(buffer, area, 1, row, &note, theme.quiet());
    }
}

/// Bars side by side, and in words the one under the cursor.
fn draw_columns(buffer: &mut Buffer, area: Rect, theme: Theme, chart: &Chart, selected: Option<usize>) {
    let axis = width(&thousands(chart.top()));
    let plot = Rect {
        x: area.x + u16::try_from(axis).unwrap_or(0) + 2,
        width: area.width.saturating_sub(u16::try_from(axis).unwrap_or(0) + 3),
        height: area.height.saturating_sub(2),
        ..area
    };
    if plot.width == 0 || plot.height == 0 {
        return;
    }
    let room = usize::from(plot.width);
    let gap = usize::from(room / chart.bars.len().max(1) >= 3);
    let each = (room / chart.bars.len().max(1)).saturating_sub(gap).clamp(1, 12);
    let fitting = (room / (each + gap)).max(1);
    let at = selected.unwrap_or(0);
    let first = if chart.bars.len() <= fitting { 0 } else { first_row(at, chart.bars.len(), fitting) };
    let bars: Vec<Bar<'_>> = chart.bars[first..]
        .iter()
        .take(fitting)
        .enumerate()
        .map(|(n, bar)| {
            let is_here = selected == Some(first + n);
            let style = if is_here { theme.accent() } else { theme.plot(tone(chart.kind)) };
            Bar::default().value(bar.count).text_value("").style(style)
        })
        .collect();
    BarChart::default()
        .data(BarGroup::default().bars(&bars))
        .max(chart.top())
        .bar_width(u16::try_from(each).unwrap_or(1))
        .bar_gap(u16::try_from(gap).unwrap_or(0))
        .render(plot, buffer);
    put(buffer, area, 1, 0, &format!("{:>axis$}", thousands(chart.top())), theme.quiet());
    put(buffer, area, 1, plot.height.saturating_sub(1), &format!("{:>axis$}", 0), theme.quiet());
    let last = (first + fitting).min(chart.bars.len()) - 1;
    let (left, right) = (&chart.bars[first].label, &chart.bars[last].label);
    put(buffer, area, axis + 2, plot.height, left, theme.quiet());
    if last > first && width(left) + width(right) + 2 < room {
        put(buffer, area, axis + 2 + room - width(right), plot.height, right, theme.quiet());
    }
    if let Some(bar) = chart.bars.get(at).filter(|_| selected.is_some()) {
        let said = format!("{}: {}", bar.label, common::text::count(bar.count, "record"));
        put(buffer, area, axis + 2, plot.height + 1, &cut(&said, room), theme.strong());
    }
}

fn tone(kind: Kind) -> Plot {
    match kind {
        Kind::Time | Kind::Choice => Plot::Good,
        Kind::Number | Kind::Reference => Plot::Other,
    }
}
