//! The forms about accounts: signing in, setting a server up, passwords, users. What those about users send is typed, since
//! roles are written in one line and sent as a list, and a password that stays is not sent at all.

use serde_json::{Value, json};

use super::{
    input::{Input, Widget},
    model::Form,
    value::field_text,
};
use crate::{
    Object, claims,
    field::{Field, FieldType},
    name::{FieldName, RoleName},
    problem::Problem,
    reader::Body,
    text,
    user::User,
};

const CLAIMS: &str = "claims";
const ROLES: &str = "roles";
const ROLES_HINT: &str = "Names that access rules may use, with spaces or commas between them.";

impl Form {
    /// Name and password.
    pub fn sign_in() -> Self {
        Self::of([line("username", ""), password("password", "")])
    }

    /// The one-time code, and the first admin's name and password.
    pub fn set_up() -> Self {
        Self::of([
            line("code", "Printed by the server when it started."),
            line("username", "What you will sign in with."),
            new_password("password", "A few words in a row do well."),
        ])
    }

    /// The password until now, and from now on.
    pub fn change_password() -> Self {
        Self::of([
            password("current_password", ""),
            new_password("new_password", "This session goes on; all your others end."),
        ])
    }

    /// A user to be made: [`NewUser`](crate::endpoints::users::NewUser).
    pub fn new_user() -> Self {
        Self::of([
            line("username", "What the user will sign in with."),
            new_password("password", "Tell it to the user, who can change it."),
            optional(line(ROLES, ROLES_HINT), String::new()),
            flag("is_admin", false, "May do everything."),
            flag("is_active", true, "May sign in."),
            email(""),
            claims(&Object::new()),
        ])
    }

    /// An invitation to be made: [`NewInvitation`](crate::endpoints::users::NewInvitation).
    pub fn new_invitation() -> Self {
        Self::of([optional(
            line(ROLES, "Beside those of all who sign up. With spaces or commas between them."),
            String::new(),
        )])
    }

    /// Who is invited, for themselves: [`NewUser`](crate::endpoints::users::NewUser) without the invitation.
    pub fn sign_up() -> Self {
        Self::of([
            line("username", "What you will sign in with."),
            new_password("password", "A few words in a row do well."),
            email(""),
        ])
    }

    /// Changes to a user: [`UserPatch`](crate::endpoints::users::UserPatch).
    pub fn edit_user(user: &User) -> Self {
        let roles: Vec<&str> = user.roles.iter().map(RoleName::as_str).collect();
        let mut form = Self::of([
            line("username", "What the user signs in with."),
            optional(
                new_password("password", "Empty to leave it. A new one ends all sessions of the user."),
                String::new(),
            ),
            optional(line(ROLES, ROLES_HINT), roles.join(" ")),
            flag("is_admin", user.is_admin, "May do everything."),
            flag("is_active", user.is_active, "May sign in. Without it all sessions of the user end."),
            email(&user.email),
            claims(&user.claims),
        ]);
        if let Some(name) = form.inputs.first_mut() {
            name.text = user.username.to_string();
            name.original.clone_from(&name.text);
        }
        form
    }

    /// Checks everything; the request to send where all is well. What stands as it was when the form was opened is left out.
    pub fn submit_as<B: Body>(&mut self) -> Option<B> {
        let body = self.changed()?;
        B::from_json(Value::Object(body)).map_err(|errors| self.refuse(&Problem::validation(errors))).ok()
    }

    fn changed(&mut self) -> Option<Object> {
        let mut typed = self.submit()?.into_object();
        let mut body = Object::new();
        for input in self.inputs.iter().filter(|input| input.is_changed()) {
            let value = match typed.remove(input.name()) {
                Some(Value::String(roles)) if input.name() == ROLES => {
                    let names = roles.split([' ', ',', '\t']).filter(|name| !name.is_empty());
                    names.map(Value::from).collect()
                }
                // None are an empty object.
                Some(Value::Null) if input.name() == CLAIMS => Value::Object(Object::new()),
                Some(value) => value,
                None => continue,
            };
            body.insert(input.name().to_owned(), value);
        }
        Some(body)
    }
}

fn line(name: &str, help: &str) -> Option<Input> {
    let name: FieldName = name.parse().ok()?;
    let kind = FieldType::Text { min_length: None, max_length: None, pattern: None, multiline: false };
    let field = Field { required: true, help: help.to_owned(), ..Field::new(name, kind) };
    Some(Input::new(field, String::new()))
}

fn password(name: &str, help: &str) -> Option<Input> {
    Some(Input { widget: Widget::Password, ..line(name, help)? })
}

fn new_password(name: &str, help: &str) -> Option<Input> {
    Some(Input { widget: Widget::NewPassword, ..line(name, help)? })
}

fn optional(input: Option<Input>, text: String) -> Option<Input> {
    let mut input = input?;
    input.field.required = false;
    input.original.clone_from(&text);
    Some(Input { text, ..input })
}

fn email(address: &str) -> Option<Input> {
    let field = Field {
        help: "May be typed in place of the name to sign in. Empty for none.".to_owned(),
        ..Field::new("email".parse().ok()?, FieldType::Email)
    };
    Some(Input::new(field, address.to_owned()))
}

