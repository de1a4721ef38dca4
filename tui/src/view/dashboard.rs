//! Draws the dashboard: warnings, figures, plots, the collections and the newest changes, as far as there is room, in this order.

use common::{
    collection::Collection,
    dashboard::{Figure, FigureKind, Notable, Plot as PlotModel, Series, Tone, bars, clock},
    text::thousands,
};
use ratatui::{
    buffer::Buffer,
    layout::{Constraint, Direction, Layout, Rect},
    style::Style,
    symbols::Marker,
    text::Line as Text,
    widgets::{Axis, Bar, BarChart, BarGroup, Block, Borders, Chart, Dataset, Gauge, GraphType, Sparkline, Widget},
};

use super::{paragraph, put, sentence};
use crate::{
    model::{Model, Screen},
    screen::Dashboard,
    style::{Plot, Theme},
    width::{cut, width},
    words,
};

/// Columns of a figure at least.
const FIGURE: u16 = 39;
/// Columns of a figure's name.
const LABEL: usize = 16;
/// Rows and columns of a plot at least.
const PLOT: (u16, u16) = (6, 36);

/// Draws the dashboard.
pub(super) fn draw(buffer: &mut Buffer, body: Rect, model: &Model, screen: &Dashboard) {
    let theme = model.theme;
    let figures = screen.history.figures();
    if figures.is_empty() {
        match (&screen.silent, screen.load.is_under_way() && screen.feed.next().is_none()) {
            (Some(error), _) => sentence(buffer, body, theme, error, words::PRESS_R),
            (None, true) => sentence(buffer, body, theme, words::LOADING, ""),
            (None, false) => sentence(buffer, body, theme, words::NOTHING_MEASURED, ""),
        }
        return;
    }
    let body = warnings(buffer, body, theme, screen, &figures);
    let body = draw_figures(buffer, body, theme, screen, &figures);
    // The feed is more than its heading, and a plot more than its axes.
    let most = body.height.saturating_sub(4);
    let is_tall = body.height >= 26;
    let plots = if most < PLOT.0 { 0 } else { (body.height * 2 / 5).clamp(PLOT.0, most) };
    let gauges = if is_tall { 4 } else { 0 };
    let rows = [Constraint::Length(plots), Constraint::Length(gauges), Constraint::Min(0)];
    let [plots, gauges, rest] = Layout::vertical(rows).areas(body);
    if plots.height > 0 && plots.width >= PLOT.1 {
        draw_plots(buffer, plots, theme, screen);
    }
    if gauges.height > 0 {
        draw_gauges(buffer, gauges, theme, screen);
    }
    if rest.height >= 2 {
        let collections = (rest.width * 2 / 5).min(60);
        let columns = [Constraint::Length(collections), Constraint::Min(0)];
        let [left, right] = Layout::horizontal(columns).areas(rest);
        draw_collections(buffer, left, model);
        let notable = screen.history.notable();
        let rows = u16::try_from(notable.len()).unwrap_or(u16::MAX).saturating_add(1);
        // The changes keep more than half.
        let rows = if notable.is_empty() || right.height < 8 { 0 } else { rows.min(right.height * 2 / 5) };
        let [feed, below] = Layout::vertical([Constraint::Min(0), Constraint::Length(rows)]).areas(right);
        draw_feed(buffer, feed, theme, screen);
        if rows > 0 {
            draw_notable(buffer, below, theme, &notable);
        }
    }
}

/// Why figures are marked, and why nothing newer comes.
fn warnings(buffer: &mut Buffer, body: Rect, theme: Theme, screen: &Dashboard, figures: &[Figure]) -> Rect {
    let silent = screen.silent.as_deref().map(words::silent);
    let mut row = 0;
    for why in silent.iter().chain(figures.iter().filter_map(|figure| figure.warning.as_ref())).take(4) {
        if row + 1 < body.height {
            let line = cut(&format!(" ! {why} "), usize::from(body.width).saturating_sub(2));
            put(buffer, body, 1, row, &line, theme.warning());
            row += 1;
        }
    }
    below(body, row)
}

