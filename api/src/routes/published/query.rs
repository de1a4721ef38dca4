//! Queries by published names, as the own endpoints take them.

use common::{
    condition::{self, Condition},
    page::DEFAULT_PAGE_SIZE,
    problem::FieldErrors,
    published::ListForm,
    query::{ListQuery, Pairs, unknown_parameter},
    reader::invalid,
    text::single_line,
};
use serde_json::Value;

use super::{body::UNKNOWN, request::Published};
use crate::domain::paths::{Verb, internal};

/// Parameters that say which part of a list is wanted.
const PAGING: [&str; 5] = ["page", "page_size", "limit", "offset", "cursor"];
/// Parameters that name no member.
const PLAIN: [&str; 8] = ["page", "page_size", "limit", "offset", "cursor", "count", "search", "format"];

/// The parameters that the own endpoint has for those of the request.
pub(super) fn translate(published: &mut Published, pairs: Pairs, ignores_unknown: bool) -> Result<Pairs, FieldErrors> {
    let path = std::sync::Arc::clone(&published.path);
    let members = path.members();
    let mut errors = FieldErrors::new();
    let mut own = Pairs::new();
    let is_list = published.verb == Some(Verb::List);
    if members.is_empty() {
        own = pairs;
    } else {
        for (name, value) in pairs {
            match name.as_str() {
                "fields" => {
                    for field in value.split(',').map(str::trim).filter(|field| !field.is_empty()) {
                        match members.get(field) {
                            Some(_) => published.fields.push(field.to_owned()),
                            None if ignores_unknown => {}
                            None => errors.push("fields", no_member(field)),
                        }
                    }
                }
                "ordering" if is_list => {
                    let mut terms = Vec::new();
                    for term in value.split(',').map(str::trim).filter(|term| !term.is_empty()) {
                        let (sign, field) = term.strip_prefix('-').map_or(("", term), |field| ("-", field));
                        match internal(members, field) {
                            Some(field) => terms.push(format!("{sign}{field}")),
                            None if ignores_unknown => {}
                            None => errors.push("ordering", no_member(field)),
                        }
                    }
                    own.push((name, terms.join(",")));
                }
                "filter" if is_list => match renamed(members, &value) {
                    Ok(condition) => own.push((name, condition)),
                    Err(error) => errors.push("filter", invalid(error)),
                },
                _ if is_list && PLAIN.contains(&name.as_str()) => own.push((name, value)),
                _ => match internal(members, &name).filter(|_| is_list) {
                    Some(internal) => own.push((internal, value)),
                    None if ignores_unknown => {}
                    // Its own name may be another member's inside.
                    None => errors.push(format!("{name}{UNKNOWN}"), unknown_parameter()),
                },
            }
        }
    }
    if !path.expand.is_empty() {
        own.push(("expand".to_owned(), path.expand.join(",")));
    }
    if is_list {
        for (name, value) in &published.found.bound.0 {
            let value = match value {
                Value::Array(items) => items.first().unwrap_or(&Value::Null),
                value => value,
            };
            own.push((format!("{name}__exact"), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        published.is_paged = own.iter().any(|(name, _)| PAGING.contains(&name.as_str()));
        let more = parts(path.definition.list, path.definition.page_size, &|wanted| {
            own.iter().any(|(name, _)| wanted.contains(&name.as_str()))
        });
        own.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
    }
    errors.or(own)
}

/// The parameters that ask for the first part of a list in the form of a path, where a request asks for no part itself.
fn parts(form: ListForm, size: Option<u64>, has: &dyn Fn(&[&str]) -> bool) -> Vec<(&'static str, String)> {
    let size_said = size.map(|size| ("page_size", size.to_string()));
    match form {
        ListForm::Page if !has(&["page_size", "limit", "cursor"]) => size_said.into_iter().collect(),
        ListForm::LimitOffset if !has(&["page", "page_size", "limit", "cursor"]) => {
            vec![("limit", size.unwrap_or(DEFAULT_PAGE_SIZE).to_string())]
        }
        ListForm::Cursor if !has(&["page", "limit", "offset"]) => {
            let begin = (!has(&["cursor"])).then(|| ("cursor", String::new()));
            begin.into_iter().chain(size_said.filter(|_| !has(&["page_size"]))).collect()
        }
        _ => Vec::new(),
    }
}

/// The query of a bare array that says nothing of parts: all that there is, and one more says whether that is too much.
pub(super) fn whole(published: &Published, query: &mut ListQuery) {
    if published.path.definition.list == ListForm::Array && !published.is_paged {
        query.page_size = published.path.definition.limit;
        query.count = false;
    }
}

/// A condition with other names in it.
fn renamed(members: &common::published::Members, text: &str) -> Result<String, String> {
    let mut condition = condition::parse(text).map_err(|error| error.to_string())?;
    rename(members, &mut condition)?;
    Ok(condition.to_string())
}

fn rename(members: &common::published::Members, condition: &mut Condition) -> Result<(), String> {
    match condition {
        Condition::All(inner) | Condition::Any(inner) => inner.iter_mut().try_for_each(|inner| rename(members, inner)),
        Condition::Not(inner) => rename(members, inner),
        Condition::Is(comparison) => {
            let name = internal(members, &comparison.path).ok_or_else(|| no_member(&comparison.path).message)?;
            comparison.path = name;
            Ok(())
        }
    }
}

fn no_member(name: &str) -> common::problem::FieldError {
    invalid(format!("There is no field \"{}\".", single_line(name)))
}
