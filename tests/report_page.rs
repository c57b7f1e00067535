//! The report in a real browser: what a user sees of it, and what no data can make of it.

#[path = "browser/mod.rs"]
mod browser;
#[path = "cli/mod.rs"]
mod cli;

use browser::Browser;
use cli::Place;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A table whose names and labels are HTML.
const HOSTILE_COLUMN: &str = "<img src=x onerror=alert(1)>";
const HOSTILE_LABEL: &str = "</script><script>alert(2)</script>";

/// Writes the report of a study and gives the file.
fn report(place: &Place, run: &str) -> PathBuf {
    let (out, _) = place.run(&format!("report {run}"));
    let file = place.path(out.trim());
    assert!(file.ends_with(Path::new(run).join("report.html")), "{out}");
    file
}

/// Draws every page and every plot, as for printing, and gives the names of the pages.
fn draw_all(browser: &mut Browser) -> Vec<String> {
    browser.evaluate("window.dispatchEvent(new Event('beforeprint'))");
    let names =
        browser.evaluate("[...document.querySelectorAll('section.page')].map((page) => page.id.slice(5))");
    serde_json::from_value(names).unwrap()
}

/// No script stumbled, nothing was blocked, no window opened, and nothing but the file was asked for.
fn assert_quiet(browser: &mut Browser, file: &Path) {
    for method in ["Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"] {
        let events = browser.events(method);
        assert!(events.is_empty(), "{events:#?}");
    }
    assert!(!browser.saw("Page.javascriptDialogOpening"), "a text was run");
    let requests = browser.events("Network.requestWillBeSent");
    let urls: Vec<&str> =
        requests.iter().filter_map(|event| event["params"]["request"]["url"].as_str()).collect();
    let file = format!("file://{}", file.display());
    let is_own = |url: &&str| url.split('#').next() == Some(&file) || url.starts_with("data:");
    assert!(!urls.is_empty() && urls.iter().all(is_own), "{urls:?}");
}

/// The shapes of each plot, by name, that are not drawn in the colours of axes: an empty plot has none.
fn marks(browser: &mut Browser) -> Value {
    browser.evaluate(
        "(() => {
            const style = getComputedStyle(document.documentElement);
            const axes = ['--faint', '--line'].map((name) => style.getPropertyValue(name).trim());
            const none = [null, 'none', 'transparent', ...axes];
            const isMark = (shape) => ['fill', 'stroke'].some((name) => !none.includes(shape.getAttribute(name)));
            const count = (figure) => [...figure.querySelectorAll('svg path, svg rect, svg circle, svg polyline')].filter(isMark).length;
            return Object.fromEntries([...document.querySelectorAll('figure')].map((figure) => [figure.dataset.plot, count(figure)]));
         })()",
    )
}

/// Every plot of the page is one that `manytune plot` writes, with as many marks at least.
fn assert_written(place: &Place, run: &str, browser: &mut Browser) {
    let shown =
        browser.evaluate("[...document.querySelectorAll('[data-plot]')].map((plot) => plot.dataset.plot)");
    let drawn = marks(browser);
    let (written, _) = place.run(&format!("plot {run} --kind all"));
    let stem = |path: &str| Path::new(path).file_stem().unwrap().to_str().unwrap().to_owned();
    let written: Vec<&str> = written.lines().collect();
    assert_eq!(shown, json!(written.iter().map(|path| stem(path)).collect::<Vec<_>>()));
    for path in written {
        let svg = place.read(path);
        let count = ["<path", "<rect", "<circle", "<polyline"].map(|shape| svg.matches(shape).count());
        let least = drawn[&stem(path)].as_u64().unwrap_or(0);
        assert!(count.iter().sum::<usize>() as u64 >= least, "{path}: {count:?}, on the page {least}");
    }
}

