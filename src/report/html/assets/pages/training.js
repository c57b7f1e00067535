// Training: the curves of all trials, the rungs, the best trial fold by fold, and what ended when.
report.page("training", (root, page, data) => {
  const { make, number, score, count, dimensions: axes } = report;
  const { figures } = report;
  const { unit } = page;
  const objective = data.study.objective;
  const trials = new Map(data.trials.map((trial) => [trial.number, trial]));
  const curves = page.curves.filter((curve) => trials.has(curve.trial)).map((curve) => ({ ...curve, of: trials.get(curve.trial) }));
  const best = report.bestTrial;
  const last = Math.max(...curves.map((curve) => curve.at[curve.at.length - 1]));
  const rungs = (page.rungs ?? []).filter((rung) => rung <= last);
  const range = spread(curves.flatMap((curve) => curve.values));

  /** Where most of the values are: what is far worse stands at the edge. */
  function spread(values) {
    const sorted = values.filter((value) => value !== null && Number.isFinite(value)).sort((a, b) => a - b);
    if (sorted.length === 0) return { low: 0, high: 1 };
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
    const reach = 3 * (at(0.75) - at(0.25));
    let [low, high] = [sorted[0], sorted[sorted.length - 1]];
    if (report.maximizes && reach > 0) low = Math.max(low, at(0.25) - reach);
    if (!report.maximizes && reach > 0) high = Math.min(high, at(0.75) + reach);
    if (!(high > low)) [low, high] = [low - 0.5, high + 0.5];
    const margin = 0.03 * (high - low);
    return { low: low - margin, high: high + margin };
  }

  const inside = (value) => (value === null ? null : Math.min(Math.max(value, range.low), range.high));
  const lines = (list) => list.filter((curve) => curve.values.length > 1);

  root.append(make("h3", {}, "All trials"));
  all(root);
  const { step_rungs: inSteps } = page;
  if (inSteps && inSteps.missing) root.append(report.missing("After how many epochs trials stood at rungs is not known.", inSteps.missing));
  else if (inSteps ? inSteps.rows.length : page.rungs && page.rungs.length) stops(root);
  if (page.best && page.best.folds.length) folds(root);
  endings(root);

  function all(parent) {
    const others = lines(curves.filter((curve) => curve.of !== best));
    const own = curves.find((curve) => curve.of === best);
    const ends = (state) => curves.filter((curve) => curve.of.state === state).map((curve) => {
      const end = curve.values.length - 1;
      return { value: [curve.at[end], inside(curve.values[end]) ?? (report.maximizes ? range.low : range.high)], trial: curve.of };
    });
    const [pruned, diverged] = [ends("pruned"), ends("diverged")];
    const legend = [
      best ? `thick: trial ${best.number}, the best` : null,
      pruned.length ? "rings: stopped by the schedule" : null,
      diverged.length ? "crosses: diverged" : null,
      rungs.length ? (page.step_rungs ? `dashed: rungs of trial ${best.number}` : "dashed: rungs") : null,
    ].filter(Boolean).join("; ");
    const mean = data.study.folds > 1 ? `, the mean over ${data.study.folds} folds` : "";
    report.plot(parent, {
      name: "curves", height: 420,
      caption: `${objective}${mean}, after each ${unit}. ${legend ? `${legend[0].toUpperCase()}${legend.slice(1)}.` : ""}`,
      label: `Learning curves of ${count(curves.length, "trial")}. Tables below say when each ended.`,
      option: (paint) => ({
        grid: { left: 64, right: 14, top: 14, bottom: 48 },
        xAxis: figures.free(`${unit}s`, paint, { min: 0, max: last, nameGap: 28, scale: false, minInterval: 1, splitLine: { show: false } }),
        yAxis: figures.free("", paint, { min: range.low, max: range.high, axisLabel: { color: paint.soft, showMinLabel: false, showMaxLabel: false, formatter: (value) => number(value, 4) } }),
        series: [
          {
            type: "lines", coordinateSystem: "cartesian2d", polyline: true, progressive: 0, z: 1,
            lineStyle: { color: paint.thin, opacity: Math.min(1, Math.max(0.2, Math.sqrt(60 / others.length))), width: 1 },
            emphasis: { lineStyle: { color: paint.soft, width: 2, opacity: 1 } },
            data: others.map((curve) => ({ coords: curve.at.map((at, index) => [at, inside(curve.values[index])]).filter(([, value]) => value !== null), trial: curve.of })),
            tooltip: { formatter: (item) => figures.lines(item.data.trial) },
          },
          {
            type: "line", showSymbol: false, z: 3, silent: true, lineStyle: { color: paint.accent, width: 3 },
            data: own ? own.at.map((at, index) => [at, inside(own.values[index])]) : [],
            markLine: { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: paint.faint, type: "dashed", width: 1, opacity: 0.7 }, data: rungs.map((rung) => ({ xAxis: rung })) },
          },
          { type: "scatter", z: 2, symbolSize: 6, itemStyle: figures.hollow(paint.soft), data: pruned, tooltip: { formatter: (item) => figures.lines(item.data.trial) } },
          { type: "scatter", z: 4, symbol: "path://M0,0L10,10M10,0L0,10", symbolSize: 8, itemStyle: { color: "transparent", borderColor: paint.alarm, borderWidth: 1.5 }, data: diverged, tooltip: { formatter: (item) => figures.lines(item.data.trial) } },
        ],
      }),
    });
  }

  /** What the schedule did at each rung. */
  function stops(parent) {
    parent.append(make("h3", {}, `The schedule: ${data.study.schedule}`));
    const epochs = (trial) => trial.epochs ?? 0;
    const rows = inSteps ? inSteps.rows : rungs.map((rung) => {
      const came = data.trials.filter((trial) => epochs(trial) >= rung);
      const stopped = came.filter((trial) => trial.state === "pruned" && epochs(trial) === rung);
      const left = came.filter((trial) => epochs(trial) > rung);
      return { rung, came: came.length, stopped: stopped.length, left: left.length };
    }).filter((row) => row.came > 0);
    report.table(parent, {
      caption: "What became of trials at each rung", rows, top: 12, one: "rung",
      columns: [
        { title: inSteps ? "after steps" : `after ${unit}`, isNumber: true, isHead: true, text: (row) => row.rung.toLocaleString("en"), sort: (row) => row.rung },
        ...(inSteps ? [{ title: `at the end of ${unit}`, isNumber: true, text: (row) => (row.from === row.to ? String(row.from) : `${row.from} to ${row.to}`), sort: (row) => row.from }] : []),
        { title: "trials that came so far", isNumber: true, text: (row) => String(row.came), sort: (row) => row.came },
        { title: "stopped there", isNumber: true, text: (row) => String(row.stopped), sort: (row) => row.stopped },
        { title: "trained on", isNumber: true, text: (row) => String(row.left), sort: (row) => row.left },
      ],
    });
    if (inSteps) parent.append(make("p", { class: "soft" }, `Rungs count units of ${count(inSteps.unit, "step")}; a trial stands at one at the end of the ${unit} in which it comes to it, by its batch size.`));
    const spent = data.trials.reduce((sum, trial) => sum + epochs(trial), 0);
    const full = data.trials.length * (page.max_epochs ?? last);
    parent.append(make("p", { class: "soft" }, `All trials together trained ${spent.toLocaleString("en")} epochs; to the end of each it would have been at most ${full.toLocaleString("en")}.`));
  }

  /** The best trial: what each fold trained to, and what it scored. */
  function folds(parent) {
    const found = page.best;
    parent.append(make("h3", {}, `The best trial, fold by fold`));
    const grid = make("div", { class: "columns even" });
    parent.append(grid);
    const one = (name, title, caption, of) => report.plot(grid, {
      name, title, caption, height: 280,
      option: (paint) => ({
        grid: { left: 64, right: 14, top: 12, bottom: 48 },
        xAxis: figures.free(`${unit}s`, paint, { min: 0, max: Math.max(2, found.at[found.at.length - 1]), nameGap: 28, scale: false, minInterval: 1, splitLine: { show: false } }),
        yAxis: figures.free("", paint),
        series: found.folds.map((fold, index) => ({
          type: "line", silent: true, showSymbol: found.at.length < 2, symbolSize: 5, lineStyle: { width: 1.5, color: report.plot.shade(paint.ramp, found.folds.length > 1 ? index / (found.folds.length - 1) : 0.5) },
          itemStyle: { color: paint.accent }, data: found.at.map((at, place) => [at, of(fold)[place]]),
          markLine: index === 0 && found.epoch ? { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: paint.faint, type: "dashed", width: 1 }, data: [{ xAxis: found.epoch }] } : undefined,
        })),
      }),
    });
    const dashed = found.epoch ? ` Dashed: epoch ${found.epoch}, whose models are kept.` : "";
    one("fold-values", `${objective} on validation rows`, `A line is a fold.${dashed}`, (fold) => fold.values);
    one("fold-losses", "loss on training rows", "The mean over the minibatches of an epoch, as trained, with dropout.", (fold) => fold.losses);
    const details = make("details", {}, make("summary", {}, "The numbers of these curves"));
    details.addEventListener("toggle", () => {
      if (details.childElementCount > 1) return;
      const rows = found.at.map((at, place) => ({ at, place }));
      report.table(details, {
        caption: `${objective} on validation rows and loss on training rows`, rows, top: 20, one: unit,
        columns: [
          { title: unit, isNumber: true, isHead: true, text: (row) => String(row.at), sort: (row) => row.at },
          ...found.folds.flatMap((fold, index) => [
            { title: `fold ${index}: ${objective}`, isNumber: true, text: (row) => number(fold.values[row.place]) },
            { title: `fold ${index}: loss`, isNumber: true, text: (row) => number(fold.losses[row.place]) },
          ]),
        ],
      });
    });
    parent.append(details);
  }

  /** How many trials ended after how many epochs, and how. */
  function endings(parent) {
    if (data.study.folds === null) return;
    parent.append(make("h3", {}, "When trials ended"));
    const states = ["complete", "pruned", "diverged", "interrupted", "running"].filter((state) => data.study.states[state]);
    const most = Math.max(1, ...data.trials.map((trial) => trial.epochs ?? 0));
    const width = Math.max(1, Math.ceil(most / 30));
    const bins = Math.ceil(most / width);
    const bin = (trial) => Math.max(0, Math.ceil((trial.epochs ?? 0) / width) - 1);
    const names = [...Array(bins).keys()].map((at) => (width === 1 ? String(at + 1) : `${at * width + 1}–${(at + 1) * width}`));
    const many = (state) => names.map((_, at) => data.trials.filter((trial) => trial.state === state && bin(trial) === at).length);
    const counts = states.map(many);
    const look = (paint) => ({ complete: { color: paint.accent }, pruned: { color: paint.pale }, diverged: { color: paint.alarm }, interrupted: { color: paint.faint }, running: { color: paint.soft } });
    report.plot(parent, {
      name: "endings", height: 240,
      caption: `Trials by the epochs they trained. ${states.map((state) => ({ complete: "Blue: complete", pruned: "pale: stopped by the schedule", diverged: "orange: diverged", interrupted: "grey: interrupted", running: "dark grey: running" })[state]).join("; ")}.`,
      option: (paint) => ({
        grid: { left: 52, right: 14, top: 12, bottom: 48 },
        xAxis: { type: "category", data: names, name: "epochs", nameLocation: "middle", nameGap: 28, nameTextStyle: { color: paint.soft }, axisLabel: { color: paint.soft, hideOverlap: true }, axisLine: { lineStyle: { color: paint.faint } }, axisTick: { show: false } },
        yAxis: figures.free("", paint, { scale: false, minInterval: 1 }),
        series: states.map((state, index) => ({
          type: "bar", stack: "all", barCategoryGap: "25%", data: counts[index].map((many) => many || null), itemStyle: { ...look(paint)[state], borderColor: paint.paper, borderWidth: 0.5 },
          tooltip: { formatter: (item) => `${item.name} epochs\n${item.value} ${state}` },
        })),
      }),
    });
    const details = make("details", {}, make("summary", {}, "The numbers of this plot"));
    const rows = names.map((name, at) => ({ name, at })).filter((row) => counts.some((list) => list[row.at] > 0));
    report.table(details, {
      caption: "Trials by the epochs they trained", rows, top: 30, one: "line",
      columns: [{ title: "epochs", isHead: true, isNumber: true, text: (row) => row.name }, ...states.map((state, index) => ({ title: state, isNumber: true, text: (row) => String(counts[index][row.at]) }))],
    });
    parent.append(details);
  }
});
