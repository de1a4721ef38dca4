//! Pages about the server and its tokens, as lines.

use common::{
    access::Action,
    activity::{self, ChangeList, did, when},
    api_page,
    change::ChangeQuery,
    collection::Collection,
    dashboard::{LogTail, Notable},
    endpoints::{
        keys::{KeyState, Keys},
        log::LogLevel,
        settings::{Settings, Source},
    },
    inspection::{Claim, Inspection, segments},
    migration::{Listed, summary},
    name::RoleName,
    query::encode,
    table::short_moment,
    text::{multi_line, single_line, thousands},
};
use ratatui::style::Style;

use crate::{
    message::Own,
    model::{Model, Screen},
    screen::{Collections, Invitations, Migrations, Sheet, SheetKind, Token},
    style::{Line, Plot, Theme},
    width::{cut, width, wrap},
    words,
};

/// Columns of the moment and the level of a line of the log.
const LEVEL: usize = 10;
const TEXT: usize = 16;
/// Columns of what was done, and to what.
const DID: usize = 22;
const WHAT: usize = 36;

/// The lines of a page.
pub(crate) fn lines(model: &Model, sheet: &Sheet, columns: usize) -> Vec<Line> {
    let mut page = Page { lines: Vec::new(), theme: model.theme, columns };
    if let Some(error) = &sheet.load.error {
        page.say(&format!("! {error}"), page.theme.error());
        return page.lines;
    }
    match &sheet.kind {
        SheetKind::Log(tail) => page.log(tail),
        SheetKind::Failures => page.notable(&notable(model)),
        SheetKind::Server(Some(known)) => page.server(&known.0, &known.1),
        SheetKind::Server(None) | SheetKind::Own(_, None) => page.say(words::LOADING, page.theme.quiet()),
        SheetKind::Token(token) => page.token(token),
        SheetKind::Api(collection, program) => page.api(model, collection, *program),
        SheetKind::Access => page.access(model),
        SheetKind::Own(_, Some(own)) => page.own(model, own),
        SheetKind::Invitations(known) => page.invitations(&model.server, known),
        SheetKind::Migrations(known) => page.migrations(known),
    }
    page.lines
}

/// What the dashboard below knows of requests that failed, and of slow lists.
fn notable(model: &Model) -> Vec<Notable> {
    let dashboard = model.screens.iter().rev().find_map(|screen| match screen {
        Screen::Dashboard(dashboard) => Some(dashboard),
        _ => None,
    });
    dashboard.map(|dashboard| dashboard.history.notable()).unwrap_or_default()
}

struct Page {
    lines: Vec<Line>,
    theme: Theme,
    columns: usize,
}

impl Page {
    fn say(&mut self, text: &str, style: Style) {
        self.say_at(1, text, style);
    }

    fn say_at(&mut self, at: usize, text: &str, style: Style) {
        for line in wrap(text, self.columns.saturating_sub(at + 1)) {
            self.lines.push(vec![(at, line, style)]);
        }
    }

    fn heading(&mut self, text: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.say(text, self.theme.strong());
    }

    fn log(&mut self, tail: &LogTail) {
        for line in tail.shown() {
            let style = match line.level {
                LogLevel::Error => self.theme.error(),
                LogLevel::Warn => self.theme.strong(),
                _ => self.theme.quiet(),
            };
            let text = line.shown();
            for (row, part) in wrap(&text, self.columns.saturating_sub(TEXT + 1)).into_iter().enumerate() {
                let mut pieces = vec![(TEXT, part, Style::new())];
                if row == 0 {
                    pieces.push((1, line.clock(), self.theme.quiet()));
                    pieces.push((LEVEL, line.level.to_string(), style));
                }
                self.lines.push(pieces);
            }
        }
        if self.lines.is_empty() {
            self.say(if tail.is_empty() { words::NO_LINES } else { words::NO_SUCH_LINES }, self.theme.quiet());
        }
    }