#[test]
fn a_report_opens_quietly_and_every_plot_has_marks() {
    let place = Place::new();
    place.run("tune study.toml");
    let file = report(&place, "runs/study");
    let mut browser = Browser::open(1280, 900);
    browser.load(&file, "");
    assert_eq!(browser.evaluate("document.querySelector('section:not([hidden])').id"), json!("page-answer"));
    let shown = place.show("runs/study");
    let best = shown["best"]["value"].as_f64().unwrap();
    let headline = browser.evaluate("Number(document.querySelector('.headline .number').textContent)");
    assert!(
        (headline.as_f64().unwrap() - best).abs() <= 5e-5,
        "{headline} for {best}: four digits are shown"
    );

    let pages = draw_all(&mut browser);
    // What `doctor` says of each trial stands in the leaderboard, and counted on the page of findings.
    let (judged, _) = place.run("doctor runs/study --trials --format json");
    let judged: Value = serde_json::from_str(&judged).unwrap();
    let named: Vec<String> = judged["trials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trial| trial["verdict"].as_str().unwrap().replace('_', " "))
        .collect();
    let column = "[...document.querySelectorAll('#leaderboard tr')].map((row) => row.cells[4].textContent)";
    let column: Vec<String> = serde_json::from_value(browser.evaluate(column)).unwrap();
    assert_eq!((column[0].as_str(), &column[1..]), ("verdict", &named[..]));
    let counted = browser.evaluate(
        "[...document.querySelectorAll('#page-findings .pairs caption')].map((caption) => caption.textContent)",
    );
    assert!(counted.to_string().contains("What the curves of each trial say"), "{counted}");
    let first = browser.evaluate("document.querySelector('#page-findings .pairs th').textContent");
    let count = |name: &str| named.iter().filter(|named| *named == name).count();
    let (many, name) = first.as_str().unwrap().split_once(' ').unwrap();
    assert_eq!(many, count(name).to_string(), "{first}");
    assert_eq!(pages, ["answer", "space", "training", "inside", "action", "mistakes", "findings"]);
    let marks = marks(&mut browser);
    // Six trials of three folds, and their lines; layers; bars.
    let least = [
        ("progress", 7),
        ("parallel", 6),
        ("slice-learning_rate", 6),
        ("pair", 7),
        ("curves", 6),
        ("fold-values", 3),
        ("fold-losses", 3),
        ("endings", 1),
        ("dead", 1),
        ("updates", 2),
        ("histogram-0", 8),
        ("across-dropout", 6),
        ("confusion", 9),
        ("calibration", 3),
        ("dependence-bill_length_mm", 3),
    ];
    for (plot, least) in least {
        assert!(marks[plot].as_u64().is_some_and(|count| count >= least), "{plot}: {marks:#}");
    }
    assert_written(&place, "runs/study", &mut browser);
    let overflow = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(browser.evaluate(overflow), json!(false), "at 1280");
    browser.resize(390, 800);
    for page in pages {
        browser.load(&file, &format!("#{page}"));
        assert_eq!(browser.evaluate(overflow), json!(false), "{page} on a phone");
    }
    assert_quiet(&mut browser, &file);
}

#[test]
fn a_brush_on_an_axis_filters_the_leaderboard() {
    let place = Place::new();
    place.run("tune study.toml --trials 24 --strategy random");
    let file = report(&place, "runs/study");
    let mut browser = Browser::open(1280, 1400);
    browser.load(&file, "#space");
    browser.until("document.querySelector('[data-plot=parallel] svg path') !== null");
    let rows = "document.querySelectorAll('#leaderboard tbody tr').length";
    assert_eq!(browser.evaluate(rows), json!(20), "of 24 trials the first 20 are shown");

    // The upper half of the axis of the learning rate, the first of the space: from the end of its line to its middle.
    let at = browser.evaluate(
        "(() => {
            const box = document.querySelector('[data-plot=parallel] .canvas').getBoundingClientRect();
            return { x: box.left + 48, top: box.top + 54, middle: box.top + 54 + (box.height - 68) / 2 };
         })()",
    );
    let [x, top, middle] = ["x", "top", "middle"].map(|name| at[name].as_f64().unwrap());
    browser.drag((x, top + 1.0), (x, middle));
    let shown = place.show("runs/study");
    let rates: Vec<f64> = shown["trials"]
        .as_array()
        .unwrap()
        .iter()
        .map(|trial| trial["hyperparameters"]["learning_rate"].as_f64().unwrap())
        .collect();
    // Of 1e-3 to 1e-1, log: 1e-2 is the middle.
    let passing = rates.iter().filter(|&&rate| rate >= 1e-2).count();
    assert!((4..20).contains(&passing), "the seed leaves both halves filled: {rates:?}");
    // The brush filters while it is dragged: what counts is where it came to.
    browser.until(&format!(
        "document.querySelector('.status').textContent === '{passing} of 24 trials pass: learning_rate'"
    ));
    assert_eq!(browser.evaluate(rows), json!(passing));
    let least = "Math.min(...[...document.querySelectorAll('#leaderboard tbody tr')]
        .map((row) => Number(row.cells[7].textContent)))";
    assert!(browser.evaluate(least).as_f64().unwrap() >= 0.01, "only these are shown");
    assert_quiet(&mut browser, &file);
}

