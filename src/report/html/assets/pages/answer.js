// The answer: the best configuration, how good it is, what it stands beside, and how to use it.
report.page("answer", (root, page, data) => {
  const { make, number, score, count, missing } = report;
  const { best } = page;
  const study = data.study;
  if (!best) {
    root.append(make("p", { class: "note" }, make("b", {}, "No trial is complete yet. "), "Run the study's command again until one is; this page then names it."));
    return;
  }

  root.append(make("div", { class: "headline" },
    make("span", { class: "number" }, score(best.value)),
    make("span", { class: "name" }, `${study.objective}, trial ${best.number}`)));
  const { interval } = best;
  if (interval) {
    root.append(make("p", { class: "soft" },
      `95 % interval ${score(interval.low)} to ${score(interval.high)}: Student's t over ${interval.folds} folds, widened because they share training rows (Nadeau and Bengio, 2003). `,
      "It is about this configuration alone, not about its having been chosen as the best."));
  } else if (study.folds === 1) {
    root.append(make("p", { class: "soft" }, "Of one hold-out set: there are no folds to tell an interval from."));
  }

  const beside = make("dl", { class: "beside" });
  const fact = (name, value, remark) => beside.append(make("div", {}, make("dt", {}, name), make("dd", {}, value, remark ? make("small", {}, remark) : null)));
  root.append(beside);
  if (page.baseline && page.baseline.value !== undefined) fact("Baseline", score(page.baseline.value), page.baseline.name);
  const { comparison, random } = page;
  if (comparison) {
    fact("Random search", score(comparison.random_value), `best of its ${count(comparison.random_count, "trial")}; ${study.strategy} found ${score(comparison.strategy_value_at_same_budget)} in as many of its own`);
  } else if (random) {
    unguided();
  } else if (study.strategy === "grid") {
    fact("Random search", "–", "known when the whole grid has ended: its cells go in an order, so the first of them are no sample");
  } else {
    fact("Random search", "–", "no trial that has ended was chosen without looking at results; random_share = 0.2 under [search] sets a fifth aside for random search");
  }
  if (page.test_value !== null) fact("Final test set", score(page.test_value), "rows that the search never saw; the fold models averaged");
  const { optimism } = page;
  if (optimism) fact("Chosen without what judges it", score(optimism.value), `± ${score(optimism.standard_error)} (standard error): trial and epoch chosen by all folds but one, judged by that one. Being the best of ${optimism.trial_count} flatters by ${score(optimism.flattery)}`);
  fact("Trials", String(data.trials.length), Object.entries(study.states).map(([state, many]) => `${many} ${state}`).join(", "));
  if (page.noise) root.append(make("p", { class: "note" }, make("b", {}, "How much is luck: "), `${page.noise}.`));
  if (page.baseline && page.baseline.missing) root.append(missing("The baseline is not known.", page.baseline.missing));

  const columns = make("div", { class: "columns" });
  root.append(columns);
  const left = make("div");
  const right = make("div");
  columns.append(left, right);

  left.append(make("h3", {}, "The configuration"));
  report.pairs(left, `Hyperparameters of trial ${best.number}`, inOrder(best.settings));
  if (best.folds) {
    left.append(make("h3", {}, "Fold by fold"));
    report.pairs(left, `${study.objective} of each fold${best.best_epoch ? `, at epoch ${best.best_epoch}` : ""}`, best.folds.map((value, fold) => [`fold ${fold}`, score(value)]));
  }

  right.append(make("h3", {}, "How it was found"));
  progress(right);

  right.append(make("h3", {}, "How to use it"));
  const shell = (what, command) => right.append(make("p", {}, what), make("pre", {}, make("code", {}, command)));
  const folder = /^[\w./:,+@%=-]+$/.test(page.folder) ? page.folder : `'${page.folder.replaceAll("'", "'\\''")}'`;
  if (page.has_model) {
    shell("Predict the rows of a file; columns are matched by name. The models of all folds are averaged:", `manytune predict ${folder} new.csv --out predictions.csv`);
    shell("The same by one model, trained on all rows:", `manytune predict ${folder} new.csv --refit --out predictions.csv`);
    if (page.is_of_machines) shell("In LIBSVM's format:", `manytune export ${folder} --refit --out best.model`);
  } else {
    shell("The configuration, for a program to read:", `manytune show ${folder} --format json --top 1`);
  }

  /** What the trials found that no result led, beside those behind them. */
  function unguided() {
    const { guided } = random;
    const name = random.how === "random" ? "Random search" : "Unguided search";
    const how = {
      random: "drawn at random",
      even: "spread evenly over the space, not drawn at random",
      grid: "the cells of the grid",
    }[random.how];
    const half = random.counts.findIndex((many) => many * 2 >= random.count);
    const expected = random.count > 1 ? ` ${score(random.values[half])} is to be expected of the best of ${random.counts[half]} of them.` : "";
    if (!guided) {
      fact(name, score(random.values[half]), `to be expected of the best of ${random.counts[half]} of these ${random.count} trials: all were ${how}, and no result led any`);
      return;
    }
    const behind = guided.same_count < guided.count ? `the ${guided.same_count} behind them` : `${guided.count} behind them`;
    fact(name, score(random.best), `best of ${study.strategy}'s first ${count(random.count, "trial")}: ${how}, before any result led it. It found ${score(guided.value_at_same_budget)} in ${behind}, ${score(guided.best)} in all ${random.count + guided.count}.${expected}`);
  }

  /** In the order of the space. */
  function inOrder(settings) {
    const place = new Map(data.dimensions.map((dimension, at) => [dimension.name, at]));
    return [...settings].sort(([a], [b]) => place.get(a) - place.get(b));
  }

  /** The best so far, trial by trial, and what random search is expected to come to. */
  function progress(parent) {
    const scored = [...data.trials].filter((trial) => trial.value !== null).sort((a, b) => a.number - b.number);
    let leader = null;
    const steps = [];
    for (const trial of scored.filter((trial) => trial.state === "complete")) {
      if (leader === null || report.better(trial.value, leader) < 0) leader = trial.value;
      steps.push([trial.number + 1, leader]);
    }
    const axes = report.dimensions;
    const last = Math.max(...data.trials.map((trial) => trial.number)) + 1;
    const expected = random ? random.counts.map((many, at) => [many, axes.clamped(random.values[at])]) : [];
    const caption = random
      ? `Points: each trial. Line: the best complete one so far. Dashed: the best to be expected of as many ${random.how === "random" ? "trials drawn at random" : "of the trials that no result led"}, up to all of them.`
      : "Points: each trial. Line: the best complete one so far.";
    const far = axes.farCount ? ` ${count(axes.farCount, "far worse trial stands", "far worse trials stand")} at the edge.` : "";
    report.plot(parent, {
      name: "progress", caption: `${study.objective} by trial. ${caption}${far}`, height: 280,
      option: (paint) => ({
        grid: { left: 64, right: 12, top: 12, bottom: 44 },
        xAxis: report.figures.free("trials", paint, { min: 1, max: Math.max(last, 2), nameGap: 28, minInterval: 1, splitLine: { show: false } }),
        yAxis: report.figures.scores(paint, { name: "" }),
        series: [
          {
            type: "scatter", symbolSize: 5, cursor: "default", itemStyle: { color: paint.soft, opacity: 0.6 },
            data: scored.map((trial) => ({ value: [trial.number + 1, axes.clamped(trial.value)], trial, itemStyle: trial.state === "complete" ? undefined : report.figures.hollow(paint.soft) })),
            tooltip: { formatter: (item) => report.figures.lines(item.data.trial) },
          },
          { type: "line", step: "end", showSymbol: false, data: steps, silent: true, lineStyle: { color: paint.accent, width: 2 } },
          { type: "line", showSymbol: false, data: expected, silent: true, lineStyle: { color: paint.soft, width: 1.5, type: "dashed" } },
        ],
      }),
    });
  }
});
