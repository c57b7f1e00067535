//! What goes on inside models while they train: what is counted, what is kept, and that looking changes nothing.

mod cli;
mod common;
mod rings;

use cli::{Place, STUDY};
use manytune::data::Task;
use manytune::engine::cpu::CpuEngine;
use manytune::engine::gpu::GpuEngine;
use manytune::engine::gpu::plan::Plans;
use manytune::engine::{Engine, Job, MemoryLimit, Snapshot};
use manytune::model::inside::{self, Histogram, LOOK_ROWS, Probe};
use manytune::model::recipe::Member;
use manytune::model::trainer::{Scratch, Trainer};
use manytune::model::{activation, optimizer};
use manytune::study::inside::{Histograms, Look};
use manytune::study::run::Stop;
use manytune::study::store::Store;
use manytune::trial::{State, Trial, compare};
use rings::{CHECKPOINT_INTERVAL, HISTOGRAMS, Stepping, create, timeless, train, train_on};
use std::sync::Arc;
use std::time::Duration;

fn never(_: usize) -> Option<Stop> {
    None
}

#[test]
fn every_number_has_one_bin_and_powers_of_two_begin_theirs() {
    for (x, expected) in [
        (f32::NAN, inside::NAN),
        (-f32::NAN, inside::NAN),
        (f32::INFINITY, inside::POSITIVE_INFINITY),
        (f32::NEG_INFINITY, inside::NEGATIVE_INFINITY),
        (0.0, inside::ZERO),
        (-0.0, inside::ZERO),
        (1e-39, inside::ZERO),
    ] {
        assert_eq!(inside::bin(x), expected, "{x}");
    }
    for exponent in -126..128 {
        let low = 2_f32.powi(exponent);
        let high = f32::from_bits((low.to_bits() + (1 << 23)) - 1);
        for (x, is_negative) in [(low, false), (high, false), (-low, true), (-high, true)] {
            let found = inside::exponent_of(inside::bin(x));
            assert_eq!(found, Some((exponent.clamp(inside::LOWEST, 20), is_negative)), "{x}");
        }
    }
    let all = (0..inside::BINS).filter_map(inside::exponent_of).count();
    assert_eq!(all, inside::BINS - 4);
}

fn job(task: Task) -> Job {
    Job { dataset: Arc::new(common::dataset(task, 700, 6, 2)), seed: 5, with_outputs: false }
}

/// Pushes the first unit of the first hidden layer so far down that it is flat for every row.
fn kill_one(member: &Member, parameters: &mut [f32]) {
    let first = member.network.hidden.first();
    first.into_iter().for_each(|units| parameters[member.network.input_count * units] = -60.0);
}

/// A member on its way, and what a probe of it sees.
fn probed(job: &Job, hidden: &[usize], name: &str) -> (Trainer<f32>, Probe) {
    let member: Member = common::member(job, hidden, |network, recipe| {
        network.activation = *activation::ALL.iter().find(|activation| activation.name() == name).unwrap();
        (recipe.dropout, recipe.l2_penalty, recipe.clip_norm) = (0.2, 0.01, 0.02);
    });
    let (mut trainer, mut scratch) = (Trainer::<f32>::new(member, job.seed), Scratch::default());
    trainer.train_until(&job.dataset, &mut scratch, 7, || false).unwrap();
    kill_one(&trainer.member, &mut trainer.parameters);
    let before = trainer.clone();
    let probe = trainer.probe(&job.dataset, &mut scratch);
    assert_eq!(trainer.parameters, before.parameters);
    assert_eq!((&trainer.m, &trainer.v, trainer.step), (&before.m, &before.v, before.step));
    (trainer, probe)
}

