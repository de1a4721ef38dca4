//! One field of a collection, as a card that folds up to a line.

use std::rc::Rc;

use common::{
    editor::{FieldDraft, FieldPart, OptionKind, Part, TYPE_HELP},
    name::CollectionName,
    text,
};
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::{
    hooks::use_focus,
    ui::{
        field::{FieldFrame, described_by},
        icon::{Shape, icon},
    },
    words,
};

/// The actions on a whole field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    /// Folds its card up, or unfolds it.
    Fold,
    /// Moves it up.
    Up,
    /// Moves it down.
    Down,
    /// Takes it out.
    Remove,
}

/// Props of [`FieldCard`].
#[derive(Properties, PartialEq)]
pub(crate) struct FieldCardProps {
    pub(crate) id: u32,
    pub(crate) index: usize,
    /// How many fields there are.
    pub(crate) of: usize,
    pub(crate) field: FieldDraft,
    /// What can be said of the values of the records that exist.
    pub(crate) of_values: Vec<FieldPart>,
    pub(crate) open: bool,
    /// The errors, by part.
    pub(crate) errors: Vec<(FieldPart, Vec<String>)>,
    /// The collections that a reference may lead to.
    pub(crate) names: Rc<Vec<CollectionName>>,
    /// The collection's name, as typed so far.
    pub(crate) own_name: String,
    pub(crate) onedit: Callback<(Part, String)>,
    pub(crate) onact: Callback<(usize, Act)>,
}

impl FieldCardProps {
    fn errors(&self, part: FieldPart) -> Vec<String> {
        self.errors.iter().find(|(known, _)| *known == part).map(|(_, errors)| errors.clone()).unwrap_or_default()
    }

    /// A callback that puts a text into a part.
    fn put(&self, part: FieldPart) -> Callback<String> {
        let index = self.index;
        self.onedit.reform(move |text| (Part::Field(index, part), text))
    }

    fn act(&self, act: Act) -> Callback<MouseEvent> {
        let index = self.index;
        self.onact.reform(move |_| (index, act))
    }

    /// One part with its label.
    fn part(&self, part: FieldPart, name_ref: &NodeRef) -> Html {
        let id = format!("field-{}-{}", self.id, part.member());
        let (value, errors, onedit) = (self.field.get(part), self.errors(part), self.put(part));
        let invalid = (!errors.is_empty()).then_some("true");
        if part.is_flag() {
            let hint = part.hint();
            return html! {
                <div class="flag">
                    <label class="check">
                        <input
                            type="checkbox"
                            id={id.clone()}
                            checked={value == "true"}
                            onchange={onedit.reform(|event: Event| event.target_unchecked_into::<HtmlInputElement>().checked().to_string())}
                            aria-describedby={described_by(&id)}
                            aria-invalid={invalid}
                        />
                        <span>{ part.label() }</span>
                    </label>
                    if !hint.is_empty() {
                        <p class="hint" id={format!("{id}-hint")}>{ hint }</p>
                    }
                    <p class="error" id={format!("{id}-error")} aria-live="polite">{ errors.join(" ") }</p>
                </div>
            };
        }
        let line = |class: &'static str, mode: Option<&'static str>, node: NodeRef| {
            html! {
                <input
                    ref={node}
                    id={id.clone()}
                    class={classes!("input", class)}
                    type="text"
                    inputmode={mode}
                    dir="auto"
                    value={value.clone()}
                    oninput={onedit.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value())}
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby={described_by(&id)}
                    aria-invalid={invalid}
                />
            }
        };
        let select = |value: &str, choices: Vec<(String, String)>| {
            html! {
                <select
                    id={id.clone()}
                    class="input input-select"
                    onchange={onedit.reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value())}
                    aria-describedby={described_by(&id)}
                    aria-invalid={invalid}
                >
                    { for choices.into_iter().map(|(word, label)| html! {
                        <option key={word.clone()} value={word.clone()} selected={word == value}>{ label }</option>
                    }) }
                </select>
            }
        };
        let labelled =
            |pairs: &[(&str, &str)]| pairs.iter().map(|(word, help)| ((*word).to_owned(), text::label(help))).collect();
        let widget = match part {
            FieldPart::Name => line("input-code", None, name_ref.clone()),
            FieldPart::Type => select(&value, labelled(&TYPE_HELP)),
            FieldPart::Option(option) => match option.kind {
                OptionKind::Number => line("", Some("numeric"), NodeRef::default()),
                OptionKind::Lines => html! {
                    <textarea
                        id={id.clone()}
                        class="input input-area"
                        rows="4"
                        dir="auto"
                        value={value.clone()}
                        oninput={onedit.reform(|event: InputEvent| event.target_unchecked_into::<HtmlTextAreaElement>().value())}
                        aria-describedby={described_by(&id)}
                        aria-invalid={invalid}
                    />
                },
                OptionKind::Collection => select(&value, self.collections(&value)),
                OptionKind::Words(words) => select(if value.is_empty() { words[0].0 } else { &value }, labelled(words)),
                OptionKind::Text | OptionKind::Flag => line("", None, NodeRef::default()),
            },
            _ => line("", None, NodeRef::default()),
        };
        // How a name is written shows once it is wrong.
        let (is_name, hint) = (part == FieldPart::Name, part.hint());
        html! {
            <FieldFrame id={id.clone()} label={part.label()} hint={if is_name { "" } else { hint }} errors={errors.clone()} required={is_name}>
                { widget }
            </FieldFrame>
        }
    }

    /// The collections that a reference may lead to, with their labels.
    fn collections(&self, value: &str) -> Vec<(String, String)> {
        let mut names: Vec<String> = self.names.iter().map(ToString::to_string).collect();
        for other in [value, &self.own_name] {
            if !other.is_empty() && !names.iter().any(|known| known == other) {
                names.push(other.to_owned());
            }
        }
        let first = (String::new(), words::CHOOSE.to_owned());
        std::iter::once(first).chain(names.into_iter().map(|name| (name.clone(), text::label(&name)))).collect()
    }

    fn body(&self, name_ref: &NodeRef) -> Html {
        let parts = FieldPart::all(&self.field.kind);
        let flags = FieldPart::flags(&self.field.kind);
        let own = parts.len() - flags.len() - 2;
        let draw = |parts: &[FieldPart]| parts.iter().map(|part| self.part(*part, name_ref)).collect::<Html>();
        html! {
            <div class="card-body">
                <div class="columns">{ draw(&parts[..own]) }</div>
                <fieldset class="flags">
                    <legend>{ words::editor::FLAGS }</legend>
                    { draw(flags) }
                </fieldset>
                <div class="columns">{ draw(&[FieldPart::Default, FieldPart::Help]) }</div>
                if !self.of_values.is_empty() {
                    <fieldset class="of-values">
                        <legend>{ words::editor::VALUES }</legend>
                        <p class="hint">{ words::editor::VALUES_HINT }</p>
                        <div class="columns">{ draw(&self.of_values) }</div>
                    </fieldset>
                }
            </div>
        }
    }
}

