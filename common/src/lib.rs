//! What every part of Coffer says to every other.
