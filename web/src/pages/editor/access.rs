//! The access rules as a table of checkboxes: a row for each action, a column for each kind of caller.

use common::{
    access::{Action, Rule},
    editor::Part,
};
use web_sys::HtmlInputElement;
use yew::prelude::*;

use crate::words;

/// The callers that the rules of one action let in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Choice {
    anyone: bool,
    signed_in: bool,
    owner: bool,
    /// As typed, with commas between.
    roles: String,
}

impl Choice {
    /// Reads rules as the editor's model has them. What is no rule is kept as a role, where it can be seen and corrected.
    fn read(text: &str) -> Self {
        let mut choice = Self::default();
        let mut roles = Vec::new();
        for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
            match word.parse() {
                Ok(Rule::Anyone) => choice.anyone = true,
                Ok(Rule::SignedIn) => choice.signed_in = true,
                Ok(Rule::Owner) => choice.owner = true,
                Ok(Rule::Nobody) => {}
                Ok(Rule::Role(_)) | Err(_) => roles.push(word.strip_prefix("role:").unwrap_or(word)),
            }
        }
        choice.roles = roles.join(", ");
        choice
    }

    /// Writes rules as the editor's model has them.
    fn write(&self) -> String {
        let ticked = [(self.anyone, "anyone"), (self.signed_in, "signed_in"), (self.owner, "owner")];
        let ticked = ticked.into_iter().filter(|(is_set, _)| *is_set).map(|(_, word)| word.to_owned());
        let roles = self.roles.split(',').map(str::trim).filter(|role| !role.is_empty());
        let words: Vec<String> = ticked.chain(roles.map(|role| format!("role:{role}"))).collect();
        if words.is_empty() { "nobody".to_owned() } else { words.join(", ") }
    }
}

/// Props of [`AccessEditor`].
#[derive(Properties, PartialEq)]
pub(crate) struct AccessEditorProps {
    /// The rules for each of [`Action::ALL`], as the editor's model has them.
    pub(crate) access: [String; 5],
    /// Which of them cannot be read.
    pub(crate) errors: [bool; 5],
    pub(crate) onedit: Callback<(Part, String)>,
}

/// The table.
#[component]
pub(crate) fn AccessEditor(props: &AccessEditorProps) -> Html {
    let heads = [words::editor::ANYONE, words::editor::SIGNED_IN, words::editor::OWNER, words::editor::ROLES];
    let rows = Action::ALL.iter().enumerate().map(|(index, action)| {
        html! {
            <AccessRow
                key={action.name()}
                {index}
                rules={props.access[index].clone()}
                is_bad={props.errors[index]}
                onedit={props.onedit.clone()}
            />
        }
    });
    html! {
        <section aria-labelledby="access-title">
            <h2 id="access-title">{ words::editor::ACCESS }</h2>
            <p class="hint">{ words::editor::ACCESS_HINT }</p>
            <div class="access-frame">
                <table class="access">
                    <thead><tr><td></td>{ for heads.iter().map(|head| html! { <th scope="col">{ head }</th> }) }</tr></thead>
                    <tbody>{ for rows }</tbody>
                </table>
            </div>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct AccessRowProps {
    index: usize,
    rules: String,
    is_bad: bool,
    onedit: Callback<(Part, String)>,
}

#[component]
fn AccessRow(props: &AccessRowProps) -> Html {
    let index = props.index;
    // Roles are kept as typed; in the rules a comma at the end would be lost.
    let choice = use_state(|| Choice::read(&props.rules));
    let (action, help) = words::editor::ACTIONS[index];
    let word = Action::ALL[index].name();
    let set = |change: fn(&mut Choice, &HtmlInputElement)| {
        let (choice, onedit) = (choice.clone(), props.onedit.clone());
        move |input: HtmlInputElement| {
            let mut next = (*choice).clone();
            change(&mut next, &input);
            onedit.emit((Part::Access(index), next.write()));
            choice.set(next);
        }
    };
    let tick = |name: &'static str, is_set: bool, implied: bool, change: fn(&mut Choice, &HtmlInputElement)| {
        let set = set(change);
        html! {
            <td>
                <label class="access-tick">
                    <input
                        type="checkbox"
                        name={format!("{word}-{name}")}
                        checked={is_set || implied}
                        disabled={implied}
                        onchange={move |event: Event| set(event.target_unchecked_into())}
                    />
                    <span class="access-label">{ name }</span>
                </label>
            </td>
        }
    };
    let error_id = format!("access-{word}-error");
    let set_roles = set(|choice, input| choice.roles = input.value());
    html! {
        <tr>
            <th scope="row">
                <span>{ action }</span>
                <span class="hint">{ help }</span>
                if choice.write() == "nobody" {
                    <span class="tag">{ words::editor::ADMINS_ONLY }</span>
                }
            </th>
            { tick(words::editor::ANYONE, choice.anyone, false, |choice, input| choice.anyone = input.checked()) }
            { tick(words::editor::SIGNED_IN, choice.signed_in, choice.anyone, |choice, input| choice.signed_in = input.checked()) }
            { tick(words::editor::OWNER, choice.owner, choice.anyone || choice.signed_in, |choice, input| choice.owner = input.checked()) }
            <td class="access-roles">
                <input
                    class="input input-small"
                    type="text"
                    name={format!("{word}-roles")}
                    aria-label={format!("{action}: {}", words::editor::ROLES)}
                    placeholder={words::editor::ROLES_PLACEHOLDER}
                    value={choice.roles.clone()}
                    oninput={move |event: InputEvent| set_roles(event.target_unchecked_into())}
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby={error_id.clone()}
                    aria-invalid={props.is_bad.then_some("true")}
                />
                <p class="error" id={error_id} aria-live="polite">{ if props.is_bad { words::editor::ROLES_ERROR } else { "" } }</p>
            </td>
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_ticks_and_ticks_are_rules() {
        for rules in ["anyone", "signed_in, owner", "owner, role:editor, role:reviewer", "nobody"] {
            assert_eq!(Choice::read(rules).write(), rules);
        }
        assert_eq!(Choice::read("").write(), "nobody");
        assert_eq!(Choice { roles: "editor, ".into(), ..Choice::default() }.write(), "role:editor");
    }

    #[test]
    fn what_is_no_rule_is_not_lost() {
        assert_eq!(
            Choice::read("everyone, owner"),
            Choice { owner: true, roles: "everyone".into(), ..Choice::default() }
        );
    }
}