    fn notable(&mut self, all: &[Notable]) {
        if all.is_empty() {
            self.say(words::NOTHING_NOTABLE, self.theme.quiet());
        }
        for one in all {
            let style = if one.has_failed { self.theme.error() } else { self.theme.strong() };
            self.lines.push(vec![(1, one.clock(), self.theme.quiet())]);
            let first = self.lines.len() - 1;
            let mut text = wrap(&one.text, self.columns.saturating_sub(LEVEL + 1)).into_iter();
            self.lines[first].extend(text.next().map(|part| (LEVEL, part, style)));
            self.lines.extend(text.map(|part| vec![(LEVEL, part, style)]));
            self.say_at(LEVEL, &one.advice, Style::new());
            if let Some(id) = &one.request_id {
                self.say_at(LEVEL, &words::request(id), self.theme.quiet());
            }
        }
    }

    fn server(&mut self, settings: &Settings, keys: &Keys) {
        self.heading(&words::version(&settings.version));
        self.heading(words::KEYS_HEADING);
        for key in &keys.results {
            let kind = if key.is_public { words::public(&key.algorithm) } else { key.algorithm.clone() };
            let style = if key.state == KeyState::Active { self.theme.strong() } else { Style::new() };
            let since = key.created_at.get(..10).unwrap_or_default();
            let told = format!("{} · {kind} · {} · {}", single_line(&key.kid), key.state.said(), words::since(since));
            self.say(&told, style);
        }
        self.say(words::key_commands(keys.are_given), self.theme.quiet());
        self.heading(words::SETTINGS_HEADING);
        let widest = settings.results.iter().map(|one| width(&one.name)).max().unwrap_or(0).min(self.columns / 2);
        let said: Vec<_> = settings.results.iter().filter(|one| one.from != Source::Default).collect();
        let others = settings.results.iter().filter(|one| one.from == Source::Default);
        for one in said.into_iter().chain(others) {
            let value = match (&one.value, one.is_hidden) {
                (_, true) => words::HIDDEN,
                (Some(value), _) => value,
                (None, _) => words::NOT_SET,
            };
            let is_said = one.from != Source::Default;
            let source = if is_said { format!("  ({})", one.from.said()) } else { String::new() };
            let value = format!("{}{source}", single_line(value));
            let style = if is_said { self.theme.strong() } else { Style::new() };
            for (row, part) in wrap(&value, self.columns.saturating_sub(widest + 4)).into_iter().enumerate() {
                let mut pieces = vec![(widest + 3, part, style)];
                if row == 0 {
                    pieces.push((1, cut(&one.name, widest), self.theme.quiet()));
                }
                self.lines.push(pieces);
            }
        }
        self.heading(words::BACKUP_HEADING);
        self.say(words::BACKUP_RECIPE, Style::new());
    }

    fn invitations(&mut self, server: &str, known: &Invitations) {
        self.say(words::INVITATIONS_LEAD, self.theme.quiet());
        if let Some(made) = &known.made {
            self.heading(words::INVITED);
            let query = encode(&[("invitation".to_owned(), made.invitation.clone())]);
            self.say(&format!("{}/sign-up?{query}", server.trim_end_matches('/')), Style::new());
        }
        self.lines.push(Vec::new());
        let Some(open) = &known.open else { return self.say(words::LOADING, self.theme.quiet()) };
        if open.is_empty() {
            return self.say(words::NO_INVITATIONS, Style::new());
        }
        for (i, one) in open.iter().enumerate() {
            let roles: Vec<&str> = one.roles.iter().map(RoleName::as_str).collect();
            let until = words::good_until(&short_moment(&one.created_at), &short_moment(&one.expires_at));
            let text = cut(&format!("{until}  {}", roles.join(" ")), self.columns.saturating_sub(4));
            let (mark, style) = if i == known.cursor { ("›", self.theme.strong()) } else { (" ", Style::new()) };
            self.lines.push(vec![(1, mark.to_owned(), style), (3, text, style)]);
        }
    }

    fn migrations(&mut self, known: &Migrations) {
        let Some(rows) = &known.rows else { return self.say(words::LOADING, self.theme.quiet()) };
        for (i, one) in rows.iter().enumerate() {
            let is_here = i == known.cursor;
            let (mark, style) = if is_here { ("›", self.theme.strong()) } else { (" ", Style::new()) };
            let notes = if one.notes.is_empty() { String::new() } else { format!("  ({})", one.notes.join("; ")) };
            let said = format!("{} {}{notes}", one.mark(), one.id());
            let said = cut(&said, self.columns.saturating_sub(4));
            self.lines.push(vec![(1, mark.to_owned(), style), (3, said, style)]);
            if is_here {
                self.migration(known, one);
            }
        }
        if rows.is_empty() {
            self.say(words::NO_MIGRATIONS, Style::new());
        }
        self.lines.push(Vec::new());
        self.say(words::MIGRATIONS_LEAD, self.theme.quiet());
        let dir = single_line(&known.dir.to_string_lossy()).into_owned();
        let files = if known.dir.is_dir() { words::files_in(&dir) } else { words::no_files_in(&dir) };
        self.say(&files, self.theme.quiet());
    }

