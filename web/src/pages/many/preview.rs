//! The first rows of a file as a table, each column with the field that it goes into, which can be changed.

use common::{
    collection::Collection,
    import::ColumnAs,
    text::{label, single_line},
};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::words::many as words;

/// Rows that are shown.
const ROWS: usize = 8;

/// The first rows of text with cells, the headings before them.
pub(super) fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut cell) = (Vec::new(), Vec::new(), String::new());
    let (mut is_quoted, mut chars) = (false, text.trim_start_matches('\u{feff}').chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' if is_quoted || cell.is_empty() => is_quoted = !is_quoted,
            c if c == delimiter && !is_quoted => row.push(std::mem::take(&mut cell)),
            '\r' if !is_quoted && chars.peek() == Some(&'\n') => {}
            '\n' | '\r' if !is_quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
                if rows.len() > ROWS {
                    return rows;
                }
            }
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

#[derive(Properties, PartialEq)]
pub(super) struct PreviewProps {
    pub(super) collection: std::rc::Rc<Collection>,
    pub(super) columns: Vec<ColumnAs>,
    /// The rows under the headings.
    pub(super) rows: Vec<Vec<String>>,
    /// A heading goes into another field, or nowhere.
    pub(super) onmap: Callback<(String, Option<String>)>,
}

/// The table.
#[component]
pub(super) fn Preview(props: &PreviewProps) -> Html {
    let PreviewProps { collection, columns, rows, onmap } = props;
    let heads = columns.iter().enumerate().map(|(i, column)| {
        let onchange = {
            let (heading, onmap) = (column.heading.clone(), onmap.clone());
            move |event: Event| {
                let chosen = event.target_unchecked_into::<HtmlSelectElement>().value();
                onmap.emit((heading.clone(), Some(chosen).filter(|chosen| !chosen.is_empty())));
            }
        };
        let member = column.member.as_deref().unwrap_or_default();
        let is_field = member.is_empty() || collection.field(member).is_some();
        html! {
            <th key={i} scope="col">
                <span class="preview-heading"><bdi>{ single_line(&column.heading).into_owned() }</bdi></span>
                <select class="input input-select input-small" aria-label={column.heading.clone()} {onchange}>
                    <option value="" selected={member.is_empty()}>{ words::LEFT_OUT }</option>
                    if !is_field {
                        <option value={member.to_owned()} selected=true>{ member.to_owned() }</option>
                    }
                    { for collection.fields.iter().map(|field| {
                        let name = field.name.as_str();
                        html! { <option key={name.to_owned()} value={name.to_owned()} selected={name == member}>{ label(name) }</option> }
                    }) }
                </select>
                <span class="preview-kind">{ collection.field(member).map(|field| field.kind.word()) }</span>
            </th>
        }
    });
    html! {
        <div class="table-frame preview" tabindex="0" role="region" aria-label={words::PREVIEW}>
            <table class="records">
                <caption class="hidden">{ words::PREVIEW }</caption>
                <thead><tr>{ for heads }</tr></thead>
                <tbody>{ for rows.iter().enumerate().map(|(i, row)| html! {
                    <tr key={i}>{ for columns.iter().enumerate().map(|(i, column)| {
                        let cell = row.get(i).map(|cell| single_line(cell).into_owned()).unwrap_or_default();
                        html! { <td key={i} class={column.member.is_none().then_some("preview-out")}><bdi>{ cell }</bdi></td> }
                    }) }</tr>
                }) }</tbody>
            </table>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn cells_in_quotation_marks_may_have_anything_in_them() {
        let read = |text, delimiter| rows(text, delimiter);
        assert_eq!(
            read("\u{feff}a;b\r\n\"x;\"\"y\"\"\nz\";2\r\n;\r\n", ';'),
            [["a", "b"], ["x;\"y\"\nz", "2"], ["", ""]]
        );
        assert_eq!(read("a,b\n1,2", ','), [["a", "b"], ["1", "2"]]);
        assert_eq!(read(&"a\n".repeat(99), ',').len(), 9);
    }
}
