//! Which published path an address means, and what the own endpoint gets in place of what came.

use std::{net::IpAddr, sync::Arc};

use common::{
    Object,
    access::Caller,
    json::Exact,
    problem::FieldErrors,
    published::{Source, UnknownNames},
    query::Pairs,
};
use http::{HeaderMap, Method};
use serde_json::Value;

use super::{
    query,
    request::{Answers, On, Published},
};
use crate::{
    domain::{
        Error, Result,
        error::AuthError,
        paths::{self, Compiled, Parameters, Resolved},
    },
    routes::{address::split, authorization, body::Body, context::Context, leniency::Unknown},
};

/// The published path that an address means, as it is for a method: of several paths there, the one that has it. Those whose collection the
/// caller may not know of are not there, so that their addresses are answered like those where nothing is.
pub(in crate::routes) async fn find(
    context: &Context,
    path: &str,
    method: &Method,
    headers: &HeaderMap,
    address: IpAddr,
) -> Result<Answers> {
    let parts: Vec<&str> = split(path).collect();
    // These do not ask the store, which may not be reached.
    if paths::is_own(&parts) {
        return Ok(Answers::Nothing);
    }
    let core = context.app.core();
    let all = core.paths.now(&core.store).await?;
    if all.is_empty() {
        return Ok(Answers::Nothing);
    }
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    let mut found: Vec<_> = all
        .iter()
        .filter_map(|path| path.find(&parts).map(|(address, parameters)| (path, address, parameters)))
        .collect();
    if found.iter().any(|(path, ..)| !path.is_known_to(&Caller::Anonymous)) {
        let form = found.first().and_then(|(path, ..)| path.definition.errors);
        match authorization::caller(context, headers, address).await {
            Err(refusal) => return Ok(Answers::SignIn(refusal, form)),
            // A client that may sign in has to learn that it should.
            Ok(Caller::Anonymous) => {
                let chosen = choose(&found, method, &parts).map(|(_, chosen)| chosen);
                if chosen.is_some_and(|chosen| !chosen.path.is_known_to(&Caller::Anonymous)) {
                    return Ok(Answers::SignIn(Error::from(AuthError::Missing).into(), form));
                }
            }
            Ok(caller) => found.retain(|(path, ..)| path.is_known_to(&caller)),
        }
    }
    Ok(choose(&found, method, &parts).map_or(Answers::Nothing, |(on, chosen)| Answers::Path(on, chosen)))
}

/// Of the paths that an address could be, those with the most fixed parts, and among them the one for the method.
fn choose(
    found: &[(&Arc<Compiled>, &paths::Address, Parameters)],
    method: &Method,
    parts: &[&str],
) -> Option<(On, Published)> {
    let (mut on, mut chosen, mut literals): (Option<On>, Option<Published>, usize) = (None, None, 0);
    for (path, address, parameters) in found {
        // Another with fewer fixed parts is another address.
        if on.is_some() && address.literals() < literals {
            continue;
        }
        literals = address.literals();
        let verb = address.methods.iter().find(|(known, _)| known.method() == *method).map(|(_, verb)| *verb);
        let known = on.get_or_insert_with(|| On { is_one: address.record.is_some(), methods: Vec::new() });
        known.methods.extend(address.methods.iter().map(|(method, verb)| (method.method(), *verb)));
        if chosen.is_none() || (verb.is_some() && chosen.as_ref().is_some_and(|chosen| chosen.verb.is_none())) {
            chosen = Some(Published {
                path: Arc::clone(path),
                address: format!("/{}/", parts.join("/")),
                record: address.record.clone(),
                parameters: parameters.clone(),
                verb,
                found: Resolved::default(),
                fields: Vec::new(),
                is_paged: false,
            });
        }
    }
    on.zip(chosen)
}

impl Published {
    /// Puts what the own endpoint's address would have in place of the parameters.
    pub(in crate::routes) async fn resolve(
        &mut self,
        context: &Context,
        caller: &Caller,
        segments: &mut Vec<String>,
    ) -> Result<()> {
        let Some(name) = self.collection().cloned() else { return Ok(()) };
        *segments = vec![name.to_string()];
        let core = context.app.core();
        self.found = self.path.resolve(core, caller, self.record.as_deref(), &self.parameters).await?;
        segments.extend(self.found.id.map(|id| id.to_string()));
        Ok(())
    }

    /// What becomes of names that nobody knows.
    pub(in crate::routes) fn unknown(&self, servers: Unknown) -> Unknown {
        let of = |ignores| Unknown { ignores_members: ignores, ignores_parameters: ignores };
        self.path.definition.unknown.map_or(servers, |unknown| of(unknown == UnknownNames::Ignore))
    }

    /// The parameters that the own endpoint has for those of the request.
    pub(in crate::routes) fn pairs(
        &mut self,
        pairs: Pairs,
        method: &Method,
        unknown: Unknown,
    ) -> std::result::Result<Pairs, FieldErrors> {
        if self.collection().is_none() {
            return Ok(pairs);
        }
        if *method != Method::GET {
            // No condition is among them: a record is told by the address.
            return Ok(if unknown.ignores_parameters { Pairs::new() } else { pairs });
        }
        query::translate(self, pairs, unknown.ignores_parameters)
    }

    /// The body of another address of an own route, under the names that the route has.
    pub(in crate::routes) fn alias_body(&self, body: Body) -> Body {
        if self.path.definition.alias.is_none() || self.path.members().is_empty() {
            return body;
        }
        let Value::Object(members) = &*body.value else { return body };
        let named = |name: &String| match self.path.members().get(name).map(|member| &member.source) {
            Some(Source::Path(path)) => path.clone(),
            _ => name.clone(),
        };
        let members: Object = members.iter().map(|(name, value)| (named(name), value.clone())).collect();
        Body { value: Exact::from(Value::Object(members)), ..body }
    }
}
