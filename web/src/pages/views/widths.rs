//! How wide the columns of a table are that somebody has made narrower or wider: by dragging the right edge of a heading, or with Shift and an arrow
//! key on it. The table belongs to the first part of the app; here its headings are given widths, and nothing else of it is touched.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use common::{name::CollectionName, view::MAX_WIDTH};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Element, Event, HtmlElement, KeyboardEvent, MouseEvent, NodeList};
use yew::prelude::*;

/// Widths by column, in characters.
pub(super) type Widths = BTreeMap<String, u16>;

/// How much a key changes.
const STEP: i32 = 4;
/// Beside its text a column has so many pixels.
const MARGIN: f64 = 28.0;
/// Pixels of a character, about.
const CHARACTER: f64 = 7.5;
/// Pixels from an edge that belong to it.
const EDGE: f64 = 8.0;
/// What is listened to, before anybody else hears of it.
const EVENTS: [&str; 5] = ["pointerdown", "pointermove", "pointerup", "click", "keydown"];

thread_local! {
    static KNOWN: RefCell<HashMap<CollectionName, Widths>> = RefCell::default();
}

/// The widths of a collection's columns as they were left, for as long as the tab is open.
pub(super) fn left(name: &CollectionName) -> Widths {
    KNOWN.with_borrow(|known| known.get(name).cloned().unwrap_or_default())
}

/// Gives the table's columns, which have these names in this order, their widths, and tells of those that somebody changes.
#[hook]
pub(super) fn use_widths(
    collection: &CollectionName,
    names: Vec<String>,
    widths: &Rc<Widths>,
    onchange: Callback<Widths>,
) {
    KNOWN.with_borrow_mut(|known| known.insert(collection.clone(), (**widths).clone()));
    let shown = use_mut_ref(|| (Vec::new(), Rc::new(Widths::new()), Callback::noop()));
    *shown.borrow_mut() = (names, widths.clone(), onchange);
    let was_set = use_mut_ref(|| false);
    // The headings may be others since.
    use_effect({
        let (shown, was_set) = (shown.clone(), was_set);
        move || {
            let (names, widths, _) = &*shown.borrow();
            let is_set = !widths.is_empty();
            if is_set || was_set.replace(is_set) {
                apply(names, widths);
            }
            was_set.replace(is_set);
        }
    });
    use_effect_with((), move |()| {
        let (drag, ended) = (RefCell::new(None::<Drag>), Cell::new(false));
        let change = move |at: usize, width: &dyn Fn(i32) -> i32| {
            let (names, widths, onchange) = &*shown.borrow();
            let (Some(name), Some(heading)) = (names.get(at), headings().get(at).cloned()) else { return };
            let now = widths
                .get(name)
                .map_or_else(|| characters(f64::from(heading.offset_width())), |known| i32::from(*known));
            let next = u16::try_from(width(now).clamp(STEP, i32::from(MAX_WIDTH))).unwrap_or(MAX_WIDTH);
            let mut changed = (**widths).clone();
            changed.insert(name.clone(), next);
            onchange.emit(changed);
        };
        let listener = Closure::<dyn Fn(Event)>::new(move |event: Event| {
            let meant = match event.type_().as_str() {
                "pointerdown" => {
                    ended.set(false);
                    *drag.borrow_mut() = Drag::begin(&event);
                    drag.borrow().is_some()
                }
                "pointermove" => drag.borrow().as_ref().is_some_and(|drag| drag.go_on(&event)),
                "pointerup" => drag.take().is_some_and(|drag| {
                    let width = drag.width(&event);
                    change(drag.at, &|_| characters(width));
                    ended.set(true);
                    true
                }),
                // Letting go of an edge is no click on the heading.
                "click" => ended.take(),
                _ => event.dyn_ref::<KeyboardEvent>().is_some_and(|event| {
                    let by = match event.key().as_str() {
                        "ArrowLeft" if event.shift_key() => -STEP,
                        "ArrowRight" if event.shift_key() => STEP,
                        _ => return false,
                    };
                    heading_of(event).is_some_and(|at| {
                        change(at, &|now| now + by);
                        true
                    })
                }),
            };
            if meant {
                event.prevent_default();
                event.stop_propagation();
            }
        });
        let document = web_sys::window().and_then(|window| window.document());
        let function = listener.as_ref().unchecked_ref::<js_sys::Function>().clone();
        for kind in EVENTS {
            let _ = document
                .iter()
                .try_for_each(|page| page.add_event_listener_with_callback_and_bool(kind, &function, true));
        }
        move || {
            for kind in EVENTS {
                let _ = document
                    .iter()
                    .try_for_each(|page| page.remove_event_listener_with_callback_and_bool(kind, &function, true));
            }
            drop(listener);
        }
    });
}

