//! What has to be true of a path beside the form of its members, and what its publisher is told.

use common::{
    ENDPOINTS,
    access::Action,
    collection::Collection,
    field::Unique,
    problem::{FieldError, FieldErrors},
    published::{PathDefinition, PathMethod, Source, parameter_of},
    query::MAX_EXPANSIONS,
    reader::{invalid, required},
};

use super::{
    compiled::taken,
    directory::Directory,
    names::write_to,
    projection::{common_reference, expansions},
    stored::StoredPath,
};

/// First parts of addresses under `/api/` that stay the server's.
pub(super) const OWN: [&str; 5] = ["token", "session", "sessions", "setup", "paths"];

/// Whether an address stays the server's, whatever is published.
pub fn is_own(parts: &[&str]) -> bool {
    match parts {
        ["api", first, ..] => OWN.contains(first),
        ["api" | "healthz" | "readyz" | "metrics"] | [] => true,
        [first, ..] => *first == "_coffer",
    }
}

/// What is wrong with a definition, by member. `others` are the paths that there are beside it.
pub(super) fn check(
    directory: &Directory,
    definition: &PathDefinition,
    others: &[StoredPath],
) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::new();
    let parts: Vec<&str> = definition.path.as_str().trim_matches('/').split('/').collect();
    if is_own(&parts) {
        errors.push("path", invalid("This address stays the server's own. Choose another."));
    }
    for other in others {
        let (other, _) = directory.today(other);
        let theirs = taken(&other);
        let is_shared = |(shape, method): &(String, Option<PathMethod>)| {
            theirs.iter().any(|(known, by)| known == shape && (method.is_none() || by.is_none() || by == method))
        };
        if taken(definition).iter().any(is_shared) {
            let message = format!("{} answers there already, with the same method.", other.path);
            errors.push("path", FieldError::new("unique", message));
        }
    }
    for (name, value) in &definition.conditions {
        if let Some(parameter) =
            parameter_of(value).filter(|it| !definition.path.parameters().any(|known| known == *it))
        {
            errors.push("where", invalid(format!("\"{name}\": the path has no parameter {{{parameter}}}.")));
        }
    }
    match (&definition.collection, &definition.alias) {
        (Some(_), Some(_)) => errors.push("alias", invalid("Name a collection or an alias, not both.")),
        (None, None) => errors.push("collection", required()),
        (None, Some(_)) => check_alias(definition, &mut errors),
        (Some(name), None) => {
            if let Some(found) = directory.named(name) {
                check_collection(directory, &found.collection, definition, &mut errors);
            } else {
                let message = format!("There is no collection \"{name}\".");
                errors.push("collection", FieldError::new("does_not_exist", message));
            }
        }
    }
    errors.or(())
}

fn check_alias(definition: &PathDefinition, errors: &mut FieldErrors) {
    if definition.path.parameters().next().is_some() {
        errors.push("path", invalid("Another address of an own route has no parameters."));
    }
    let is_said = [
        ("where", !definition.conditions.is_empty()),
        ("lookup", definition.lookup != "id"),
        ("writable", definition.writable.is_some()),
        ("actions", !definition.actions.is_empty()),
        ("method", definition.method.is_some()),
    ];
    for (name, _) in is_said.into_iter().filter(|(_, is_said)| *is_said) {
        errors.push(name, invalid("This is for collections only. Leave it out."));
    }
    if definition.members.leaves().iter().any(|leaf| leaf.contains('.')) {
        errors.push("members", invalid("An answer of an own route has no members that lead further."));
    }
}

