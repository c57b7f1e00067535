//! A study: the file as typed, the plan as meant.

pub mod default_space;
pub mod document;
pub mod file;
pub mod plan;
