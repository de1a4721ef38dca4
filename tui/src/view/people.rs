//! The lists of users and sessions.

use common::{
    name::RoleName,
    table::short_moment,
    text::single_line,
    user::{Session, User},
};
use ratatui::{buffer::Buffer, layout::Rect};

use super::{
    sentence,
    table::{Grid, warn},
};
use crate::{
    model::Model,
    screen::{Listing, Sessions, Users},
    words,
};

/// The list of users.
pub fn users(buffer: &mut Buffer, body: Rect, model: &Model, screen: &Users) {
    let cells = |user: &User| {
        let roles: Vec<&str> = user.roles.iter().map(RoleName::as_str).collect();
        let last = user.last_login.as_deref().map_or_else(|| words::NEVER.to_owned(), short_moment);
        vec![
            user.username.to_string(),
            words::option(&user.is_admin.to_string()),
            words::option(&user.is_active.to_string()),
            last,
            roles.join(" "),
        ]
    };
    list(buffer, body, model, &screen.list, words::USER_COLUMNS, words::NO_USERS, cells);
}

/// Where somebody is signed in.
pub fn sessions(buffer: &mut Buffer, body: Rect, model: &Model, screen: &Sessions) {
    let cells = |session: &Session| {
        vec![
            if session.current { words::THIS_ONE.to_owned() } else { String::new() },
            short_moment(&session.last_used),
            short_moment(&session.created_at),
            single_line(&session.address).into_owned(),
            single_line(&session.user_agent).into_owned(),
        ]
    };
    list(buffer, body, model, &screen.list, words::SESSION_COLUMNS, words::NO_SESSIONS, cells);
}

fn list<T, const N: usize>(
    buffer: &mut Buffer,
    body: Rect,
    model: &Model,
    list: &Listing<T>,
    headings: [&str; N],
    empty: &str,
    cells: impl Fn(&T) -> Vec<String>,
) {
    let Some(rows) = &list.rows else {
        match &list.load.error {
            Some(error) => sentence(buffer, body, model.theme, error, words::PRESS_R),
            None => sentence(buffer, body, model.theme, words::LOADING, ""),
        }
        return;
    };
    let body = warn(buffer, body, model, list.load.error.as_deref());
    if rows.is_empty() {
        sentence(buffer, body, model.theme, empty, "");
        return;
    }
    let grid = Grid {
        headings: headings.map(str::to_owned).to_vec(),
        numeric: vec![false; N],
        cells: rows.iter().map(cells).collect(),
        row: list.selected,
        column: Some(list.column),
        model,
    };
    grid.draw(buffer, body);
}
