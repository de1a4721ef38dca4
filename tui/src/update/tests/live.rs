//! What others change: it is shown without a key, and meets nobody who types.

use common::{
    event::news::{Changed, News},
    id::{RecordId, UserId},
};

use super::*;
use crate::{
    message::{Away, Live},
    screen::Records,
};

fn record_id(number: u32) -> RecordId {
    id(number).parse().unwrap()
}

/// Bob changed these snacks, and deleted those.
fn news(changed: &[u32], gone: &[u32]) -> Message {
    news_by(Some(id(5).parse().unwrap()), changed, gone)
}

fn news_by(by: Option<UserId>, changed: &[u32], gone: &[u32]) -> Message {
    let all = changed.iter().chain(gone);
    let changed = Changed {
        records: all.clone().map(|number| (record_id(*number), by)).collect(),
        gone: gone.iter().map(|number| record_id(*number)).collect(),
        count: all.count() as u64,
        is_redefined: false,
    };
    let collections = [("snacks".parse().unwrap(), changed)].into();
    Message::Live(Live::News(News { collections, is_reset: false }))
}

fn ticket(effects: &[Effect]) -> Ticket {
    match effects {
        [Effect::Records(ticket, ..) | Effect::Changed(ticket, ..) | Effect::Collections(ticket)] => *ticket,
        _ => panic!("one thing is read"),
    }
}

fn show(model: &mut Model, effects: &[Effect], rows: &[(u32, &str)]) -> Vec<Effect> {
    let rows = rows.iter().map(|(number, title)| snack(*number, title)).collect::<Vec<_>>();
    let count = rows.len() as u64;
    update(model, Message::Records(ticket(effects), Ok(page(rows, count))))
}

fn marked(table: &Records) -> Vec<RecordId> {
    table.marked.keys().copied().collect()
}

fn under_cursor(model: &Model) -> RecordId {
    records(model).current().unwrap().id().unwrap()
}

#[test]
fn rows_change_by_themselves_with_a_mark_that_goes_again() {
    let mut model = two_snacks();
    press(&mut model, "j");
    let effects = update(&mut model, news(&[1], &[]));
    assert!(!model.is_busy(), "nothing turns");
    show(&mut model, &effects, &[(3, "Almonds"), (1, "Popped corn"), (2, "Chips")]);
    assert_eq!(under_cursor(&model), record_id(2), "the cursor stays on its record");
    assert_eq!((marked(records(&model)), records(&model).changes), (vec![record_id(1)], 1));
    for _ in 0..100 {
        update(&mut model, Message::Tick);
    }
    assert_eq!((marked(records(&model)), records(&model).changes, model.animates()), (vec![], 0, false));
}

#[test]
fn ones_own_changes_get_no_mark_but_are_shown() {
    let mut model = two_snacks();
    let effects = update(&mut model, news_by(Some(ada().id), &[1], &[]));
    show(&mut model, &effects, &[(1, "Popped corn"), (2, "Chips")]);
    assert_eq!((marked(records(&model)), records(&model).changes), (vec![], 0));
    assert_eq!(records(&model).rows.as_ref().unwrap()[0], snack(1, "Popped corn"));
}

#[test]
fn the_row_under_the_cursor_stays_until_the_cursor_leaves_it() {
    let mut model = two_snacks();
    let effects = update(&mut model, news(&[], &[1]));
    show(&mut model, &effects, &[(2, "Chips"), (4, "Dates")]);
    assert_eq!(under_cursor(&model), record_id(1), "no key meets another record than the one that was seen");
    assert_eq!(records(&model).left_over, Some(record_id(1)));
    // It is deleted already, which is what the server says.
    let effects = update(&mut model, news(&[4], &[]));
    show(&mut model, &effects, &[(2, "Chips"), (4, "Dried dates")]);
    assert_eq!((under_cursor(&model), records(&model).rows.as_ref().unwrap().len()), (record_id(1), 3));
    press(&mut model, "j");
    assert_eq!((under_cursor(&model), records(&model).rows.as_ref().unwrap().len()), (record_id(2), 2));
    assert_eq!((records(&model).selected, records(&model).left_over), (0, None));
}

