//! One field of a collection, as a card that folds up to a line.

use std::rc::Rc;

use common::{
    editor::{FieldDraft, ON_DELETE_HELP, OptionInfo, OptionKind, TYPE_HELP, options},
    name::CollectionName,
    text,
};
use web_sys::{HtmlInputElement, HtmlSelectElement, HtmlTextAreaElement};
use yew::prelude::*;

use crate::{
    hooks::use_focus,
    model::Change,
    ui::{
        field::{FieldFrame, described_by},
        icon::{Shape, icon},
    },
    words,
};

/// What can be done with a whole field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
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
pub struct FieldCardProps {
    pub id: u32,
    pub index: usize,
    /// How many fields there are.
    pub of: usize,
    pub field: FieldDraft,
    pub open: bool,
    /// What is wrong, by member.
    pub errors: Vec<(String, String)>,
    /// The collections that a reference may lead to.
    pub names: Rc<Vec<CollectionName>>,
    /// What this collection is called so far.
    pub own_name: String,
    pub onedit: Callback<(usize, Change<FieldDraft>)>,
    pub onact: Callback<(usize, Act)>,
}

impl FieldCardProps {
    fn error(&self, member: &str) -> Vec<String> {
        self.errors.iter().filter(|(known, _)| known == member).map(|(_, message)| message.clone()).collect()
    }

    fn input_id(&self, member: &str) -> String {
        format!("field-{}-{member}", self.id)
    }

    /// A callback that puts a text into the field.
    fn put(&self, set: impl Fn(&mut FieldDraft, String) + Clone + 'static) -> Callback<String> {
        let (index, onedit) = (self.index, self.onedit.clone());
        Callback::from(move |text: String| {
            let set = set.clone();
            onedit.emit((index, Box::new(move |field| set(field, text))));
        })
    }

    fn act(&self, act: Act) -> Callback<MouseEvent> {
        let index = self.index;
        self.onact.reform(move |_| (index, act))
    }