/// An edge that is being dragged.
struct Drag {
    /// Which column's.
    at: usize,
    heading: HtmlElement,
    /// Where it began, and how wide the column was then.
    from: i32,
    before: f64,
}

impl Drag {
    fn begin(event: &Event) -> Option<Self> {
        let at = heading_of(event)?;
        let heading = headings().get(at)?.clone();
        let from = event.dyn_ref::<MouseEvent>()?.client_x();
        let right = heading.get_bounding_client_rect().right();
        ((right - f64::from(from)).abs() <= EDGE).then(|| {
            freeze();
            Self { at, before: f64::from(heading.offset_width()), heading, from }
        })
    }

    fn width(&self, event: &Event) -> f64 {
        let now = event.dyn_ref::<MouseEvent>().map_or(self.from, MouseEvent::client_x);
        (self.before + f64::from(now - self.from)).max(pixels(STEP))
    }

    fn go_on(&self, event: &Event) -> bool {
        set_width(&self.heading, self.width(event));
        fit_table();
        true
    }
}

fn characters(pixels: f64) -> i32 {
    #[allow(clippy::cast_possible_truncation)] // of a screen
    let characters = ((pixels - MARGIN) / CHARACTER).round() as i32;
    characters
}

fn pixels(characters: i32) -> f64 {
    f64::from(characters) * CHARACTER + MARGIN
}

fn table() -> Option<HtmlElement> {
    web_sys::window()?.document()?.query_selector("table.records:not(.people)").ok()??.dyn_into().ok()
}

fn elements(table: &HtmlElement, css: &str) -> Vec<HtmlElement> {
    let found: Option<NodeList> = table.query_selector_all(css).ok();
    let all = found.iter().flat_map(|found| (0..found.length()).filter_map(|n| found.get(n)));
    all.filter_map(|node| node.dyn_into().ok()).collect()
}

/// The headings, in the order of the columns.
fn headings() -> Vec<HtmlElement> {
    table().map(|table| elements(&table, "thead th:not(.choose)")).unwrap_or_default()
}

/// The column whose heading an event is about.
fn heading_of(event: &Event) -> Option<usize> {
    let target: Element = event.target()?.dyn_into().ok()?;
    let heading = target.closest("table.records thead th:not(.choose)").ok()??;
    headings().iter().position(|known| **known == heading)
}

fn set_width(heading: &HtmlElement, width: f64) {
    let _ = heading.style().set_property("width", &format!("{width:.0}px"));
}

/// All columns stay as wide as they are.
fn freeze() {
    let Some(table) = table() else { return };
    let all = elements(&table, "thead th");
    let widths: Vec<i32> = all.iter().map(HtmlElement::offset_width).collect();
    for (heading, width) in all.iter().zip(widths) {
        set_width(heading, f64::from(width));
    }
    let _ = table.class_list().add_1("is-sized");
    fit_table();
}

/// The table is as wide as its columns.
fn fit_table() {
    let Some(table) = table() else { return };
    let width = |heading: &HtmlElement| {
        heading.style().get_property_value("width").ok()?.trim_end_matches("px").parse::<f64>().ok()
    };
    let whole: f64 = elements(&table, "thead th").iter().filter_map(width).sum();
    let _ = table.style().set_property("width", &format!("{whole:.0}px"));
}

fn apply(names: &[String], widths: &Widths) {
    let Some(table) = table() else { return };
    let _ = table.class_list().remove_1("is-sized");
    for element in elements(&table, "thead th").iter().chain([&table]) {
        let _ = element.style().remove_property("width");
    }
    if widths.is_empty() {
        return;
    }
    freeze();
    for (heading, name) in headings().iter().zip(names) {
        if let Some(width) = widths.get(name) {
            set_width(heading, pixels(i32::from(*width)));
        }
    }
    fit_table();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_and_pixels_are_one_width() {
        for width in [STEP, 5, 20, 499] {
            assert_eq!(characters(pixels(width)), width);
        }
        assert!(characters(0.0) < STEP);
    }
}