/// z and f(z) of the first validation rows, layer by layer, by plain loops in f64.
fn looked_at(job: &Job, trainer: &Trainer<f32>) -> Vec<[Vec<f64>; 3]> {
    let (network, fold) = (&trainer.member.network, &job.dataset.folds[0]);
    let rows = &fold.validation[..LOOK_ROWS];
    let apply =
        |&row: &u32| job.dataset.row(row).iter().zip(&fold.transforms).map(|(x, t)| t.apply(*x)).collect();
    let mut inputs: Vec<Vec<f32>> = rows.iter().map(apply).collect();
    let mut parameters = &trainer.parameters[..];
    let mut layers = Vec::new();
    for (input_count, units) in network.layers() {
        let (own, rest) = parameters.split_at((input_count + 1) * units);
        parameters = rest;
        let z = |x: &Vec<f32>, unit: usize| -> f64 {
            let terms =
                (0..input_count).map(|input| f64::from(x[input]) * f64::from(own[input * units + unit]));
            terms.sum::<f64>() + f64::from(own[input_count * units + unit])
        };
        let z: Vec<f64> = inputs.iter().flat_map(|x| (0..units).map(move |unit| z(x, unit))).collect();
        let (mut values, mut slopes) = (z.clone(), vec![0.0; z.len()]);
        network.activation.apply_f64(&mut values, &mut slopes);
        inputs = values.chunks(units).map(|row| row.iter().map(|&value| value as f32).collect()).collect();
        layers.push([z, values, slopes]);
    }
    layers
}

/// How many numbers lie in other bins. Numbers on the edge of a bin fall to either side as they round: of some
/// thousands, spread over powers of two, about one in 2²³/8 does; and zero is a point.
fn moved(a: &Histogram, b: &Histogram) -> u64 {
    let difference = a.counts.iter().zip(&b.counts).map(|(&a, &b)| u64::from(a.abs_diff(b)));
    difference.sum::<u64>() / 2
}

#[test]
fn a_probe_counts_what_plain_loops_count() {
    for (task, name) in [
        (Task::Classification { class_count: 3 }, "relu"),
        (Task::Classification { class_count: 3 }, "tanh"),
        (Task::Regression, "gelu"),
        (Task::Regression, "sigmoid"),
    ] {
        let job = job(task);
        let (trainer, probe) = probed(&job, &[9, 5], name);
        assert_eq!((probe.step, probe.layers.len()), (7, 3));
        let limit = f64::from(inside::closed_below(trainer.member.network.activation));
        for (index, [z, values, slopes]) in looked_at(&job, &trainer).iter().enumerate() {
            let layer = &probe.layers[index];
            let of = |values: &[f64]| Histogram::of(values.iter().copied());
            assert!(moved(&layer.pre_activations, &of(z)) <= 2, "{name} {index}");
            let units = layer.unit_count as usize;
            assert_eq!(layer.pre_activations.total() as usize, LOOK_ROWS * units);
            if index == 2 {
                assert_eq!((layer.activations.total(), layer.closed_count, layer.dead_count), (0, 0, 0));
                continue;
            }
            assert!(moved(&layer.activations, &of(values)) <= 2, "{name} {index}");
            let closed: Vec<bool> = slopes.iter().map(|slope| slope.abs() < limit).collect();
            let closed_count = closed.iter().filter(|closed| **closed).count() as u64;
            assert!(layer.closed_count.abs_diff(closed_count) <= 2, "{name} {index}: {closed_count}");
            let dead =
                (0..units).filter(|unit| closed.iter().skip(*unit).step_by(units).all(|closed| *closed));
            assert_eq!(layer.dead_count as usize, dead.count(), "{name} {index}");
            assert!(index > 0 || layer.dead_count >= 1, "{name}");
            let sum: f64 = values.iter().map(|value| value.abs()).sum();
            // Of some 2,000 sums of six products, each rounded to 24 bits.
            assert!((layer.activation_sum / sum - 1.0).abs() <= 1e-5, "{name} {index}");
        }
    }
}

