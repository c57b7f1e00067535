//! Study files: what is refused and where, what is resolved, and that a plan reads back as itself.

mod plans;
mod read;
mod refused;
mod texts;
