//! Plots as files: every one of the report, whole, as asked for, and nothing else.

#[path = "cli/mod.rs"]
mod cli;

use cli::Place;
use resvg::tiny_skia::Pixmap;
use resvg::usvg::roxmltree::{Document, Node};
use std::collections::HashSet;
use std::fs;

/// The plots that are listed, and what can be chosen for the last ones.
fn names(listing: &str) -> Vec<&str> {
    let is_name = |line: &&str| line.starts_with("  ") && !line.starts_with("   ");
    listing.lines().filter(is_name).map(str::trim).collect()
}

/// All that is written in an SVG, piece by piece.
fn texts(svg: &str) -> Vec<String> {
    let document = Document::parse(svg).unwrap();
    let text = |node: Node| node.text().map(str::to_owned);
    document.descendants().filter(|node| node.has_tag_name("text")).filter_map(text).collect()
}

/// Shapes of an SVG.
fn shapes(svg: &str) -> usize {
    let document = Document::parse(svg).unwrap();
    let is_shape = |node: &Node| ["path", "rect", "circle", "polyline"].contains(&node.tag_name().name());
    document.descendants().filter(is_shape).count()
}

fn colours(pixels: &Pixmap) -> HashSet<[u8; 3]> {
    pixels.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]).collect()
}

/// A study of six trials.
fn studied() -> Place {
    let place = Place::new();
    place.run("tune study.toml --quiet");
    place
}

#[test]
fn every_plot_that_is_listed_is_written() {
    let place = studied();
    let (listing, _) = place.run("plot runs/study");
    let listed = names(&listing);
    for known in ["progress", "parallel", "pair", "curves", "dead", "confusion", "dependence-sex"] {
        assert!(listed.contains(&known), "{known}: {listing}");
    }
    assert!(listing.contains("--choose Across=learning_rate|hidden|dropout"), "{listing}");
    let (written, _) = place.run("plot runs/study --kind all");
    assert_eq!(written.lines().count(), listed.len());
    for (name, path) in listed.iter().zip(written.lines()) {
        assert_eq!(path, format!("runs/study/plots/{name}.svg"));
        let svg = place.read(path);
        // Title, axes and their numbers, and shapes beyond the ground.
        assert!(texts(&svg).len() >= 4 && shapes(&svg) >= 5, "{name}: {svg}");
        assert!(texts(&svg)[0].starts_with("study · "), "{name}");
    }
}

#[test]
fn a_plot_is_of_its_study_and_the_same_every_time() {
    let place = studied();
    place.run("plot runs/study --kind curves --out first.svg");
    place.run("plot runs/study --kind curves --out second.svg");
    let svg = place.read("first.svg");
    assert_eq!(svg, place.read("second.svg"));
    place.run("plot runs/study --kind all --out all");
    assert_eq!(svg, place.read("all/curves.svg"), "whatever was drawn before it");
    for of_pointers in ["hover", "ecmeta", "class="] {
        assert!(!svg.contains(of_pointers), "{of_pointers}");
    }
    // Five thin lines and the thick one of the best.
    let best = place.show("runs/study")["best"]["number"].to_string();
    assert!(texts(&svg).iter().any(|text| text.contains(&format!("trial {best}, the best"))), "{svg}");
    let document = Document::parse(&svg).unwrap();
    let lines = document.descendants().filter(|node| {
        node.attribute("stroke-width") == Some("3") || node.attribute("stroke") == Some("rgb(70,85,110)")
    });
    assert_eq!(lines.count(), 6, "{svg}");
}

#[test]
fn a_pipe_gets_the_plot_alone() {
    let place = studied();
    let (svg, _) = place.run("plot runs/study --kind curves --format svg --out /dev/stdout");
    assert_eq!(Document::parse(&svg).unwrap().root_element().tag_name().name(), "svg");
    let (html, _) = place.run("report runs/study --out /dev/stdout");
    assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>\n"));
    // Behind what a file has already, as the shell was told.
    place.write("all.svg", "before\n");
    let file = fs::File::options().append(true).open(place.path("all.svg")).unwrap();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_manytune"));
    command.args(["plot", "runs/study", "--kind", "curves", "--format", "svg", "--out", "/dev/stdout"]);
    command.current_dir(place.path("")).stdout(file);
    // As root this once replaced the device itself.
    assert!(command.status().unwrap().success() && !fs::symlink_metadata("/dev/stdout").unwrap().is_file());
    assert_eq!(place.read("all.svg"), format!("before\n{svg}"));
}

