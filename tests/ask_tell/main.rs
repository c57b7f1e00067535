//! `Search`, the ask-and-tell interface of the library: what it proposes, what it refuses, how it goes on.

mod asked;
mod bowl;
mod schedules;