/// The card.
#[component]
pub(crate) fn FieldCard(props: &FieldCardProps) -> Html {
    let FieldCardProps { id, index, of, field, open, .. } = props;
    // A field that has just been added waits for its name.
    let name_ref = use_focus(field.name.is_empty() && *index > 0);
    let name = field.name.trim();
    let title = if name.is_empty() { words::editor::UNNAMED.to_owned() } else { text::label(name) };
    let kind = TYPE_HELP.iter().find(|(word, _)| *word == field.kind).map_or("", |(_, help)| help);
    let flags =
        FieldPart::flags(&field.kind).iter().filter(|flag| field.get(**flag) == "true").map(|flag| flag.label());
    let body_id = format!("field-{id}");
    let button = |shape, label: &'static str, act, disabled| {
        html! {
            <button
                type="button"
                class="button button-quiet button-icon"
                aria-label={format!("{label}: {title}")}
                title={label}
                {disabled}
                onclick={props.act(act)}
            >{ icon(shape) }</button>
        }
    };
    html! {
        <li class={classes!("card", (!props.errors.is_empty()).then_some("card-bad"))}>
            <div class="card-head">
                <button type="button" class="card-title" aria-expanded={open.to_string()} aria-controls={body_id.clone()} onclick={props.act(Act::Fold)}>
                    <span class={classes!("chevron", open.then_some("chevron-open"))}>{ icon(Shape::Chevron) }</span>
                    <span class="card-name"><bdi>{ &title }</bdi></span>
                    <span class="card-kind">{ kind }</span>
                    { for flags.map(|flag| html! { <span class="tag">{ flag }</span> }) }
                </button>
                <div class="card-acts">
                    { button(Shape::Up, words::editor::UP, Act::Up, *index == 0) }
                    { button(Shape::Down, words::editor::DOWN, Act::Down, index + 1 == *of) }
                    { button(Shape::Trash, words::editor::REMOVE, Act::Remove, false) }
                </div>
            </div>
            <div id={body_id}>
                if *open {
                    { props.body(&name_ref) }
                }
            </div>
        </li>
    }
}
