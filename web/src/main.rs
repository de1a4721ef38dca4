//! The Coffer web app: pages over hooks over one client. What a form, a table or a collection editor is, `common` says;
//! here they are drawn.
//!
//! - [`app`], [`head`]: providers, the frame around every page, and which page an address shows.
//! - [`later`]: the parts that are fetched after the first page.
//! - [`news`], `live`: what others changed, and the stream that tells it.
//! - [`client`], [`session`]: the one way to the server, and who is signed in. [`early`]: what was asked before the app was there.
//! - [`table_locations`], [`drafts`]: what is remembered of pages that were left.
//! - [`hooks`], [`model`]: what pages are made with. [`ui`]: the parts they are drawn with. [`pages`]: one file a page.
//! - `undo`: the way back from what was done.
//! - [`words`]: everything that people read. [`keys`]: the one table of keyboard shortcuts.

mod app;
mod chosen;
mod client;
mod drafts;
mod early;
mod head;
mod hooks;
mod keys;
mod later;
mod live;
mod model;
mod news;
mod pages;
mod route;
mod session;
mod table_locations;
mod tabs;
mod toast;
mod ui;
mod undo;
mod words;

fn main() {
    yew::Renderer::<app::App>::new().render();
}
