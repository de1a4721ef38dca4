//! The drawings: the mark (a coffer with its lid a little open) and a few icons, all in the colour of the text around them.

use yew::prelude::*;

/// The mark of Coffer.
pub(crate) fn mark() -> Html {
    html! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path class="mark-lid" d="M5 11.5 6.4 6.6A3 3 0 0 1 9.3 4.5h13.4a3 3 0 0 1 2.9 2.1L27 11.5Z" />
            <path class="mark-box" d="M4 14.5h8.5v2.25A2.75 2.75 0 0 0 15.25 19.5h1.5a2.75 2.75 0 0 0 2.75-2.75V14.5H28v10a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3Z" />
            <rect class="mark-lock" x="14.5" y="13" width="3" height="4.5" rx="1.5" />
        </svg>
    }
}

/// What an icon shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Plus,
    Search,
    Pencil,
    Trash,
    Up,
    Down,
    Left,
    Right,
    Close,
    Keyboard,
    Chevron,
}

/// A small drawing beside words, or on a button that has its words in `aria-label`.
pub(crate) fn icon(shape: Shape) -> Html {
    let path = match shape {
        Shape::Plus => "M8 3v10M3 8h10",
        Shape::Search => "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9ZM10.4 10.4 14 14",
        Shape::Pencil => "M10.5 3 13 5.5 5.5 13H3v-2.5Z",
        Shape::Trash => "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.5 9h6l.5-9",
        Shape::Up => "M8 13V3M4 7l4-4 4 4",
        Shape::Down => "M8 3v10M4 9l4 4 4-4",
        Shape::Left => "M10 3 5 8l5 5",
        Shape::Right => "m6 3 5 5-5 5",
        Shape::Close => "m4 4 8 8M12 4l-8 8",
        Shape::Keyboard => "M2 4h12v8H2ZM4.5 6.5h0M7 6.5h0M9.5 6.5h0M11.5 6.5h0M5 9.5h6",
        Shape::Chevron => "m4 6 4 4 4-4",
    };
    html! {
        <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><path d={path} /></svg>
    }
}
