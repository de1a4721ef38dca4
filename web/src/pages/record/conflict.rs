//! Two people at one record: what the other did, and the ways out of it.

use common::conflict::Conflict;
use yew::prelude::*;

use crate::words;

/// Says what has happened and offers the ways out: saving mine, taking theirs, saving as a new record.
pub(crate) fn conflict_notice(conflict: &Conflict, busy: bool, [onmine, ontheirs, onnew]: [&Callback<()>; 3]) -> Html {
    let press = |callback: &Callback<()>| callback.reform(|_: MouseEvent| ());
    let changed = match conflict {
        Conflict::Deleted => {
            return html! {
                <div class="notice notice-warn conflict" role="alert">
                    <p class="notice-title">{ words::record::GONE_TITLE }</p>
                    <p>{ words::record::GONE }</p>
                    <div class="notice-actions">
                        <button type="button" class="button button-primary" disabled={busy} onclick={press(onnew)}>{ words::record::SAVE_AS_NEW }</button>
                    </div>
                </div>
            };
        }
        Conflict::Changed(changed) => changed,
    };
    let conflicts = conflict.has_conflicting_input();
    let say = |text: &str| if text.is_empty() { words::record::NOTHING.to_owned() } else { text.to_owned() };
    let rows = changed.iter().map(|field| {
        html! {
            <li key={field.label.clone()}>
                <strong><bdi>{ &field.label }</bdi></strong>{ ": " }<bdi>{ say(&field.now) }</bdi>
                <span class="was">{ " " }{ words::record::WAS }{ " " }<bdi>{ say(&field.before) }</bdi></span>
                if field.theirs.is_some() {
                    <span class="tag tag-warn">{ words::record::YOURS_TOO }</span>
                }
            </li>
        }
    });
    html! {
        <div class="notice notice-warn conflict" role="alert">
            <p class="notice-title">{ words::record::STALE_TITLE }</p>
            <ul>{ for rows }</ul>
            <p>{ if conflicts { words::record::STALE_CONFLICT } else { words::record::STALE_MERGED } }</p>
            <div class="notice-actions">
                <button type="button" class="button button-primary" disabled={busy} onclick={press(onmine)}>
                    { if conflicts { words::record::MINE } else { words::record::SAVE_AGAIN } }
                </button>
                <button type="button" class="button" disabled={busy} onclick={press(ontheirs)}>{ words::record::THEIRS }</button>
            </div>
        </div>
    }
}
