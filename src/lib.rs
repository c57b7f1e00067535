//! manytune trains many hyperparameter configurations of a model at the same time on one GPU of any
//! vendor, or on the CPU, picks the best by validation score, and proves its own gradients right.

pub mod benchmark;
pub mod cli;
pub mod data;
pub mod diagnosis;
pub mod engine;
pub mod error;
pub mod export;
pub mod model;
pub mod random;
pub mod report;
pub mod sample;
pub mod schedule;
pub mod search;
pub mod setting;
pub mod space;
pub mod study;
pub mod trial;
pub mod verify;