    /// What the migration under the cursor says, or would do.
    fn migration(&mut self, known: &Migrations, one: &Listed) {
        if let Some(operation) = known.under_way.as_ref().filter(|operation| Some(operation.id) == one.under_way()) {
            self.say_at(7, &words::migration_progress(operation), self.theme.strong());
        }
        let Some(planned) = known.planned() else {
            for step in &one.migration.steps {
                self.say_at(7, &single_line(&summary(step)), self.theme.quiet());
            }
            return;
        };
        self.say_at(7, if planned.is_back { words::TAKING_BACK } else { words::APPLYING }, self.theme.strong());
        for step in &planned.plan.steps {
            self.say_at(9, &single_line(&step.step), Style::new());
            for line in step.told() {
                self.say_at(11, &single_line(&line), self.theme.quiet());
            }
        }
    }

    fn token(&mut self, token: &Token) {
        let Some(found) = &token.found else {
            self.say(words::TOKEN_LEAD, Style::new());
            return;
        };
        let style = if found.is_good { self.theme.strong() } else { self.theme.error() };
        let mark = if found.is_good { "✓" } else { "!" };
        self.say(&format!("{mark} {}", found.said), style);
        let [header, payload, signature] = segments(&token.asked);
        self.part(words::HEADER, &header, Plot::Other, &found.header_claims());
        self.part(words::PAYLOAD, &payload, Plot::Good, &found.payload_claims());
        self.part(words::SIGNATURE, &signature, Plot::Refused, &[]);
        self.say_at(3, &signed(found), Style::new());
    }

    fn api(&mut self, model: &Model, collection: &Collection, program: usize) {
        let user = model.user.as_ref().map(|user| user.username.to_string()).unwrap_or_default();
        let all = api_page::sign_in(&model.server, &user);
        let sign_in = &all[program % all.len()];
        self.heading(&words::requests_for(sign_in.name));
        self.say_at(3, &multi_line(&sign_in.text), self.theme.accent());
        for route in api_page::routes(collection, None) {
            self.heading(&format!("{} {}", route.method, route.path));
            self.say_at(3, route.summary, Style::new());
            self.say_at(3, &route.who, self.theme.quiet());
            let snippets = route.snippets(&model.server);
            self.say_at(3, &multi_line(&snippets[program % snippets.len()].text), self.theme.accent());
        }
    }

    fn access(&mut self, model: &Model) {
        let Some(Screen::Collections(Collections { rows: Some(rows), .. })) = model.screens.first() else {
            return self.say(words::LOADING, self.theme.quiet());
        };
        self.say(words::ACCESS_LEAD, Style::new());
        let name = rows.iter().map(|row| width(row.name.as_str())).max().unwrap_or(0).min(self.columns / 4);
        let column = self.columns.saturating_sub(name + 4) / Action::ALL.len();
        let at = |i: usize| name + 3 + i * column;
        let heads =
            Action::ALL.iter().enumerate().map(|(i, action)| (at(i), action.name().to_owned(), self.theme.strong()));
        self.lines.push(Vec::new());
        self.lines.push(heads.collect());
        for row in rows {
            let cells: Vec<Vec<String>> = Action::ALL
                .iter()
                .map(|action| {
                    wrap(&api_page::said(api_page::rules_of(&row.access, *action)), column.saturating_sub(1).max(1))
                })
                .collect();
            for n in 0..cells.iter().map(Vec::len).max().unwrap_or(0) {
                let mut pieces: Vec<_> = cells
                    .iter()
                    .enumerate()
                    .filter_map(|(i, cell)| Some((at(i), cell.get(n)?.clone(), Style::new())))
                    .collect();
                if n == 0 {
                    pieces.push((1, cut(row.name.as_str(), name), self.theme.strong()));
                }
                self.lines.push(pieces);
            }
        }
    }

