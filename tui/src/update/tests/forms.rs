//! Forms: what is typed, saved, refused, and in conflict.

use super::*;

#[test]
fn errors_stand_at_the_field_as_one_types() {
    let mut model = two_snacks();
    press(&mut model, "nPopcorn\tx");
    assert_eq!(form(&model).state.form.input("price").unwrap().errors, ["A valid number is required."]);
    assert!(press(&mut model, "^s").is_empty());
    assert_eq!(toast(&model), words::FIX_FIRST);
    assert_eq!(form(&model).state.current().unwrap().name(), "price");
}

#[test]
fn a_new_record_is_written_as_typed_and_the_cursor_lands_on_it() {
    let mut model = two_snacks();
    press(&mut model, "nPopcorn\t3.5\t7");
    let (ticket, body) = save(&mut model);
    assert_eq!((&body["title"], &body["price"], &body["stock"]), (&json!("Popcorn"), &json!("3.50"), &json!(7)));
    let effects = update(&mut model, Message::Saved(ticket, Ok(snack(3, "Popcorn")), None));
    assert_eq!(toast(&model), "Created \"Popcorn\".");
    let [Effect::Records(ticket, ..)] = effects.as_slice() else { panic!("the table is loaded anew") };
    let rows = vec![snack(1, "a"), snack(2, "b"), snack(3, "Popcorn")];
    update(&mut model, Message::Records(*ticket, Ok(page(rows, 3))));
    assert_eq!(records(&model).selected, 2);
}

#[test]
fn an_edit_sends_what_changed_and_the_revision() {
    let mut model = two_snacks();
    press(&mut model, "je!");
    let (_, body) = save(&mut model);
    assert_eq!(body, json!({"title": "Chips!", "revision": 1002}));
}

#[test]
fn what_is_typed_while_a_save_is_under_way_comes_after_it() {
    let mut model = two_snacks();
    press(&mut model, "e!");
    let (ticket, _) = save(&mut model);
    press(&mut model, "nNuts");
    assert_eq!(form(&model).state.form.text("title"), "Popcorn!");
    update(&mut model, Message::Saved(ticket, Ok(snack(1, "Popcorn!")), None));
    assert_eq!(form(&model).state.form.text("title"), "Nuts");
}

#[test]
fn a_refusal_stands_at_its_field_and_the_text_stays() {
    let mut model = two_snacks();
    press(&mut model, "nPopcorn");
    let (ticket, _) = save(&mut model);
    let errors = FieldErrors::of("title", FieldError::new("unique", "Snack with this title already exists."));
    update(&mut model, Message::Saved(ticket, Err(refused(Problem::taken(errors))), None));
    let input = form(&model).state.form.input("title").unwrap();
    assert_eq!((input.text.as_str(), input.errors.len()), ("Popcorn", 1));
}

#[test]
fn a_save_that_nothing_answers_keeps_the_text_and_can_be_tried_again() {
    let mut model = two_snacks();
    press(&mut model, "e!");
    let (ticket, body) = save(&mut model);
    let unreachable = Failure::Call(CallError::Unreachable("it took too long".into()));
    update(&mut model, Message::Saved(ticket, Err(unreachable), None));
    assert!(form(&model).state.form.errors[0].starts_with("The server could not be reached (it took too long)."));
    assert_eq!(toast(&model), "Not saved. Your text is kept; Ctrl-S tries again.");
    assert_eq!(save(&mut model).1, body);
}

#[test]
fn after_a_412_both_versions_are_shown_and_either_can_be_taken() {
    let mut model = two_snacks();
    press(&mut model, "e!");
    let (ticket, _) = save(&mut model);
    let effects = update(&mut model, Message::Saved(ticket, Err(refused(Problem::stale("changed"))), None));
    let [Effect::Fresh(ticket, ..)] = effects.as_slice() else { panic!("their version is read") };
    let mut theirs = snack(1, "Puffs");
    theirs.set("stock", 99);
    theirs.set("revision", 5000);
    update(&mut model, Message::Fresh(*ticket, Ok(theirs)));
    assert_eq!(form(&model).state.form.text("title"), "Popcorn!");
    assert_eq!(form(&model).state.form.text("stock"), "99");
    assert_eq!(form(&model).theirs_here().unwrap(), "Puffs");
    let (_, body) = save(&mut model);
    assert_eq!(body, json!({"title": "Popcorn!", "revision": 5000}));
    model.writing = None;
    press(&mut model, "^t");
    let (_, body) = save(&mut model);
    assert_eq!(body, json!({"revision": 5000}));
}

