//! The table of endpoints: finds the one that a request is for, and has its handler called.

use std::{borrow::Cow, pin::Pin, sync::Arc};

use common::{
    Access, Endpoint,
    access::Action,
    answer::{Answer as _, AnswerKind},
    endpoint::{BodyKind, Cost, OWN_PREFIX, behind_own_prefix},
    id::OperationId,
    undo::OPERATION_HEADER,
};
use http::{HeaderValue, Method, header};
use percent_encoding::percent_decode_str;

use super::{
    address::split,
    compress::Wanted,
    context::Context,
    error::{self, AdminOnlyActions, Refusal},
    idempotency::{self, Turn},
    input::{self, Input, Raw},
    leniency,
    published::{self, Answers, Does, On, Published},
    rate_limit,
    reply::{self, Reply},
    response::{Body, Response},
};
use crate::{
    assets::Assets,
    domain::{
        Result,
        journal::{self, Written},
        work,
    },
};
use server::{headers::vary, metrics::Route, request::RequestId};

/// The first part of the API's addresses.
const API: &str = "api";

/// An answer that was made now, or that was given before.
enum Answered<E: Endpoint> {
    Now(Reply<E>),
    Before(Box<Response>),
}

type Handling = Pin<Box<dyn Future<Output = Response> + Send>>;
type Handler = Box<dyn Fn(Context, Raw) -> Handling + Send + Sync>;

/// A path and what may be done to it.
struct Resource {
    /// `None` for a parameter.
    segments: Vec<Option<&'static str>>,
    route: Route,
    methods: Vec<(Method, Handler)>,
    /// Who may use them.
    accesses: Vec<Access>,
    /// What their bodies may be.
    bodies: Vec<BodyKind>,
    /// What GET answers with is no JSON.
    is_file: bool,
}

/// Every route of the API.
pub(super) struct Table {
    context: Context,
    assets: Assets,
    policies: Arc<rate_limit::Policies>,
    /// Whether the answers of endpoints that are registered from here on may be compressed.
    pub(super) compresses: bool,
    /// Those with more literal segments first.
    resources: Vec<Resource>,
    /// What is done under published paths.
    published: Vec<(Does, Route, Handler)>,
}

impl Table {
    /// A table without endpoints.
    pub(super) fn new(context: Context, assets: Assets) -> Self {
        let policies = Arc::new(rate_limit::policies(&context.options.limits));
        Self { context, assets, policies, compresses: true, resources: Vec::new(), published: Vec::new() }
    }

