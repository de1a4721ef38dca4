//! Changing a definition: records keep what they have.

mod background;
mod fields;
mod load;
mod model;
mod retype;
mod undo;
