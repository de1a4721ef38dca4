//! Sentences that both clients say word for word.

pub mod many;
pub mod server;

use crate::{
    change::{Subject, Verb},
    conflict::FieldChange,
    name::CollectionName,
    operation::OperationState,
    text::{count, single_line},
    undo::{Deletion, Reverted},
    user::{Usage, User},
};

/// The session has ended, and nothing typed waits for a new one.
pub const SESSION_ENDED: &str =
    "Your session has ended: you were signed out elsewhere, or away for too long. Sign in again to go on.";
/// Only admins see the users.
pub const NOT_ADMIN_USERS: &str = "Only admins manage users. Ask one.";
/// Only admins change collections.
pub const NOT_ADMIN_COLLECTIONS: &str = "Only admins define collections. Ask one.";
/// No sign-in yet.
pub const NEVER: &str = "never";
/// The session that asks.
pub const THIS_SESSION: &str = "this one";
/// There are no sessions.
pub const NO_SESSIONS: &str = "Nobody is signed in here.";
/// Sessions were ended.
pub const SESSIONS_ENDED: &str = "Ended. Whoever was signed in there has to sign in again.";
/// The own password was changed.
pub const PASSWORD_CHANGED: &str = "Your password is changed, and your other sessions have ended.";
/// The key for it.
pub const CHANGE_PASSWORD: &str = "Change your password";

/// No other collection can be joined to a table.
pub const NOTHING_TO_JOIN: &str = "There is no other collection to join with.";

/// No changes come, while other requests are answered.
pub const KEPT_BACK: &str = "Changes come late or not at all: a proxy on the way seems to keep them back. It has to pass on at once what says X-Accel-Buffering: no.";

/// What a user has and may have.
pub fn usage_of(usage: &Usage) -> String {
    format!("Owns {usage}.")
}

/// A user was made.
pub fn user_made(name: &str) -> String {
    format!("Made the user {}.", single_line(name))
}

/// A user was changed.
pub fn user_saved(name: &str, sessions_ended: bool) -> String {
    let next = if sessions_ended { " Their sessions have ended." } else { "" };
    format!("Saved the user {}.{next}", single_line(name))
}

/// A user was deleted.
pub fn user_deleted(user: &User) -> String {
    format!("Deleted the user {}.", user.username)
}

/// What a deletion takes along; `None` where it is only the record itself.
pub fn takes_along(title: &str, collection: &CollectionName, deletion: &Deletion) -> Option<String> {
    let counted = |verb: Verb| {
        deletion.counts.iter().filter(move |it| it.action == verb).filter_map(move |it| {
            // The record itself is not told again.
            let itself = verb == Verb::Delete && it.collection.as_ref() == Some(collection);
            Some((it.collection.as_ref()?.as_str(), it.count - u64::from(itself && it.count > 0)))
        })
    };
    let (deleted, emptied) = (listed(counted(Verb::Delete)), listed(counted(Verb::Update)));
    let title = single_line(title);
    match (deleted.is_empty(), emptied.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("Deleting {title} deletes {deleted} too.")),
        (true, false) => Some(format!("Deleting {title} takes it out of {emptied}.")),
        (false, false) => Some(format!("Deleting {title} deletes {deleted} too, and takes it out of {emptied}.")),
    }
}

/// What a revert did. `title` is that of the one record that was changed here, or the collection's name.
pub fn undone(title: &str, reverted: &Reverted) -> String {
    if reverted.state != OperationState::Done {
        return "This is large, and is being undone in the background.".to_owned();
    }
    let counted = |verb: Verb| {
        let of_verb = reverted.counts.iter().filter(move |it| it.action == verb);
        listed(of_verb.filter_map(|it| Some((it.collection.as_ref()?.as_str(), it.count))))
    };
    let is_one = reverted.count == 1;
    let (back, gone, changed) = (counted(Verb::Restore), counted(Verb::Delete), counted(Verb::Update));
    let is = if is_one { "is" } else { "are" };
    let mut parts = Vec::new();
    for (verb, what, became) in
        [(Verb::Restore, back, "back"), (Verb::Delete, gone, "gone again"), (Verb::Update, changed, "as before")]
    {
        let is_collection =
            reverted.counts.iter().any(|it| (it.subject, it.action) == (Subject::Collection, verb) && it.count > 0);
        if is_collection {
            parts.push(format!("{} is {became}", single_line(title)));
        } else if !what.is_empty() {
            let what = if is_one { single_line(title).into_owned() } else { what };
            parts.push(format!("{what} {is} {became}"));
        }
    }
    let mut said = if parts.is_empty() { "Nothing was undone.".to_owned() } else { format!("{}.", parts.join("; ")) };
    if reverted.skipped > 0 {
        let records = count(reverted.skipped, "record");
        said.extend([" ", &records, " had been changed since, and stayed so."]);
    }
    for lost in &reverted.not_restored {
        let values = count(lost.count, "value");
        let (field, collection) = (lost.field.as_str(), lost.collection.as_str());
        said.extend([" ", &values, " of \"", field, "\" could not be put back: the field of ", collection]);
        said.push_str(" is gone, or was converted since.");
    }
    said
}

