//! References read from their far end: which records those are that a condition holds for, and so which refer to them.

use common::{
    access::Decision,
    id::RecordId,
    query::{Filter, Lookup, join_values},
};
use store::{Cut, Key};

use super::{
    access::{Access, Far},
    intervals::{Intervals, Owners},
    walk::Candidates,
};
use crate::domain::{
    error::Result,
    keyspace,
    records::{condition::Condition, filter::Node, list::view::View, path::Path, sort::SortKeys},
    schema::Schema,
    work,
};

/// Records at the far end, and on the way, at most.
const MAX_FAR: usize = 1000;

/// What conditions through references say of these.
pub(super) async fn all(view: &View<'_>, nodes: &[Node]) -> Result<Vec<Far>> {
    let mut all = Vec::new();
    for (i, node) in nodes.iter().enumerate() {
        if let Some(found) = far(view, node).await? {
            let field = node.conditions().first().map_or("", |condition| condition.path.begins_at());
            all.push((i, field.to_owned(), found));
        }
    }
    Ok(all)
}

/// The records that a reference of ours may lead to where the condition holds; `None` where that cannot be told from the far end, or
/// is too much.
async fn far(view: &View<'_>, node: &Node) -> Result<Option<Intervals>> {
    let Node::Is(condition) = node else { return Ok(None) };
    let steps = &condition.path.steps;
    // Records that the caller may not view must not affect the answer or the time that it takes. Nothing is null there and yet a match.
    let is_told = steps.iter().all(|step| step.may == Decision::All);
    if steps.is_empty() || !is_told || !is_of_values(condition.lookup) {
        return Ok(None);
    }
    let own = Path { steps: Vec::new(), ..condition.path.clone() };
    let mut asked = condition.as_ref().clone();
    asked.path = own;
    for i in (0..steps.len()).rev() {
        let Some(ids) = ids(view, &steps[i].target, asked).await? else { return Ok(None) };
        if i == 0 {
            let value = |id: &RecordId| {
                let append = |key: Key| keyspace::with_id(key, *id);
                (Cut::before(append), Cut::after(append))
            };
            return Ok(Some(Intervals::of(ids.iter().map(value).collect(), true)));
        }
        let texts: Vec<String> = ids.iter().map(ToString::to_string).collect();
        if texts.is_empty() {
            return Ok(Some(Intervals::of(Vec::new(), true)));
        }
        let field = &steps[i].field;
        let value = join_values(texts.iter().map(String::as_str));
        let filter = Filter { field: field.clone(), lookup: Lookup::In, value };
        let path = Path::own(&steps[i - 1].target.collection, field);
        let Some(Ok(next)) = path.map(|path| Condition::new(path, &filter)) else { return Ok(None) };
        asked = next;
    }
    Ok(None)
}

/// A condition that only a value fulfils.
pub(super) fn is_of_values(lookup: Lookup) -> bool {
    matches!(
        lookup,
        Lookup::Exact
            | Lookup::In
            | Lookup::Gt
            | Lookup::Gte
            | Lookup::Lt
            | Lookup::Lte
            | Lookup::Range
            | Lookup::Startswith
    )
}

/// The records that a condition on their own member holds for, where an index tells exactly that.
async fn ids(view: &View<'_>, schema: &Schema, condition: Condition) -> Result<Option<Vec<RecordId>>> {
    let all = [Node::Is(Box::new(condition))];
    let order = SortKeys::none();
    let found = schema
        .read_by
        .iter()
        .filter_map(|index| Access::new(view.snapshot, index, &all, None, &Owners::new(), &order, &[]));
    let exact = found.filter(|access| access.bound > 0 && access.covered.contains(&0));
    let mut exact: Vec<Access> = exact.collect();
    for access in exact.iter_mut().filter(|access| access.is_uncertain()) {
        access.make_certain(view.snapshot).await?;
    }
    let best = exact.into_iter().min_by_key(|access| access.estimate).filter(|access| access.estimate <= 4 * MAX_FAR);
    let Some(best) = best else { return Ok(None) };
    let mut candidates = Candidates::Scans(best.scans(false, &order, None).into(), best.index.kind);
    let mut ids = Vec::new();
    loop {
        view.deadline.pause().await?;
        let next = candidates.next(view, 256).await?;
        if next.is_empty() {
            return Ok(Some(ids));
        }
        work::hold(next.len() * size_of::<RecordId>())?;
        ids.extend(next.into_iter().map(|(id, _)| id));
        if ids.len() > MAX_FAR {
            return Ok(None);
        }
    }
}
