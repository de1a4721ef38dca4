//! A form of `common` that is being filled in: what is typed is checked at once, sent once, and what is refused stands at
//! its input. All forms that send one body go through here; a record's form, which knows versions, sees to itself.

use common::{CallError, form::Form, reader::Body};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

use crate::{
    client::Sent,
    drafts::use_draft,
    hooks::{use_frame, use_unsent},
    model::{Changes, Model, use_model},
    route::Place,
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
pub struct Filling {
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
pub fn use_filling(begin: impl FnOnce() -> Form) -> Filling {
    let model = use_model(begin);
    let stage = use_state(|| Stage::Typing);
    let is_kept = use_state(|| false);
    let frame = use_frame();
    let is_signed_in = matches!(frame.session.phase, Phase::SignedIn(_));
    Filling { model, stage, is_kept, is_signed_in, note: Callback::noop() }
}

/// The same, and what was typed comes back when the page was left without sending it.
#[hook]
pub fn use_kept_filling(begin: impl FnOnce() -> Form) -> Filling {
    let (left, note) = use_draft::<Form>();
    let was_left = left.is_some();
    let mut filling = use_filling(|| left.unwrap_or_else(begin));
    filling.is_kept = use_state(|| was_left);
    let is_unsent = filling.form().is_changed() && *filling.stage != Stage::Done;
    use_unsent(is_unsent);
    note.emit(is_unsent.then(|| filling.form().clone()));
    filling.note = note;
    filling
}

impl Filling {
    /// The form as it stands.
    pub fn form(&self) -> &Form {
        &self.model.0
    }

    /// It is being sent, or was.
    pub fn is_busy(&self) -> bool {
        *self.stage != Stage::Typing
    }

    /// Takes what is typed into an input.
    pub fn onedit(&self) -> Callback<(usize, String)> {
        let changes = Changes::of(&self.model);
        Callback::from(move |(index, text): (usize, String)| changes.apply(move |form| form.set(index, text)))
    }

    /// Checks the form and sends it. Where that goes well, `send` sees to what comes next.
    pub fn onsubmit<B: Body + 'static>(&self, send: impl Fn(B) -> Sent + 'static) -> Callback<SubmitEvent> {
        self.on_submit_of(Box::new(move |form| form.submit_as().map(&send)))
    }

    // Once for all bodies, or each would bring its own copy into the app.
    fn on_submit_of(&self, send: Box<SendForm>) -> Callback<SubmitEvent> {
        let filling = self.clone();
        Callback::from(move |event: SubmitEvent| {
            event.prevent_default();
            if filling.is_busy() {
                return;
            }
            let mut next = filling.form().clone();
            let answer = send(&mut next);
            Changes::of(&filling.model).apply(move |form| *form = next);
            let Some(answer) = answer else { return focus_first_error() };
            filling.stage.set(Stage::Sending);
            let filling = filling.clone();
            spawn_local(async move { filling.take(answer.await) });
        })
    }

    fn take(&self, outcome: Result<(), CallError>) {
        let Err(error) = outcome else { return self.finish() };
        self.stage.set(Stage::Typing);
        // Sign-in stands over the page by now; when that is done, nothing is wrong with the form.
        if self.is_signed_in && error.status() == 401 {
            return;
        }
        Changes::of(&self.model).apply(move |form| refuse(form, &error));
        focus_first_error();
    }

    /// The page is left on purpose: nothing is kept, and the window may be closed without a question.
    fn finish(&self) {
        self.stage.set(Stage::Done);
        self.note.emit(None);
    }
}

/// Puts an error where it belongs in a form.
pub fn refuse(form: &mut Form, error: &CallError) {
    match error.problem() {
        Some(problem) => form.refuse(problem),
        None => form.errors = vec![error.to_string()],
    }
}

/// Props of [`FormView`].
#[derive(Properties, PartialEq)]
pub struct FormViewProps {
    pub filling: Filling,
    pub onsubmit: Callback<SubmitEvent>,
    /// What sending it is called.
    pub submit: &'static str,
    /// Where cancelling leads.
    pub back: Place,
    /// The form as it begins, for who discards what they had left.
    pub fresh: Form,
    /// The focus is in the first input when the form is first drawn; what can be read first needs no focus.
    #[prop_or(true)]
    pub focus: bool,
    /// What belongs into the form and is no input of it.
    #[prop_or_default]
    pub children: Html,
}

/// The form of a page.
#[component]
pub fn FormView(props: &FormViewProps) -> Html {
    let filling = &props.filling;
    let onedit = filling.onedit();
    let inputs = filling.form().inputs.iter().enumerate().map(|(index, input)| {
        let autocomplete = match input.name() {
            "current_password" => "current-password",
            "password" | "new_password" => "new-password",
            _ => "off",
        };
        html! {
            <InputView key={index} input={input.clone()} {index} onedit={onedit.clone()} {autocomplete} focus={props.focus && index == 0} />
        }
    });
    let ondiscard = {
        let (changes, is_kept, fresh) = (Changes::of(&filling.model), filling.is_kept.clone(), props.fresh.clone());
        move |_: MouseEvent| {
            let fresh = fresh.clone();
            changes.apply(move |form| *form = fresh);
            is_kept.set(false);
        }
    };
    let onleave = {
        let filling = filling.clone();
        Callback::from(move |()| filling.finish())
    };
    let (to, query) = props.back.clone();
    html! {
        <form class="form" onsubmit={props.onsubmit.clone()} onkeydown={Callback::from(send_on_ctrl_s)} novalidate=true>
            if *filling.is_kept {
                { kept(Callback::from(ondiscard)) }
            }
            { form_errors(&filling.form().errors) }
            { props.children.clone() }
            { for inputs }
            <div class="form-actions">
                { submit(props.submit, filling.is_busy(), "") }
                <Link {to} {query} class="button button-quiet" {onleave}>{ words::CANCEL }</Link>
            </div>
        </form>
    }
}