/// The step that a probe takes aside is the one that training takes next, bit for bit.
#[test]
fn a_probe_sees_the_step_that_comes_next() {
    for name in ["relu", "tanh"] {
        let job = job(Task::Classification { class_count: 3 });
        let (mut trainer, probe) = probed(&job, &[9, 5], name);
        let mut scratch = Scratch::default();
        assert_eq!(probe.loss, trainer.gradient(&job.dataset, &mut scratch));
        let (mut other, mut unclipped) = (trainer.clone(), Scratch::default());
        other.member.recipe.clip_norm = 0.0;
        other.gradient(&job.dataset, &mut unclipped);
        assert_ne!(unclipped.gradient, scratch.gradient, "the test's gradients are clipped");
        let before = trainer.parameters.clone();
        trainer.update(&job.dataset, &scratch);
        let ranges = manytune::model::network::layer_ranges(&trainer.member.network);
        for (range, layer) in ranges.into_iter().zip(&probe.layers) {
            let weights = range.start..range.end - layer.unit_count as usize;
            assert_eq!(layer.gradients, Histogram::of(unclipped.gradient[range].iter().copied()));
            let pairs = before[weights.clone()].iter().zip(&trainer.parameters[weights]);
            let ratios = pairs
                .clone()
                .map(|(w, stepped)| if stepped == w { 0.0 } else { (stepped - w).abs() / w.abs() });
            assert_eq!(layer.update_ratios, Histogram::of(ratios));
            let squares =
                |part: fn((&f32, &f32)) -> f32| pairs.clone().map(part).map(|x| f64::from(x).powi(2)).sum();
            let (own, update): (f64, f64) = (squares(|(w, _)| *w), squares(|(w, stepped)| stepped - w));
            assert_eq!((layer.weight_square_sum, layer.update_square_sum), (own, update));
            assert!(
                layer.d_square_sum > 0.0
                    && layer.d_pre_activations.total() == 16 * u64::from(layer.unit_count)
            );
        }
    }
}

/// Of all trials, with what is kept of histograms.
fn seen(store: &Store) -> Vec<Look> {
    let numbers = store.inside(None).unwrap();
    let of_trial = |trial: &Trial| store.inside(Some(trial.number)).unwrap();
    let looks: Vec<Look> = store.trials().unwrap().iter().flat_map(of_trial).collect();
    assert!(numbers.iter().all(|look| look.histograms.is_none()) && numbers.len() == looks.len());
    looks
}

#[test]
fn looking_changes_no_bit_of_what_is_trained() {
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let [none, best, all] =
        [(Histograms::None, 0), (Histograms::Best(2), 1), (Histograms::All, 2)].map(|(asked, at)| {
            HISTOGRAMS.set(asked);
            let mut store = create(folders[at].path());
            train(&mut store, 10, 2, &never).unwrap();
            (timeless(&store), store.best_models().unwrap(), seen(&store))
        });
    assert_eq!((&none.0, &none.1), (&best.0, &best.1));
    assert_eq!((&none.0, &none.1), (&all.0, &all.1));
    assert!(none.2.is_empty());
    assert!(all.2.iter().all(|look| look.histograms.is_some()));
    let numbers = |looks: &[Look]| -> Vec<_> {
        looks.iter().map(|look| (look.trial, look.epoch, look.layers.clone())).collect()
    };
    assert_eq!(numbers(&best.2), numbers(&all.2), "the numbers are kept of all trials");
}

#[test]
fn trials_are_looked_into_at_powers_of_two_and_at_their_end_and_the_best_keep_their_histograms() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = create(folder.path());
    train(&mut store, 10, 2, &never).unwrap();
    let (mut trials, looks) = (store.trials().unwrap(), seen(&store));
    for trial in &trials {
        let epochs: Vec<u32> =
            looks.iter().filter(|look| look.trial == trial.number).map(|look| look.epoch).collect();
        let last = trial.history.epoch_count();
        let expected: Vec<u32> = match trial.state {
            State::Failed => Vec::new(),
            State::Diverged => (0..=last).filter(|epoch| *epoch == 0 || epoch.is_power_of_two()).collect(),
            _ => (0..=last).filter(|&epoch| [0, 1, 2, 4, 8, last].contains(&epoch)).collect(),
        };
        assert_eq!(epochs, expected, "trial {}, {:?}", trial.number, trial.state);
    }
    let order = store.header().unwrap().order().unwrap();
    trials.sort_by(|a, b| compare(order, a, b));
    for look in &looks {
        let is_best = trials[..2].iter().any(|trial| trial.number == look.trial);
        assert_eq!(look.histograms.is_some(), is_best, "trial {}", look.trial);
        assert_eq!(look.layers.len(), 2);
    }
}

/// Steps of every fold are counted out: the run is stopped between any two of them, and opened anew each time.
#[test]
fn an_interrupted_run_has_seen_what_one_that_was_not_has() {
    CHECKPOINT_INTERVAL.set(Duration::ZERO);
    let whole = tempfile::tempdir().unwrap();
    let mut store = create(whole.path());
    train_on(&mut Stepping::new(), &mut store, 7, &never).unwrap();
    let expected = seen(&store);
    assert!(expected.len() > 7 * 3);

    let parts = tempfile::tempdir().unwrap();
    drop(create(parts.path()));
    for run_count in 0.. {
        let mut store = Store::open(parts.path()).unwrap();
        let after = |steps| (steps > 3 + run_count % 5).then_some(Stop::Interrupted);
        let (stopped, _) = train_on(&mut Stepping::new(), &mut store, 7, &after).unwrap();
        if stopped.is_none() {
            assert!(run_count > 3, "the run was interrupted {run_count} times only");
            assert_eq!(seen(&store), expected);
            break;
        }
    }
}

