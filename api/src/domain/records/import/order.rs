//! Rows that refer to each other, in an order in which they can be written in pieces: each comes after those that it refers to. Those that refer to
//! each other in a circle are kept together, and written in one commit.

use std::{
    collections::HashMap,
    fs::File,
    io::{BufRead as _, BufReader, Seek as _, SeekFrom, Write as _},
};

use base::Charge;
use common::{field::Field, id::RecordId, record::Record, validate::convert};
use serde_json::Value;

use super::{
    AT_ONCE, AT_ONCE_BYTES, PIECE, PIECE_BYTES,
    tree::{digest, own_fields, unique_keys},
};
use crate::domain::{
    intake::{BUFFER, Received, Row, Unreadable, next_rows},
    keyspace,
    schema::Schema,
};

/// What is remembered of a row takes about so many bytes.
const ROW: u64 = 96;

/// What is known of the rows.
#[derive(Default)]
struct Rows {
    /// Where each begins, and where the last ends.
    begins: Vec<u64>,
    /// The row that makes a record of this id, or with this unique value.
    made: HashMap<u64, u32>,
    /// What rows refer to, one after another, and where what is of each begins.
    references: Vec<u64>,
    of: Vec<usize>,
}

/// Charges for what is remembered of rows beside the rows themselves.
pub(super) struct Held {
    pub rows: Charge,
    pub known: Charge,
}

/// Writes rows into `to` in such an order. Says whether another is needed than they are in; where none is, nothing is written.
pub(super) fn in_order(
    schema: &Schema,
    takes_ids: bool,
    from: &mut Received,
    to: &mut Received,
    held: &mut Held,
) -> Result<bool, Unreadable> {
    let rows = &read(schema, takes_ids, from.rewound()?, held)?;
    let count = rows.of.len().saturating_sub(1);
    let needs = move |row: usize| {
        let references = rows.references[rows.of[row]..rows.of[row + 1]].iter();
        references.filter_map(move |reference| rows.made.get(reference)).map(|row| *row as usize)
    };
    if (0..count).all(|row| needs(row).all(|other| other <= row)) {
        return Ok(false);
    }
    let mut file = BufReader::with_capacity(BUFFER, from.rewound()?);
    let mut line = Vec::new();
    for mut together in circles(count, needs) {
        together.sort_unstable();
        let length: u64 = together.iter().map(|row| rows.begins[row + 1] - rows.begins[*row]).sum();
        let fits = together.len() as u64 <= AT_ONCE && length <= AT_ONCE_BYTES;
        let last = together.last().copied();
        for row in together {
            line.clear();
            file.seek(SeekFrom::Start(rows.begins[row]))?;
            file.read_until(b'\n', &mut line)?;
            if !fits {
                let mut row: Row = serde_json::from_slice(&line).map_err(std::io::Error::from)?;
                let message = format!(
                    "More than {AT_ONCE} rows refer to each other in a circle, which no commit takes. Leave this reference out, and set it when the rows are in."
                );
                row.faults
                    .extend(own_fields(&schema.collection).map(|field| (field.name.to_string(), message.clone())));
                line = serde_json::to_vec(&row).map_err(std::io::Error::from)?;
                line.push(b'\n');
            } else if Some(row) != last {
                line.truncate(line.len().saturating_sub(2));
                line.extend_from_slice(b",\"m\":true}\n");
            }
            to.write_all(&line)?;
        }
    }
    Ok(true)
}

fn read(schema: &Schema, takes_ids: bool, from: File, held: &mut Held) -> Result<Rows, Unreadable> {
    let (mut from, mut known) = (BufReader::with_capacity(BUFFER, from), Rows::default());
    let mut offset = 0;
    loop {
        let (rows, _) = next_rows(&mut from, &mut held.rows, PIECE, PIECE_BYTES)?;
        if rows.is_empty() {
            known.begins.push(offset);
            known.of.push(known.references.len());
            return Ok(known);
        }
        held.known.grow(ROW * rows.len() as u64).map_err(|_| Unreadable::NoMemory)?;
        for row in rows {
            let number = u32::try_from(known.of.len()).unwrap_or(u32::MAX);
            let id = schema.collection.ids.asked(row.record.get("id").filter(|_| takes_ids)).ok().flatten();
            let ids = id.map(of_id).into_iter();
            for made in ids.chain(unique_keys(schema, &row.record).map(|key| digest(key.as_bytes()))) {
                known.made.entry(made).or_insert(number);
            }
            known.begins.push(offset);
            known.of.push(known.references.len());
            known.references.extend(references(schema, &row.record));
            offset += row.length;
        }
    }
}