fn check_collection(
    directory: &Directory,
    collection: &Collection,
    definition: &PathDefinition,
    errors: &mut FieldErrors,
) {
    let free: Vec<&str> = definition.free_parameters().collect();
    if let [_, second, ..] = free.as_slice() {
        let message = format!(
            "One parameter names the record; say in \"where\" what the others are: {{\"field\": \"{{{second}}}\"}}."
        );
        errors.push("path", invalid(message));
    }
    let is_of_all = |action: &&Action| matches!(action, Action::List | Action::Create);
    if let Some(action) = definition.actions.iter().find(is_of_all).filter(|_| definition.is_of_a_record()) {
        let message = format!("This path is of one record, so there is no \"{}\".", action.name());
        errors.push("actions", invalid(message));
    }
    if let Some(method) = definition.method {
        match definition.actions.as_slice() {
            [action] => {
                let reads = matches!(action, Action::List | Action::View);
                if reads != (method == PathMethod::Get) {
                    let message = "GET reads and changes nothing; what changes something has another method.";
                    errors.push("method", invalid(message));
                }
            }
            _ => errors.push("method", invalid("A method is for one action. Name it in \"actions\".")),
        }
    }
    if definition.lookup != "id" && collection.field(&definition.lookup).is_none_or(|field| field.unique == Unique::No)
    {
        errors.push("lookup", invalid("Use id, or a field that is unique."));
    }
    for name in definition.conditions.keys() {
        let is_owners = name == "owner" || name == "owner.username";
        let first = name.split('.').next().unwrap_or_default();
        if !is_owners && collection.field(first).is_none() {
            errors.push("where", invalid(format!("There is no field \"{first}\".")));
        } else if let Err(message) = directory.follow(collection, name) {
            errors.push("where", invalid(message));
        }
    }
    check_references(directory, collection, definition, errors);
    for leaf in definition.members.leaves() {
        if let Err(message) = directory.follow(collection, leaf) {
            errors.push("members", invalid(message));
        }
    }
    let count = expansions(&definition.members).len();
    if count > MAX_EXPANSIONS {
        let message = format!("These members need {count} other records each; {MAX_EXPANSIONS} is the most.");
        errors.push("members", invalid(message));
    }
    for name in definition.writable.iter().flatten() {
        let is_there = match definition.members.get(name) {
            Some(member) => write_to(directory, collection, &member.source).is_some(),
            None => definition.members.is_empty() && (collection.field(name).is_some() || name == "owner"),
        };
        if !is_there {
            let message = format!("\"{name}\" is no member that can be written to.");
            errors.push("writable", invalid(message));
        }
    }
}

/// What is said of a record that is referred to has to tell which one it is.
fn check_references(
    directory: &Directory,
    collection: &Collection,
    definition: &PathDefinition,
    errors: &mut FieldErrors,
) {
    let names = || definition.conditions.keys().map(String::as_str);
    let mut firsts: Vec<&str> = names().filter_map(|name| name.split('.').next()).collect();
    firsts.dedup();
    for first in firsts {
        let Some(target) = collection.field(first).and_then(|field| directory.target(field)) else { continue };
        let of_it = || {
            names()
                .filter_map(move |name| name.strip_prefix(first))
                .filter(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let tells = |rest: &str| match rest.strip_prefix('.') {
            None | Some("id") => true,
            Some(rest) => target.field(rest).is_some_and(|field| field.unique != Unique::No),
        };
        if let Some(further) = of_it().find(|rest| rest.matches('.').count() > 1) {
            let message = format!(
                "\"{first}{further}\" leads too far: a condition is on the record or on one that it refers to."
            );
            errors.push("where", invalid(message));
        } else if !of_it().any(tells) {
            let rest = of_it().next().unwrap_or_default();
            let message = format!(
                "\"{first}{rest}\" may be true of many records of \"{}\". Say which one is meant, by \"{first}\" or by a field of it that is unique.",
                target.name
            );
            errors.push("where", invalid(message));
        }
    }
}

/// The sources that a definition names.
pub(super) fn sources(definition: &PathDefinition) -> Vec<&str> {
    let mut sources = definition.members.leaves();
    sources.push(&definition.lookup);
    sources.extend(definition.conditions.keys().map(String::as_str));
    if definition.members.is_empty() {
        sources.extend(definition.writable.iter().flatten().map(String::as_str));
    }
    // A group's reference is found by its members.
    debug_assert!(definition.members.0.iter().all(|member| match &member.source {
        Source::Members(members) => common_reference(members).is_none_or(|first| !first.is_empty()),
        Source::Path(_) => true,
    }));
    sources
}

/// The own routes that a path goes before.
pub(super) fn shadowed(definition: &PathDefinition) -> Vec<String> {
    let parts: Vec<&str> = definition.path.as_str().trim_matches('/').split('/').collect();
    let is_parameter = |part: &str| part.starts_with('{');
    let is_before = |path: &str| {
        let own: Vec<&str> = path.trim_matches('/').split('/').collect();
        own.len() == parts.len()
            && own.iter().zip(&parts).all(|(own, part)| own == part || is_parameter(own) || is_parameter(part))
            && !is_own(&own)
    };
    let mut paths: Vec<&str> = ENDPOINTS.iter().map(|endpoint| endpoint.path).filter(|path| is_before(path)).collect();
    paths.dedup();
    let note =
        |path: &str| format!("It goes before the server's own {path}, which goes on answering under /_coffer{path}.");
    paths.into_iter().map(note).collect()
}