#[test]
fn what_may_be_asked_for_is_said() {
    for (text, expected) in
        [("best:8", Histograms::Best(8)), ("all", Histograms::All), ("none", Histograms::None)]
    {
        let read = Histograms::read("--histograms", text).unwrap();
        assert_eq!((read, read.to_string().as_str()), (expected, text));
    }
    for text in ["best:0", "best:x", "best", "best:", "best:-1", "8", "", "ALL", "best:99999999999"] {
        let error = Histograms::read("--histograms", text).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let said = error.to_string();
        assert!(
            ["--histograms", &format!("\"{text}\""), "best:N", "all, none"]
                .iter()
                .all(|part| said.contains(part)),
            "{said}"
        );
    }
}

/// Members of every kind that a look meets: with and without clipping, penalties, dropout, hidden layers.
fn members(job: &Job) -> Vec<Member> {
    let named = |name: &str| *activation::ALL.iter().find(|activation| activation.name() == name).unwrap();
    let (relu, sigmoid) = (named("relu"), named("sigmoid"));
    let adam = *optimizer::ALL.iter().find(|optimizer| optimizer.name() == "adam").unwrap();
    vec![
        common::member(job, &[9, 5], |_, recipe| (recipe.clip_norm, recipe.dropout) = (0.3, 0.2)),
        common::member(job, &[33], |network, recipe| {
            (network.activation, recipe.optimizer, recipe.optimizer_parameters) =
                (relu, adam, adam.defaults());
            (recipe.learning_rate, recipe.input_dropout) = (0.01, 0.1);
        }),
        common::member(job, &[6, 6, 6], |network, recipe| {
            (network.activation, recipe.batch_size, recipe.l2_penalty) = (sigmoid, 50, 0.01);
        }),
        common::member(job, &[], |_, _| {}),
    ]
}

/// States of members after two epochs, and what the processor sees inside them.
fn on_the_processor(job: &Job, members: &[Member]) -> (Vec<Snapshot>, Vec<Option<Probe>>) {
    let mut cpu = CpuEngine::new(job.clone(), Some(2)).unwrap();
    let trained = common::train(&mut cpu, members, 2).into_iter().zip(members);
    let states: Vec<Snapshot> = trained
        .map(|((_, mut state), member)| {
            kill_one(member, &mut state.parameters);
            state
        })
        .collect();
    let mut cpu = CpuEngine::new(job.clone(), Some(2)).unwrap();
    for ((id, member), state) in (0..).zip(members).zip(&states) {
        cpu.restore(id, member.clone(), state).unwrap();
    }
    let ids: Vec<u64> = (0..members.len() as u64).collect();
    let seen = cpu.probe(&ids).unwrap();
    (states, seen)
}

/// Every kernel of a look against the loops of the processor, from the same numbers.
#[test]
fn a_graphics_device_counts_what_the_processor_counts() {
    let Some(device) = common::gpu() else { return };
    for task in [Task::Classification { class_count: 3 }, Task::Regression] {
        let job = job(task);
        let members = members(&job);
        let ids: Vec<u64> = (0..members.len() as u64).collect();
        let (states, expected) = on_the_processor(&job, &members);
        for plans in ["tiled", "resident"] {
            let mut gpu = GpuEngine::new(job.clone(), device.clone(), None).unwrap();
            gpu = gpu.with_plans(Plans::named(plans).unwrap());
            for ((&id, member), state) in ids.iter().zip(&members).zip(&states) {
                gpu.restore(id, member.clone(), state).unwrap();
            }
            let found = gpu.probe(&ids).unwrap();
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let name = format!("{plans}, member {index}");
                assert_same(&name, found.as_ref().unwrap(), expected.as_ref().unwrap());
            }
            let alone = gpu.probe(&[2]).unwrap();
            assert_eq!(alone[0], found[2], "{plans}: company changes what is seen");
            assert_eq!(gpu.probe(&ids).unwrap(), found, "{plans}: a look changes what is seen");
            for (after, before) in gpu.snapshot(&ids).unwrap().iter().zip(&states) {
                assert_eq!(
                    (&after.parameters, &after.m, &after.v),
                    (&before.parameters, &before.m, &before.v)
                );
                assert_eq!((after.epoch, after.step), (before.epoch, before.step));
            }
        }
    }
}