#[test]
fn pixels_are_those_of_the_size_asked_for() {
    let place = studied();
    let written = |arguments: &str| {
        place.run(&format!("plot runs/study {arguments}"));
        let file = arguments.split_whitespace().last().unwrap();
        Pixmap::decode_png(&fs::read(place.path(file)).unwrap()).unwrap()
    };
    let light = written("--kind progress --width 400 --height 300 --out light.png");
    assert_eq!((light.width(), light.height()), (800, 600), "two to each");
    let single = written("--kind progress --width 400 --height 300 --scale 1 --out single.png");
    assert_eq!((single.width(), single.height()), (400, 300));
    // Letters, too, are drawn where a machine has no fonts: the title is in the darkest colour of all.
    let ink = [0x1a, 0x1d, 0x23];
    assert!(colours(&light).contains(&ink));
    let dark = written("--kind progress --width 400 --height 300 --dark --out dark.png");
    let corner = |pixels: &Pixmap| pixels.pixels()[0].red();
    assert_eq!((corner(&light), corner(&dark)), (0xff, 0x14));
    let bare = written("--kind progress --width 400 --height 300 --bare --out bare.png");
    assert!(!colours(&bare).contains(&ink), "no title");
}

#[test]
fn what_is_chosen_is_drawn_and_said() {
    let place = studied();
    let svg = |arguments: &str| {
        place.run(&format!("plot runs/study --kind pair --out pair.svg {arguments}"));
        place.read("pair.svg")
    };
    let plain = svg("");
    let chosen = svg("--choose Across=hidden --choose up=dropout");
    assert!(texts(&plain).contains(&"learning rate".to_owned()), "{plain}");
    let texts = texts(&chosen);
    assert_eq!(texts[0], "study · pair · across hidden · up dropout");
    for axis in ["hidden", "dropout", "[12, 6]"] {
        assert!(texts.contains(&axis.to_owned()), "{texts:?}");
    }
    assert!(!texts.contains(&"learning rate".to_owned()), "{texts:?}");
}

#[test]
fn what_cannot_be_drawn_is_refused_with_what_can() {
    let place = studied();
    let refused = |arguments: &str, code: i32, said: &[&str]| {
        let error = place.fail(&format!("plot {arguments}"), code);
        said.iter().for_each(|said| assert!(error.contains(said), "{arguments}: {error}"));
    };
    refused("runs/none", 5, &["holds no study"]);
    refused("runs/study --kind curve", 2, &["unknown plot", "did you mean \"curves\"", "progress, parallel"]);
    refused("runs/study --kind pair --choose Over=x", 2, &["unknown choice of pair", "Across, Up"]);
    refused("runs/study --kind pair --choose Across=depth", 2, &["unknown option", "learning_rate, hidden"]);
    refused("runs/study --kind pair --choose Across", 2, &["an equals sign"]);
    refused("runs/study --kind curves --choose Across=x", 2, &["leave --choose out"]);
    refused("runs/study --kind all --choose Across=x", 2, &["one --kind"]);
    refused("runs/study --kind curves --format jpg", 2, &["unknown format", "svg, png"]);
    refused("runs/study --kind curves --out a.jpg", 2, &["unknown ending"]);
    refused("runs/study --kind curves --width 1", 2, &["200"]);
    refused("runs/study --kind curves --width 8000 --scale 10 --out a.png", 2, &["pixels a side", "svg"]);
    refused("runs/study --kind curves --format svg --out penguins.csv", 2, &["would be lost"]);
    refused("runs/study --kind curves --out nowhere/a.svg", 5, &["cannot be written"]);
    refused("runs/study --out a.svg", 2, &["--kind"]);
    assert!(!place.path("a.png").exists() && !place.path("a.svg").exists());
    assert!(!place.path("runs/study/plots").exists(), "nothing was written, and no folder made");
}

