//! The query of a list, a parameter at a time.

use common::query::{decode, encode};
use yew::prelude::*;

use super::{follow, visit};
use crate::{hooks::use_go, words::explorer as say};

/// Parameters of the part of a list that is shown, which is another one where the list is another.
const PLACES: [&str; 3] = ["page", "offset", "cursor"];

#[derive(Properties, PartialEq)]
pub(super) struct FiltersProps {
    pub(super) address: String,
    /// The parameters that there are.
    pub(super) names: Vec<String>,
}

/// What is in the query, and what can be.
#[component]
pub(super) fn Filters(props: &FiltersProps) -> Html {
    let go = use_go();
    let name =
        use_state(|| props.names.iter().find(|name| !PLACES.contains(&name.as_str())).cloned().unwrap_or_default());
    let value = use_state(String::new);
    let pairs = pairs(&props.address);
    let onfollow = follow(&go);
    let chips = pairs.iter().enumerate().map(|(i, (name, value))| {
        let mut rest = pairs.clone();
        rest.remove(i);
        let to = address(&props.address, &rest);
        html! {
            <li key={i}><code><bdi>{ name }</bdi>{ "=" }<bdi>{ value }</bdi></code>
                <a class="button button-quiet button-small" href={to} onclick={&onfollow} aria-label={say::take_away(name, value)}>{ "×" }</a>
            </li>
        }
    });
    let onsubmit = {
        let (pairs, name, value, here) = (pairs.clone(), name.clone(), value.clone(), props.address.clone());
        move |event: SubmitEvent| {
            event.prevent_default();
            visit(&go, &address(&here, &with(pairs.clone(), &name, &value)));
        }
    };
    let onname = {
        let name = name.setter();
        move |event: Event| name.set(event.target_unchecked_into::<web_sys::HtmlSelectElement>().value())
    };
    let onvalue = {
        let value = value.setter();
        move |event: InputEvent| value.set(event.target_unchecked_into::<web_sys::HtmlInputElement>().value())
    };
    html! {
        <section class="panel" aria-labelledby="explorer-filters">
            <h2 id="explorer-filters">{ say::FILTERS }</h2>
            if !pairs.is_empty() {
                <ul class="chips">{ for chips }</ul>
            }
            <form class="filter-line" {onsubmit} autocomplete="off">
                <label class="hidden" for="explorer-parameter">{ say::PARAMETER }</label>
                <select id="explorer-parameter" class="input" onchange={onname}>
                    { for props.names.iter().map(|known| html! { <option key={known.clone()} value={known.clone()} selected={*known == *name}>{ known }</option> }) }
                </select>
                <label class="hidden" for="explorer-value">{ say::VALUE }</label>
                <input id="explorer-value" class="input" dir="auto" autocapitalize="none" spellcheck="false" placeholder={say::VALUE} value={(*value).clone()} oninput={onvalue} />
                <button type="submit" class="button">{ say::APPLY }</button>
            </form>
        </section>
    }
}

fn pairs(address: &str) -> Vec<(String, String)> {
    decode(address.split_once('?').map_or("", |(_, query)| query))
}

fn address(here: &str, pairs: &[(String, String)]) -> String {
    let path = here.split('?').next().unwrap_or_default();
    if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", encode(pairs)) }
}

/// The query with one parameter more, or another value of it.
fn with(mut pairs: Vec<(String, String)>, name: &str, value: &str) -> Vec<(String, String)> {
    pairs.retain(|(known, _)| known != name && !PLACES.contains(&known.as_str()));
    pairs.push((name.to_owned(), value.to_owned()));
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_filter_begins_at_the_first_page() {
        let here = "/api/records/a/?page=3&title=x&title__in=a%20b";
        let now = with(pairs(here), "title", "y&z");
        assert_eq!(address(here, &now), "/api/records/a/?title__in=a+b&title=y%26z");
        assert_eq!(address(here, &[]), "/api/records/a/");
        assert_eq!(address(here, &with(pairs("/api/records/a/"), "page", "2")), "/api/records/a/?page=2");
    }
}
