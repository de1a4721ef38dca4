//! The forms for users: a new one, and changes to one. What they send is typed, since roles are written in one line and sent
//! as a list, and a password that stays is not sent at all.

use serde_json::Value;

use super::{Form, Input, line, password};
use crate::{
    Object,
    field::{Field, FieldType},
    name::RoleName,
    problem::Problem,
    reader::Body,
    text,
    user::User,
};

const ROLES: &str = "roles";
const ROLES_HINT: &str = "Names that access rules may use, with spaces or commas between them.";

impl Form {
    /// A user to be made: [`NewUser`](crate::endpoints::users::NewUser).
    pub fn new_user() -> Self {
        Self::of([
            line("username", "What the user will sign in with."),
            password("password", "At least 15 characters. Tell it to the user, who can change it."),
            optional(line(ROLES, ROLES_HINT), String::new()),
            flag("is_admin", false, "May do everything."),
            flag("is_active", true, "May sign in."),
        ])
    }

    /// Changes to a user: [`UserPatch`](crate::endpoints::users::UserPatch).
    pub fn edit_user(user: &User) -> Self {
        let roles: Vec<&str> = user.roles.iter().map(RoleName::as_str).collect();
        let mut form = Self::of([
            line("username", "What the user signs in with."),
            optional(
                password("password", "Empty to leave it. A new one ends all sessions of the user."),
                String::new(),
            ),
            optional(line(ROLES, ROLES_HINT), roles.join(" ")),
            flag("is_admin", user.is_admin, "May do everything."),
            flag("is_active", user.is_active, "May sign in. Without it all sessions of the user end."),
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
        let mut typed = self.submit()?;
        let mut body = Object::new();
        for input in self.inputs.iter().filter(|input| input.is_changed()) {
            let value = match typed.remove(input.name()) {
                Some(Value::String(roles)) if input.name() == ROLES => {
                    let names = roles.split([' ', ',', '\t']).filter(|name| !name.is_empty());
                    names.map(Value::from).collect()
                }
                Some(value) => value,
                None => continue,
            };
            body.insert(input.name().to_owned(), value);
        }
        Some(body)
    }
}

fn optional(input: Option<Input>, text: String) -> Option<Input> {
    let mut input = input?;
    input.field.required = false;
    input.original.clone_from(&text);
    Some(Input { text, ..input })
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
