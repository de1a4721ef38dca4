//! `/api/users/`: own profile and password; for admins all users.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::endpoint;
#[cfg(feature = "schema")]
use crate::schema::{not_null_within, read_only};
use crate::{
    Object,
    answer::{JsonAnswer, NoContent},
    claims,
    field::FieldType,
    id::{InvitationId, UserId},
    name::{RoleName, Username},
    page::Page,
    people,
    problem::FieldErrors,
    query::ListQuery,
    reader::{Body, Reader, invalid, members, not_blank, text},
    user::User,
    validate,
};

endpoint! {
    /// Your profile.
    Me: GET "/api/users/me/",
    access SignedIn, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer User as OK
}

endpoint! {
    /// Change your name or e-mail address.
    UpdateMe: PATCH "/api/users/me/",
    access SignedIn, cost Writes(User), errors Drf,
    body ProfilePatch as SMALL_JSON,
    answer User as OK
}

endpoint! {
    /// Change your password; every other session of yours ends.
    ChangePassword: POST "/api/users/me/password/",
    access SignedIn, cost Credentials(User), secret yes, errors Drf,
    body PasswordChange as SMALL_JSON,
    answer NoContent as NO_CONTENT
}

endpoint! {
    /// A page of users: search, filter, order.
    List: GET "/api/users/",
    access Admin, cost Reads(User), errors Drf,
    query ListQuery,
    body () as NOTHING,
    answer Page<User> as OK
}

endpoint! {
    /// Make a user; where people may sign up, oneself.
    Create: POST "/api/users/",
    access SignUp, cost Writes(User), secret yes, errors Drf,
    body NewUser as SMALL_JSON,
    answer User as CREATED
}

endpoint! {
    /// Invite somebody to sign up: the answer is what they send with it, once.
    Invite: POST "/api/invitations/",
    access Admin, cost Writes(User), secret yes, errors Drf,
    body NewInvitation as SMALL_JSON,
    answer Invitation as CREATED
}

endpoint! {
    /// The invitations that nobody has used yet, newest first.
    Invitations: GET "/api/invitations/",
    access Admin, cost Reads(User), errors Drf,
    body () as NOTHING,
    answer Page<OpenInvitation> as OK
}

endpoint! {
    /// Take an invitation back: nobody can sign up with it any more.
    TakeBack: DELETE "/api/invitations/{id}/",
    access Admin, cost Writes(User), errors Drf,
    params (InvitationId,),
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

endpoint! {
    /// One user.
    Get: GET "/api/users/{id}/",
    access Admin, cost Reads(User), errors Drf,
    params (UserId,),
    body () as NOTHING,
    answer User as OK
}

endpoint! {
    /// Change a user's name, roles, state or password.
    Update: PATCH "/api/users/{id}/",
    access Admin, cost Writes(User), secret yes, errors Drf,
    params (UserId,),
    body UserPatch as SMALL_JSON,
    answer User as OK
}

endpoint! {
    /// Let a user sign in again whose name is locked by wrong guesses.
    Unlock: POST "/api/users/{id}/unlock/",
    access Admin, cost Writes(User), errors Drf,
    params (UserId,),
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

endpoint! {
    /// Delete a user and end their sessions.
    Delete: DELETE "/api/users/{id}/",
    access Admin, cost Writes(User), errors Drf,
    params (UserId,),
    body () as NOTHING,
    answer NoContent as NO_CONTENT
}

/// What the server owns of a user.
const READ_ONLY: &[&str] = &["id", "created_at", "last_login", "number", "usage"];
/// And what only admins change.
const PROFILE_READ_ONLY: &[&str] =
    &["id", "roles", "is_admin", "is_active", "created_at", "last_login", "claims", "number", "usage"];

/// Changes to the own profile. Members that the server owns may come back; a changed one is refused by the server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = not_null_within, transform = read_only(PROFILE_READ_ONLY)))]
pub struct ProfilePatch {
    /// A new name.
    pub username: Option<Username>,
    /// A new address to sign in with; empty for none.
    #[cfg_attr(feature = "schema", schemars(with = "Option<EmailOrNone>"))]
    pub email: Option<String>,
    /// What else came back: see [`User::check_sent_back`].
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub sent_back: Object,
}

impl Body for ProfilePatch {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let username = optional_name(&mut reader);
        let email = optional_email(&mut reader);
        let sent_back = reader.sent_back(PROFILE_READ_ONLY);
        reader.finish().or(Self { username, email, sent_back })
    }

    fn to_json(&self) -> Value {
        let mut members = self.sent_back.clone();
        members.extend(self.username.as_ref().map(|name| ("username".to_owned(), json!(name))));
        members.extend(self.email.as_ref().map(|email| ("email".to_owned(), json!(email))));
        Value::Object(members)
    }
}

/// A new password, and the proof that it is the user who asks.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct PasswordChange {
    /// The password until now.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub current_password: String,
    /// The password from now on.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub new_password: String,
}

