//! The HTML file around the pages: head, navigation, styles, scripts and data.

use super::Page;
use crate::data::checksum;
use serde_json::Value;

/// The part of Apache ECharts that is used; `assets/echarts/README.md` says how it was made.
pub(super) const CHARTS: &str = include_str!("assets/echarts/echarts.min.js");
pub(super) const STYLE: &str = include_str!("assets/style.css");
/// What pages draw with, in the order in which they need each other, up to what makes a plot and from there on.
pub(super) const BEFORE_PLOT: [&str; 4] = [
    include_str!("assets/report.js"),
    include_str!("assets/paint.js"),
    include_str!("assets/dimensions.js"),
    include_str!("assets/table.js"),
];
const PLOT: &str = include_str!("assets/plot.js");
pub(super) const BEHIND_PLOT: &str = include_str!("assets/figures.js");
const START: &str = "report.start();";

/// The whole file. `data` is what scripts read: study, trials, and what each page is made of.
pub(super) fn document(name: &str, pages: &[&dyn Page], data: &Value) -> String {
    let data = within_script(&data.to_string());
    // Scripts run by a number that no text in the data can name beforehand: what would slip through the escapes is
    // still no script of ours. Styles are inline because charts set them element by element.
    let nonce = checksum([data.as_bytes(), CHARTS.as_bytes()]);
    let own = pages.iter().map(|page| page.script());
    let shared = BEFORE_PLOT.into_iter().chain([PLOT, BEHIND_PLOT]);
    let scripts = shared.chain(own).chain([START]).collect::<Vec<_>>().join("\n");
    let links: String =
        pages.iter().map(|page| format!("<a href=\"#{}\">{}</a>\n", page.name(), page.title())).collect();
    // Not named as the links are: a browser would scroll past the head of the report to what a link names.
    let sections: String = pages
        .iter()
        .map(|page| {
            let (name, title) = (page.name(), page.title());
            format!(
                "<section class=\"page\" id=\"page-{name}\" aria-labelledby=\"title-{name}\">\n\
                 <h2 id=\"title-{name}\" tabindex=\"-1\">{title}</h2>\n</section>\n"
            )
        })
        .collect();
    let title = escaped(name);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'nonce-{nonce}'; \
         style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'\">\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <title>{title} · manytune</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <a class=\"skip\" href=\"#main\">Skip to the page</a>\n\
         <header>\n<div class=\"masthead\"><h1>{title}</h1><p id=\"subtitle\"></p></div>\n\
         <nav aria-label=\"Pages\">\n{links}</nav>\n</header>\n\
         <noscript><p class=\"note\">This report is drawn by the scripts within it: allow them, or run \
         <code>manytune show</code> for the leaderboard.</p></noscript>\n\
         <main id=\"main\">\n{sections}</main>\n\
         <footer><p id=\"made\"></p></footer>\n\
         <script type=\"application/json\" id=\"data\">{data}</script>\n\
         <script nonce=\"{nonce}\">{CHARTS}</script>\n<script nonce=\"{nonce}\">\n{scripts}\n</script>\n\
         </body>\n</html>\n"
    )
}

/// JSON that no text within can end: `<`, `>`, `&` and the line breaks of Unicode stand in strings alone, where
/// JSON writes them by their numbers.
fn within_script(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => text.push_str(&format!("\\u{:04x}", c as u32)),
            _ => text.push(c),
        }
    }
    text
}

/// Text between tags.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
