//! A study: the file as typed, the plan as meant, the run loop, the store on disk and resume.

pub mod checkpoint;
pub mod files;
mod rows;
pub mod run;
mod schema;
pub mod store;
