//! The first rows of a file as a table, each column with the field that it goes into, which can be changed.

use common::{
    collection::Collection,
    import::preview::Preview,
    text::{label, single_line},
};
use web_sys::HtmlSelectElement;
use yew::prelude::*;

use crate::words::many as words;

#[derive(Properties, PartialEq)]
pub(super) struct PreviewProps {
    pub(super) collection: std::rc::Rc<Collection>,
    pub(super) shown: Preview,
    /// A heading goes into another field, or nowhere.
    pub(super) onmap: Callback<(String, Option<String>)>,
}

/// The table.
#[component]
pub(super) fn PreviewTable(props: &PreviewProps) -> Html {
    let PreviewProps { collection, shown: Preview { columns, rows }, onmap } = props;
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