    /// What one has oneself: records and allowance, sessions, changes, and what is new.
    fn own(&mut self, model: &Model, own: &Own) {
        self.heading(words::OWN_HEADING);
        if let Some(usage) = &own.user.usage {
            self.say(&usage.to_string(), Style::new());
            self.gauge(usage.records, usage.max_records);
            self.gauge(usage.bytes, usage.max_bytes);
        }
        self.say(&words::own_sessions(own.sessions), Style::new());
        if let Some(Screen::Collections(Collections { rows: Some(rows), .. })) = model.screens.first() {
            self.heading(words::COLLECTIONS_BY_COUNT);
            let widest = rows.iter().map(|row| width(row.name.as_str())).max().unwrap_or(0).min(self.columns / 2);
            for row in rows {
                let count = row.count.map(thousands).unwrap_or_default();
                self.lines.push(vec![
                    (1, cut(row.name.as_str(), widest), Style::new()),
                    (widest + 3, count, self.theme.quiet()),
                ]);
            }
        }
        self.heading(words::OWN_CHANGES);
        let mut list = ChangeList::new(activity::Source::Activity(ChangeQuery::default()));
        list.take(own.changes.clone());
        for change in &list.rows {
            let what = cut(&list.what(change), self.columns.saturating_sub(WHAT + 1));
            self.lines.push(vec![
                (1, when(change), self.theme.quiet()),
                (DID, did(change.action).to_owned(), Style::new()),
                (WHAT, what, Style::new()),
            ]);
        }
        if list.rows.is_empty() {
            self.say(words::NO_CHANGES, self.theme.quiet());
        }
        if !own.newest.is_empty() {
            self.heading(words::NEWEST_RECORDS);
        }
        for (at, name, title) in &own.newest {
            let room = self.columns.saturating_sub(DID + 1);
            self.lines.push(vec![
                (1, short_moment(at), self.theme.quiet()),
                (DID, cut(&format!("{title} · {name}"), room), Style::new()),
            ]);
        }
    }

    /// How much of what one may have is used.
    fn gauge(&mut self, has: u64, most: Option<u64>) {
        let Some(most) = most.filter(|most| *most > 0) else { return };
        let room = self.columns.saturating_sub(4).min(60);
        let filled = usize::try_from(has.min(most) * room as u64 / most).unwrap_or(room);
        let (full, free) = if self.theme.ascii { ("#", "-") } else { ("█", "░") };
        let style = self.theme.plot(Plot::Good);
        self.lines
            .push(vec![(1, full.repeat(filled), style), (1 + filled, free.repeat(room - filled), self.theme.quiet())]);
    }

    fn part(&mut self, name: &str, segment: &str, colour: Plot, claims: &[Claim]) {
        self.heading(name);
        if !segment.is_empty() {
            self.say_at(3, segment, self.theme.plot(colour));
        }
        let widest = |texts: Vec<usize>| texts.into_iter().max().unwrap_or(0);
        let names = widest(claims.iter().map(|claim| width(&claim.name)).collect()).min(self.columns / 4);
        let values = widest(claims.iter().map(|claim| width(&claim.value)).collect()).min(self.columns / 3);
        for claim in claims {
            let at = 3 + names + 2;
            let meaning = at + values + 2;
            let value = wrap(&claim.value, values.max(1));
            let means = wrap(&claim.meaning, self.columns.saturating_sub(meaning + 1));
            for row in 0..value.len().max(means.len()) {
                let mut pieces = Vec::new();
                if row == 0 {
                    pieces.push((3, cut(&claim.name, names), self.theme.strong()));
                }
                pieces.extend(value.get(row).map(|part| (at, part.clone(), self.theme.plot(colour))));
                pieces.extend(means.get(row).map(|part| (meaning, part.clone(), self.theme.quiet())));
                self.lines.push(pieces);
            }
        }
    }
}

/// Which key signed it.
fn signed(found: &Inspection) -> String {
    match (&found.key, found.is_signed) {
        _ if found.is_by_given_key => words::SIGNED_BY_GIVEN[usize::from(found.is_signed)].to_owned(),
        (Some(key), true) => words::signed_by(&key.algorithm, &single_line(&key.kid)),
        _ => words::NOT_SIGNED.to_owned(),
    }
}
