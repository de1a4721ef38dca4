//! A form of `common` that is being filled in: what is typed is checked at once, sent once, and what is refused stands at
//! its input. All forms that send one body go through here; a record's form, which knows versions, sees to itself.

use common::{
    CallError,
    form::{Form, Widget},
    reader::Body,
};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    client::Sent,
    drafts::use_draft,
    hooks::{use_frame, use_min_password_length, use_unsent},
    model::{Changes, Model, use_model},
    route::Location,
    session::Phase,
    ui::{
        field::InputView,
        form::{focus_first_error, form_errors, kept, send_on_ctrl_s, submit},
        link::Link,
    },
    words,
};

/// A form and how far it is.
#[derive(Clone, PartialEq)]
pub(crate) struct FormState {
    model: UseReducerHandle<Model<Form>>,
    stage: UseStateHandle<Stage>,
    /// It was left unsent, and came back.
    is_kept: UseStateHandle<bool>,
    is_signed_in: bool,
    /// Takes note of what is to come back.
    note: Callback<Option<Form>>,
}

/// Sends what stands in a form, where all is well with it.
type SendForm = dyn Fn(&mut Form) -> Option<Sent>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Typing,
    Sending,
    /// The page is about to be left, and what stands in the form is of no more use.
    Done,
}

/// A form that begins like this.
#[hook]
pub(crate) fn use_form(begin: impl FnOnce() -> Form) -> FormState {
    let model = use_model(begin);
    let stage = use_state(|| Stage::Typing);
    let is_kept = use_state(|| false);
    let frame = use_frame();
    let is_signed_in = matches!(frame.session.phase, Phase::SignedIn(_));
    FormState { model, stage, is_kept, is_signed_in, note: Callback::noop() }
}

/// The same, and what was typed comes back when the page was left without sending it.
#[hook]
pub(crate) fn use_kept_form(begin: impl FnOnce() -> Form) -> FormState {
    let (left, note) = use_draft::<Form>();
    let was_left = left.is_some();
    let mut state = use_form(|| left.unwrap_or_else(begin));
    state.is_kept = use_state(|| was_left);
    let is_unsent = state.form().is_changed() && *state.stage != Stage::Done;
    use_unsent(is_unsent);
    note.emit(is_unsent.then(|| state.form().clone()));
    state.note = note;
    state
}

impl FormState {
    /// The form as it stands.
    pub(crate) fn form(&self) -> &Form {
        &self.model.0
    }

    /// It is being sent, or was.
    pub(crate) fn is_busy(&self) -> bool {
        *self.stage != Stage::Typing
    }

    /// Takes what is typed into an input.
    pub(crate) fn onedit(&self) -> Callback<(usize, String)> {
        let changes = Changes::of(&self.model);
        Callback::from(move |(index, text): (usize, String)| changes.apply(move |form| form.set(index, text)))
    }

    /// Checks the form and sends it. Where that goes well, `send` sees to what comes next.
    pub(crate) fn onsubmit<B: Body + 'static>(&self, send: impl Fn(B) -> Sent + 'static) -> Callback<SubmitEvent> {
        self.on_submit_of(Box::new(move |form| form.submit_as().map(&send)))
    }

    // Once for all bodies, or each would bring its own copy into the app.
    fn on_submit_of(&self, send: Box<SendForm>) -> Callback<SubmitEvent> {
        let state = self.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if state.is_busy() {
                return;
            }
            let mut next = state.form().clone();
            let answer = send(&mut next);
            Changes::of(&state.model).apply(move |form| *form = next);
            let Some(answer) = answer else { return focus_first_error() };
            state.stage.set(Stage::Sending);
            let state = state.clone();
            spawn_local(async move { state.take(answer.await) });
        })
    }

    fn take(&self, outcome: Result<(), CallError>) {
        let Err(error) = outcome else { return self.finish() };
        self.stage.set(Stage::Typing);
        // Sign-in stands over the page by now; when that is done, nothing is wrong with the form.
        if self.is_signed_in && error.status() == 401 {
            return;
        }
        Changes::of(&self.model).apply(move |form| form.refuse_call(&error));
        focus_first_error();
    }

    /// The page is left on purpose: nothing is kept, and the window may be closed without a question.
    fn finish(&self) {
        self.stage.set(Stage::Done);
        self.note.emit(None);
    }
}

/// Props of [`FormView`].
#[derive(Properties, PartialEq)]
pub(crate) struct FormViewProps {
    pub(crate) state: FormState,
    pub(crate) onsubmit: Callback<SubmitEvent>,
    /// The label of the button that sends the form.
    pub(crate) submit: &'static str,
    /// Where cancelling leads.
    pub(crate) back: Location,
    /// The form as it begins, for who discards what they had left.
    pub(crate) fresh: Form,
    /// The focus is in the first input when the form is first drawn; what can be read first needs no focus.
    #[prop_or(true)]
    pub(crate) focus: bool,
    /// Further content of the form, beside its inputs.
    #[prop_or_default]
    pub(crate) children: Html,
}

/// The form of a page.
#[component]
pub(crate) fn FormView(props: &FormViewProps) -> Html {
    let state = &props.state;
    let onedit = state.onedit();
    let min_password_length = use_min_password_length();
    let inputs = state.form().inputs.iter().cloned().enumerate().map(|(index, mut input)| {
        let autocomplete = match input.widget {
            Widget::Password => "current-password",
            Widget::NewPassword => "new-password",
            _ => "off",
        };
        if let Some(length) = min_password_length {
            input.set_min_password_length(length);
        }
        html! {
            <InputView key={index} {input} {index} onedit={onedit.clone()} {autocomplete} focus={props.focus && index == 0} />
        }
    });
    let ondiscard = {
        let (changes, is_kept, fresh) = (Changes::of(&state.model), state.is_kept.clone(), props.fresh.clone());
        move |_: MouseEvent| {
            let fresh = fresh.clone();
            changes.apply(move |form| *form = fresh);
            is_kept.set(false);
        }
    };
    let onleave = {
        let state = state.clone();
        Callback::from(move |()| state.finish())
    };
    let (to, query) = props.back.clone();
    html! {
        <form class="form" onsubmit={props.onsubmit.clone()} onkeydown={Callback::from(send_on_ctrl_s)} novalidate=true>
            if *state.is_kept {
                { kept(Callback::from(ondiscard)) }
            }
            { form_errors(&state.form().errors) }
            { props.children.clone() }
            { for inputs }
            <div class="form-actions">
                { submit(props.submit, state.is_busy(), "") }
                <Link {to} {query} class="button button-quiet" {onleave}>{ words::CANCEL }</Link>
            </div>
        </form>
    }
}