#[test]
fn what_the_data_say_stays_text() {
    let place = Place::new();
    let rows: String = (0..60)
        .map(|row| format!("{},{},{}\n", row % 7, row % 5, if row % 7 > 2 { HOSTILE_LABEL } else { "fine" }))
        .collect();
    place.write("hostile.csv", &format!("{HOSTILE_COLUMN},b & c,label\n{rows}"));
    place.run("tune hostile.csv --target label --trials 3 --folds 3 --engine cpu --out runs/hostile");
    let file = report(&place, "runs/hostile");
    let mut browser = Browser::open(1280, 900);
    browser.load(&file, "");
    draw_all(&mut browser);
    let text = browser.evaluate("document.body.textContent");
    let text = text.as_str().unwrap();
    assert!(text.contains(HOSTILE_COLUMN) && text.contains(HOSTILE_LABEL), "both are to be read");
    assert_eq!(browser.evaluate("document.querySelectorAll('img').length"), json!(0));
    assert_quiet(&mut browser, &file);
}

#[test]
fn what_is_missing_is_said_and_nothing_fails() {
    let place = Place::new();
    place.run("tune study.toml");
    std::fs::remove_file(place.path("penguins.csv")).unwrap();
    let gone = report(&place, "runs/study");
    // A search whose program went away before it told anything.
    place.write("space.toml", "[search]\ntrials = 4\n[space]\nx = { uniform = [0.0, 1.0] }\n");
    place.command("search space.toml --out runs/search").write_stdin("").output().unwrap();
    let untold = report(&place, "runs/search");
    let mut browser = Browser::open(1280, 900);
    browser.load(&gone, "#mistakes");
    let note = browser.evaluate("document.querySelector('#page-mistakes .note').textContent");
    assert!(note.as_str().unwrap().contains("penguins.csv"), "{note}");
    draw_all(&mut browser);
    assert!(marks(&mut browser)["parallel"].as_u64().is_some_and(|count| count >= 6), "results need no data");
    assert_quiet(&mut browser, &gone);
    browser.load(&untold, "");
    assert_eq!(draw_all(&mut browser), ["answer", "space", "findings"]);
    let note = browser.evaluate("document.querySelector('#page-answer .note').textContent");
    assert!(note.as_str().unwrap().contains("No trial is complete"), "{note}");
    assert_quiet(&mut browser, &untold);
}

#[test]
fn a_report_replaces_nothing_that_is_needed() {
    let place = Place::new();
    place.run("tune study.toml");
    for needed in ["penguins.csv", "runs/study/study.db"] {
        let error = place.fail(&format!("report runs/study --out {needed}"), 2);
        assert!(error.contains("would be lost"), "{error}");
    }
    assert!(place.fail("report runs/none", 5).contains("holds no study"));
    place.run("report runs/study --out page.html");
    assert!(place.read("page.html").starts_with("<!DOCTYPE html>"));
    assert!(!place.path("runs/study/report.html").exists());
}

