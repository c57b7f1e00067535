//! `manytune plot`: plots of the report as files.

use super::guard::refuse_needed;
use super::output;
use crate::error::{Error, Result, unknown_name};
use crate::report::html::{Choice, Drawing, Look, Plot, Subject};
use crate::report::picture;
use crate::study::files;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every plot at once.
const ALL: &str = "all";
/// The folder in the study's, where nothing else is said.
const FOLDER: &str = "plots";
const FORMATS: [&str; 2] = ["svg", "png"];

/// Write plots of the report as SVG or PNG, also while the study runs
///
/// Without --kind: list the plots that there are of this study, and what can be chosen for each.
#[derive(clap::Args)]
pub struct Arguments {
    /// The study's folder, such as runs/penguins
    run: PathBuf,
    /// Which plot, such as progress, curves, parallel, pair or confusion; all: every one
    #[arg(long, value_name = "NAME")]
    kind: Option<String>,
    /// Write to this file, or of all to this folder [default: plots/ in the study's folder]
    #[arg(long, value_name = "PATH", requires = "kind")]
    out: Option<PathBuf>,
    /// svg or png [default: as --out ends, else svg]
    #[arg(long, requires = "kind")]
    format: Option<String>,
    /// Choose for the plot as on its page, such as Across=width; once for each choice
    #[arg(long, value_name = "WHAT=OPTION", requires = "kind")]
    choose: Vec<String>,
    /// Pixels across
    #[arg(long, value_name = "PIXELS", default_value_t = 800, value_parser = clap::value_parser!(u32).range(200..=8000))]
    width: u32,
    /// Pixels down [default: as the plot needs]
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(u32).range(150..=8000))]
    height: Option<u32>,
    /// Pixels of a PNG for each of --width and --height
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=10))]
    scale: u32,
    /// Light on dark
    #[arg(long)]
    dark: bool,
    /// Without title and caption
    #[arg(long)]
    bare: bool,
}

/// Writes plots and prints where they are, or lists them.
pub fn run(arguments: &Arguments) -> Result<()> {
    let format = format_of(arguments)?;
    let subject = Subject::open(&arguments.run, None)?;
    let mut drawing = Drawing::new(&subject)?;
    let result = match arguments.kind.as_deref() {
        None => list(&mut drawing),
        Some(ALL) => every(arguments, &mut drawing, format),
        Some(kind) => one(arguments, &mut drawing, kind, format),
    };
    subject.remarks().iter().for_each(|remark| output::note(remark));
    result
}

fn format_of(arguments: &Arguments) -> Result<&'static str> {
    let ending = arguments.out.as_ref().and_then(|out| out.extension()?.to_str()).map(str::to_lowercase);
    let known = |name: &str| FORMATS.into_iter().find(|format| *format == name);
    match (&arguments.format, ending.as_deref()) {
        (Some(name), _) => known(name).ok_or_else(|| unknown_name("--format", "format", name, FORMATS)),
        (None, Some(ending)) if arguments.kind.as_deref() != Some(ALL) => {
            known(ending).ok_or_else(|| unknown_name("--out", "ending", ending, FORMATS))
        }
        (None, _) => Ok(FORMATS[0]),
    }
}

fn list(drawing: &mut Drawing<'_>) -> Result<()> {
    let plots = drawing.all()?;
    if plots.is_empty() {
        return Err(nothing());
    }
    let choices = |plot: &Plot| -> Vec<String> {
        let one = |choice: &Choice| format!("{}={}", choice.name, choice.options.join("|"));
        plot.choices.iter().map(one).collect()
    };
    let mut text = String::new();
    for of_page in plots.chunk_by(|a, b| a.page == b.page) {
        text += &format!("{}\n", of_page[0].page);
        for alike in of_page.chunk_by(|a, b| choices(a) == choices(b)) {
            alike.iter().for_each(|plot| text += &format!("  {}\n", plot.name));
            choices(&alike[0]).iter().for_each(|choice| text += &format!("      --choose {choice}\n"));
        }
    }
    output::print(&text)
}

fn one(arguments: &Arguments, drawing: &mut Drawing<'_>, kind: &str, format: &str) -> Result<()> {
    let plot = match drawing.find(kind) {
        Err(_) if drawing.all()?.is_empty() => return Err(nothing()),
        found => found?,
    };
    for choice in &arguments.choose {
        let (name, option) = choice.split_once('=').ok_or_else(|| {
            Error::usage("--choose", format!("\"{choice}\""))
                .allowed("what is chosen, an equals sign, and the option")
                .advice(format!("--choose \"{choice}=…\"; manytune plot RUN lists both"))
        })?;
        drawing.choose(&plot, name, option)?;
    }
    match &arguments.out {
        Some(out) => {
            refuse_needed(out, &arguments.run, None, &file_name(&plot, format))?;
            write(arguments, drawing, &plot, format, out)
        }
        None => {
            let folder = made(&arguments.run.join(FOLDER))?;
            write(arguments, drawing, &plot, format, &folder.join(file_name(&plot, format)))
        }
    }
}

fn every(arguments: &Arguments, drawing: &mut Drawing<'_>, format: &str) -> Result<()> {
    if let Some(choice) = arguments.choose.first() {
        return Err(Error::usage("--choose", format!("{choice} for all plots"))
            .allowed("one --kind, for which it is chosen")
            .advice("leave --choose out, or name the plot"));
    }
    let plots = drawing.all()?.to_vec();
    if plots.is_empty() {
        return Err(nothing());
    }
    let folder = made(&arguments.out.clone().unwrap_or_else(|| arguments.run.join(FOLDER)))?;
    let mut taken = HashSet::new();
    for plot in &plots {
        // Names that differ in what no file's name should hold would be one file.
        let own = file_name(plot, format);
        let names = std::iter::once(own).chain((2..).map(|n| file_name(plot, &format!("{n}.{format}"))));
        let name = names.into_iter().find(|name| taken.insert(name.to_lowercase())).unwrap_or_default();
        write(arguments, drawing, plot, format, &folder.join(name))?;
    }
    Ok(())
}

fn write(arguments: &Arguments, drawing: &Drawing<'_>, plot: &Plot, format: &str, path: &Path) -> Result<()> {
    let Arguments { width, height, dark, bare, scale, .. } = *arguments;
    let svg = drawing.svg(plot, Look { width, height, dark, bare })?;
    let bytes = if format == "png" { picture::png(&svg, scale as f32)? } else { svg.into_bytes() };
    files::write(path, &bytes)?;
    output::written(path)
}

/// The name of a plot's file: of letters and digits of any script, and few other characters.
fn file_name(plot: &Plot, format: &str) -> String {
    let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    let name: String = plot.name.chars().take(80).map(plain).collect();
    format!("{name}.{format}")
}

fn made(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).map_err(|error| {
        Error::store(folder.display(), format!("cannot be made: {error}"))
            .allowed("a folder that is there, or one that can be made")
            .advice("--out with another path")
    })?;
    Ok(folder.to_owned())
}

fn nothing() -> Error {
    Error::usage("plot", "no trial of this study has anything to draw yet")
        .allowed("studies of which a trial has trained")
        .advice("run the study's command again until one has")
}
