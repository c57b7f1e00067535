// What goes on inside: histograms over the epochs, dead and closed units, updates; and the same across the space.
report.page("inside", (root, page, data) => {
  const { make, number, missing, figures, dimensions: axes } = report;
  if (page.missing) {
    root.append(missing("Nothing was seen inside.", page.missing));
    return;
  }
  const { best } = page;
  const epochs = best.epochs.map((look) => look.epoch);
  const layerCount = Math.max(...best.epochs.map((look) => look.layers.length));
  const layers = [...Array(layerCount).keys()];
  const isOutput = (layer) => best.epochs.every((look) => !look.layers[layer] || look.layers[layer].closed === null);
  const name = (layer) => (isOutput(layer) ? "output" : `layer ${layer + 1}`);
  const percent = (share) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(1)} %`);

  root.append(make("p", {}, `The model of the first fold of trial ${best.trial}, before it trained, after 1, 2, 4, 8, … epochs and at its end.`));
  if (layers.some((layer) => !isOutput(layer))) shares(root);
  sizes(root);
  if (best.epochs.some((look) => look.layers.some((layer) => layer.histograms))) histograms(root);
  numbers(root);
  if (axes.varying.length) across(root);

  /** A number of each layer over the epochs. */
  function lines(parent, { plotName, title, caption, of, shown, log, band }) {
    const [height, top, bottom] = [270, 12, 46];
    report.plot(parent, {
      name: plotName, title, caption, height, label: `${title} of each layer over the epochs; the table below has the numbers.`,
      option: (paint, _, tall = height) => {
        const all = shown.flatMap((layer) => best.epochs.map((look) => look.layers[layer] && of(look.layers[layer]))).filter((value) => value > 0);
        const place = (value) => (value === null || value === undefined ? null : log ? (value > 0 ? Math.log10(value) : null) : value);
        const low = Math.floor(Math.log10(Math.min(...all, band ? band[0] : Infinity)));
        const high = Math.ceil(Math.log10(Math.max(...all, band ? band[1] : 0)));
        const [min, max] = log ? [low, Math.max(high, low + 1)] : [0, 1];
        const offsets = apart(shown.map((layer) => {
          const end = best.epochs.map((look) => (look.layers[layer] ? place(of(look.layers[layer])) : null)).filter((value) => value !== null).pop();
          return end === undefined ? null : ((max - end) / (max - min)) * (tall - top - bottom);
        }));
        return {
          grid: { left: 60, right: 66, top, bottom },
          xAxis: { type: "category", boundaryGap: false, data: epochs.map(String), name: "epochs", nameLocation: "middle", nameGap: 28, nameTextStyle: { color: paint.soft }, axisLabel: { color: paint.soft }, axisLine: { lineStyle: { color: paint.faint } } },
          yAxis: figures.free("", paint, log
            ? { min, max, interval: Math.max(1, Math.ceil((high - low) / 6)), scale: false, axisLabel: { color: paint.soft, formatter: (at) => number(10 ** at, 1) } }
            : { min, max, scale: false, interval: 0.25, axisLabel: { color: paint.soft, formatter: (share) => `${Math.round(100 * share)} %` } }),
          series: shown.map((layer, index) => ({
            type: "line", symbolSize: 5, symbol: "circle", cursor: "default", name: name(layer), connectNulls: true,
            lineStyle: { width: 2, color: tone(paint, layer) }, itemStyle: { color: tone(paint, layer) },
            endLabel: { show: true, formatter: name(layer), color: paint.soft, fontSize: 11, offset: [0, offsets[index]] },
            data: best.epochs.map((look) => (look.layers[layer] ? place(of(look.layers[layer])) : null)),
            tooltip: { formatter: (item) => `${name(layer)}, after ${item.name} epochs\n${log ? number(10 ** item.value, 3) : percent(item.value)}` },
            markLine: index === 0 && band ? { symbol: "none", silent: true, label: { show: false }, lineStyle: { color: paint.faint, type: "dashed", width: 1 }, data: band.map((end) => ({ yAxis: Math.log10(end) })) } : undefined,
          })),
        };
      },
    });
  }

  /** How far labels at these heights in pixels are moved so that none stands over another. */
  function apart(heights) {
    const LINE = 12;
    const order = heights.map((_, index) => index).filter((index) => heights[index] !== null).sort((a, b) => heights[a] - heights[b]);
    const places = order.map((index) => heights[index]);
    for (let at = 1; at < places.length; at += 1) places[at] = Math.max(places[at], places[at - 1] + LINE);
    // A group that was moved goes back by the mean of it, so that its middle stays.
    const offsets = heights.map(() => 0);
    for (let from = 0; from < order.length;) {
      let to = from + 1;
      while (to < order.length && places[to] - places[to - 1] <= LINE) to += 1;
      const moved = order.slice(from, to).reduce((sum, index, at) => sum + places[from + at] - heights[index], 0) / (to - from);
      for (let at = from; at < to; at += 1) offsets[order[at]] = places[at] - moved - heights[order[at]];
      from = to;
    }
    return offsets;
  }

  const tone = (paint, layer) => report.plot.shade(paint.ramp, layerCount > 1 ? layer / (layerCount - 1) : 0.5);

  function shares(parent) {
    parent.append(make("h3", {}, "Closed and dead units"));
    const grid = make("div", { class: "columns even" });
    parent.append(grid);
    const shown = layers.filter((layer) => !isOutput(layer));
    lines(grid, { plotName: "dead", title: "dead units", caption: "Closed in every row looked at: nothing passes back through them. From pale, the first layer, to strong.", shown, of: (layer) => (layer.closed === null ? null : layer.dead_count / Math.max(1, layer.unit_count)) });
    lines(grid, { plotName: "closed", title: "closed units", caption: "Pairs of row and unit whose activation is flat: 0 of a relu, saturated of a tanh or sigmoid.", shown, of: (layer) => layer.closed });
  }

  function sizes(parent) {
    parent.append(make("h3", {}, "Gradients and updates"));
    const grid = make("div", { class: "columns even" });
    parent.append(grid);
    lines(grid, { plotName: "gradients", title: "gradient", caption: "Root mean square of dL/dz of a minibatch. Layers far apart: it vanishes, or explodes, on its way.", shown: layers, log: true, of: (layer) => layer.d_rms });
    lines(grid, { plotName: "updates", title: "update ratio", caption: "‖Δw‖/‖w‖ of one step; 0.001 to 0.01, between the dashed lines, is usual, no verdict.", shown: layers, log: true, band: [1e-3, 1e-2], of: (layer) => layer.update_ratio });
  }

  /** Powers of two against epochs, one plot a layer. */
  function histograms(parent) {
    const names = [...new Set(best.epochs.flatMap((look) => look.layers.flatMap((layer) => Object.keys(layer.histograms ?? {}))))];
    parent.append(make("h3", {}, "Histograms over the epochs"));
    const select = make("select", {}, ...names.map((one) => make("option", { value: one }, one.replaceAll("_", " "))));
    parent.append(make("div", { class: "tools" }, make("label", {}, "Of", select)));
    parent.append(make("p", { class: "soft" }, "Sizes by powers of two, whatever their sign, a column for each look; stronger: a larger share. What is zero or no number is left out here and stands in the table below."));
    const grid = make("div", { class: "small-multiples" });
    parent.append(grid);
    const plots = layers.map((layer) => report.plot(grid, {
      name: `histogram-${layer}`, title: name(layer), height: 240, label: `Histograms of ${name(layer)} over the epochs.`,
      still: "Sizes by powers of two, whatever their sign, a column for each look; stronger: a larger share.",
      option: (paint) => {
        const columns = best.epochs.map((look) => sizesOf(look.layers[layer]?.histograms?.[select.value]));
        const exponents = columns.flatMap((column) => [...column.keys()]);
        const [low, high] = [Math.min(...exponents, 0), Math.max(...exponents, 0)];
        const bins = [...Array(high - low + 1).keys()].map((at) => low + at);
        const cells = columns.flatMap((column, x) => {
          const total = [...column.values()].reduce((sum, many) => sum + many, 0);
          return [...column].map(([exponent, many]) => [x, exponent - low, many / total]);
        });
        const most = Math.max(...cells.map((cell) => cell[2]), 1e-9);
        return {
          grid: { left: 52, right: 8, top: 6, bottom: 42 },
          xAxis: { type: "category", data: epochs.map(String), name: "epochs", nameLocation: "middle", nameGap: 26, nameTextStyle: { color: paint.soft }, axisLabel: { color: paint.soft, hideOverlap: true }, axisTick: { show: false }, axisLine: { lineStyle: { color: paint.faint } } },
          yAxis: { type: "category", data: bins.map((exponent) => `2^${exponent}`), axisLabel: { color: paint.soft, hideOverlap: true, interval: Math.ceil(bins.length / 8) - 1 }, axisTick: { show: false }, axisLine: { lineStyle: { color: paint.faint } } },
          series: [{
            type: "custom", cursor: "default", data: cells,
            renderItem: (item, api) => {
              const [column, bin, share] = cells[item.dataIndex];
              const [x, y] = api.coord([column, bin]);
              const [w, h] = api.size([1, 1]);
              return { type: "rect", shape: { x: x - w / 2, y: y - h / 2, width: w - 1, height: h }, style: { fill: report.plot.shade([paint.raised, ...paint.ramp], share / most) } };
            },
            tooltip: { formatter: (item) => { const [column, bin, share] = cells[item.dataIndex]; return `after ${epochs[column]} epochs\n2^${bins[bin]}  ${percent(share)}`; } },
          }],
        };
      },
    }));
    select.addEventListener("change", () => plots.forEach((plot) => plot.update()));
  }

  /** Counts by exponent, both signs together. */
  function sizesOf(histogram) {
    const found = new Map();
    for (const sign of ["negative", "positive"]) {
      for (const [exponent, many] of Object.entries(histogram?.[sign] ?? {})) found.set(Number(exponent), (found.get(Number(exponent)) ?? 0) + many);
    }
    return found;
  }

  function numbers(parent) {
    const details = make("details", {}, make("summary", {}, "The numbers of these plots"));
    details.addEventListener("toggle", () => {
      if (details.childElementCount > 1) return;
      const rows = best.epochs.flatMap((look) => look.layers.map((layer, index) => ({ epoch: look.epoch, index, layer })));
      const of = (title, key, text = number) => ({ title, isNumber: true, text: (row) => text(row.layer[key], 3), sort: (row) => row.layer[key] });
      report.table(details, {
        caption: `Layers of trial ${best.trial} over its epochs`, rows, top: 20, one: "line",
        columns: [
          { title: "epoch", isNumber: true, isHead: true, text: (row) => String(row.epoch), sort: (row) => row.epoch },
          { title: "layer", text: (row) => name(row.index), sort: (row) => row.index },
          of("units", "unit_count"), of("dead", "dead_count"), of("closed", "closed", percent), of("mean |activation|", "mean_activation"),
          of("gradient", "d_rms"), of("update ratio", "update_ratio"), of("zero gradients", "zero_gradients", percent), of("not finite", "not_finite", percent),
        ],
      });
    });
    parent.append(details);
  }

  /** Every trial at its last look, and those that diverged, against a hyperparameter. */
  function across(parent) {
    const measures = [
      { title: "dead units, the worst layer", of: (look) => look.dead },
      { title: "closed units, the worst layer", of: (look) => look.closed },
      { title: "update ratio, the largest", of: (look) => look.update_ratio, log: true },
    ];
    parent.append(make("h3", {}, "Across the space"));
    const measure = make("select", {}, ...measures.map((one, at) => make("option", { value: at }, one.title)));
    parent.append(make("div", { class: "tools" }, make("label", {}, "What", measure)));
    parent.append(make("p", { class: "soft" }, "Every trial at its last look, the stronger the colour the better its rank; crosses diverged."));
    const grid = make("div", { class: "small-multiples" });
    parent.append(grid);
    const looks = new Map(page.trials.map((look) => [look.trial, look]));
    const plots = axes.varying.map((d) => report.plot(grid, {
      name: `across-${d.name}`, height: 210, label: `What went on inside each trial against ${d.name}.`,
      still: "Every trial at its last look, the stronger the colour the better its rank; crosses diverged.",
      option: (paint) => {
        const { of, log } = measures[Number(measure.value)];
        const points = data.trials.filter((trial) => axes.at(d, trial) !== null && looks.has(trial.number) && of(looks.get(trial.number)) !== null);
        const value = (trial) => (log ? Math.log10(Math.max(1e-12, of(looks.get(trial.number)))) : of(looks.get(trial.number)));
        return {
          grid: { left: 56, right: 10, top: 10, bottom: 42 },
          xAxis: figures.axis(d, paint, { nameGap: 26 }),
          yAxis: figures.free("", paint, log ? { axisLabel: { color: paint.soft, formatter: (at) => number(10 ** at, 1) } } : { min: 0, max: 1, scale: false, interval: 0.5, axisLabel: { color: paint.soft, formatter: (share) => `${Math.round(100 * share)} %` } }),
          series: [{
            type: "scatter", cursor: "default",
            data: points.map((trial) => ({
              value: [axes.at(d, trial) + figures.jitter(d, trial), value(trial)], trial,
              symbol: trial.state === "diverged" ? "path://M0,0L10,10M10,0L0,10" : "circle", symbolSize: trial.state === "diverged" ? 8 : 6,
              itemStyle: trial.state === "diverged" ? { color: "transparent", borderColor: paint.alarm, borderWidth: 1.5 } : { color: report.plot.shade(paint.ramp, axes.goodness(trial.value)) },
            })),
            tooltip: { formatter: (item) => figures.lines(item.data.trial) },
          }],
        };
      },
    }));
    measure.addEventListener("change", () => plots.forEach((plot) => plot.update()));
  }
});