#[test]
fn a_record_deleted_under_the_form_can_be_saved_as_a_new_one() {
    let mut model = two_snacks();
    press(&mut model, "e!");
    let (ticket, _) = save(&mut model);
    update(&mut model, Message::Saved(ticket, Err(refused(Problem::not_found("gone"))), None));
    assert_eq!(form(&model).notice.as_deref(), Some(words::DELETED_ELSEWHERE));
    let (_, body) = save(&mut model);
    assert_eq!((&body["title"], &body["price"]), (&json!("Popcorn!"), &json!("2.50")));
    assert_eq!(body.get("revision"), None);
}

#[test]
fn unsaved_text_is_asked_about_before_it_is_dropped() {
    let mut model = two_snacks();
    press(&mut model, "e!<");
    assert_eq!(toast(&model), words::UNSAVED_LEAVE);
    press(&mut model, "?<");
    assert_eq!(form(&model).state.form.text("title"), "Popcorn!?");
    press(&mut model, "^c");
    assert!(!model.quit);
    press(&mut model, "<");
    assert_eq!(model.screens.len(), 2);
    press(&mut model, "^c");
    assert!(model.quit);
}

#[test]
fn a_session_that_ends_under_a_form_gives_it_back_after_signing_in() {
    let mut model = two_snacks();
    press(&mut model, "e!");
    let (ticket, _) = save(&mut model);
    press(&mut model, "?");
    let effects = update(&mut model, Message::Saved(ticket, Err(Failure::SignedOut), None));
    assert!(matches!(effects.as_slice(), [Effect::Look(_)]));
    assert_eq!(model.sign_in.as_ref().unwrap().reason.as_deref(), Some(words::ENDED_TEXT_KEPT));
    let effects = press(&mut model, "ada\tsecret\n");
    let [Effect::SignIn(ticket, credentials)] = effects.as_slice() else { panic!() };
    assert_eq!(credentials.username, "ada");
    update(&mut model, Message::SignedIn(*ticket, Ok(ada())));
    assert_eq!(form(&model).state.form.text("title"), "Popcorn!?");
    let (_, body) = save(&mut model);
    assert_eq!(body, json!({"title": "Popcorn!?", "revision": 1001}));
}

#[test]
fn somebody_else_who_signs_in_does_not_see_what_was_open() {
    let mut model = two_snacks();
    press(&mut model, "e!");
    let (ticket, _) = save(&mut model);
    update(&mut model, Message::Saved(ticket, Err(Failure::SignedOut), None));
    let effects = press(&mut model, "eve\tsecret\n");
    let [Effect::SignIn(ticket, _)] = effects.as_slice() else { panic!() };
    update(&mut model, Message::SignedIn(*ticket, Ok(user(78, "eve", true))));
    assert!(matches!(model.screens.as_slice(), [Screen::Collections(_), Screen::Dashboard(_)]), "an admin begins anew");
}

#[test]
fn choices_are_made_with_arrows_space_and_letters() {
    let mut model = two_snacks();
    press(&mut model, "e\t\t\tl");
    assert_eq!(form(&model).state.form.text("size"), "large");
    update(&mut model, Message::Key(crossterm::event::KeyEvent::new(KeyCode::Left, KeyModifiers::NONE)));
    assert_eq!(form(&model).state.form.text("size"), "medium");
    press(&mut model, "\th \t ");
    assert_eq!(form(&model).state.form.text("tags"), "sweet\nhot");
    assert_eq!(form(&model).state.form.text("vegan"), "false");
}

#[test]
fn a_paste_goes_into_the_text_and_runs_nothing() {
    let mut model = two_snacks();
    update(&mut model, Message::Paste("dq".into()));
    assert!(!model.quit && model.writing.is_none());
    press(&mut model, "n");
    update(&mut model, Message::Paste("two\nlines\n".into()));
    assert_eq!(form(&model).state.form.text("title"), "two lines");
}
