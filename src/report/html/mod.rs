//! The report: one HTML file that shows a study in a browser, with everything that it needs inside.
//!
//! A page is one file here, which says what is shown as JSON, and one script of the same stem in `assets/`, which
//! draws it. What a page cannot show it says, with what to do; it never keeps the others from being shown.

mod action;
mod answer;
mod baseline;
mod findings;
mod frame;
mod headless;
mod inside;
mod interval;
mod mistakes;
mod pictures;
mod random;
mod rungs;
mod space;
mod subject;
mod training;
mod trials;

pub use headless::{Choice, Drawing, Look, Plot};
pub use interval::interval;
pub use subject::{Checks, Subject};

use crate::error::Error;
use serde_json::{Value, json};
use trials::Axis;

/// Every page, in the order of the report.
pub static ALL: &[&dyn Page] = &[
    &answer::Answer,
    &space::SpacePage,
    &training::Training,
    &inside::Inside,
    &action::Action,
    &mistakes::Mistakes,
    &findings::Findings,
];

/// A page of the report.
pub trait Page: Sync {
    /// Its name: the address within the report, the key of its data, the stem of its script.
    fn name(&self) -> &'static str;
    /// What stands above it, and in the navigation.
    fn title(&self) -> &'static str;
    /// What draws it: `report.page(name, (root, data) => …)`.
    fn script(&self) -> &'static str;
    /// What its script draws; `None` where the page is nothing for such a study.
    fn data(&self, subject: &Subject) -> Option<Value>;
}

/// The report of a study as the text of an HTML file.
pub fn render(subject: &Subject) -> String {
    let shown: Vec<(&dyn Page, Value)> =
        ALL.iter().filter_map(|page| Some((*page, page.data(subject)?))).collect();
    let pages: serde_json::Map<String, Value> =
        shown.iter().map(|(page, data)| (page.name().to_owned(), data.clone())).collect();
    let data = data(subject, pages);
    let pages: Vec<&dyn Page> = shown.iter().map(|(page, _)| *page).collect();
    frame::document(&subject.board.title.name, &pages, &data)
}

/// What scripts read: what all pages share, and what each of these is made of.
fn data(subject: &Subject, pages: serde_json::Map<String, Value>) -> Value {
    let axes = Axis::all(subject);
    json!({
        "study": trials::study(subject),
        "dimensions": axes.iter().map(Axis::json).collect::<Vec<_>>(),
        "trials": trials::trials(&subject.board, &axes),
        "pages": pages,
    })
}

/// What a page says in the place of what it cannot show.
fn missing(error: &Error) -> Value {
    json!({ "found": format!("{}: {}", error.place, error.found), "allowed": error.allowed, "try": error.advice })
}