/// Draws all of a study of a table and gives the marks of its plots.
fn drawn(place: &Place, browser: &mut Browser, table: &str, target: &str) -> Value {
    place.run(&format!("tune {table}.csv --target {target} --trials 2 --folds 3 --engine cpu --quiet"));
    let file = report(place, &format!("runs/{table}"));
    browser.load(&file, "");
    draw_all(browser);
    let marks = marks(browser);
    assert_written(place, &format!("runs/{table}"), browser);
    assert_quiet(browser, &file);
    marks
}

#[test]
fn values_planes_and_pictures_are_seen_in_action() {
    let place = Place::new();
    let number = |row: usize, by: usize| (row * by % 60) as f64 / 60.0;
    let (mut plane, mut heights) = ("x,y,side\n".to_owned(), "x,y,height\n".to_owned());
    let names: String = (0..16).map(|pixel| format!("pixel{pixel},")).collect();
    let mut pictures = format!("{names}label\n");
    for row in 0..60 {
        let (x, y) = (number(row, 7), number(row, 11));
        plane += &format!("{x},{y},{}\n", if x > y { "right" } else { "left" });
        heights += &format!("{x},{y},{}\n", 3.0 * x - y);
        let is_bright = row % 2 == 0;
        let pixels: String = (0..16)
            .map(|p| format!("{},", if (p < 8) == is_bright { 9 + row % 5 } else { p % 3 + row % 4 }))
            .collect();
        pictures += &format!("{pixels}{}\n", if is_bright { "top" } else { "bottom" });
    }
    for (name, text) in [("plane", &plane), ("heights", &heights), ("pictures", &pictures)] {
        place.write(&format!("{name}.csv"), text);
    }
    let mut browser = Browser::open(1280, 900);
    let marks = drawn(&place, &mut browser, "plane", "side");
    // 48 by 48 cells, and the rows.
    assert!(marks["regions"].as_u64().unwrap() >= 48 * 48 + 60, "{marks:#}");
    let marks = drawn(&place, &mut browser, "heights", "height");
    assert!(
        marks["predicted"].as_u64().unwrap() >= 60 && marks["residuals"].as_u64().unwrap() > 5,
        "{marks:#}"
    );
    assert!(marks["regions"].as_u64().unwrap() >= 48 * 48 + 60 && marks["confusion"].is_null(), "{marks:#}");
    let marks = drawn(&place, &mut browser, "pictures", "label");
    let canvases = "document.querySelectorAll('#page-action .pictures canvas').length";
    assert_eq!(browser.evaluate(canvases), json!(24));
    assert!(marks["dependence-pixel0"].is_null() && marks["confusion"].as_u64().unwrap() >= 4, "{marks:#}");
}

/// The text beside the best score that stands under a name.
fn beside(browser: &mut Browser, name: &str) -> String {
    let found = browser.evaluate(&format!(
        "[...document.querySelectorAll('#page-answer .beside div')].find((fact) => fact.querySelector('dt').textContent === '{name}')?.textContent ?? ''"
    ));
    found.as_str().unwrap().to_owned()
}

#[test]
fn the_answer_says_what_trials_found_that_no_result_led() {
    let place = Place::new();
    let mut browser = Browser::open(1280, 900);
    for (strategy, trials, name, parts) in [
        // Three at a time: up to trial 11 fewer than ten results are known.
        (
            "auto",
            30,
            "Unguided search",
            &[
                "best of auto's first 12 trials: spread evenly over the space, not drawn at random",
                "before any result led it",
                "in the 12 behind them",
                "in all 30",
                "of the best of 6 of them",
            ][..],
        ),
        ("auto", 8, "Unguided search", &["the best of 4 of these 8 trials: all were spread evenly"]),
        ("halton", 8, "Unguided search", &["the best of 4 of these 8 trials: all were spread evenly"]),
        ("random", 8, "Random search", &["the best of 4 of these 8 trials: all were drawn at random"]),
        ("grid", 6, "Random search", &["known when the whole grid has ended"]),
    ] {
        let run = format!("runs/{strategy}-{trials}");
        let batch = if strategy == "auto" { " --batch 3" } else { "" };
        place.run(&format!(
            "tune study.toml --strategy {strategy} --trials {trials}{batch} --out {run} --quiet"
        ));
        browser.load(&report(&place, &run), "");
        let text = beside(&mut browser, name);
        parts
            .iter()
            .for_each(|part| assert!(text.contains(part), "{strategy}, {trials}: {part:?} is not in {text}"));
    }
    let grid = place.read("study.toml").replace("{ log_uniform = [1e-3, 1e-1] }", "[1e-3, 1e-2]");
    place.write("grid.toml", &grid.replace("{ uniform = [0.0, 0.3] }", "0.0"));
    place.run("tune grid.toml --strategy grid --quiet");
    let file = report(&place, "runs/grid");
    browser.load(&file, "");
    let text = beside(&mut browser, "Unguided search");
    assert!(text.contains("the best of 2 of these 4 trials: all were the cells of the grid"), "{text}");
    assert_quiet(&mut browser, &file);
}