    /// Registers the handler of an endpoint. Its type says the rest.
    pub(super) fn on<E, F, Fut>(&mut self, handler: F)
    where
        E: Endpoint + 'static,
        E::Params: Send,
        E::Query: Send,
        E::Request: Send,
        F: Fn(Context, Input<E>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply<E>>> + Send + 'static,
    {
        let handler = self.handler(handler);
        let segments = split(E::PATH).map(|part| (!part.starts_with('{')).then_some(part)).collect::<Vec<_>>();
        let is_file = E::METHOD == Method::GET && E::Response::KIND != AnswerKind::Json;
        if let Some(resource) = self.resources.iter_mut().find(|resource| resource.segments == segments) {
            resource.methods.push((E::METHOD, handler));
            resource.accesses.push(E::ACCESS);
            resource.bodies.extend(E::BODY.kinds);
            resource.is_file |= is_file;
            return;
        }
        let (methods, accesses) = (vec![(E::METHOD, handler)], vec![E::ACCESS]);
        let bodies = E::BODY.kinds.to_vec();
        let resource = Resource { segments, route: Route::of(E::PATH), methods, accesses, bodies, is_file };
        // A literal segment goes before a parameter: /api/users/me/ is not a user's id.
        let place = self.resources.partition_point(|known| known.literals() >= resource.literals());
        self.resources.insert(place, resource);
    }

    /// Registers what is done under published paths. It costs what its endpoint does, and who pays for that pays for it.
    pub(super) fn on_published<E, F, Fut>(&mut self, does: Does, handler: F)
    where
        E: Endpoint + 'static,
        E::Params: Send,
        E::Query: Send,
        E::Request: Send,
        F: Fn(Context, Input<E>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply<E>>> + Send + 'static,
    {
        let handler = self.handler(handler);
        self.published.push((does, Route::of(E::PATH), handler));
    }

    fn handler<E, F, Fut>(&self, handler: F) -> Handler
    where
        E: Endpoint + 'static,
        E::Params: Send,
        E::Query: Send,
        E::Request: Send,
        F: Fn(Context, Input<E>) -> Fut + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<Reply<E>>> + Send + 'static,
    {
        let policies = Arc::clone(&self.policies);
        let compresses = self.compresses && !E::ACCESS.takes_credentials();
        Box::new(move |context, mut raw| {
            let (handler, policies) = (handler.clone(), Arc::clone(&policies));
            let has_key = idempotency::has_key::<E>(&raw.headers);
            let handling: Handling = Box::pin(async move {
                let wanted = compresses.then(|| Wanted::of(&raw.headers, raw.connection.as_ref()));
                let asked = error::Asked::new(raw.request_id, &raw.headers);
                let published = raw.published.as_ref().map(|published| Arc::clone(&published.path));
                let form = published.as_ref().and_then(|path| path.definition.errors);
                let asked = asked.preferring(form, &raw.headers);
                let is_lenient = leniency::preferred(&raw.headers) == Some(true);
                let (mut left, base) = (None, raw.base_url());
                let (address, memory) = (raw.address(), context.app.core().memory.clone());
                let operation = operation_of::<E>(raw.request_id);
                let signs_up = E::ACCESS == Access::SignUp && !raw.headers.contains_key(header::AUTHORIZATION);
                let written = Written::default();
                let keyed = idempotency::begin::<E>(&raw.headers, &raw.segments, &raw.query, &mut raw.body);
                let (mut claim, mut named) = (None, None);
                let handling = async {
                    let input = Input::<E>::read(&context, raw, &mut left).await?;
                    named = input.named_session();
                    let taking = idempotency::key_of::<E>(&input, keyed.as_ref())?;
                    if let (Some(taking), Some(keyed)) = (taking, &keyed) {
                        match idempotency::take(&context, taking).await? {
                            Turn::Do(first) => claim = Some(first),
                            Turn::Again(kept) => {
                                // What it brings says whether it is the same.
                                let rest = E::BODY.is_upload().then(|| input.incoming());
                                let caller = input.caller.clone();
                                drop(input);
                                // Under a published path it has other members.
                                let kept = if published.is_some() { kept.without_record() } else { kept };
                                let answer = idempotency::answer::<E>(&context, &caller, &base, kept, keyed, rest);
                                let response = answer.await?;
                                return Ok(Answered::Before(Box::new(response)));
                            }
                        }
                    }
                    let answering = handler(context.clone(), input);
                    let answering = async {
                        match operation {
                            Some(id) => journal::in_operation(id, &written, answering).await,
                            None => answering.await,
                        }
                    };
                    let reply = match claim.clone() {
                        Some(claim) => crate::domain::idempotency::under(claim, answering).await,
                        None => answering.await,
                    };
                    reply.map(Answered::Now).map_err(Refusal::from)
                };
                let outcome = work::in_request(address, &memory, handling).await;
                let is_done = matches!(outcome, Ok(Answered::Now(_)));
                let outcome = outcome.map_err(|refusal| match &named {
                    Some(payer) => rate_limit::slowed_down(&context, *payer, refusal, &mut left),
                    None => refusal,
                });
                let mut response = match outcome {
                    Ok(Answered::Before(response)) => *response,
                    Ok(Answered::Now(reply)) if is_lenient => {
                        let mut response = reply.into_response();
                        let applied = HeaderValue::from_static("handling=lenient");
                        response.headers_mut().insert("preference-applied", applied);
                        response
                    }
                    Ok(Answered::Now(reply)) => reply.into_response(),
                    Err(refusal) => {
                        let refusal = match &published {
                            Some(path) => refusal.renamed(|name| published::told_as(path, name)),
                            None => refusal,
                        };
                        let mut response = refusal.into_response::<E>(asked);
                        error::complete_location(&mut response, &base);
                        response
                    }
                };
                if let Some(path) = published.filter(|path| path.definition.alias.is_some()) {
                    response = published::alias_answer(&path, response);
                }
                // Of a name that is taken nothing was written, which nobody who signs up is to learn.
                if let Some(id) = operation.filter(|_| written.is_so() && !signs_up)
                    && let Ok(id) = HeaderValue::try_from(id.to_string())
                {
                    response.headers_mut().insert(OPERATION_HEADER, id);
                }
                if let (Some(claim), true) = (&claim, is_done) {
                    let operation = operation.filter(|_| written.is_so());
                    idempotency::keep(&context, claim, operation, &response).await;
                }
                drop(claim);
                if let Some(left) = left {
                    rate_limit::tell(&left, &policies, response.headers_mut());
                }
                match wanted {
                    Some(wanted) => wanted.apply(response).await,
                    None => response,
                }
            });
            if has_key { Box::pin(idempotency::to_its_end(handling)) } else { handling }
        })
    }

    /// The answer to a request, whatever is asked. A challenge names the scheme that the operator chose.
    pub(super) async fn dispatch(&self, method: &Method, path: &str, raw: Raw) -> Response {
        let mut response = self.answer(method, path, raw).await;
        if let Some(challenge) = response.headers_mut().get_mut(header::WWW_AUTHENTICATE)
            && let Some(named) = self.context.options.auth_schemes.challenge(challenge)
        {
            *challenge = named;
        }
        response
    }

    async fn answer(&self, method: &Method, path: &str, raw: Raw) -> Response {
        // Before anything is looked up: a browser brings no token, so what it goes to is found by the page, as who is signed in.
        let may_be_page =
            self.assets.shows_api() && [Method::GET, Method::HEAD].contains(method) && split(path).next() == Some(API);
        if !may_be_page {
            return self.found(method, path, raw).await;
        }
        if let Some(page) = self.page(method, path, &raw) {
            return page;
        }
        let mut response = self.found(method, path, raw).await;
        vary(response.headers_mut(), "Accept");
        response
    }

    /// The web app's page for an address of the API, where a browser goes there. `format=json` says that the JSON itself is wanted, and what is a file
    /// is one for everybody.
    fn page(&self, method: &Method, path: &str, raw: &Raw) -> Option<Response> {
        let request_id = raw.request_id.as_ref().map_or("", RequestId::as_str);
        let page = self.assets.api_page(method, &raw.headers, request_id)?;
        let is_file = self.find(path, &mut Vec::new()).is_some_and(|resource| resource.is_file);
        if is_file || raw.query.split('&').any(|pair| pair == "format=json") {
            return None;
        }
        raw.notes.route(Route::FILE);
        Some(page.map(Body::Whole))
    }

    /// What is at an address.
    async fn found(&self, method: &Method, path: &str, mut raw: Raw) -> Response {
        let own = behind_own_prefix(path);
        if own.is_some() {
            raw.prefix = OWN_PREFIX;
        } else {
            match published::find(&self.context, path, method, &raw.headers, raw.address()).await {
                Ok(Answers::Nothing) => {}
                Ok(Answers::Path(address, published)) => {
                    if let Some(file) = self.file(method, path, &raw) {
                        return file;
                    }
                    let mut response = self.on_path(method, &address, published, raw).await;
                    vary(response.headers_mut(), "Accept");
                    return response;
                }
                Ok(Answers::SignIn(refusal, form)) => {
                    if let Some(file) = self.file(method, path, &raw) {
                        return file;
                    }
                    let headers = &raw.headers;
                    return self
                        .unreached(&raw, |asked| refusal.into_response_of_none(asked.preferring(form, headers)));
                }
                Err(refused) => {
                    // The web app is there whether or not its store is.
                    if let Some(file) = self.file(method, path, &raw) {
                        return file;
                    }
                    let asked = error::Asked::new(raw.request_id, &raw.headers);
                    return Refusal::from(refused).into_response_of_none(asked);
                }
            }
        }
        let path = own.unwrap_or(path);
        let Some(resource) = self.find(path, &mut raw.segments) else { return self.elsewhere(method, path, &raw) };
        raw.notes.route(resource.route);
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        match resource.methods.iter().find(|(known, _)| known == wanted) {
            Some((_, handler)) => {
                let mut response = handler(self.context.clone(), raw).await;
                if let Some(AdminOnlyActions(actions)) = response.extensions_mut().remove::<AdminOnlyActions>()
                    && let Ok(allow) = HeaderValue::try_from(resource.allow(&actions, Some(wanted)))
                {
                    response.headers_mut().insert(header::ALLOW, allow);
                }
                response
            }
            None => self.without_handler(method, path, resource, raw).await,
        }
    }

    /// The answer of a published path.
    async fn on_path(&self, method: &Method, address: &On, published: Published, mut raw: Raw) -> Response {
        let wanted = if method == Method::HEAD { &Method::GET } else { method };
        if let Some(alias) = published.path.definition.alias.clone() {
            let Some(resource) = self.find(&alias, &mut raw.segments) else {
                return self.unreached(&raw, error::not_found);
            };
            raw.notes.route(resource.route);
            return match resource.methods.iter().find(|(known, _)| known == wanted) {
                Some((_, handler)) => {
                    raw.published = Some(published);
                    handler(self.context.clone(), raw).await
                }
                None => self.without_handler(method, &published.address, resource, raw).await,
            };
        }
        let does = match address.verb(wanted) {
            Some(verb) => Some(Does::Verb(verb)),
            None if method == Method::OPTIONS => Some(if address.is_one { Does::DescribeOne } else { Does::Describe }),
            None => None,
        };
        let found = does.and_then(|does| self.published.iter().find(|(known, ..)| *known == does));
        let Some((_, route, handler)) = found else {
            let form = published.path.definition.errors;
            let name = published.path.collection.iter().map(ToString::to_string).collect::<Vec<_>>();
            let rules = [Access::Rules(&[])];
            let nobodys = input::admit(&self.context, &raw.headers, raw.address(), &name, &rules).await;
            let allow = address.allow(&nobodys.unwrap_or_default());
            return self.unreached(&raw, |asked| {
                error::method_not_allowed(method, &allow, asked.preferring(form, &raw.headers))
            });
        };
        raw.notes.route(*route);
        raw.published = Some(published);
        let mut response = handler(self.context.clone(), raw).await;
        let nobodys = response.extensions_mut().remove::<AdminOnlyActions>();
        let is_described = matches!(does, Some(Does::Describe | Does::DescribeOne));
        if nobodys.is_some() || is_described {
            let actions = nobodys.map(|AdminOnlyActions(actions)| actions).unwrap_or_default();
            if let Ok(allow) = HeaderValue::try_from(address.allow(&actions)) {
                response.headers_mut().insert(header::ALLOW, allow);
            }
        }
        response
    }

    /// The answer to a method that a path has no endpoint for: which methods it has. `OPTIONS` is told that whoever asks; of others it is the
    /// refusal, told to who may know of the path, as Django REST Framework does.
    async fn without_handler(&self, method: &Method, path: &str, resource: &Resource, raw: Raw) -> Response {
        let Raw { segments, headers, connection, request_id, .. } = raw;
        let address = input::address_of(connection.as_ref());
        let asked = error::Asked::new(request_id, &headers);
        let mut left = None;
        let charged = rate_limit::charge_read(&self.context, address, &mut left);
        let is_limited = charged.is_err();
        let admitted = match charged {
            Ok(()) => input::admit(&self.context, &headers, address, &segments, &resource.accesses).await,
            Err(limited) => Err(limited),
        };
        let mut response = match admitted {
            _ if method == Method::OPTIONS && !is_limited => {
                reply::options(path, &resource.allow(&admitted.unwrap_or_default(), None), &resource.bodies)
            }
            Ok(nobodys) => error::method_not_allowed(method, &resource.allow(&nobodys, None), asked),
            Err(refusal) => refusal.into_response_of_none(asked),
        };
        if let Some(left) = left {
            rate_limit::tell(&left, &self.policies, response.headers_mut());
        }
        response
    }

    /// The refusal of a request that comes to no endpoint. It is charged: addresses are not tried out faster than they are read.
    fn unreached(&self, raw: &Raw, refusal: impl FnOnce(error::Asked) -> Response) -> Response {
        let asked = error::Asked::new(raw.request_id, &raw.headers);
        let mut left = None;
        let mut response = match rate_limit::charge_read(&self.context, raw.address(), &mut left) {
            Ok(()) => refusal(asked),
            Err(limited) => limited.into_response_of_none(asked),
        };
        if let Some(left) = left {
            rate_limit::tell(&left, &self.policies, response.headers_mut());
        }
        response
    }

    /// The resource of a path, with or without its last slash; the parameters go into `parameters`, decoded.
    fn find(&self, path: &str, parameters: &mut Vec<String>) -> Option<&Resource> {
        let parts: Vec<&str> = split(path).collect();
        let resource = self.resources.iter().find(|resource| {
            resource.segments.len() == parts.len()
                // The last segments tell resources apart, the first hardly do.
                && resource.segments.iter().zip(&parts).rev().all(|(known, part)| known.is_none_or(|known| known == *part))
        })?;
        for (known, part) in resource.segments.iter().zip(&parts) {
            if known.is_none() {
                let decoded = part.contains('%').then(|| percent_decode_str(part).decode_utf8());
                parameters.push(decoded.transpose().ok()?.map_or_else(|| (*part).to_owned(), Cow::into_owned));
            }
        }
        Some(resource)
    }

    /// What is no endpoint: the web app, or nothing.
    fn elsewhere(&self, method: &Method, path: &str, raw: &Raw) -> Response {
        self.file(method, path, raw).unwrap_or_else(|| self.unreached(raw, error::not_found))
    }

    /// A file of the web app, or its page.
    fn file(&self, method: &Method, path: &str, raw: &Raw) -> Option<Response> {
        let request_id = raw.request_id.as_ref().map_or("", RequestId::as_str);
        let file = self.assets.respond(method, path, &raw.headers, request_id)?;
        raw.notes.route(Route::FILE);
        Some(file.map(Body::Whole))
    }
}

impl Resource {
    /// How many of the segments are fixed.
    fn literals(&self) -> usize {
        self.segments.iter().flatten().count()
    }

    /// The methods of the path, without those for what nobody may do to the records there, and the one that is refused although there is a
    /// handler: such a handler may do more than its path says, as restoring does.
    fn allow(&self, nobodys: &[Action], refused: Option<&Method>) -> String {
        let is_nobodys = |access: &Access| match access {
            Access::Rules(asked) => asked.iter().any(|action| nobodys.contains(action)),
            _ => false,
        };
        let methods = self.methods.iter().map(|(method, _)| method).zip(&self.accesses);
        let left = methods.filter(|(method, access)| Some(*method) != refused && !is_nobodys(access));
        let mut methods: Vec<&str> = left.map(|(method, _)| method.as_str()).collect();
        if methods.contains(&"GET") {
            methods.push("HEAD");
        }
        if !methods.contains(&"OPTIONS") {
            methods.push("OPTIONS");
        }
        methods.join(", ")
    }
}

/// The operation that a request of `E` is, if it may write: reading is none, and neither is signing in or out.
fn operation_of<E: Endpoint>(request: Option<RequestId>) -> Option<OperationId> {
    let may_write = matches!(E::COST, Cost::Writes(_)) || E::METHOD != Method::GET;
    request.filter(|_| may_write && !E::ACCESS.takes_credentials()).and_then(|id| id.as_str().parse().ok())
}
