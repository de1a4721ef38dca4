//! A record's JSON with other members: only where each begins and ends is looked at, and its bytes are copied. Nothing is parsed.

use bytes::{BufMut, Bytes, BytesMut};
use common::{
    published::{Member, Members, Source},
    query::VIA,
};

use super::directory::Directory;
use crate::domain::{
    error::{Error, Result},
    record::skim,
};

/// What is sent of a record.
#[derive(Debug, Default)]
pub struct Projection {
    /// The members of the record that are needed, each once.
    wanted: Vec<String>,
    parts: Vec<ProjectedMember>,
    /// Whether something of other records is needed.
    pub is_expanded: bool,
}

#[derive(Debug)]
struct ProjectedMember {
    name: String,
    /// The name as it is written, with its colon.
    written: Bytes,
    from: From,
}

#[derive(Debug)]
enum From {
    /// A member of the record, by its place among those that are wanted; of what it refers to these parts.
    Member(usize, Vec<String>),
    /// An object made of what a member refers to, or of each.
    Referred(usize, Box<Projection>),
    /// An object made of the record itself.
    Same(Box<Projection>),
}

const NULL: &[u8] = b"null";

impl Projection {
    /// Of members whose sources are names of today.
    pub(super) fn new(members: &Members) -> Self {
        let mut projection = Self::default();
        for Member { name, source } in &members.0 {
            let from = match source {
                Source::Path(path) => {
                    let mut parts = path.split('.').map(str::to_owned);
                    let first = parts.next().unwrap_or_default();
                    let rest: Vec<String> = parts.collect();
                    projection.is_expanded |= !rest.is_empty() || first.contains(VIA);
                    From::Member(projection.want(&first), rest)
                }
                Source::Members(members) => {
                    if let Some((first, inner)) = within(members) {
                        projection.is_expanded = true;
                        From::Referred(projection.want(&first), Box::new(Self::new(&inner)))
                    } else {
                        let inner = Self::new(members);
                        projection.is_expanded |= inner.is_expanded;
                        From::Same(Box::new(inner))
                    }
                }
            };
            let written = Bytes::from(format!("{}:", serde_json::Value::from(name.as_str())));
            projection.parts.push(ProjectedMember { name: name.clone(), written, from });
        }
        projection
    }

    fn want(&mut self, name: &str) -> usize {
        let known = self.wanted.iter().position(|wanted| wanted == name);
        known.unwrap_or_else(|| {
            self.wanted.push(name.to_owned());
            self.wanted.len() - 1
        })
    }

    /// The names of the members that are sent.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.name.as_str())
    }

    /// Puts what is sent of a record, of the members that `keep` lets through.
    pub fn put(&self, record: &[u8], keep: &dyn Fn(&str) -> bool, out: &mut BytesMut) -> Result<()> {
        let inner = record.strip_prefix(b"{").and_then(|record| record.strip_suffix(b"}")).ok_or_else(unreadable)?;
        let mut found: Vec<&[u8]> = vec![NULL; self.wanted.len()];
        let mut rest = inner;
        while !rest.is_empty() {
            let (name, value, after) = skim::member(rest).ok_or_else(unreadable)?;
            if let Some(at) = self.wanted.iter().position(|wanted| wanted == name) {
                found[at] = value;
            }
            rest = after;
        }
        self.put_found(record, &found, keep, out)
    }

    fn put_found(&self, record: &[u8], found: &[&[u8]], keep: &dyn Fn(&str) -> bool, out: &mut BytesMut) -> Result<()> {
        out.put_u8(b'{');
        let mut is_first = true;
        for part in self.parts.iter().filter(|part| keep(&part.name)) {
            if !is_first {
                out.put_u8(b',');
            }
            is_first = false;
            out.put_slice(&part.written);
            match &part.from {
                From::Member(at, rest) => put_path(found[*at], rest, out)?,
                From::Same(inner) => inner.put(record, &|_| true, out)?,
                From::Referred(at, inner) => {
                    each(found[*at], out, &mut |value, out| {
                        if value.starts_with(b"{") {
                            return inner.put(value, &|_| true, out);
                        }
                        out.put_slice(NULL);
                        Ok(())
                    })?;
                }
            }
        }
        out.put_u8(b'}');
        Ok(())
    }

    /// Puts what is sent of each record of an array.
    pub fn put_all(&self, records: &[u8], keep: &dyn Fn(&str) -> bool, out: &mut BytesMut) -> Result<()> {
        each(records, out, &mut |record, out| self.put(record, keep, out))
    }
}

/// Puts a value, or each of an array, through `put`.
fn each(value: &[u8], out: &mut BytesMut, put: &mut dyn FnMut(&[u8], &mut BytesMut) -> Result<()>) -> Result<()> {
    let Some(items) = value.strip_prefix(b"[").and_then(|value| value.strip_suffix(b"]")) else {
        return put(value, out);
    };
    out.put_u8(b'[');
    let mut rest = items;
    while !rest.is_empty() {
        let (item, after) = skim::item(rest).ok_or_else(unreadable)?;
        put(item, out)?;
        if !after.is_empty() {
            out.put_u8(b',');
        }
        rest = after;
    }
    out.put_u8(b']');
    Ok(())
}

/// Puts what a value leads to. A reference that stands expanded, since another member needs that, is sent as its id.
fn put_path(value: &[u8], rest: &[String], out: &mut BytesMut) -> Result<()> {
    let Some((name, rest)) = rest.split_first() else {
        out.put_slice(value);
        return Ok(());
    };
    each(value, out, &mut |value, out| put_path(skim::find(value, name).unwrap_or(NULL), rest, out))
}

/// The reference that all members of an object come from, and the members as its record has them.
fn within(members: &Members) -> Option<(String, Members)> {
    let leaves = members.leaves();
    let first = leaves.first()?.split_once('.')?.0.to_owned();
    let prefix = format!("{first}.");
    leaves.iter().all(|leaf| leaf.starts_with(&prefix)).then(|| {
        let inner = members.renamed(&mut |path| path[prefix.len()..].to_owned());
        (first, inner)
    })
}

/// The reference that all members of an object come from.
pub(super) fn common_reference(members: &Members) -> Option<String> {
    within(members).map(|(first, _)| first)
}

/// The members with `.id` behind each reference that others lead through, so that it is found when it stands expanded.
pub(super) fn with_ids(directory: &Directory, from: &common::collection::Collection, members: &Members) -> Members {
    let expansions = expansions(members);
    members.renamed(&mut |path| {
        let is_expanded = expansions.iter().any(|known| known == path);
        let is_reference = is_expanded && directory.follow(from, path).is_ok_and(|way| way.is_reference);
        if is_reference { format!("{path}.id") } else { path.to_owned() }
    })
}

/// What has to be expanded for members: `owner`, `maker.country`, `comments_via_post`.
pub(super) fn expansions(members: &Members) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for leaf in members.leaves() {
        let last = leaf.rsplit('.').next().unwrap_or(leaf);
        let needed = if last.contains(VIA) { Some(leaf) } else { leaf.rsplit_once('.').map(|(before, _)| before) };
        let Some(needed) = needed else { continue };
        if !found.iter().any(|known| known == needed) {
            found.push(needed.to_owned());
        }
    }
    // One that begins another is there with it.
    let longer = found.clone();
    found.retain(|path| !longer.iter().any(|other| other.starts_with(&format!("{path}."))));
    found
}

fn unreadable() -> Error {
    Error::internal("a record that was written cannot be read")
}

#[cfg(test)]
mod tests;