/// "1 record of orders and 500 records of lines".
fn listed<'a>(counts: impl Iterator<Item = (&'a str, u64)>) -> String {
    let parts: Vec<String> = counts
        .filter(|(_, number)| *number > 0)
        .map(|(collection, number)| format!("{} of {collection}", count(number, "record")))
        .collect();
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Who changed something.
pub fn changer(is_me: bool, name: Option<&str>) -> String {
    match (is_me, name) {
        (true, _) => "You".to_owned(),
        (false, Some(name)) => single_line(name).into_owned(),
        (false, None) => "Somebody else".to_owned(),
    }
}

/// Somebody changed these fields of a record while it is edited.
pub fn changed_meanwhile(who: &str, changes: &[FieldChange]) -> String {
    let fields: Vec<&str> = changes.iter().map(|change| change.label.as_str()).collect();
    let what = match fields.as_slice() {
        [] => "this record".to_owned(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} and {last}", all.join(", ")),
    };
    format!("{who} changed {what} meanwhile.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, from_value, json};

    fn counts(counts: &[(&str, &str, u64)]) -> Value {
        let one = |(collection, action, count): &(&str, &str, u64)| json!({"subject": "record", "collection": collection, "action": action, "count": count});
        counts.iter().map(one).collect()
    }

    #[test]
    fn what_a_deletion_takes_along_is_told_without_the_record_itself() {
        let told = |those: &[(&str, &str, u64)]| {
            let count: u64 = those.iter().map(|(.., count)| count).sum();
            let deletion = from_value(json!({"count": count, "counts": counts(those)})).unwrap();
            takes_along("A-1", &"orders".parse().unwrap(), &deletion)
        };
        assert_eq!(told(&[("orders", "delete", 1)]), None);
        let all = [("orders", "delete", 1), ("lines", "delete", 500), ("bites", "delete", 1), ("notes", "update", 3)];
        let due = "Deleting A-1 deletes 500 records of lines and 1 record of bites too, and takes it out of 3 records of notes.";
        assert_eq!(told(&all).unwrap(), due);
        assert_eq!(told(&[("orders", "delete", 3)]).unwrap(), "Deleting A-1 deletes 2 records of orders too.");
        let emptied = [("orders", "delete", 1), ("notes", "update", 1)];
        assert_eq!(told(&emptied).unwrap(), "Deleting A-1 takes it out of 1 record of notes.");
    }

    #[test]
    fn what_was_undone_is_what_is_told() {
        let id = "01920000-0000-7000-8000-000000000001";
        let told = |those: &[(&str, &str, u64)], skipped: u64| {
            let count: u64 = those.iter().map(|(.., count)| count).sum();
            let reverted = json!({"operation": id, "reverts": id, "state": "done", "count": count,
                "counts": counts(those), "skipped": skipped, "not_restored": []});
            undone("\"A-1\"", &from_value(reverted).unwrap())
        };
        assert_eq!(told(&[("orders", "restore", 1)], 0), "\"A-1\" is back.");
        assert_eq!(told(&[("orders", "update", 1)], 0), "\"A-1\" is as before.");
        let many = [("orders", "restore", 1), ("lines", "restore", 500), ("notes", "update", 3)];
        let due = "1 record of orders and 500 records of lines are back; 3 records of notes are as before.";
        assert_eq!(told(&many, 0), due);
        let collection = json!([{"subject": "collection", "action": "restore", "count": 1}]);
        let reverted = json!({"operation": id, "reverts": id, "state": "done", "count": 1,
            "counts": collection, "skipped": 0, "not_restored": []});
        assert_eq!(undone("\"Snacks\"", &from_value(reverted).unwrap()), "\"Snacks\" is back.");
        assert_eq!(told(&[], 2), "Nothing was undone. 2 records had been changed since, and stayed so.");
    }
}
