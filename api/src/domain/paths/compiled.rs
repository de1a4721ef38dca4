//! A path as requests use it: the addresses that it has, and what each of them does.

use std::collections::HashMap;

use common::{
    access::{AccessRules, Action},
    collection::Collection,
    id::PathId,
    name::CollectionName,
    published::{Members, PathDefinition, PathMethod, Segment},
};
use percent_encoding::percent_decode_str;

use super::{
    directory::Directory,
    names::{self, Write},
    projection::{Projection, expansions, with_ids},
    stored::StoredPath,
};

/// The values of the parameters of an address.
pub type Parameters = HashMap<String, String>;

/// What a request to an address does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // What the own routes of the same name do.
pub enum Verb {
    List,
    Create,
    View,
    Replace,
    Patch,
    Delete,
}

impl Verb {
    /// What the collection's rules have to allow for it.
    pub const fn action(self) -> Action {
        match self {
            Self::List => Action::List,
            Self::Create => Action::Create,
            Self::View => Action::View,
            Self::Replace | Self::Patch => Action::Update,
            Self::Delete => Action::Delete,
        }
    }
}

/// One address of a path: of the collection, or of a record.
#[derive(Debug)]
pub struct Address {
    segments: Vec<Segment>,
    /// The parameter that tells the record; `None` for the collection's.
    pub record: Option<String>,
    /// What each method does.
    pub methods: Vec<(PathMethod, Verb)>,
}

/// A path.
#[derive(Debug)]
pub struct Compiled {
    /// Which.
    pub id: PathId,
    /// What was said of it, by the names of today.
    pub definition: PathDefinition,
    /// The collection; `None` for another address of an own route, and where it is not there any more.
    pub collection: Option<CollectionName>,
    /// Who may do what in the collection.
    pub access: Option<AccessRules>,
    /// Its addresses.
    pub addresses: Vec<Address>,
    /// What is sent of a record; `None` for the record as it is.
    pub projection: Option<Projection>,
    /// What has to be expanded for that.
    pub expand: Vec<String>,
    /// What each member of a body is written to; `None` where all members are those of the record.
    pub writes: Option<HashMap<String, Write>>,
}

impl Compiled {
    pub(super) fn new(directory: &Directory, stored: &StoredPath) -> Self {
        let (definition, _) = directory.today(stored);
        let collection = stored.collection.and_then(|id| directory.collection(id));
        let members = match collection {
            Some(collection) => with_ids(directory, collection, &definition.members),
            None => definition.members.clone(),
        };
        // What leads nowhere any more is null, and asks for nothing.
        let is_there = |path: &str| collection.is_none_or(|from| leads(directory, from, path));
        let expand = expansions(&members).into_iter().filter(|path| is_there(path)).collect();
        Self {
            id: stored.id,
            collection: collection.map(|collection| collection.name.clone()),
            access: collection.map(|collection| collection.access.clone()),
            addresses: addresses(&definition),
            projection: (!members.is_empty()).then(|| Projection::new(&members)),
            expand,
            writes: collection.and_then(|collection| names::writes(directory, collection, &definition)),
            definition,
        }
    }

    /// How many parts are the same in every address.
    pub(super) fn literals(&self) -> usize {
        self.definition.path.segments().iter().filter(|part| matches!(part, Segment::Literal(_))).count()
    }

    /// The members that it sends.
    pub fn members(&self) -> &Members {
        &self.definition.members
    }

    /// The address that a request's path is, with the values of its parameters.
    pub fn find(&self, parts: &[&str]) -> Option<(&Address, Parameters)> {
        self.addresses.iter().find_map(|address| Some((address, address.read(parts)?)))
    }
}

fn leads(directory: &Directory, from: &Collection, path: &str) -> bool {
    directory.follow(from, path).is_ok()
}

