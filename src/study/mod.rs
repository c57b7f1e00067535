//! A study: the file as typed, the plan as meant, the run loop, the store on disk and resume.

mod admission;
pub mod checkpoint;
pub mod default_space;
pub mod document;
mod entries;
pub mod external;
pub mod file;
pub mod files;
pub mod folder;
mod folds;
pub mod model;
mod outbox;
pub mod plan;
pub mod refit;
mod rows;
pub mod run;
mod rungs;
mod runner;
pub mod same;
pub mod schema;
pub mod score;
mod search_table;
pub mod store;
pub mod tune;
mod weights;