    /// A labelled line of text.
    fn line(
        &self,
        member: &str,
        label: &str,
        hint: &'static str,
        value: &str,
        onedit: &Callback<String>,
        mode: Option<&'static str>,
    ) -> Html {
        let id = self.input_id(member);
        let errors = self.error(member);
        html! {
            <FieldFrame id={id.clone()} label={label.to_owned()} {hint} errors={errors.clone()}>
                <input
                    id={id.clone()}
                    class="input"
                    type="text"
                    inputmode={mode}
                    dir="auto"
                    value={value.to_owned()}
                    oninput={onedit.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value())}
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    aria-describedby={described_by(&id)}
                    aria-invalid={(!errors.is_empty()).then_some("true")}
                />
            </FieldFrame>
        }
    }

    /// A labelled choice; the first of each pair is the value.
    fn select(
        &self,
        member: &str,
        label: &str,
        value: &str,
        choices: Vec<(String, String)>,
        onedit: &Callback<String>,
    ) -> Html {
        let id = self.input_id(member);
        let errors = self.error(member);
        html! {
            <FieldFrame id={id.clone()} label={label.to_owned()} errors={errors.clone()}>
                <select
                    id={id.clone()}
                    class="input input-select"
                    onchange={onedit.reform(|event: Event| event.target_unchecked_into::<HtmlSelectElement>().value())}
                    aria-describedby={described_by(&id)}
                    aria-invalid={(!errors.is_empty()).then_some("true")}
                >
                    { for choices.into_iter().map(|(word, label)| html! {
                        <option key={word.clone()} value={word.clone()} selected={word == value}>{ label }</option>
                    }) }
                </select>
            </FieldFrame>
        }
    }

    fn option(&self, (member, label, kind): &OptionInfo) -> Html {
        let member = *member;
        let value = self.field.option(member);
        let put = self.put(move |field, text| field.set_option(member, text));
        match kind {
            OptionKind::Number => self.line(member, label, "", value, &put, Some("numeric")),
            OptionKind::Text => self.line(member, label, "", value, &put, None),
            OptionKind::Flag => self.flag(member, label, "", value == "true", &put),
            OptionKind::Lines => {
                let id = self.input_id(member);
                let errors = self.error(member);
                html! {
                    <FieldFrame id={id.clone()} label={(*label).to_owned()} errors={errors.clone()}>
                        <textarea
                            id={id.clone()}
                            class="input input-area"
                            rows="4"
                            dir="auto"
                            value={value.to_owned()}
                            oninput={put.reform(|event: InputEvent| event.target_unchecked_into::<HtmlTextAreaElement>().value())}
                            aria-describedby={described_by(&id)}
                            aria-invalid={(!errors.is_empty()).then_some("true")}
                        />
                    </FieldFrame>
                }
            }
            OptionKind::Collection => {
                let mut names: Vec<String> = self.names.iter().map(ToString::to_string).collect();
                for other in [value, &self.own_name] {
                    if !other.is_empty() && !names.iter().any(|known| known == other) {
                        names.push(other.to_owned());
                    }
                }
                let first = (String::new(), words::CHOOSE.to_owned());
                let choices = names.into_iter().map(|name| (name.clone(), text::label(&name)));
                self.select(member, label, value, std::iter::once(first).chain(choices).collect(), &put)
            }
            OptionKind::OnDelete => {
                let value = if value.is_empty() { ON_DELETE_HELP[0].0 } else { value };
                let choices = ON_DELETE_HELP.map(|(word, help)| (word.to_owned(), text::label(help)));
                self.select(member, label, value, choices.to_vec(), &put)
            }
        }
    }

    /// A labelled tick; the callback gets `true` or nothing.
    fn flag(&self, member: &str, label: &str, help: &'static str, is_set: bool, onedit: &Callback<String>) -> Html {
        let errors = self.error(member);
        let id = self.input_id(member);
        html! {
            <div class="flag">
                <label class="check">
                    <input
                        type="checkbox"
                        id={id.clone()}
                        checked={is_set}
                        onchange={onedit.reform(|event: Event| {
                            let is_set = event.target_unchecked_into::<HtmlInputElement>().checked();
                            if is_set { "true".to_owned() } else { String::new() }
                        })}
                        aria-describedby={described_by(&id)}
                        aria-invalid={(!errors.is_empty()).then_some("true")}
                    />
                    <span>{ label }</span>
                </label>
                if !help.is_empty() {
                    <p class="hint" id={format!("{id}-hint")}>{ help }</p>
                }
                <p class="error" id={format!("{id}-error")} aria-live="polite">{ errors.join(" ") }</p>
            </div>
        }
    }

    fn body(&self, name_ref: NodeRef) -> Html {
        let field = &self.field;
        let name_id = self.input_id("name");
        let name_errors = self.error("name");
        let set_name = self.put(|field, text| field.name = text);
        let kinds = TYPE_HELP.map(|(word, help)| (word.to_owned(), help.to_owned())).to_vec();
        let [required, nullable, unique, indexed] = words::editor::FLAGS_HELP;
        html! {
            <div class="card-body">
                <div class="columns">
                    <FieldFrame id={name_id.clone()} label={words::editor::FIELD_NAME} errors={name_errors.clone()} required=true>
                        <input
                            ref={name_ref}
                            id={name_id.clone()}
                            class="input input-code"
                            type="text"
                            value={field.name.clone()}
                            oninput={set_name.reform(|event: InputEvent| event.target_unchecked_into::<HtmlInputElement>().value())}
                            autocomplete="off"
                            autocapitalize="none"
                            spellcheck="false"
                            aria-describedby={described_by(&name_id)}
                            aria-invalid={(!name_errors.is_empty()).then_some("true")}
                        />
                    </FieldFrame>
                    { self.select("type", words::editor::FIELD_TYPE, &field.kind, kinds, &self.put(|field, text| field.kind = text)) }
                    { for options(&field.kind).iter().map(|option| self.option(option)) }
                </div>
                <fieldset class="flags">
                    <legend>{ words::editor::FLAGS }</legend>
                    { self.flag("required", required.0, required.1, field.required, &self.put(|field, text| field.required = !text.is_empty())) }
                    { self.flag("nullable", nullable.0, nullable.1, field.nullable, &self.put(|field, text| field.nullable = !text.is_empty())) }
                    { self.flag("unique", unique.0, unique.1, field.unique, &self.put(|field, text| field.unique = !text.is_empty())) }
                    { self.flag("indexed", indexed.0, indexed.1, field.indexed, &self.put(|field, text| field.indexed = !text.is_empty())) }
                </fieldset>
                <div class="columns">
                    { self.line("default", words::editor::DEFAULT, words::editor::DEFAULT_HINT, &field.default, &self.put(|field, text| field.default = text), None) }
                    { self.line("help", words::editor::HELP, words::editor::HELP_HINT, &field.help, &self.put(|field, text| field.help = text), None) }
                </div>
            </div>
        }
    }
}

/// The card.
#[component]
pub fn FieldCard(props: &FieldCardProps) -> Html {
    let FieldCardProps { id, index, of, field, open, .. } = props;
    // A field that has just been added waits for its name.
    let name_ref = use_focus(field.name.is_empty() && *index > 0);
    let name = field.name.trim();
    let title = if name.is_empty() { words::editor::UNNAMED.to_owned() } else { text::label(name) };
    let kind = TYPE_HELP.iter().find(|(word, _)| *word == field.kind).map_or("", |(_, help)| help);
    let said = [(field.required, 0), (field.nullable, 1), (field.unique, 2), (field.indexed, 3)];
    let flags = said.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| words::editor::FLAGS_HELP[*flag].0);
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
                    { props.body(name_ref) }
                }
            </div>
        </li>
    }
}
