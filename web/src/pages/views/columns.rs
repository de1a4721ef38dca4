//! Which columns a table shows, and in which order.

use common::{
    query::{ListQuery, Query as _, encode},
    table::{self, Column},
};
use yew::prelude::*;

use crate::{
    chosen::Chosen,
    hooks::use_go,
    route::Route,
    ui::icon::{Shape, icon},
    words::views as words,
};

/// Props of [`ColumnsMenu`].
#[derive(Properties, PartialEq)]
pub(super) struct ColumnsMenuProps {
    pub(super) chosen: Chosen,
    /// Somebody made some narrower or wider.
    pub(super) has_widths: bool,
    /// They are as wide as what they show again.
    pub(super) onwidths: Callback<()>,
}

/// The menu: a box for each column, and what moves it.
#[component]
pub(super) fn ColumnsMenu(props: &ColumnsMenuProps) -> Html {
    let (chosen, go) = (&props.chosen, use_go());
    let all = table::columns(&chosen.collection);
    let shown = shown(&all, &chosen.query.fields);
    let show = {
        let (query, name) = (chosen.query.clone(), chosen.collection.name.clone());
        let usual: Vec<String> = all.iter().map(|column| column.name.clone()).collect();
        Callback::from(move |fields: Vec<String>| {
            let fields = if fields == usual { Vec::new() } else { fields };
            let query = ListQuery { fields, ..(*query).clone() };
            go.location(&(Route::Records { name: name.clone() }, encode(&query.to_pairs())));
        })
    };
    let names: Vec<String> = shown.iter().map(|column| column.name.clone()).collect();
    let hidden = all.iter().filter(|column| !names.contains(&column.name));
    let row = |column: &Column, at: Option<usize>| {
        let toggled = toggled(&names, &column.name);
        let is_last_shown = at.is_some() && names.len() == 1;
        let onchange = {
            let show = show.clone();
            move |_: Event| show.emit(toggled.clone())
        };
        let earlier = at.filter(|at| *at > 0).map(|at| {
            let (show, mut next) = (show.clone(), names.clone());
            next.swap(at, at - 1);
            move |_: MouseEvent| show.emit(next.clone())
        });
        html! {
            <li key={column.name.clone()}>
                <label class="check"><input type="checkbox" checked={at.is_some()} disabled={is_last_shown} {onchange} /><bdi>{ &column.label }</bdi></label>
                if let Some(onclick) = earlier {
                    <button type="button" class="button button-quiet button-icon" aria-label={words::earlier(&column.label)} title={words::earlier(&column.label)} {onclick}>
                        { icon(Shape::Up) }
                    </button>
                }
            </li>
        }
    };
    let all_again = {
        let (show, usual) = (show.clone(), all.iter().map(|column| column.name.clone()).collect::<Vec<_>>());
        move |_: MouseEvent| show.emit(usual.clone())
    };
    html! {
        <>
            <p class="notice-title">{ words::COLUMNS }</p>
            <ul class="view-columns">
                { for shown.iter().enumerate().map(|(at, column)| row(column, Some(at))) }
                { for hidden.map(|column| row(column, None)) }
            </ul>
            if !chosen.query.fields.is_empty() {
                <button type="button" class="button button-quiet button-small" onclick={all_again}>{ words::ALL_COLUMNS }</button>
            }
            if props.has_widths {
                <button type="button" class="button button-quiet button-small" onclick={props.onwidths.reform(|_: MouseEvent| ())}>{ words::USUAL_WIDTHS }</button>
            }
            <p class="hint">{ words::WIDTHS_HINT }</p>
        </>
    }
}

/// The columns that are shown, in their order.
pub(super) fn shown(all: &[Column], fields: &[String]) -> Vec<Column> {
    if fields.is_empty() {
        return all.to_vec();
    }
    fields.iter().filter_map(|name| all.iter().find(|column| column.name == *name).cloned()).collect()
}

/// The same without a column, or with it at the end.
fn toggled(names: &[String], name: &str) -> Vec<String> {
    let mut next: Vec<String> = names.iter().filter(|known| *known != name).cloned().collect();
    if next.len() == names.len() {
        next.push(name.to_owned());
    }
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_and_go_and_keep_their_order() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(toggled(&names("a b c"), "b"), names("a c"));
        assert_eq!(toggled(&names("a c"), "b"), names("a c b"));
        let column =
            |name: &str| Column { name: name.to_owned(), label: String::new(), numeric: false, sortable: true };
        let all = [column("a"), column("b"), column("c")];
        let order =
            |fields: &[String]| shown(&all, fields).iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        assert_eq!(order(&names("c a gone")), names("c a"));
        assert_eq!(order(&[]), names("a b c"));
    }
}