/// By penguins in three folds an epoch has 15 steps of 16 rows, and 4 of 64: rungs at 10, 20 and 40 steps are the first
/// ends of an epoch there, 1, 2, 3 and 3, 5 and none below 8.
#[test]
fn rungs_of_steps_are_shown_as_epochs_of_each_trial() {
    let place = Place::new();
    let schedule = "[schedule]\nkind = \"asha\"\nreduction_factor = 2\nrung_steps = 10\npatience = 1";
    let study = place.read("study.toml").replace("[schedule]", schedule);
    place.write("steps.toml", &study.replace("batch_size = 64", "batch_size = [16, 64]"));
    place.run("tune steps.toml --trials 24 --strategy random --quiet");
    let shown = place.show("runs/steps");
    let trials = shown["trials"].as_array().unwrap();
    let counts = |at: [u64; 2]| -> [usize; 3] {
        let rungs = trials.iter().map(|trial| {
            let at = at[usize::from(trial["hyperparameters"]["batch_size"] == 64)];
            (trial["epochs"].as_u64().unwrap(), at, trial["state"] == "pruned")
        });
        let came = rungs.filter(|(epochs, at, _)| epochs >= at).collect::<Vec<_>>();
        let stopped = came.iter().filter(|(epochs, at, is_pruned)| epochs == at && *is_pruned).count();
        [came.len(), stopped, came.iter().filter(|(epochs, at, _)| epochs > at).count()]
    };
    let file = report(&place, "runs/steps");
    let mut browser = Browser::open(1280, 900);
    browser.load(&file, "#training");
    let found = browser.evaluate(
        "[...document.querySelectorAll('#page-training table')].map((table) => [...table.querySelectorAll('tbody tr')].map((row) => [...row.cells].map((cell) => cell.textContent)))",
    );
    let expected: Vec<Vec<String>> =
        [("10", "1 to 3", [1, 3]), ("20", "2 to 5", [2, 5]), ("40", "3", [3, 99])]
            .into_iter()
            .map(|(steps, epochs, at)| {
                [steps.to_owned(), epochs.to_owned()]
                    .into_iter()
                    .chain(counts(at).map(|count| count.to_string()))
                    .collect()
            })
            .collect();
    assert_eq!(found[0], json!(expected));
    assert!(expected.iter().any(|row| row[3] != "0"), "nothing was stopped: {expected:?}");
    let ends_at = |trial: &Value| trial["state"] == "complete" && trial["epochs"] == 3;
    assert!(trials.iter().any(ends_at), "none ended by itself at a rung");
    let caption = browser.evaluate("document.querySelector('[data-plot=curves] figcaption').textContent");
    let best = format!("dashed: rungs of trial {}", shown["best"]["number"]);
    assert!(caption.as_str().unwrap().contains(&best), "{caption}");
    assert_quiet(&mut browser, &file);

    std::fs::remove_file(place.path("penguins.csv")).unwrap();
    let file = report(&place, "runs/steps");
    browser.load(&file, "#training");
    let note = browser.evaluate("document.querySelector('#page-training .note').textContent");
    let note = note.as_str().unwrap();
    assert!(note.contains("rungs is not known") && note.contains("penguins.csv"), "{note}");
    assert_quiet(&mut browser, &file);
}
