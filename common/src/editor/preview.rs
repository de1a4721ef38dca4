//! What saving a changed definition would do, as it is told before it is done; and how far a change is that takes its time.

use crate::{
    collection::DryRun,
    name::FieldName,
    operation::{Operation, OperationState},
    text,
};

/// What saving would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// In sentences.
    pub lines: Vec<String>,
    /// Fields whose values go.
    pub drops: Vec<FieldName>,
    /// They may go.
    pub may_drop: bool,
    /// All records fit.
    pub fits: bool,
}

impl Preview {
    /// Of what a server told; `None` where nothing has to be asked: no value goes, none changes, and it is done in a moment.
    pub fn of(told: &DryRun) -> Option<Self> {
        let dropped = told.dropped.iter().filter(|(_, count)| **count > 0);
        let drops: Vec<FieldName> = dropped.clone().filter_map(|(name, _)| name.parse().ok()).collect();
        let fits = told.misfits.count == 0;
        if fits && drops.is_empty() && told.changed == 0 && told.seconds <= 2 {
            return None;
        }
        let mut lines = Vec::new();
        if told.changed > 0 {
            let look = if told.changed == 1 { "looks" } else { "look" };
            lines.push(format!("{} {look} otherwise afterwards.", text::count(told.changed, "record")));
        }
        for (name, count) in dropped {
            let records = text::count(*count, "record");
            lines.push(format!("What {records} had in “{}” goes.", text::label(name)));
        }
        if !fits {
            let do_not = if told.misfits.count == 1 { "does not fit" } else { "do not fit" };
            lines.push(format!("{} {do_not}, and it cannot be saved so:", text::count(told.misfits.count, "record")));
            for example in &told.misfits.examples {
                lines.push(format!("{}, {}: {}", example.id, text::label(&example.field), example.message));
            }
        }
        if told.checked < told.records {
            lines.push(format!(
                "These are the first {} of {}.",
                text::thousands(told.checked),
                text::count(told.records, "record")
            ));
        }
        if told.seconds > 2 {
            lines.push(format!(
                "It takes about {}; everybody goes on working meanwhile.",
                text::count(told.seconds, "second")
            ));
        }
        if fits {
            let how = if drops.is_empty() { "Save" } else { "Tick that the values may go, and save" };
            lines.push(format!("{how} once more to do it."));
        }
        Some(Self { lines, drops, may_drop: false, fits })
    }
}

/// How far a change is, in a sentence.
pub fn progress(operation: &Operation) -> String {
    let of = operation.of.map(|of| format!(" of {}", text::thousands(of))).unwrap_or_default();
    match operation.state {
        OperationState::Failed => operation.error.clone().unwrap_or_else(|| "It could not be done.".to_owned()),
        OperationState::Stopped => "Stopped. Nothing was changed.".to_owned(),
        OperationState::Done => "Done.".to_owned(),
        OperationState::Running => {
            format!("Records are looked at: {}{of} so far.", text::thousands(operation.done))
        }
        OperationState::Waiting => "It waits for its turn: other work is under way.".to_owned(),
        OperationState::Paused => "Paused. It goes on when it is resumed.".to_owned(),
        OperationState::Stopping => "It is being taken back.".to_owned(),
    }
}
