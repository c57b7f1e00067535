// The space: the leaderboard, and where in the space the good trials are.
report.page("space", (root, page, data) => {
  const { make, number, score, count, dimensions: axes } = report;
  const { varying } = axes;
  const objective = data.study.objective;
  if (data.trials.length === 0) {
    root.append(make("p", { class: "note" }, make("b", {}, "No trial has begun. ")));
    return;
  }
  const listeners = [];
  let kept = data.trials;

  if (axes.scores && varying.length > 0) parallel(root);
  leaderboard(root);
  if (axes.scores && varying.length > 0) {
    importance(root, page.importance);
    slices(root);
    if (page.map) machines(root);
    if (varying.length > 1) pair(root);
  }

  function filtered(trials) {
    kept = trials;
    for (const listener of listeners) listener();
  }

  function leaderboard(parent) {
    parent.append(make("h3", {}, "Leaderboard"));
    const rank = new Map(data.trials.map((trial, at) => [trial, at + 1]));
    const value = (trial) => {
      if (trial.value === null) return trial.diverged_at_step !== undefined ? `diverged at step ${trial.diverged_at_step}` : "–";
      return trial.spread === null ? score(trial.value) : `${score(trial.value)} ± ${score(trial.spread)}`;
    };
    const verdict = (trial) => page.verdicts?.[trial.number]?.name.replaceAll("_", " ") ?? null;
    const columns = [
      { title: "rank", isNumber: true, text: (trial) => String(rank.get(trial)), sort: (trial) => rank.get(trial) },
      { title: "trial", isNumber: true, isHead: true, text: (trial) => String(trial.number), sort: (trial) => trial.number },
      { title: objective, isNumber: true, text: value, sort: (trial) => trial.value },
      { title: "state", text: (trial) => make("span", trial.failure ? { title: trial.failure } : {}, trial.state), sort: (trial) => trial.state },
      ...(page.verdicts ? [{ title: "verdict", text: (trial) => make("span", { title: page.verdicts[trial.number]?.seen }, verdict(trial) ?? "–"), sort: verdict }] : []),
      ...(data.study.folds === null || page.map ? [] : [{ title: "epochs", isNumber: true, text: (trial) => number(trial.epochs), sort: (trial) => trial.epochs }]),
      { title: "seconds", isNumber: true, text: (trial) => number(trial.seconds, 3), sort: (trial) => trial.seconds },
      ...varying.map((d) => ({ title: d.name, isNumber: d.isNumber, text: (trial) => axes.shown(d, trial), sort: (trial) => axes.at(d, trial) })),
    ];
    const caption = data.study.folds > 1 ? "All trials, the best first; ± is the standard deviation over folds" : "All trials, the best first";
    const table = report.table(parent, { caption, columns, rows: data.trials, one: "trial", isBest: (trial) => trial === report.bestTrial });
    table.element.id = "leaderboard";
    const fixed = axes.all.filter((d) => !varying.includes(d)).map((d) => `${d.name} = ${axes.shown(d, data.trials[0])}`);
    if (fixed.length) parent.append(make("p", { class: "soft" }, `In every trial: ${fixed.join(", ")}.`));
    listeners.push(() => table.show(kept));
  }

  /** Every trial a line across its hyperparameters to its score. What is brushed filters the page. */
  function parallel(parent) {
    const scored = data.trials.filter((trial) => trial.value !== null);
    const lines = [...scored].sort((a, b) => report.better(b.value, a.value));
    const columns = [...varying, axes.scores];
    const at = (d, trial) => (d === axes.scores ? axes.clamped(trial.value) : axes.at(d, trial));
    const filters = new Map();
    const isVertical = (width) => width < 600;

    parent.append(make("h3", {}, "All trials at once"));
    const plot = report.plot(parent, {
      name: "parallel",
      caption: "A line is a trial, the stronger its colour the better its rank. Drag along an axis to keep the trials that pass there; everything on this page follows. A click on the axis takes the filter away.",
      still: "A line is a trial, the stronger its colour the better its rank.",
      height: (width) => (isVertical(width) ? 64 * columns.length + 40 : 380),
      label: `Parallel coordinates of ${count(scored.length, "trial")} over ${columns.map((d) => d.name).join(", ")}. The filters below do the same by keyboard.`,
      option: (paint, width) => {
        const fits = Math.max(6, Math.floor((width - 60) / columns.length / 6.6));
        return {
          parallel: isVertical(width)
            ? { layout: "vertical", left: 14, right: 14, top: 34, bottom: 26 }
            : { left: 48, right: 62, top: 54, bottom: 14 },
          parallelAxis: columns.map((d, dim) => ({
            dim, type: "value", min: d.min, max: d.max, id: `axis-${dim}`,
            name: report.figures.cut(d.name, isVertical(width) ? 40 : fits * (columns.length > 7 ? 2 : 1)),
            nameLocation: isVertical(width) ? "start" : "end", nameGap: isVertical(width) ? 0 : columns.length > 7 && dim % 2 ? 28 : 12,
            nameTextStyle: isVertical(width) ? { color: paint.ink, align: "left", verticalAlign: "bottom", padding: [0, 0, 6, 0], textBorderColor: paint.paper, textBorderWidth: 3 } : { color: d === axes.scores ? paint.accent : paint.ink, fontWeight: d === axes.scores ? 600 : 400 },
            axisLine: { lineStyle: { color: paint.faint } }, axisTick: { customValues: d.ticks, lineStyle: { color: paint.faint } },
            axisLabel: { customValues: d.ticks, color: paint.ink, fontSize: 11, textBorderColor: paint.paper, textBorderWidth: 3, formatter: (place) => (d.ticks.some((tick) => Math.abs(tick - place) < 1e-9) ? report.figures.cut(d.text(place), 12) : ""), hideOverlap: true },
            areaSelectStyle: { width: 16, borderWidth: 1, borderColor: paint.accent, color: paint.accent, opacity: 0.18 },
          })),
          series: [{
            type: "parallel", progressive: 0, inactiveOpacity: 0.04, activeOpacity: 1, emphasis: { disabled: true },
            lineStyle: { width: 1.1, opacity: Math.min(0.6, Math.max(0.12, 5 / Math.sqrt(scored.length))) },
            data: lines.map((trial) => ({
              value: columns.map((d) => at(d, trial) ?? "-"), trial,
              lineStyle: { color: report.plot.shade(paint.ramp, axes.goodness(trial.value)), width: trial === report.bestTrial ? 3 : 1.1, opacity: trial === report.bestTrial ? 1 : undefined },
            })),
            tooltip: { formatter: (item) => report.figures.lines(item.data.trial) },
          }],
        };
      },
      // Drawn anew, it has forgotten what was brushed.
      restore: (chart) => {
        for (const [d, intervals] of [...filters]) chart.dispatchAction({ type: "axisAreaSelect", parallelAxisId: `axis-${columns.indexOf(d)}`, intervals });
        // An axis does not draw what it takes itself to have been told by its own brush.
        if (filters.size) chart.resize();
      },
      ready: (chart) => {
        chart.on("axisareaselected", (event) => {
          const dim = Number(String(event.parallelAxisId ?? "").replace("axis-", ""));
          const intervals = event.intervals ?? [];
          if (intervals.length) filters.set(columns[dim], intervals);
          else filters.delete(columns[dim]);
          apply();
        });
      },
    });

    const status = make("p", { class: "status", role: "status" });
    const clear = make("button", { class: "plain", type: "button", hidden: true }, "Take all filters away");
    clear.addEventListener("click", () => {
      filters.clear();
      apply();
      plot.update();
    });
    parent.append(make("div", { class: "tools" }, ...form(), clear), status);
    apply();

    /** The brush by keyboard: an axis, from, to. */
    function form() {
      const axis = make("select", {}, ...columns.map((d, index) => make("option", { value: index }, d.name)));
      axis.value = columns.length - 1;
      const from = make("input", { type: "text", inputmode: "decimal", autocomplete: "off" });
      const to = make("input", { type: "text", inputmode: "decimal", autocomplete: "off" });
      const set = make("button", { class: "plain", type: "button" }, "Filter");
      const place = (d, text, end) => {
        if (text.trim() === "") return end;
        const found = d.isNumber ? d.place(Number(text)) : d.values.findIndex((value) => [value, d.short(value)].includes(text.trim()));
        return Number.isFinite(found) && (d.isNumber || found >= 0) ? found : null;
      };
      set.addEventListener("click", () => {
        const d = columns[Number(axis.value)];
        const [low, high] = [place(d, from.value, d.min), place(d, to.value, d.max)];
        if (low === null || high === null) {
          status.textContent = `${d.name}: ${d.isNumber ? "a number" : `one of ${d.values.join(", ")}`} is allowed here`;
          return;
        }
        const margin = d.isNumber ? 0 : 0.5;
        const interval = [Math.min(low, high) - margin, Math.max(low, high) + margin];
        filters.set(d, [interval]);
        plot.update();
        apply();
      });
      const label = (text, input) => make("label", {}, text, input);
      return [label("Axis", axis), label("from", from), label("to", to), set];
    }

    function apply() {
      const passes = (trial) => [...filters].every(([d, intervals]) => {
        const place = trial.value === null ? null : at(d, trial);
        return place !== null && intervals.some(([low, high]) => place >= low && place <= high);
      });
      const trials = filters.size ? data.trials.filter(passes) : data.trials;
      clear.hidden = filters.size === 0;
      status.textContent = filters.size ? `${trials.length} of ${count(data.trials.length, "trial")} pass: ${[...filters.keys()].map((d) => d.name).join(", ")}` : "";
      filtered(trials);
    }
  }

  /** How much each hyperparameter decided, by each measure. */
  function importance(parent, found) {
    parent.append(make("h3", {}, "What mattered"));
    if (found.note) {
      parent.append(make("p", { class: "note" }, make("b", {}, "Importance is not measured: "), `${found.note}.`));
      return;
    }
    const grid = make("div", { class: "columns even" });
    parent.append(grid);
    for (const [index, measure] of found.measures.entries()) {
      const fit = measure.fit === null ? "" : ` Its forest explains ${Math.max(0, Math.round(100 * measure.fit))} % of the variance of trials that it has not seen.`;
      const bars = [...measure.hyperparameters].reverse();
      const percent = (share) => `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)} %`;
      report.plot(grid, {
        name: `importance-${measure.name}`, title: measure.name,
        caption: `Of each: ${page.summaries[index]}.${fit}`,
        height: 46 + 24 * bars.length,
        label: `Importance by ${measure.name}: ${measure.hyperparameters.map((one) => `${one.name} ${percent(one.importance)}`).join(", ")}.`,
        option: (paint) => ({
          grid: { left: 132, right: 56, top: 6, bottom: 32 },
          xAxis: report.figures.free("", paint, { min: 0, scale: false, splitNumber: 4, axisLabel: { color: paint.soft, hideOverlap: true, formatter: (share) => `${Math.round(100 * share)} %` } }),
          yAxis: { type: "category", data: bars.map((one) => report.figures.cut(one.name, 20)), axisLine: { show: false }, axisTick: { show: false }, axisLabel: { color: paint.ink, interval: 0 } },
          series: [{
            type: "bar", barWidth: 12, cursor: "default", itemStyle: { color: paint.accent, borderRadius: 2 }, data: bars.map((one) => one.importance),
            label: { show: true, position: "right", color: paint.soft, formatter: (item) => percent(item.value) },
            tooltip: { formatter: (item) => `${bars[item.dataIndex].name}  ${percent(item.value)}${bars[item.dataIndex].deviation === null ? "" : `\n± ${percent(bars[item.dataIndex].deviation)} between trees`}` },
          }],
        }),
      });
      for (const note of measure.notes) grid.append(make("p", { class: "soft" }, note));
    }
    const pairs = found.measures.flatMap((measure) => measure.pairs).filter((pair) => pair.importance >= 0.01).slice(0, 5);
    if (pairs.length) {
      report.pairs(parent, "What pairs decide together, beyond what each does alone (fANOVA)", pairs.map((pair) => [pair.names.join(" × "), `${(100 * pair.importance).toFixed(1)} %`]));
    }
  }

  function slices(parent) {
    parent.append(make("h3", {}, "One hyperparameter at a time"));
    const far = axes.farCount ? ` ${count(axes.farCount, "far worse trial stands", "far worse trials stand")} at the edge.` : "";
    parent.append(make("p", { class: "soft" }, `${objective} against each hyperparameter, the stronger the colour the better; hollow points did not train to their end.${far}`));
    const grid = make("div", { class: "small-multiples" });
    parent.append(grid);
    for (const d of varying) {
      const plot = report.figures.slice(grid, d, () => kept);
      listeners.push(() => plot.update());
    }
  }

  /** The customary map of kernel machines. */
  function machines(parent) {
    const [across, up] = page.map.map((name) => varying.find((d) => d.name === name));
    if (!across || !up) return;
    const scored = data.trials.filter((trial) => trial.value !== null && axes.at(across, trial) !== null && axes.at(up, trial) !== null);
    const MOST = 40;
    const placesOf = (d) => [...new Set(scored.map((trial) => axes.at(d, trial)))].sort((a, b) => a - b);
    const [xs, ys] = [placesOf(across), placesOf(up)];
    if (xs.length < 2 || ys.length < 2 || xs.length > MOST || ys.length > MOST) return;
    const cells = new Map();
    for (const trial of scored) {
      const [x, y] = [xs.indexOf(axes.at(across, trial)), ys.indexOf(axes.at(up, trial))];
      const known = cells.get(`${x},${y}`);
      if (!known || report.better(trial.value, known.value) < 0) cells.set(`${x},${y}`, { x, y, value: trial.value, trial });
    }
    parent.append(make("h3", {}, `The map of (${up.name}, ${across.name})`));
    report.figures.map(parent, {
      plotName: "map", title: `Best ${objective} of each cell`, across: across.name, up: up.name,
      caption: "The framed cell is the best. Where it stands at an edge, the good machines may lie beyond what was searched.",
      xs: xs.map((place) => across.text(place)), ys: ys.map((place) => up.text(place)), cells: [...cells.values()],
    });
  }

  /** Two hyperparameters: the trials, over a surface smoothed from them. */
  function pair(parent) {
    parent.append(make("h3", {}, "Two hyperparameters"));
    const choice = (label, chosen) => {
      const select = make("select", {}, ...varying.map((d, index) => make("option", { value: index }, d.name)));
      select.value = chosen;
      select.addEventListener("change", () => plot.update());
      return [make("label", {}, label, select), select];
    };
    const [first, second] = widest();
    const [acrossLabel, across] = choice("Across", first);
    const [upLabel, up] = choice("Up", second);
    parent.append(make("div", { class: "tools" }, acrossLabel, upLabel));
    const plot = report.plot(parent, {
      name: "pair", height: (width) => Math.min(460, Math.max(320, width * 0.6)),
      caption: `Points: trials. Behind them ${objective}, smoothed over trials nearby by a Gaussian; where there are none, nothing is drawn.`,
      label: `${objective} over two hyperparameters; the leaderboard has the numbers.`,
      option: (paint) => {
        const [x, y] = [varying[Number(across.value)], varying[Number(up.value)]];
        const points = kept.filter((trial) => trial.value !== null && axes.at(x, trial) !== null && axes.at(y, trial) !== null);
        return {
          grid: { left: 76, right: 16, top: 12, bottom: 48 },
          xAxis: report.figures.axis(x, paint, { nameGap: 28 }), yAxis: report.figures.axis(y, paint, { nameGap: 56 }),
          series: [...surface(x, y, points, paint), {
            type: "scatter", z: 4, cursor: "default",
            data: points.map((trial) => ({
              value: [axes.at(x, trial) + report.figures.jitter(x, trial), axes.at(y, trial) + report.figures.jitter(y, trial, true)], trial,
              symbolSize: trial === report.bestTrial ? 12 : 7,
              itemStyle: { color: report.plot.shade(paint.ramp, axes.goodness(trial.value)), borderColor: trial === report.bestTrial ? paint.ink : paint.paper, borderWidth: 1 },
            })),
            tooltip: { formatter: (item) => report.figures.lines(item.data.trial) },
          }],
        };
      },
    });
    listeners.push(() => plot.update());
  }

  /** The two to begin with: of a kernel machine its map's, else the first ranges that every trial has a number of. */
  function widest() {
    const wanted = page.map ? page.map.map((name) => varying.findIndex((d) => d.name === name)) : [];
    const numbers = varying.map((d, index) => [d, index]).filter(([d]) => d.isNumber).map(([, index]) => index);
    const always = numbers.filter((index) => data.trials.every((trial) => axes.at(varying[index], trial) !== null));
    const order = [...wanted.filter((index) => index >= 0), ...always, ...numbers, ...varying.keys()];
    const different = [...new Set(order)];
    return [different[0], different[1]];
  }

  /** Nadaraya and Watson's mean of ranks on a lattice; a cell with less than one trial's weight nearby stays empty. */
  function surface(x, y, points, paint) {
    if (points.length < 3) return [];
    const steps = (d) => (d.isNumber ? 40 : d.ticks.length);
    const [columns, rows] = [steps(x), steps(y)];
    const unit = (d, place) => (place - d.min) / (d.max - d.min);
    const near = 0.5 * points.length ** (-1 / 6);
    const width = (d) => (d.isNumber ? 0.22 * near * 2 : 0.5 / d.ticks.length);
    const placed = points.map((trial) => [unit(x, axes.at(x, trial)), unit(y, axes.at(y, trial)), axes.goodness(trial.value)]);
    const [wx, wy] = [width(x), width(y)];
    // Whole pixels: cells that overlap, or leave a gap, would show as a lattice.
    const between = (left, top, right, bottom) => {
      const [x0, y0] = [Math.round(left), Math.round(top)];
      return { x: x0, y: y0, width: Math.round(right) - x0, height: Math.round(bottom) - y0 };
    };
    const cells = [];
    for (let column = 0; column < columns; column += 1) {
      for (let row = 0; row < rows; row += 1) {
        const [u, v] = [(column + 0.5) / columns, (row + 0.5) / rows];
        let [sum, weight] = [0, 0];
        for (const [a, b, good] of placed) {
          const w = Math.exp(-0.5 * (((a - u) / wx) ** 2 + ((b - v) / wy) ** 2));
          sum += w * good;
          weight += w;
        }
        if (weight > 0.25) cells.push({ column, row, good: sum / weight, opacity: 0.5 * Math.min(1, weight / 2) });
      }
    }
    return [{
      type: "custom", silent: true, z: 1, data: cells.map((cell) => [cell.column, cell.row]),
      renderItem: (item, api) => {
        const cell = cells[item.dataIndex];
        const place = (d, share) => d.min + share * (d.max - d.min);
        const [left, bottom] = api.coord([place(x, cell.column / columns), place(y, cell.row / rows)]);
        const [right, top] = api.coord([place(x, (cell.column + 1) / columns), place(y, (cell.row + 1) / rows)]);
        return { type: "rect", shape: between(left, top, right, bottom), style: { fill: report.plot.shade(paint.ramp, cell.good), opacity: cell.opacity } };
      },
    }];
  }
});
