//! Draws an input of `common`'s forms: its label, its widget, its hint and what is wrong with it. What is typed goes back
//! as text; reading and checking it is the form's business.

use common::form::{Input, Widget};
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::{
    hooks::use_focus,
    ui::{password::PasswordInput, reference::ReferenceInput},
    words,
};

/// Props of [`FieldFrame`].
#[derive(Properties, PartialEq)]
pub(crate) struct FieldFrameProps {
    /// Of the input; hint and errors have it with `-hint` and `-error` behind.
    pub(crate) id: AttrValue,
    pub(crate) label: AttrValue,
    #[prop_or_default]
    pub(crate) hint: AttrValue,
    #[prop_or_default]
    pub(crate) errors: Vec<String>,
    #[prop_or_default]
    pub(crate) required: bool,
    /// The widget is several inputs, so that the label names a group.
    #[prop_or_default]
    pub(crate) group: bool,
    #[prop_or_default]
    pub(crate) class: Classes,
    pub(crate) children: Html,
}

/// A label, a widget, a hint, and errors.
#[component]
pub(crate) fn FieldFrame(props: &FieldFrameProps) -> Html {
    let label = html! {
        <>
            <bdi>{ &props.label }</bdi>
            if props.required {
                <span class="required" title={words::REQUIRED}><span aria-hidden="true">{ " *" }</span><span class="hidden">{ words::REQUIRED }</span></span>
            }
        </>
    };
    let below = html! {
        <>
            if !props.hint.is_empty() {
                <p class="hint" id={format!("{}-hint", props.id)} dir="auto">{ &props.hint }</p>
            }
            <p class="error" id={format!("{}-error", props.id)} aria-live="polite" dir="auto">{ props.errors.join(" ") }</p>
        </>
    };
    if props.group {
        return html! {
            <fieldset class={classes!("field", props.class.clone())} aria-describedby={described_by(&props.id)}>
                <legend>{ label }</legend>
                { props.children.clone() }
                { below }
            </fieldset>
        };
    }
    html! {
        <div class={classes!("field", props.class.clone())}>
            <label for={props.id.clone()}>{ label }</label>
            { props.children.clone() }
            { below }
        </div>
    }
}

/// Hint and errors of the input with this id.
pub(crate) fn described_by(id: &str) -> String {
    format!("{id}-hint {id}-error")
}

/// Props of [`InputView`].
#[derive(Properties, PartialEq)]
pub(crate) struct InputProps {
    pub(crate) input: Input,
    /// Its place in the form; it stands beside what was typed.
    pub(crate) index: usize,
    pub(crate) onedit: Callback<(usize, String)>,
    #[prop_or_default]
    pub(crate) autocomplete: AttrValue,
    /// The focus is here when the form is first drawn.
    #[prop_or_default]
    pub(crate) focus: bool,
    /// Begins its id, which must be another's nowhere on the page: sign-in stands over other forms.
    #[prop_or(AttrValue::Static("field"))]
    pub(crate) within: AttrValue,
}

