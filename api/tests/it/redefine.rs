//! Changing a definition: records keep what they have.

mod background;
mod fields;
mod former_names;
mod given;
mod held;
mod load;
mod model;
mod overwritten;
mod put_back;
mod returned;
mod retype;
mod undo;