#[test]
fn what_the_data_say_stays_text() {
    let place = Place::new();
    let hostile = "<script>alert(1)</script>";
    let rows: String = (0..60)
        .map(|row| format!("{},{},{}\n", row % 7, row % 5, if row % 7 > 2 { hostile } else { "&" }))
        .collect();
    place.write("hostile.csv", &format!("a/b,企鵝 \u{1f427},label\n{rows}"));
    place.run("tune hostile.csv --target label --trials 3 --folds 3 --engine cpu --quiet");
    let (written, _) = place.run("plot runs/hostile --kind all");
    let confusion = place.read("runs/hostile/plots/confusion.svg");
    assert!(texts(&confusion).iter().any(|text| text.starts_with("<script>alert")), "{confusion}");
    let paths: Vec<&str> = written.lines().collect();
    assert!(paths.contains(&"runs/hostile/plots/dependence-a_b.svg"), "{written}");
    for path in paths {
        let svg = place.read(path);
        let document = Document::parse(&svg).unwrap();
        assert!(!document.descendants().any(|node| node.has_tag_name("script")), "{path}");
    }
    place.run("plot runs/hostile --kind all --format png --out pictures");
    // Characters of two units that are cut, and some that no XML may hold, in titles, names and labels.
    let birds = "\u{1f427}".repeat(50);
    let rows: String = (0..60)
        .map(|row| format!("{},{},{}\n", row % 7, row % 5, if row % 7 > 2 { &birds } else { "\u{1}x" }))
        .collect();
    place.write("birds.csv", &format!("{birds},b\u{2},label\n{rows}"));
    place.run("tune birds.csv --target label --trials 3 --folds 3 --engine cpu --quiet");
    let (written, _) = place.run("plot runs/birds --kind all");
    for path in written.lines() {
        Document::parse(&place.read(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let confusion = texts(&place.read("runs/birds/plots/confusion.svg"));
    let of_column = format!("runs/birds/plots/dependence-{}.svg", "_".repeat(50));
    let column = texts(&place.read(&of_column));
    assert!(column.contains(&format!("{}…", "\u{1f427}".repeat(39))), "{column:?}");
    assert!(confusion.contains(&"\u{fffd}x".to_owned()), "{confusion:?}");
}

#[test]
fn images_are_pictures_of_their_rows() {
    let place = Place::new();
    let names: String = (0..16).map(|pixel| format!("pixel{pixel},")).collect();
    let mut table = format!("{names}label\n");
    for row in 0..40 {
        let is_bright = row % 2 == 0;
        let pixels: String = (0..16)
            .map(|p| format!("{},", if (p < 8) == is_bright { 9 + row % 5 } else { row % 4 }))
            .collect();
        table += &format!("{pixels}{}\n", if is_bright { "top" } else { "bottom" });
    }
    place.write("images.csv", &table);
    place.run("tune images.csv --target label --trials 2 --folds 3 --engine cpu --quiet");
    for kind in ["pictures", "mistakes"] {
        place.run(&format!("plot runs/images --kind {kind} --out {kind}.svg"));
        let svg = place.read(&format!("{kind}.svg"));
        let document = Document::parse(&svg).unwrap();
        let count = document.descendants().filter(|node| node.attribute("shape-rendering").is_some()).count();
        assert!((10..=40).contains(&count), "{kind}: {count}");
        assert!(texts(&svg).iter().any(|text| text.starts_with("line ")), "{svg}");
    }
}

#[test]
fn results_are_drawn_without_their_data_and_nothing_of_nothing() {
    let place = studied();
    fs::remove_file(place.path("penguins.csv")).unwrap();
    let (listing, _) = place.run("plot runs/study");
    let listed = names(&listing);
    assert!(listed.contains(&"curves") && !listed.contains(&"confusion"), "{listing}");
    place.run("plot runs/study --kind curves");
    place.write("space.toml", "[search]\ntrials = 4\n[space]\nx = { uniform = [0.0, 1.0] }\n");
    place.command("search space.toml --out runs/search").write_stdin("").output().unwrap();
    for arguments in ["", "--kind all", "--kind curves"] {
        let error = place.fail(&format!("plot runs/search {arguments}"), 2);
        assert!(error.contains("has anything to draw yet"), "{arguments}: {error}");
    }
}