/// An input of a form.
#[component]
pub(crate) fn InputView(props: &InputProps) -> Html {
    let input = &props.input;
    let id = AttrValue::from(format!("{}-{}", props.within, input.name()));
    let node = use_focus(props.focus);
    let onedit = {
        let (index, onedit) = (props.index, props.onedit.clone());
        Callback::from(move |text: String| onedit.emit((index, text)))
    };
    let is_bad = !input.errors.is_empty();
    let invalid = is_bad.then_some("true");
    let required = input.field.required;
    let described = described_by(&id);
    let line = |kind: &'static str, mode: Option<&'static str>, class: &'static str| {
        html! {
            <input
                ref={node.clone()}
                class={classes!("input", class)}
                id={id.clone()}
                name={input.name().to_owned()}
                type={kind}
                inputmode={mode}
                dir="auto"
                value={if input.widget == Widget::Date && input.text == INCOMPLETE { String::new() } else { input.text.clone() }}
                oninput={onedit.reform(|event: InputEvent| typed(&event.target_unchecked_into()))}
                autocomplete={if props.autocomplete.is_empty() { "off".into() } else { props.autocomplete.clone() }}
                autocapitalize="none"
                aria-describedby={described.clone()}
                aria-invalid={invalid}
                aria-required={required.then_some("true")}
            />
        }
    };
    let area = |class: &'static str| {
        html! {
            <textarea
                ref={node.clone()}
                class={classes!("input", "input-area", class)}
                id={id.clone()}
                name={input.name().to_owned()}
                rows="6"
                dir="auto"
                value={input.text.clone()}
                oninput={onedit.reform(|event: InputEvent| event.target_unchecked_into::<HtmlTextAreaElement>().value())}
                aria-describedby={described.clone()}
                aria-invalid={invalid}
                aria-required={required.then_some("true")}
            />
        }
    };
    let select = |options: Html| {
        html! {
            <select
                ref={node.clone()}
                class="input input-select"
                id={id.clone()}
                name={input.name().to_owned()}
                onchange={onedit.reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value())}
                aria-describedby={described.clone()}
                aria-invalid={invalid}
                aria-required={required.then_some("true")}
            >
                { options }
            </select>
        }
    };
    let option = |value: &str, label: &str| {
        html! { <option value={value.to_owned()} selected={input.text == value}>{ label }</option> }
    };
    let widget = match &input.widget {
        // A line would drop the line breaks of a text that has some.
        Widget::Line if input.text.contains('\n') => area(""),
        Widget::Line => line("text", line_mode(input), ""),
        Widget::Area => area(""),
        Widget::Json => area("input-code"),
        Widget::Integer => line("text", Some("numeric"), "input-number"),
        Widget::Decimal => line("text", Some("decimal"), "input-number"),
        Widget::Date => line("date", None, "input-date"),
        Widget::Datetime => line("text", None, "input-date"),
        Widget::Password | Widget::NewPassword => html! {
            <PasswordInput
                id={id.clone()}
                name={input.name().to_owned()}
                value={input.text.clone()}
                autocomplete={props.autocomplete.clone()}
                described_by={described.clone()}
                invalid={is_bad}
                {onedit}
                node={node.clone()}
            />
        },
        Widget::Toggle if input.field.nullable => select(
            html! { <>{ option("", words::NOT_SAID) }{ option("true", words::YES) }{ option("false", words::NO) }</> },
        ),
        Widget::Toggle => html! {
            <label class="switch">
                <input
                    ref={node.clone()}
                    type="checkbox"
                    id={id.clone()}
                    name={input.name().to_owned()}
                    checked={input.text == "true"}
                    onchange={onedit.reform(|event: Event| event.target_unchecked_into::<HtmlInputElement>().checked().to_string())}
                    aria-describedby={described.clone()}
                    aria-invalid={invalid}
                />
                <span>{ if input.text == "true" { words::YES } else { words::NO } }</span>
            </label>
        },
        Widget::Select(choices) => {
            let is_known = input.text.is_empty() || choices.contains(&input.text);
            select(html! {
                <>
                    { option("", if required { words::CHOOSE } else { words::NOT_SAID }) }
                    if !is_known { { option(&input.text, &input.text) } }
                    { for choices.iter().map(|choice| option(choice, choice)) }
                </>
            })
        }
        Widget::MultiSelect(choices) => html! {
            <div class="checks">{ for choices.iter().enumerate().map(|(i, choice)| {
                let text = toggled(&input.text, choice);
                html! {
                    <label class="check" key={i}>
                        <input
                            type="checkbox"
                            name={input.name().to_owned()}
                            checked={input.text.lines().any(|line| line == choice)}
                            onchange={onedit.reform(move |_: Event| text.clone())}
                        />
                        <bdi>{ choice }</bdi>
                    </label>
                }
            }) }</div>
        },
        Widget::Reference(collection) => html! {
            <ReferenceInput
                id={id.clone()}
                name={input.name().to_owned()}
                value={input.text.clone()}
                collection={collection.clone()}
                described_by={described.clone()}
                invalid={is_bad}
                {onedit}
                node={node.clone()}
            />
        },
    };
    html! {
        <FieldFrame
            id={id.clone()}
            label={input.label.clone()}
            hint={hint(input)}
            errors={input.errors.clone()}
            {required}
            group={matches!(input.widget, Widget::MultiSelect(_))}
        >
            { widget }
        </FieldFrame>
    }
}

/// Stands for a day that the browser cannot read, such as February 31. It is none, so the form says what is wrong.
const INCOMPLETE: &str = "?";

fn typed(input: &HtmlInputElement) -> String {
    if input.validity().bad_input() { INCOMPLETE.to_owned() } else { input.value() }
}

/// What fits. The browser's own date input knows how a day is written.
fn hint(input: &Input) -> String {
    if input.widget == Widget::Date { input.field.help.clone() } else { input.hint() }
}

fn line_mode(input: &Input) -> Option<&'static str> {
    match input.field.kind.word() {
        "email" => Some("email"),
        "url" => Some("url"),
        _ => None,
    }
}

/// The chosen lines with one choice taken in or out.
fn toggled(text: &str, choice: &str) -> String {
    let mut lines: Vec<&str> = text.lines().filter(|line| *line != choice).collect();
    if !text.lines().any(|line| line == choice) {
        lines.push(choice);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_go_in_and_out() {
        assert_eq!(toggled("", "b, c"), "b, c");
        assert_eq!(toggled("a\nb, c", "a"), "b, c");
        assert_eq!(toggled("b, c", "a"), "b, c\na");
        assert_eq!(toggled("a", "a"), "");
    }
}