impl Body for PasswordChange {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let (current, new) = (reader.text("current_password"), reader.text("new_password"));
        let errors = reader.finish();
        match (current, new) {
            (Some(current_password), Some(new_password)) => errors.or(Self { current_password, new_password }),
            _ => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        json!({"current_password": self.current_password, "new_password": self.new_password})
    }
}

/// A user to be made.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct NewUser {
    /// What the user will sign in with.
    pub username: Username,
    /// The first password.
    #[cfg_attr(feature = "schema", schemars(with = "crate::schema::FilledText"))]
    pub password: String,
    /// An address to sign in with too; empty for none.
    #[cfg_attr(feature = "schema", schemars(default, with = "EmailOrNone"))]
    pub email: String,
    /// Roles that access rules may name.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub roles: Vec<RoleName>,
    /// May do everything.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub is_admin: bool,
    /// May sign in; true where it is left out.
    #[cfg_attr(feature = "schema", schemars(default = "crate::schema::yes"))]
    pub is_active: bool,
    /// Claims of the user's own in access tokens.
    #[cfg_attr(feature = "schema", schemars(default, with = "OwnClaims"))]
    pub claims: Object,
    /// The password again, where a form asks for it twice.
    #[cfg_attr(feature = "schema", schemars(default, with = "Option<crate::schema::FilledText>"))]
    pub password2: Option<String>,
    /// What an admin invited them by, where one signs up by invitation.
    #[cfg_attr(feature = "schema", schemars(default, with = "Option<crate::schema::FilledText>"))]
    pub invitation: Option<String>,
}

impl NewUser {
    /// A user who may sign in, and nothing more.
    pub fn new(username: Username, password: String) -> Self {
        Self {
            username,
            password,
            email: String::new(),
            roles: Vec::new(),
            is_admin: false,
            is_active: true,
            claims: Object::new(),
            password2: None,
            invitation: None,
        }
    }
}

/// A text that may be missing or null.
fn optional_text(reader: &mut Reader, name: &str) -> Option<String> {
    let value = reader.take(name).filter(|value| !value.is_null())?;
    match text(&value) {
        Ok("") => reader.fail(name, not_blank()),
        Ok(text) => Some(text.to_owned()),
        Err(error) => reader.fail(name, error),
    }
}

impl Body for NewUser {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let (username, password) = (reader.parsed("username"), reader.text("password"));
        let roles = reader.list("roles").unwrap_or_default();
        let is_admin = reader.boolean("is_admin");
        let is_active = reader.optional_boolean("is_active").unwrap_or(true);
        let email = optional_email(&mut reader).unwrap_or_default();
        let claims = optional_claims(&mut reader).unwrap_or_default();
        let (password2, invitation) =
            (optional_text(&mut reader, "password2"), optional_text(&mut reader, "invitation"));
        if password2.is_some() && password.is_some() && password2 != password {
            reader.errors.push("password2", invalid("The two password fields didn't match."));
        }
        let errors = reader.finish();
        match (username, password) {
            (Some(username), Some(password)) => {
                errors.or(Self { username, password, email, roles, is_admin, is_active, claims, password2, invitation })
            }
            _ => Err(errors),
        }
    }

    fn to_json(&self) -> Value {
        members([
            ("username", Some(json!(self.username))),
            ("password", Some(json!(self.password))),
            ("email", (!self.email.is_empty()).then(|| json!(self.email))),
            ("roles", Some(json!(self.roles))),
            ("is_admin", Some(json!(self.is_admin))),
            ("is_active", Some(json!(self.is_active))),
            ("claims", (!self.claims.is_empty()).then(|| json!(self.claims))),
            ("password2", self.password2.as_ref().map(|password| json!(password))),
            ("invitation", self.invitation.as_ref().map(|invitation| json!(invitation))),
        ])
    }
}

/// An invitation to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields))]
pub struct NewInvitation {
    /// Roles that the new user gets beside those that all get who sign up.
    #[cfg_attr(feature = "schema", schemars(default))]
    pub roles: Vec<RoleName>,
}

impl Body for NewInvitation {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let roles = reader.list("roles").unwrap_or_default();
        reader.finish().or(Self { roles })
    }

    fn to_json(&self) -> Value {
        json!({"roles": self.roles})
    }
}

/// An invitation. Whoever has it can sign up once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Invitation {
    /// Names it, for who takes it back.
    pub id: InvitationId,
    /// What is sent with the sign-up.
    pub invitation: String,
    /// Roles that the new user gets beside those that all get who sign up.
    pub roles: Vec<RoleName>,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub expires_at: String,
}

