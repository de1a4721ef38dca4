//! What is asked under published paths. A request is read as that of the own endpoint which does the same, so it is guarded, charged and
//! checked by that; only names are others on the way in (`query`, `body`) and on the way out (`answer`).

mod alias;
mod answer;
mod body;
mod find;
mod query;
mod request;

pub(super) use alias::alias_answer;
pub(super) use answer::register;
pub(super) use body::told_as;
pub(super) use find::find;
pub(super) use request::{Answers, Does, On, Published};