/// The figures, in as many columns as there is room for.
fn draw_figures(buffer: &mut Buffer, body: Rect, theme: Theme, screen: &Dashboard, figures: &[Figure]) -> Rect {
    let columns = usize::from((body.width / FIGURE).clamp(1, 5));
    let rows = figures.len().div_ceil(columns);
    let size = usize::from(body.width) / columns;
    let old = screen.silent.as_ref().and(screen.history.newest()).map(|sample| clock(&sample.at));
    for (i, figure) in figures.iter().enumerate() {
        let (column, row) = (i / rows, u16::try_from(i % rows).unwrap_or(u16::MAX));
        let at = column * size + 1;
        put(buffer, body, at, row, &cut(figure.label, LABEL - 1), theme.quiet());
        let room = size.saturating_sub(LABEL + 2);
        let as_of = figure.as_of.as_ref().or(old.as_ref());
        let (text, style) = match (as_of, &figure.warning) {
            (Some(at), _) => (words::as_of(&figure.value, at), theme.quiet()),
            (None, Some(_)) => (format!("! {}", figure.value), theme.warning()),
            (None, None) => (figure.value.clone(), theme.strong()),
        };
        put(buffer, body, at + LABEL, row, &cut(&text, room), style);
    }
    below(body, u16::try_from(rows).unwrap_or(u16::MAX))
}

/// How a line is drawn: its mark in the legend, its marker, its colour.
fn drawn(series: &Series) -> (&'static str, Marker, Plot) {
    match series.tone {
        Tone::Good => ("⠒", Marker::Braille, Plot::Good),
        Tone::Other => ("▄", Marker::HalfBlock, Plot::Other),
        Tone::Refused => ("•", Marker::Dot, Plot::Refused),
        Tone::Failed => ("█", Marker::Block, Plot::Failed),
    }
}

fn draw_plots(buffer: &mut Buffer, area: Rect, theme: Theme, screen: &Dashboard) {
    let areas = if area.width >= 150 {
        3
    } else if area.width >= 2 * PLOT.1 {
        2
    } else {
        1
    };
    let areas = Layout::new(Direction::Horizontal, vec![Constraint::Fill(1); areas]).spacing(1).split(area);
    for (area, plot) in areas.iter().zip(screen.history.plots(screen.span)) {
        draw_plot(buffer, *area, theme, &plot);
    }
}

fn draw_plot(buffer: &mut Buffer, area: Rect, theme: Theme, plot: &PlotModel) {
    let [bottom, middle, top] = plot.ticks();
    let ticks = if area.height >= 8 { vec![bottom, middle, top] } else { vec![bottom, top] };
    let quiet = theme.quiet();
    let label = |text: String| Text::styled(text, quiet);
    let sets = plot.series.iter().map(|series| {
        let (_, marker, colour) = drawn(series);
        // Lines of whole cells would hide the others.
        let kind = if marker == Marker::Braille { GraphType::Line } else { GraphType::Scatter };
        Dataset::default().data(&series.line).marker(marker).graph_type(kind).style(theme.plot(colour))
    });
    let legend = plot.series.iter().filter(|series| !series.name.is_empty());
    let legend: Vec<String> = legend.map(|series| format!("  {} {}", drawn(series).0, series.name)).collect();
    let chart = Chart::new(sets.collect())
        .block(block(theme, &format!("{}{}", plot.heading, legend.concat())))
        .legend_position(None)
        .x_axis(
            Axis::default()
                .bounds([-f64::from(plot.span.seconds()), 0.0])
                .labels(plot.span.labels().map(|text| label(text.to_owned())))
                .style(quiet),
        )
        .y_axis(
            Axis::default()
                .bounds([0.0, top])
                .labels(ticks.into_iter().map(|tick| label(plot.unit.tick(tick))))
                .style(quiet),
        );
    chart.render(area, buffer);
}

/// Commits as they come, and how full things are.
fn draw_gauges(buffer: &mut Buffer, area: Rect, theme: Theme, screen: &Dashboard) {
    let [left, right] = Layout::horizontal([Constraint::Fill(1), Constraint::Fill(1)]).spacing(1).areas(area);
    let commits = screen.history.trend(FigureKind::Commits, screen.span);
    let shown = &commits[commits.len().saturating_sub(usize::from(left.width))..];
    let most = shown.iter().map(|(_, y)| *y).fold(0.0, f64::max);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "neither negative nor large")]
    let bars: Vec<u64> = shown.iter().map(|(_, y)| (y * 100.0).round() as u64).collect();
    Sparkline::default()
        .block(block(theme, &words::commits(most)))
        .data(bars)
        .style(theme.plot(Plot::Good))
        .render(left, buffer);
    let full = screen.history.disk_left().map(|left| 1.0 - left);
    let gauges = [
        full.map(|used| (used, words::disk_used(used))),
        screen.history.memory_held().map(|held| (held, words::memory_held(held))),
    ];
    block(theme, "How full").render(right, buffer);
    for (row, (ratio, label)) in (1..).zip(gauges.into_iter().flatten()) {
        let line = Rect { y: right.y + row, height: 1, ..right };
        Gauge::default()
            .ratio(ratio.clamp(0.0, 1.0))
            .label(label)
            .gauge_style(theme.plot(Plot::Good))
            .use_unicode(true)
            .render(line, buffer);
    }
}