fn of_id(id: RecordId) -> u64 {
    digest(("id", id))
}

/// What a row refers to, by all that it could mean.
fn references(schema: &Schema, record: &Record) -> Vec<u64> {
    let mut found = Vec::new();
    for field in own_fields(&schema.collection) {
        match record.get(field.name.as_str()) {
            Some(Value::Array(items)) => {
                for item in items {
                    meant(schema, item, &mut found);
                }
            }
            Some(value) => meant(schema, value, &mut found),
            None => {}
        }
    }
    found
}

fn meant(schema: &Schema, value: &Value, found: &mut Vec<u64>) {
    let (by, value) = match value {
        Value::Object(members) => match members.iter().next() {
            Some((by, value)) => (Some(by.as_str()), value),
            None => return,
        },
        value => (None, value),
    };
    if by.is_none_or(|by| by == "id")
        && let Some(id) = RecordId::from_value(value)
    {
        found.push(of_id(id));
    }
    let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_owned());
    let is_meant = |field: &Field| by.is_none_or(|by| is_called(field, by));
    for (field, indexes) in schema.fields().filter(|(field, _)| is_meant(field)) {
        if let Some(rule) = indexes.unique
            && let Ok(value) = convert(field, &text)
        {
            found.push(digest(keyspace::unique(schema.number(), rule, field, &value).as_bytes()));
        }
    }
}

/// Whether a field has, or had, this name.
pub(super) fn is_called(field: &Field, name: &str) -> bool {
    field.name.as_str() == name || field.aliases.iter().any(|alias| alias.as_str() == name)
}

/// The nodes of a graph, those together that lead to each other, and each after those that it needs (Tarjan's components).
fn circles<I: Iterator<Item = usize>>(count: usize, needs: impl Fn(usize) -> I) -> Vec<Vec<usize>> {
    const NEW: u32 = u32::MAX;
    let (mut index, mut low, mut on_stack) = (vec![NEW; count], vec![0_u32; count], vec![false; count]);
    let (mut stack, mut path, mut found, mut next) = (Vec::new(), Vec::<(usize, I)>::new(), Vec::new(), 0_u32);
    for root in 0..count {
        if index[root] != NEW {
            continue;
        }
        let mut begun = Some(root);
        loop {
            if let Some(node) = begun.take() {
                (index[node], low[node], on_stack[node]) = (next, next, true);
                next += 1;
                stack.push(node);
                path.push((node, needs(node)));
            }
            let Some((node, left)) = path.last_mut() else { break };
            let node = *node;
            if let Some(other) = left.next() {
                if index[other] == NEW {
                    begun = Some(other);
                } else if on_stack[other] {
                    low[node] = low[node].min(index[other]);
                }
                continue;
            }
            path.pop();
            if let Some((above, _)) = path.last() {
                low[*above] = low[*above].min(low[node]);
            }
            if low[node] == index[node] {
                let at = stack.iter().rposition(|other| *other == node).unwrap_or(0);
                let together = stack.split_off(at);
                for node in &together {
                    on_stack[*node] = false;
                }
                found.push(together);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_come_after_what_they_need_and_circles_stay_together() {
        let of = |needs: &[&[usize]]| {
            let mut found = circles(needs.len(), |node| needs[node].iter().copied());
            for together in &mut found {
                together.sort_unstable();
            }
            found
        };
        assert_eq!(of(&[&[2], &[], &[1]]), [vec![1], vec![2], vec![0]]);
        assert_eq!(of(&[&[1], &[2], &[0], &[0, 4], &[]]), [vec![0, 1, 2], vec![4], vec![3]]);
        assert_eq!(of(&[&[0], &[0]]), [vec![0], vec![1]]);
        assert_eq!(of(&[&[3], &[0], &[1], &[]]), [vec![3], vec![0], vec![1], vec![2]]);
        // As deep as there are rows, and no deeper into the stack of the thread.
        let many = 100_000;
        let found = circles(many, |node| (node + 1 < many).then_some(node + 1).into_iter());
        assert_eq!((found.len(), &found[0], &found[many - 1]), (many, &vec![many - 1], &vec![0]));
    }
}