impl Address {
    fn read(&self, parts: &[&str]) -> Option<Parameters> {
        let fits = |(segment, part): (&Segment, &&str)| match segment {
            Segment::Literal(text) => text == part,
            Segment::Parameter(_) => !part.is_empty(),
        };
        if self.segments.len() != parts.len() || !self.segments.iter().zip(parts).all(fits) {
            return None;
        }
        let mut parameters = Parameters::new();
        for (segment, part) in self.segments.iter().zip(parts) {
            if let Segment::Parameter(name) = segment {
                parameters.insert(name.clone(), percent_decode_str(part).decode_utf8().ok()?.into_owned());
            }
        }
        Some(parameters)
    }

    /// How many of its parts are the same in every address.
    pub fn literals(&self) -> usize {
        self.segments.iter().filter(|part| matches!(part, Segment::Literal(_))).count()
    }
}

/// The parameter of a record's address where the path itself names none. No parameter that is written has a capital.
const RECORD: &str = "RECORD";

/// The addresses of a path, and what is done there.
pub(super) fn addresses(definition: &PathDefinition) -> Vec<Address> {
    let segments = definition.path.segments();
    if definition.alias.is_some() {
        return vec![Address { segments, record: None, methods: Vec::new() }];
    }
    let allowed = definition.allowed();
    let methods = |of: &[Action]| {
        let mut methods = Vec::new();
        for action in allowed.iter().filter(|action| of.contains(action)) {
            match definition.method {
                Some(method) => methods.push((method, verb(*action, Some(method)))),
                None if *action == Action::Update => {
                    methods.extend([(PathMethod::Put, Verb::Replace), (PathMethod::Patch, Verb::Patch)]);
                }
                None => methods.push((usual(*action), verb(*action, None))),
            }
        }
        methods
    };
    let of_one = methods(&[Action::View, Action::Update, Action::Delete]);
    if let Some(record) = definition.free_parameters().next().map(str::to_owned) {
        return vec![Address { segments, record: Some(record), methods: of_one }];
    }
    let mut longer = segments.clone();
    longer.push(Segment::Parameter(RECORD.to_owned()));
    let found = [
        Address { segments, record: None, methods: methods(&[Action::List, Action::Create]) },
        Address { segments: longer, record: Some(RECORD.to_owned()), methods: of_one },
    ];
    found.into_iter().filter(|address| !address.methods.is_empty()).collect()
}

const fn usual(action: Action) -> PathMethod {
    match action {
        Action::List | Action::View => PathMethod::Get,
        Action::Create => PathMethod::Post,
        Action::Update => PathMethod::Put,
        Action::Delete => PathMethod::Delete,
    }
}

/// What an action does under a method. Only PUT writes all of a record anew: any other method leaves what is not sent.
const fn verb(action: Action, method: Option<PathMethod>) -> Verb {
    match (action, method) {
        (Action::List, _) => Verb::List,
        (Action::Create, _) => Verb::Create,
        (Action::View, _) => Verb::View,
        (Action::Update, Some(PathMethod::Put)) => Verb::Replace,
        (Action::Update, _) => Verb::Patch,
        (Action::Delete, _) => Verb::Delete,
    }
}

/// The same addresses as texts, each method with its shape: two paths may share none.
pub(super) fn taken(definition: &PathDefinition) -> Vec<(String, Option<PathMethod>)> {
    let shape = |address: &Address| {
        let part = |segment: &Segment| match segment {
            Segment::Literal(text) => text.clone(),
            Segment::Parameter(_) => "{}".to_owned(),
        };
        address.segments.iter().map(part).collect::<Vec<_>>().join("/")
    };
    let of = |address: &Address| {
        let shape = shape(address);
        let methods = address.methods.iter().map(|(method, _)| Some(*method));
        let methods: Vec<_> = if address.methods.is_empty() { vec![None] } else { methods.collect() };
        methods.into_iter().map(|method| (shape.clone(), method)).collect::<Vec<_>>()
    };
    addresses(definition).iter().flat_map(of).collect()
}
