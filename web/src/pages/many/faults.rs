//! What is wrong with rows of a file.

use common::{import::Import, text::thousands};
use yew::prelude::*;

use crate::words::{self as all_words, many as words};

/// The faults, by row.
pub(super) fn faults(import: &Import) -> Html {
    if import.faults.is_empty() {
        return Html::default();
    }
    let rows = import.faults.iter().enumerate().map(|(i, fault)| {
        let field = words::fault_field(fault, all_words::NOT_SAID);
        html! {
            <tr key={i}><th scope="row">{ thousands(fault.row) }</th><td><bdi>{ field }</bdi></td><td dir="auto">{ &fault.message }</td></tr>
        }
    });
    html! {
        <section class="faults" aria-labelledby="faults-title">
            <h2 id="faults-title">{ words::FAULTS }</h2>
            <table>
                <thead><tr><th scope="col">{ words::ROW }</th><th scope="col">{ words::FIELD }</th><th scope="col">{ words::REASON }</th></tr></thead>
                <tbody>{ for rows }</tbody>
            </table>
            if import.rejected > import.faults.len() as u64 {
                <p class="hint">{ words::MORE_FAULTS }</p>
            }
        </section>
    }
}