impl JsonAnswer for Invitation {}

/// An invitation that nobody has used yet. What is sent with the sign-up was told once, to who made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenInvitation {
    /// Names it, for who takes it back.
    pub id: InvitationId,
    /// Roles that the new user gets beside those that all get who sign up.
    pub roles: Vec<RoleName>,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub created_at: String,
    /// RFC 3339, UTC.
    #[cfg_attr(feature = "schema", schemars(extend("format" = "date-time")))]
    pub expires_at: String,
}

/// Changes to a user; what is left out stays.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(deny_unknown_fields, transform = not_null_within, transform = read_only(READ_ONLY)))]
pub struct UserPatch {
    /// A new name.
    pub username: Option<Username>,
    /// A new address to sign in with; empty for none.
    #[cfg_attr(feature = "schema", schemars(with = "Option<EmailOrNone>"))]
    pub email: Option<String>,
    /// A new password; ends every session of the user.
    #[cfg_attr(feature = "schema", schemars(with = "Option<crate::schema::FilledText>"))]
    pub password: Option<String>,
    /// All roles anew.
    pub roles: Option<Vec<RoleName>>,
    /// May do everything.
    pub is_admin: Option<bool>,
    /// May sign in; false ends every session.
    pub is_active: Option<bool>,
    /// All claims of the user's own anew.
    #[cfg_attr(feature = "schema", schemars(with = "Option<OwnClaims>"))]
    pub claims: Option<Object>,
    /// What else came back: see [`User::check_sent_back`].
    #[cfg_attr(feature = "schema", schemars(skip))]
    pub sent_back: Object,
}

impl Body for UserPatch {
    fn from_json(value: Value) -> Result<Self, FieldErrors> {
        let mut reader = Reader::new(value)?;
        let username = optional_name(&mut reader);
        let password = match reader.take("password") {
            None => None,
            Some(value) => match text(&value) {
                Ok("") => reader.fail("password", not_blank()),
                Ok(text) => Some(text.to_owned()),
                Err(error) => reader.fail("password", error),
            },
        };
        let roles = reader.list("roles");
        let is_admin = reader.optional_boolean("is_admin");
        let is_active = reader.optional_boolean("is_active");
        let (email, claims) = (optional_email(&mut reader), optional_claims(&mut reader));
        let sent_back = reader.sent_back(READ_ONLY);
        reader.finish().or(Self { username, email, password, roles, is_admin, is_active, claims, sent_back })
    }

    fn to_json(&self) -> Value {
        members([
            ("username", self.username.as_ref().map(|name| json!(name))),
            ("email", self.email.as_ref().map(|email| json!(email))),
            ("password", self.password.as_ref().map(|password| json!(password))),
            ("roles", self.roles.as_ref().map(|roles| json!(roles))),
            ("is_admin", self.is_admin.map(|flag| json!(flag))),
            ("is_active", self.is_active.map(|flag| json!(flag))),
            ("claims", self.claims.as_ref().map(|claims| json!(claims))),
        ])
    }
}

/// A name, or nothing where the body has none.
fn optional_name(reader: &mut Reader) -> Option<Username> {
    let value = reader.take("username")?;
    match text(&value) {
        Err(error) => reader.fail("username", error),
        Ok(text) => match text.parse() {
            Ok(name) => Some(name),
            Err(error) => reader.fail("username", invalid(error.to_string())),
        },
    }
}

/// An e-mail address, or nothing where the body has none. Null and an empty text are no address.
fn optional_email(reader: &mut Reader) -> Option<String> {
    let value = match reader.take("email")? {
        Value::Null => return Some(String::new()),
        value => value,
    };
    if value == "" {
        return Some(String::new());
    }
    match validate::check(&people::field("email", FieldType::Email), &value) {
        Ok(Value::String(email)) => Some(email),
        Ok(_) => None,
        Err(errors) => {
            for error in errors {
                reader.errors.push("email", error);
            }
            None
        }
    }
}

/// Claims of a user's own, or nothing where the body has none.
fn optional_claims(reader: &mut Reader) -> Option<Object> {
    let value = reader.take("claims")?;
    claims::check(value).map_err(|error| reader.errors.push("claims", error)).ok()
}

/// An e-mail address, or an empty text.
#[cfg(feature = "schema")]
struct EmailOrNone;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for EmailOrNone {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EmailOrNone".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "anyOf": [{"type": "string", "format": "email", "maxLength": 254}, {"const": ""}, {"const": null}],
        })
    }
}

/// See [`claims::check`].
#[cfg(feature = "schema")]
struct OwnClaims;

#[cfg(feature = "schema")]
impl schemars::JsonSchema for OwnClaims {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "OwnClaims".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "object", "propertyNames": {"not": {"enum": claims::REGISTERED}}})
    }
}