fn claims(claims: &Object) -> Option<Input> {
    let kind = FieldType::Json { max_bytes: Some(claims::MAX_BYTES as u64) };
    let help = "Members that go into the user's access tokens, for clients that read them there: {\"tenant\": \"north\"}. Empty for none.";
    let field = Field { nullable: true, help: help.to_owned(), ..Field::new(CLAIMS.parse().ok()?, kind) };
    let text = if claims.is_empty() { String::new() } else { field_text(&field, (&json!(claims)).into()) };
    Some(Input::new(field, text))
}

fn flag(name: &str, value: bool, help: &str) -> Option<Input> {
    let field = Field { help: help.to_owned(), ..Field::new(name.parse().ok()?, FieldType::Boolean) };
    // "Is admin" would be a question, and the column of the list is called "Admin".
    let label = text::label(name.trim_start_matches("is_"));
    Some(Input { label, ..Input::new(field, value.to_string()) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::endpoints::users::{NewUser, UserPatch};

    fn set(form: &mut Form, name: &str, text: &str) {
        let index = form.inputs.iter().position(|input| input.name() == name).unwrap();
        form.set(index, text);
    }

    fn bob() -> User {
        serde_json::from_value(json!({
            "id": "01920000-0000-7000-8000-000000000002", "username": "bob", "roles": ["editor", "cook"],
            "is_admin": false, "is_active": true, "created_at": "", "last_login": null
        }))
        .unwrap()
    }

    #[test]
    fn passwords_are_sent_as_typed() {
        let mut form = Form::sign_in();
        form.set(0, "ada");
        form.set(1, " spaced ");
        assert_eq!(json!(form.submit().unwrap()), json!({"username": "ada", "password": " spaced "}));
    }

    #[test]
    fn a_new_password_says_how_long_it_must_be_once_that_is_known() {
        let hint = |mut form: Form, name: &str, min: Option<u64>| {
            if let Some(min) = min {
                form.set_min_password_length(min);
            }
            form.input(name).unwrap().hint()
        };
        assert_eq!(hint(Form::set_up(), "password", None), "A few words in a row do well.");
        assert_eq!(hint(Form::set_up(), "password", Some(8)), "At least 8 characters. A few words in a row do well.");
        assert!(hint(Form::change_password(), "new_password", Some(20)).starts_with("At least 20 characters. "));
        assert!(hint(Form::new_user(), "password", Some(20)).starts_with("At least 20 characters. "));
        // What is known already may be as short as it was once allowed to be.
        assert_eq!(hint(Form::change_password(), "current_password", Some(20)), "");
        assert_eq!(hint(Form::sign_in(), "password", Some(20)), "");
    }

    #[test]
    fn a_new_user_is_sent_with_roles_as_a_list() {
        let mut form = Form::new_user();
        assert!(form.submit_as::<NewUser>().is_none());
        assert_eq!((form.inputs[0].errors.len(), form.inputs[1].errors.len()), (1, 1));
        set(&mut form, "username", "bob");
        set(&mut form, "password", " spaced ");
        set(&mut form, "roles", "editor,  cook");
        let body = form.submit_as::<NewUser>().unwrap().to_json();
        let whole = json!({"username": "bob", "password": " spaced ", "roles": ["editor", "cook"], "is_admin": false, "is_active": true});
        assert_eq!(body, whole);
    }

    #[test]
    fn an_edited_user_is_sent_what_was_changed() {
        let mut form = Form::edit_user(&bob());
        assert!(!form.is_changed());
        assert_eq!(form.submit_as::<UserPatch>().unwrap().to_json(), json!({}));
        set(&mut form, "is_active", "false");
        set(&mut form, "roles", "");
        assert_eq!(form.submit_as::<UserPatch>().unwrap().to_json(), json!({"roles": [], "is_active": false}));
        set(&mut form, "email", " bob@example.org ");
        assert_eq!(form.submit_as::<UserPatch>().unwrap().email.as_deref(), Some("bob@example.org"));
        set(&mut form, "email", "bob@");
        assert!(form.submit_as::<UserPatch>().is_none());
    }

    #[test]
    fn claims_are_an_object_and_none_where_nothing_is_typed() {
        let mut form = Form::edit_user(&bob());
        for (typed, wrong) in
            [("{", true), ("[]", true), ("3", true), (r#"{"sub": 1}"#, true), (r#"{"tenant": "north"}"#, false)]
        {
            set(&mut form, "claims", typed);
            let patch = form.submit_as::<UserPatch>();
            assert_eq!(
                (patch.is_none(), form.input("claims").unwrap().errors.len()),
                (wrong, usize::from(wrong)),
                "{typed}"
            );
        }
        let patch = form.submit_as::<UserPatch>().unwrap();
        assert_eq!(patch.to_json(), json!({"claims": {"tenant": "north"}}));
        let bob = User { claims: patch.claims.unwrap(), ..bob() };
        let mut form = Form::edit_user(&bob);
        assert!(!form.is_changed() && form.input("claims").unwrap().text.contains("north"));
        set(&mut form, "claims", "");
        assert_eq!(form.submit_as::<UserPatch>().unwrap().to_json(), json!({"claims": {}}));
    }

    #[test]
    fn names_that_are_none_are_refused_at_their_field() {
        let mut form = Form::edit_user(&bob());
        set(&mut form, "roles", "Editor");
        assert!(form.submit_as::<UserPatch>().is_none());
        assert_eq!(form.input("roles").unwrap().errors.len(), 1);
        set(&mut form, "roles", "editor");
        set(&mut form, "username", "b b");
        assert!(form.submit_as::<UserPatch>().is_none());
        assert_eq!(form.input("username").unwrap().errors.len(), 1);
    }
}