#[test]
fn nothing_is_lost_that_comes_while_rows_are_read_or_a_filter_is_typed() {
    let mut model = two_snacks();
    let first = update(&mut model, news(&[1], &[]));
    assert!(update(&mut model, news(&[2], &[])).is_empty(), "one question at a time");
    let second = show(&mut model, &first, &[(1, "Popped corn"), (2, "Chips")]);
    assert!(show(&mut model, &second, &[(1, "Popped corn"), (2, "Crisps")]).is_empty());
    press(&mut model, "/po");
    assert!(update(&mut model, news(&[1], &[])).is_empty(), "who types a filter is left alone");
    let closed = press(&mut model, "<");
    assert!(matches!(closed.as_slice(), [Effect::Records(..)]), "and sees it then");
}

#[test]
fn a_server_that_does_not_answer_leaves_the_rows() {
    let mut model = two_snacks();
    let effects = update(&mut model, news(&[1], &[]));
    let away = Failure::Call(CallError::Unreachable("no answer".into()));
    update(&mut model, Message::Records(ticket(&effects), Err(away.clone())));
    assert_eq!((records(&model).load.error.as_ref(), records(&model).rows.as_ref().unwrap().len()), (None, 2));
    update(&mut model, Message::Live(Live::Away(Some(Away::Failed(away)))));
    let lines = crate::status::lines(&model, 80);
    assert!(lines[0].0.contains("out of reach"), "{lines:?}");
    update(&mut model, Message::Live(Live::Away(Some(Away::KeptBack))));
    let lines = crate::status::lines(&model, 80);
    assert!(
        lines[0].0.starts_with("Changes come late or not at all: a proxy on the way seems to keep them back."),
        "{lines:?}"
    );
    update(&mut model, Message::Live(Live::Away(None)));
    assert_eq!(crate::status::lines(&model, 80).len(), 1);
}

#[test]
fn counts_change_with_what_they_count() {
    let mut model = fixture::signed_in(ada(), vec![snacks()], (80, 24));
    let effects = update(&mut model, news(&[1], &[]));
    let counted = common::collection::Collection { count: Some(10_413), ..snacks() };
    update(&mut model, Message::Collections(ticket(&effects), Ok(vec![counted])));
    let Screen::Collections(list) = &model.screens[0] else { panic!("the list") };
    assert_eq!(list.rows.as_ref().unwrap()[0].count, Some(10_413));
}

#[test]
fn who_edits_a_record_is_told_who_changed_what_and_nothing_moves() {
    let mut model = two_snacks();
    press(&mut model, "e");
    press(&mut model, "!");
    let effects = update(&mut model, news(&[1], &[]));
    let mut theirs = snack(1, "Popcorn");
    theirs.set("price", "3.10");
    theirs.set("revision", 2000);
    update(&mut model, Message::Changed(ticket(&effects), Ok(theirs.clone()), Some("bob".into())));
    assert_eq!(form(&model).state.form.text("title"), "Popcorn!", "what was typed stands");
    assert_eq!(form(&model).notice, None, "the inputs stay where they are");
    let told = "bob changed Price meanwhile. Ctrl-S brings both together.";
    assert_eq!(form(&model).newer_notice.as_deref(), Some(told));
    assert_eq!(crate::status::lines(&model, 80)[0].0, told);
    // News of the version that is edited by now is none.
    let effects = update(&mut model, news(&[1], &[]));
    let Screen::Form(edited) = model.top() else { panic!("the form") };
    edited.merge(theirs.clone());
    update(&mut model, Message::Changed(ticket(&effects), Ok(theirs), None));
    assert_eq!(form(&model).newer_notice, None);
}

#[test]
fn who_reads_a_record_sees_it_change() {
    let mut model = two_snacks();
    let effects = press(&mut model, "\n");
    let [Effect::Record(first, ..)] = effects.as_slice() else { panic!("the record is read") };
    update(&mut model, Message::Record(*first, Ok(snack(1, "Popcorn"))));
    let effects = update(&mut model, news(&[1], &[]));
    let mut theirs = snack(1, "Popped corn");
    theirs.set("revision", 2000);
    update(&mut model, Message::Changed(ticket(&effects), Ok(theirs.clone()), None));
    let Some(Screen::Record(detail)) = model.screens.last() else { panic!("the record") };
    assert_eq!(detail.record, theirs);
    assert_eq!(detail.notice.as_deref(), Some("Somebody else changed this record just now."));
}