fn assert_same(name: &str, found: &Probe, expected: &Probe) {
    let close = |what: &str, found: f64, expected: f64, tolerance: f64| {
        let difference = (found - expected).abs();
        assert!(difference <= tolerance * expected.abs().max(1e-12), "{name}, {what}: {found}, {expected}");
    };
    // Of a mean over rows whose terms are summed in another order, at 24 bits.
    close("loss", found.loss, expected.loss, 1e-5);
    assert_eq!((found.step, found.layers.len()), (expected.step, expected.layers.len()));
    for (index, (a, b)) in found.layers.iter().zip(&expected.layers).enumerate() {
        let histograms = |layer: &manytune::model::inside::LayerProbe| {
            let layer = layer.clone();
            [
                layer.pre_activations,
                layer.activations,
                layer.d_pre_activations,
                layer.gradients,
                layer.update_ratios,
            ]
        };
        for (kind, (a, b)) in histograms(a).iter().zip(&histograms(b)).enumerate() {
            assert_eq!(a.total(), b.total(), "{name}, layer {index}, histogram {kind}");
            // Numbers that round to the other side of a bin's edge: at a relative error of 1e-5 one in 70,000, were
            // they even; small sums of terms that cancel are off by more.
            let limit = 2 + a.total() / 200;
            let moved = moved(a, b);
            assert!(moved <= limit, "{name}, layer {index}, histogram {kind}: {moved} of {}", a.total());
        }
        assert_eq!((a.unit_count, a.dead_count), (b.unit_count, b.dead_count), "{name}, layer {index}");
        assert!(a.closed_count.abs_diff(b.closed_count) <= 2, "{name}, layer {index}");
        close("Σ|a|", a.activation_sum, b.activation_sum, 1e-5);
        close("Σd²", a.d_square_sum, b.d_square_sum, 1e-4);
        close("Σw²", a.weight_square_sum, b.weight_square_sum, 1e-5);
        // A sum of squares of differences of numbers near each other.
        close("Σ(Δw)²", a.update_square_sum, b.update_square_sum, 1e-3);
    }
}

/// Looks are taken in parts where their memory holds not all members, and left out where it holds not one.
#[test]
fn a_look_keeps_to_its_share_of_the_memory() {
    let Some(device) = common::gpu() else { return };
    let job = job(Task::Classification { class_count: 3 });
    let member = common::member(&job, &[40, 40], |_, _| {});
    let ids: Vec<u64> = (0..6).collect();
    let within = |bytes: u64| {
        let memory = Some(MemoryLimit::Bytes(bytes));
        let mut gpu = GpuEngine::new(job.clone(), device.clone(), memory).unwrap();
        ids.iter().for_each(|&id| gpu.admit(id, member.clone()).unwrap());
        gpu.probe(&ids).unwrap()
    };
    let (parts, none) = (within(16 << 20), within(4 << 20));
    assert!(parts.iter().all(Option::is_some) && parts.iter().all(|probe| *probe == parts[0]));
    assert!(none.iter().all(Option::is_none));
}

