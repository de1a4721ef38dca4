//! What is asked of a server about migrations, and what it told.

use common::{
    id::OperationId,
    migration::{Listed, Migration, MigrationId, MigrationPlan},
    operation::Operation,
};

/// What was told before it is done.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// It is taken back.
    pub is_back: bool,
    /// What would be done.
    pub plan: MigrationPlan,
}

/// What is asked of the server about them. The list is asked for in any case.
#[derive(Debug, Clone, PartialEq)]
pub enum Migrating {
    /// Nothing else.
    List,
    /// What applying one would do.
    Plan(Box<Migration>),
    /// What taking one back would do.
    PlanBack(MigrationId),
    /// Apply one.
    Apply(Box<Migration>),
    /// Take one back.
    Revert(MigrationId),
    /// Stop what is under way.
    Stop(OperationId),
}

/// What was told of them.
#[derive(Debug, Clone, PartialEq)]
pub struct MigrationsTold {
    /// They.
    pub rows: Vec<Listed>,
    /// What would be done, where that was asked.
    pub plan: Option<Planned>,
    /// What is under way.
    pub under_way: Option<Operation>,
    /// What was done, in a sentence.
    pub done: Option<String>,
    /// Why the files cannot be read, or something was not done.
    pub fault: Option<String>,
}
