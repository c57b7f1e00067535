//! `manytune search` as another program meets it: lines in and out, a store that loses nothing, clear errors.

#[path = "../cli/mod.rs"]
mod cli;
mod files;
mod kept;
mod lines;
mod peer;
mod schedules;
