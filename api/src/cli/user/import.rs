//! `coffer user import`: the users of a Django project, from what its `manage.py dumpdata` writes, with the passwords that they have.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::BufReader,
    path::Path,
};

use anyhow::{Context, Result, bail};
use auth::password::PasswordHash;
use common::{
    access::Caller,
    endpoints::users::NewUser,
    name::{RoleName, Username},
};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{parse_email, plain, say};
use crate::domain::{
    App,
    journal::Actor,
    users::{self, folded, names},
};

/// Faults that are told one by one.
const TOLD: usize = 100;

/// One object of `dumpdata`.
#[derive(Debug, Deserialize)]
struct Dumped {
    model: String,
    #[serde(default)]
    pk: Value,
    fields: Map<String, Value>,
}

/// Somebody of the file, and the hash of their password.
struct ImportedUser {
    user: NewUser,
    /// Their key, where that is a number.
    number: Option<u64>,
    hash: PasswordHash,
}

/// What a file has.
#[derive(Default)]
struct Read {
    found: Vec<ImportedUser>,
    faults: Vec<String>,
    /// Groups whose names are no roles'.
    left_out: BTreeSet<String>,
}

/// Brings in all users of the file, or none where one of them cannot be. Users who are there already with the same hash are left as they are, so
/// that a file can be given again.
pub(super) async fn run(app: &App, file: &Path, dry_run: bool) -> Result<()> {
    let mut read = read(file)?;
    let mut new = Vec::new();
    let mut known = 0_usize;
    let mut names_of_file = BTreeSet::new();
    let store = &app.core().store;
    let mut numbers: BTreeSet<u64> = users::all(app.core()).await?.iter().filter_map(|user| user.number).collect();
    for found in std::mem::take(&mut read.found) {
        let name = found.user.username.clone();
        match users::by_name(store, name.as_str()).await? {
            Some((_, stored)) if stored.password_hash == found.hash.as_str() => {
                known += 1;
                continue;
            }
            Some(_) => read.faults.push(format!("{name}: A user with that username already exists.")),
            None => {}
        }
        if !found.user.email.is_empty() && users::by_name_or_email(store, &found.user.email).await?.is_some() {
            read.faults.push(format!("{name}: The address {} is another user's already.", found.user.email));
        }
        if let Err(error) = names::check(&name) {
            read.faults.push(format!("{name}: {}", plain(error)));
        }
        if let Some(number) = found.number.filter(|number| !numbers.insert(*number)) {
            read.faults.push(format!("{name}: The number {number} (pk) is another user's already."));
        }
        // A name and an address are compared in one form, and one may not be another's.
        let own: BTreeSet<String> =
            [name.as_str(), &found.user.email].into_iter().filter(|text| !text.is_empty()).map(folded).collect();
        for text in own {
            if !names_of_file.insert(text.clone()) {
                read.faults.push(format!("{name}: {text} stands in the file more than once."));
            }
        }
        new.push(found);
    }
    refuse(&read.faults)?;
    for group in &read.left_out {
        eprintln!("The group \"{group}\" was left out: a role's name has the letters a to z, digits and _.");
    }
    let count = new.len();
    if dry_run {
        return say(&format!("{count} users would come in, and {known} are there already. Nothing was written."));
    }
    for (done, ImportedUser { user, number, hash }) in new.into_iter().enumerate() {
        let name = user.username.clone();
        let made = users::create_with_hash(app, Actor::local(&Caller::Anonymous), user, number, &hash).await;
        made.map_err(plain).with_context(|| {
            format!("{name} could not be brought in. {done} users were; mend this and give the file again: they are left as they are")
        })?;
    }
    say(&format!("{count} users came in, and sign in with the passwords that they had. {known} were there already."))
}

fn refuse(faults: &[String]) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    let mut told = faults.iter().take(TOLD).cloned().collect::<Vec<_>>().join("\n");
    if faults.len() > TOLD {
        told = format!("{told}\nand {} more", faults.len() - TOLD);
    }
    bail!("nothing was brought in. Mend this in the file, or leave these users out of it:\n{told}")
}

/// Reads the users of a file.
fn read(path: &Path) -> Result<Read> {
    let what = || format!("could not read {}", path.display());
    let file = File::open(path).with_context(what)?;
    let all: Vec<Dumped> = serde_json::from_reader(BufReader::new(file))
        .with_context(|| format!("{}; it has to be what `manage.py dumpdata` writes: a JSON array", what()))?;
    let groups: BTreeMap<String, String> = all
        .iter()
        .filter(|object| object.model == "auth.group")
        .map(|object| (object.pk.to_string(), text(&object.fields, "name").to_owned()))
        .collect();
    let mut read = Read::default();
    for object in &all {
        // Also a project's own model of users.
        if !object.fields.get("password").is_some_and(Value::is_string) {
            continue;
        }
        let name = [text(&object.fields, "username"), text(&object.fields, "email")];
        let Some(name) = name.into_iter().find(|name| !name.is_empty()) else { continue };
        match found(object, name, &groups, &mut read.left_out) {
            Ok(found) => read.found.push(found),
            Err(fault) => read.faults.push(format!("{name}: {fault}")),
        }
    }
    if read.found.is_empty() && read.faults.is_empty() {
        bail!("{} has no users. Write it by `manage.py dumpdata auth.user auth.group`", path.display());
    }
    Ok(read)
}

fn found(
    object: &Dumped,
    name: &str,
    groups: &BTreeMap<String, String>,
    left_out: &mut BTreeSet<String>,
) -> Result<ImportedUser, String> {
    let fields = &object.fields;
    let flag = |name: &str, otherwise| fields.get(name).and_then(Value::as_bool).unwrap_or(otherwise);
    let hash = PasswordHash::from_foreign(text(fields, "password")).map_err(|error| format!("password: {error}"))?;
    let username: Username = name.parse().map_err(|error| format!("username: {error}"))?;
    let email = parse_email(text(fields, "email")).map_err(|error| format!("email: {error}"))?;
    let mut roles = Vec::new();
    for group in fields.get("groups").and_then(Value::as_array).into_iter().flatten() {
        // A key, or with `--natural-foreign` an array of the name.
        let name = match group {
            Value::Array(name) => name.first().and_then(Value::as_str).map(str::to_owned),
            key => groups.get(&key.to_string()).cloned(),
        };
        let name = name.ok_or_else(|| format!("groups: {group} is not in the file. Dump auth.group too"))?;
        match role(&name) {
            Some(role) => roles.push(role),
            None => drop(left_out.insert(name)),
        }
    }
    let number = object.pk.as_u64();
    let user = NewUser {
        email,
        roles,
        is_admin: flag("is_superuser", false),
        is_active: flag("is_active", true),
        ..NewUser::new(username, String::new())
    };
    Ok(ImportedUser { user, number, hash })
}

/// The role of a group: its name in lower case, with _ for spaces and dashes.
fn role(group: &str) -> Option<RoleName> {
    group.trim().to_lowercase().replace([' ', '-'], "_").parse().ok()
}

fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}
