//! The plots of the report as single pictures, without a browser: the scripts that draw the report run in an engine
//! of their own here, so that a plot is written down once and looks the same in both.

use super::{ALL, Subject, data, frame};
use crate::error::{Error, Result, unknown_name};
use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, FromJs, Function, Object, Runtime};
use serde::{Deserialize, Serialize};
use serde_json::Map;

/// What stands in for a browser.
const BROWSER: &str = include_str!("assets/headless/browser.js");
/// What keeps plots, and draws those that are asked for.
const PLOT: &str = include_str!("assets/headless/plot.js");
const PICTURES: &str = include_str!("assets/headless/pictures.js");
/// Bytes of stack: charts recurse over their parts.
const STACK: usize = 4 << 20;

/// A plot of the report.
#[derive(Clone, Debug, Deserialize)]
pub struct Plot {
    /// Its name, unlike that of any other plot of the study.
    pub name: String,
    /// What stands above it.
    pub title: String,
    /// What can be chosen for it.
    pub choices: Vec<Choice>,
    /// The title of the page that it is on.
    #[serde(skip)]
    pub page: &'static str,
}

/// What can be chosen for a plot.
#[derive(Clone, Debug, Deserialize)]
pub struct Choice {
    /// As it stands beside it on the page.
    pub name: String,
    /// The first one is chosen where nothing is said.
    pub options: Vec<String>,
}

/// How a plot is drawn.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Look {
    /// Pixels.
    pub width: u32,
    /// Pixels; `None`: as the plot needs.
    pub height: Option<u32>,
    /// Light on dark.
    #[serde(rename = "isDark")]
    pub dark: bool,
    /// Without title and caption.
    #[serde(rename = "isBare")]
    pub bare: bool,
}

/// Draws the plots of a study.
pub struct Drawing<'a> {
    subject: &'a Subject<'a>,
    context: Context,
    /// Pages that have been asked for their plots.
    opened: usize,
    plots: Vec<Plot>,
}

impl<'a> Drawing<'a> {
    /// Begins with what all pages share; a page is made when a plot may be on it.
    pub fn new(subject: &'a Subject<'a>) -> Result<Self> {
        let fail = |error: rquickjs::Error| broken(&error.to_string());
        let runtime = Runtime::new().map_err(fail)?;
        runtime.set_max_stack_size(STACK);
        let context = Context::full(&runtime).map_err(fail)?;
        let drawing = Self { subject, context, opened: 0, plots: Vec::new() };
        let shared = data(subject, Map::new()).to_string();
        drawing.within(|ctx| {
            ctx.globals().set("dataText", shared).catch(ctx)?;
            ctx.globals().set("styleText", frame::STYLE).catch(ctx)?;
            let scripts = [BROWSER, frame::CHARTS].into_iter().chain(frame::BEFORE_PLOT);
            let scripts = scripts.chain([PLOT, frame::BEHIND_PLOT, PICTURES]);
            scripts.chain(ALL.iter().map(|page| page.script())).try_for_each(|script| {
                // As scripts of one document: what one declares at its top, those behind it see.
                ctx.eval::<(), _>(script).catch(ctx)
            })
        })?;
        Ok(drawing)
    }

    /// Every plot, in the order of the report.
    pub fn all(&mut self) -> Result<&[Plot]> {
        while self.open_next()? {}
        Ok(&self.plots)
    }

    /// The plot of a name. Errors: there is none, with those that there are.
    pub fn find(&mut self, name: &str) -> Result<Plot> {
        loop {
            if let Some(plot) = self.plots.iter().find(|plot| plot.name == name) {
                return Ok(plot.clone());
            }
            if !self.open_next()? {
                let known = self.plots.iter().map(|plot| plot.name.as_str());
                return Err(unknown_name("--kind", "plot of this study", name, known));
            }
        }
    }

    /// Chooses for a plot what people would choose on its page, such as `Across` and `width`. Errors: there is no such
    /// choice, or no such option.
    pub fn choose(&self, plot: &Plot, name: &str, option: &str) -> Result<()> {
        if plot.choices.is_empty() {
            return Err(Error::usage("--choose", format!("{name} for {}", plot.name))
                .allowed("plots that have something to choose: manytune plot RUN lists them")
                .advice("leave --choose out"));
        }
        let names = || plot.choices.iter().map(|choice| choice.name.as_str());
        let at = names().position(|known| known.eq_ignore_ascii_case(name));
        let at =
            at.ok_or_else(|| unknown_name("--choose", &format!("choice of {}", plot.name), name, names()))?;
        let options = || plot.choices[at].options.iter().map(String::as_str);
        let chosen = options().position(|known| known == option);
        let chosen =
            chosen.ok_or_else(|| unknown_name(format!("--choose {name}"), "option", option, options()))?;
        self.call::<()>("choose", |function| function.call((plot.name.as_str(), at, chosen)))
    }

    /// A plot as the text of an SVG file.
    pub fn svg(&self, plot: &Plot, look: Look) -> Result<String> {
        let looks = serde_json::json!(look).to_string();
        self.call("draw", |function| function.call((plot.name.as_str(), looks.as_str())))
    }

    /// Makes the next page, and takes in its plots. Returns whether there was one.
    fn open_next(&mut self) -> Result<bool> {
        let Some(page) = ALL.get(self.opened) else { return Ok(false) };
        self.opened += 1;
        let Some(data) = page.data(self.subject) else { return Ok(true) };
        let data = data.to_string();
        let found: String = self.call("open", |function| function.call((page.name(), data.as_str())))?;
        let found: Vec<Plot> = serde_json::from_str(&found).map_err(|error| broken(&error.to_string()))?;
        self.plots.extend(found.into_iter().map(|plot| Plot { page: page.title(), ..plot }));
        Ok(true)
    }

    /// Calls a function of the script that keeps plots.
    fn call<T: for<'js> FromJs<'js>>(
        &self,
        name: &str,
        with: impl for<'js> FnOnce(Function<'js>) -> rquickjs::Result<T>,
    ) -> Result<T> {
        self.within(|ctx| {
            let headless: Object<'_> = ctx.globals().get("headless").catch(ctx)?;
            let function: Function<'_> = headless.get(name).catch(ctx)?;
            with(function).catch(ctx)
        })
    }

    fn within<T>(&self, what: impl for<'js> FnOnce(&Ctx<'js>) -> Result<T, CaughtError<'js>>) -> Result<T> {
        self.context.with(|ctx| what(&ctx).map_err(|error| broken(&error.to_string())))
    }
}

/// A script of the report failed: nothing that a user did.
fn broken(what: &str) -> Error {
    Error::check("plot", format!("a script of the report failed: {}", what.trim_end()))
        .advice("manytune report RUN, which draws in a browser; and report this with the study")
}