fn draw_collections(buffer: &mut Buffer, area: Rect, model: &Model) {
    let theme = model.theme;
    let Some(Screen::Collections(collections)) = model.screens.first() else { return };
    let inner = heading(buffer, area, theme, words::COLLECTIONS_BY_COUNT);
    let Some(rows) = &collections.rows else {
        put(buffer, inner, 1, 0, collections.load.error.as_deref().unwrap_or(words::LOADING), theme.quiet());
        return;
    };
    if rows.is_empty() {
        let row = paragraph(buffer, inner, 0, words::NO_COLLECTIONS, Style::new());
        paragraph(buffer, inner, row, words::NO_COLLECTIONS_ADMIN, theme.quiet());
        return;
    }
    let rows: Vec<&Collection> = bars(rows, |row| row.count.unwrap_or(0)).into_iter().map(|bar| bar.of).collect();
    let name = rows.iter().map(|row| width(row.name.as_str())).max().unwrap_or(0).min(usize::from(inner.width) / 2);
    let counts: Vec<String> = rows.iter().map(|row| row.count.map_or_else(String::new, thousands)).collect();
    let digits = counts.iter().map(|count| width(count)).max().unwrap_or(0);
    let bars: Vec<Bar<'_>> = rows
        .iter()
        .zip(&counts)
        .take(usize::from(inner.height))
        .map(|(row, count)| {
            let label = format!("{:name$}  {count:>digits$} ", cut(row.name.as_str(), name));
            Bar::default().value(row.count.unwrap_or(0)).label(Text::raw(label)).text_value("")
        })
        .collect();
    BarChart::default()
        .data(BarGroup::default().bars(&bars))
        .direction(Direction::Horizontal)
        .bar_width(1)
        .bar_gap(0)
        .bar_style(theme.plot(Plot::Good))
        .render(Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }, buffer);
}

fn draw_feed(buffer: &mut Buffer, area: Rect, theme: Theme, screen: &Dashboard) {
    let old =
        screen.feed_silent.as_ref().map(|_| screen.feed.lines().next().map_or("", |(entry, _)| entry.at.as_str()));
    let title = match old {
        Some(at) => words::as_of(words::NEWEST_CHANGES, &clock(at)),
        None => words::NEWEST_CHANGES.to_owned(),
    };
    let inner = heading(buffer, area, theme, &title);
    let style = if old.is_some() { theme.quiet() } else { Style::new() };
    let room = usize::from(inner.width).saturating_sub(10);
    let mut row = 0;
    for (entry, text) in screen.feed.lines().take(usize::from(inner.height)) {
        put(buffer, inner, 0, row, &clock(&entry.at), theme.quiet());
        put(buffer, inner, 9, row, &cut(&text, room), style);
        row += 1;
    }
    if row == 0 {
        put(buffer, inner, 0, 0, words::NO_CHANGES, theme.quiet());
    }
}

/// Requests that failed and lists that took long, with what would help; `f` shows all of it.
fn draw_notable(buffer: &mut Buffer, area: Rect, theme: Theme, notable: &[Notable]) {
    let inner = heading(buffer, area, theme, words::NOTABLE);
    let room = usize::from(inner.width).saturating_sub(10);
    for (row, one) in (0..inner.height).zip(notable) {
        let style = if one.has_failed { theme.error() } else { Style::new() };
        let text = if one.has_failed { one.text.clone() } else { format!("{}. {}", one.text, one.advice) };
        put(buffer, inner, 0, row, &one.clock(), theme.quiet());
        put(buffer, inner, 9, row, &cut(&text, room), style);
    }
}

fn block(theme: Theme, title: &str) -> Block<'static> {
    Block::new()
        .borders(Borders::TOP)
        .border_style(theme.quiet())
        .title(Text::styled(format!(" {title} "), theme.strong()))
}

/// A heading over the rest of an area.
fn heading(buffer: &mut Buffer, area: Rect, theme: Theme, title: &str) -> Rect {
    let block = block(theme, title);
    let inner = block.inner(area);
    block.render(area, buffer);
    inner
}

fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}
