//! Migrations for people: those that a server knows of beside those that there are files of, how each stands, and what a step does.

use serde_json::Value;

use super::{AppliedMigration, Migration, MigrationId, MigrationState, StepPlan};
use crate::{Object, id::OperationId, text::count};

/// A migration, as a server and its files have it.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// What it says: as it was applied, or else as the file has it.
    pub migration: Migration,
    /// How the server has it; `None` where it is not applied.
    pub known: Option<AppliedMigration>,
    /// What there is to know of it, in a few words each.
    pub notes: Vec<&'static str>,
}

/// The migrations that a server knows of, in the order of their application, and behind them the files that are not applied, in theirs. Without
/// files nothing is said of them.
pub fn listed(known: Vec<AppliedMigration>, files: Option<&[Migration]>) -> Vec<Listed> {
    let file_of = |id: &MigrationId| files.into_iter().flatten().find(|file| file.id() == *id);
    let mut all: Vec<Listed> = known
        .into_iter()
        .map(|known| {
            let mut notes = Vec::new();
            match known.state {
                MigrationState::Applying => notes.push("being applied"),
                MigrationState::Reverting => notes.push("being taken back"),
                MigrationState::Applied => {}
            }
            if known.recorded {
                notes.push("noted, not done");
            }
            match file_of(&known.migration.id()) {
                Some(file) if *file != known.migration => notes.push("the file was changed since"),
                None if files.is_some() => notes.push("there is no file"),
                _ => {}
            }
            Listed { migration: known.migration.clone(), known: Some(known), notes }
        })
        .collect();
    let is_known = |id: &MigrationId| all.iter().any(|one| one.migration.id() == *id);
    let open: Vec<Listed> = files
        .into_iter()
        .flatten()
        .filter(|file| !is_known(&file.id()))
        .map(|file| Listed { migration: file.clone(), known: None, notes: Vec::new() })
        .collect();
    all.extend(open);
    all
}

impl Listed {
    /// Which one it is.
    pub fn id(&self) -> MigrationId {
        self.migration.id()
    }

    /// `[x]` is applied, `[ ]` is not, and with `[~]` something is under way.
    pub fn mark(&self) -> &'static str {
        match self.known.as_ref().map(|known| known.state) {
            Some(MigrationState::Applied) => "[x]",
            Some(MigrationState::Applying | MigrationState::Reverting) => "[~]",
            None => "[ ]",
        }
    }

    /// The work that is under way.
    pub fn under_way(&self) -> Option<OperationId> {
        self.known.as_ref().filter(|known| known.state != MigrationState::Applied)?.operation
    }
}

/// What a step does, in a few words: `change snacks: rename, add`.
pub fn summary(step: &Object) -> String {
    let kinds = ["create", "change", "delete", "update", "delete_records", "publish", "republish", "unpublish"];
    let said = |kind: &'static str| Some((kind, step.get(kind).and_then(Value::as_str)?));
    let Some((kind, of)) = kinds.into_iter().find_map(said) else { return String::new() };
    let parts: Vec<&str> = step.keys().map(String::as_str).filter(|name| *name != kind && kind != "create").collect();
    let what = format!("{} {of}", kind.replace('_', " "));
    if parts.is_empty() { what } else { format!("{what}: {}", parts.join(", ").replace('_', " ")) }
}

impl StepPlan {
    /// What it would do to records, and what of it stays, a line each.
    pub fn told(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Some(told) = &self.dry_run {
            if told.changed > 0 {
                let of = count(told.records, "record");
                lines.push(format!("{} would change, of {of}", count(told.changed, "record")));
            }
            if told.misfits.count > 0 {
                lines.push(told.misfits.to_string());
            }
            let holds =
                |(field, records): (&String, &u64)| format!("{field} holds something in {}", count(*records, "record"));
            lines.extend(told.dropped.iter().map(holds));
            lines.extend(told.gone.iter().map(|gone| format!("gone then: {gone}")));
            if told.seconds > 1 {
                lines.push(format!("about {}", count(told.seconds, "second")));
            }
        }
        lines.extend(self.irreversible.iter().map(|why| format!("cannot be taken back: {why}")));
        lines
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn migration(name: &str, steps: &Value) -> Migration {
        serde_json::from_value(json!({"collection": "snacks", "name": name, "steps": steps})).unwrap()
    }

    fn known(name: &str, state: &str, recorded: bool) -> AppliedMigration {
        serde_json::from_value(json!({
            "collection": "snacks", "name": name, "steps": [{"delete": "snacks"}], "state": state, "recorded": recorded, "digest": "",
            "at": "2026-11-29T20:00:00Z", "by": null, "operation": "01920000-0000-7000-8000-000000000001"
        }))
        .unwrap()
    }

    #[test]
    fn what_is_applied_and_what_there_are_files_of_stand_in_one_list() {
        let all = || vec![known("0001_a", "applied", true), known("0002_b", "reverting", false)];
        let said = |files: Option<Vec<Migration>>| {
            let line = |one: &Listed| format!("{} {} {}", one.mark(), one.id(), one.notes.join("; "));
            listed(all(), files.as_deref()).iter().map(line).collect::<Vec<_>>()
        };
        assert_eq!(said(None), ["[x] snacks/0001_a noted, not done", "[~] snacks/0002_b being taken back"]);
        let files = vec![migration("0001_a", &json!([])), migration("0003_c", &json!([]))];
        assert_eq!(
            said(Some(files)),
            [
                "[x] snacks/0001_a noted, not done; the file was changed since",
                "[~] snacks/0002_b being taken back; there is no file",
                "[ ] snacks/0003_c "
            ]
        );
        assert!(listed(all(), None)[0].under_way().is_none() && listed(all(), None)[1].under_way().is_some());
    }

    #[test]
    fn steps_are_said_in_a_few_words() {
        let said = |step: Value| summary(step.as_object().unwrap());
        assert_eq!(said(json!({"create": "snacks", "fields": []})), "create snacks");
        assert_eq!(
            said(json!({"change": "snacks", "rename": {}, "add_choices": 1})),
            "change snacks: rename, add choices"
        );
        assert_eq!(said(json!({"delete_records": "snacks", "where": "x = 1"})), "delete records snacks: where");
        assert_eq!(said(json!({"sow": "snacks"})), "");
    }
}