/// A planted fault in the kernel changes what the test above compares.
#[test]
fn faults_of_the_kernel_that_counts_are_seen() {
    let Some(device) = common::gpu() else { return };
    let job = job(Task::Classification { class_count: 3 });
    let members = members(&job);
    let ids: Vec<u64> = (0..members.len() as u64).collect();
    let (states, expected) = on_the_processor(&job, &members);
    for (from, to) in [
        ("row - min(row, 4u * quad)", "row"),
        ("closed.y += u32(open[k] == 0u)", "closed.y += u32(open[k] > 999u)"),
        ("layer.gradient_at, layer", "layer.output_at, layer"),
        ("input < layer.input_count || input == bias_row", "input < layer.input_count"),
        ("scratch[layer.before_at + e]", "weights[layer.parameters_at + e]"),
        ("exponent) - 127", "exponent) - 126"),
        ("dot(abs(value), vec4<f32>(1.0))", "dot(value, vec4<f32>(1.0))"),
    ] {
        let mut sources = manytune::engine::gpu::sources::assemble();
        let inside = sources.iter_mut().find(|source| source.name == "inside").unwrap();
        assert!(inside.wgsl.contains(from), "{from}");
        inside.wgsl = inside.wgsl.replace(from, to);
        let mut gpu = GpuEngine::with_sources(job.clone(), device.clone(), None, &sources).unwrap();
        for ((&id, member), state) in ids.iter().zip(&members).zip(&states) {
            gpu.restore(id, member.clone(), state).unwrap();
        }
        let found = gpu.probe(&ids).unwrap();
        let compare = || {
            let pairs = found.iter().zip(&expected);
            pairs.for_each(|(a, b)| assert_same("planted", a.as_ref().unwrap(), b.as_ref().unwrap()));
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(compare));
        assert!(outcome.is_err(), "not seen: {to} in the place of {from}");
    }
}

#[test]
fn what_went_on_inside_is_shown_of_any_trial() {
    let place = Place::new();
    place.run("tune study.toml --histograms best:2");
    let (table, _) = place.run("show runs/study --inside");
    let best = place.show("runs/study")["best"]["number"].as_u64().unwrap();
    assert!(table.starts_with(&format!("inside trial {best}:")), "{table}");
    assert!(
        ["layer 1, ", "output, 3 units", "dead", "closed", "update", "|z| 2^"]
            .iter()
            .all(|part| table.contains(part)),
        "{table}"
    );
    let shown: serde_json::Value =
        serde_json::from_str(&place.run("show runs/study --inside --format json").0).unwrap();
    assert_eq!(shown["trial"], best);
    let epochs: Vec<u64> =
        shown["epochs"].as_array().unwrap().iter().map(|epoch| epoch["epoch"].as_u64().unwrap()).collect();
    assert_eq!(epochs, [0, 1, 2, 4, 8]);
    let layer = &shown["epochs"][4]["layers"][0];
    assert!(layer["update_ratio"].as_f64().unwrap() > 0.0 && layer["dead_count"].is_u64(), "{layer}");
    let units = layer["unit_count"].as_u64().unwrap();
    let z = &layer["histograms"]["pre_activations"];
    let count: u64 = ["negative", "positive"]
        .iter()
        .flat_map(|sign| z[sign].as_object().unwrap().values())
        .map(|count| count.as_u64().unwrap())
        .sum::<u64>()
        + z["zero"].as_u64().unwrap_or(0);
    // Validation rows of the first of three folds.
    assert!(count.is_multiple_of(units) && (110..=120).contains(&(count / units)), "{z}");

    let error = place.fail("show runs/study --inside --trial 6", 2);
    assert!(error.contains("there is no trial 6") && error.contains("0 to 5"), "{error}");
    place.run("tune study.toml --out runs/none --histograms none");
    let error = place.fail("show runs/none --inside", 2);
    assert!(error.contains("nothing was looked at"), "{error}");
    let error = place.fail("tune study.toml --histograms best:0", 2);
    assert!(error.contains("--histograms") && error.contains("best:N"), "{error}");
    place.write("asked.toml", &STUDY.replace("kind = \"cpu\"", "kind = \"cpu\"\nhistograms = \"some\""));
    let error = place.fail("tune asked.toml", 2);
    assert!(error.contains("engine.histograms") && error.contains("asked.toml:16"), "{error}");
    assert_eq!(place.timeless("runs/none")["trials"], place.timeless("runs/study")["trials"]);
}

#[test]
fn a_kernel_machine_has_no_layers_and_says_so_where_it_is_asked() {
    let place = Place::new();
    let study = "[data]\npath = \"penguins.csv\"\ntarget = \"species\"\nfolds = 3\n[model]\nkind = \"svm\"\n\
                 [space]\nc = [1.0, 4.0]\ngamma = 0.1\n[engine]\nkind = \"cpu\"\n";
    place.write("svm.toml", study);
    let (_, notes) = place.run("tune svm.toml --histograms all");
    assert!(notes.contains("a kernel machine has no layers"), "{notes}");
    let (_, notes) = place.run("tune svm.toml --out runs/quiet");
    assert!(!notes.contains("layers"), "{notes}");
    place.fail("show runs/svm --inside", 2);
}
