//! Changing a definition: records keep what they have.

mod background;
mod fields;
mod former_names;
mod given;
mod held;
mod load;
mod model;
mod overwritten;
mod returned;
mod retype;
mod undo;
