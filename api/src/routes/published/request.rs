//! A request to a published path, as it is read.

use std::sync::Arc;

use common::{access::Action, name::CollectionName, published::ErrorForm};
use http::Method;

use crate::{
    domain::paths::{Compiled, Parameters, Resolved, Verb},
    routes::error::Refusal,
};

/// What a request to a published path does, as far as handlers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::routes) enum Does {
    /// What a method of the path does.
    Verb(Verb),
    /// `OPTIONS` of the collection.
    Describe,
    /// `OPTIONS` of a record.
    DescribeOne,
}

/// The address that was asked for, of those that a path has; of several paths at one address, the methods of all.
pub(in crate::routes) struct On {
    /// It is a record's.
    pub is_one: bool,
    pub(super) methods: Vec<(Method, Verb)>,
}

impl On {
    /// What a method does there.
    pub(in crate::routes) fn verb(&self, method: &Method) -> Option<Verb> {
        self.methods.iter().find(|(known, _)| known == method).map(|(_, verb)| *verb)
    }

    /// The methods, without those that do one of these.
    pub(in crate::routes) fn allow(&self, without: &[Action]) -> String {
        let is_left = |verb: Verb| !without.contains(&verb.action());
        let left = self.methods.iter().filter(|(_, verb)| is_left(*verb));
        let mut methods: Vec<&str> = left.map(|(method, _)| method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }
}

/// A request to a published path, as it is read.
#[derive(Debug, Clone)]
pub(in crate::routes) struct Published {
    /// The path.
    pub path: Arc<Compiled>,
    /// The address without the server: `/api/v1/posts/7/`.
    pub address: String,
    /// The parameter that names the record.
    pub(super) record: Option<String>,
    pub(super) parameters: Parameters,
    pub(super) verb: Option<Verb>,
    /// What its parameters stand for.
    pub(super) found: Resolved,
    /// The members that are asked for; all where there are none.
    pub(super) fields: Vec<String>,
    /// The request says which part of the list it wants.
    pub(super) is_paged: bool,
}

/// What published paths say of an address.
pub(in crate::routes) enum Answers {
    /// There is none for the caller.
    Nothing,
    /// One is there.
    Path(On, Published),
    /// One is there, and the caller, who is not signed in, may not know more.
    SignIn(Refusal, Option<ErrorForm>),
}

impl Published {
    /// The collection whose records are at the path; `None` for another address of an own route.
    pub(super) fn collection(&self) -> Option<&CollectionName> {
        self.path.collection.as_ref()
    }
}
