// The plots that several pages draw.
report.figures = (() => {
  const { data, make, number, score, count, dimensions: axes } = report;

  const name = (dimension) => dimension.name.replaceAll("_", " ");

  /** An axis of numbers or choices for two-dimensional plots. */
  function axis(dimension, paint, extra = {}) {
    const round = (at) => dimension.ticks.some((tick) => Math.abs(tick - at) < 1e-9);
    return {
      type: "value", min: dimension.min, max: dimension.max, name: name(dimension), nameLocation: "middle",
      nameTextStyle: { color: paint.soft, fontSize: 12 },
      axisLine: { onZero: false, lineStyle: { color: paint.faint } }, axisTick: { customValues: dimension.ticks, lineStyle: { color: paint.faint } },
      axisLabel: {
        customValues: dimension.ticks, color: paint.soft, hideOverlap: true,
        formatter: (at) => (round(at) ? cut(dimension.text(at), 14) : ""),
      },
      splitLine: { show: false },
      ...extra,
    };
  }

  /** An axis of plain numbers that fits its data. */
  function free(title, paint, extra = {}) {
    return {
      type: "value", scale: true, name: title, nameLocation: "middle", nameTextStyle: { color: paint.soft, fontSize: 12 },
      axisLine: { show: true, onZero: false, lineStyle: { color: paint.faint } }, axisTick: { show: true, lineStyle: { color: paint.faint } },
      axisLabel: { color: paint.soft, hideOverlap: true, formatter: (value) => number(value, 4) },
      splitLine: { lineStyle: { color: paint.line, width: 0.5 } },
      ...extra,
    };
  }

  /** The axis of scores. */
  const scores = (paint, extra = {}) => axis(axes.scores, paint, { nameGap: 46, splitLine: { lineStyle: { color: paint.line, width: 0.5 } }, ...extra });

  /** So many characters of a text at most, none of them halved. */
  const cut = (text, most) => {
    const characters = [...text];
    return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text;
  };

  /** What a trial is, in lines for a tooltip. */
  function lines(trial) {
    const head = `trial ${trial.number} · ${trial.value === null ? trial.state : score(trial.value)}${trial.state === "complete" ? "" : ` (${trial.state})`}`;
    return [head, ...axes.varying.filter((d) => trial.settings[d.name] !== undefined).map((d) => `${d.name}  ${cut(axes.shown(d, trial), 40)}`)].join("\n");
  }

  /** A ring: the library's own empty symbols are white within. */
  const hollow = (color) => ({ color: "transparent", borderColor: color, borderWidth: 1.2 });

  /** Where a trial of equal choices stands beside the others: spread by its number, the same every time, and up otherwise than across. */
  const jitter = (dimension, trial, isUp = false) => (dimension.isNumber ? 0 : (((trial.number * (isUp ? 0.569840 : 0.754878)) % 1) - 0.5) * 0.5);

  /** The score against one hyperparameter. */
  function slice(parent, dimension, trials) {
    const withValue = () => trials().filter((trial) => trial.value !== null && axes.at(dimension, trial) !== null);
    return report.plot(parent, {
      name: `slice-${dimension.name}`, height: 220,
      label: `${axes.scores.name} of each trial against ${dimension.name}; the leaderboard has the numbers.`,
      still: `${axes.scores.name} of each trial, the stronger the colour the better; hollow points did not train to their end.`,
      option: (paint) => ({
        grid: { left: 64, right: 10, top: 10, bottom: 42 },
        xAxis: axis(dimension, paint, { nameGap: 26 }),
        yAxis: scores(paint, { name: "" }),
        series: [{
          type: "scatter", symbolSize: 6, cursor: "default",
          data: withValue().sort((a, b) => report.better(b.value, a.value)).map((trial) => ({
            value: [axes.at(dimension, trial) + jitter(dimension, trial), axes.clamped(trial.value)], trial,
            symbolSize: trial === report.bestTrial ? 11 : 6,
            itemStyle: trial.state === "complete"
              ? { color: report.plot.shade(paint.ramp, axes.goodness(trial.value)), borderColor: paint.ink, borderWidth: trial === report.bestTrial ? 1.5 : 0 }
              : hollow(report.plot.shade(paint.ramp, axes.goodness(trial.value))),
          })),
          tooltip: { formatter: (item) => lines(item.data.trial) },
        }],
      }),
    });
  }

  /** Cells of a map, each the best score there. */
  function map(parent, { title, caption, across, up, cells, xs, ys, plotName }) {
    const values = cells.map((cell) => cell.value).sort((a, b) => a - b);
    const middle = values[Math.floor(values.length * 0.1)] ?? 0;
    const [low, high] = report.maximizes
      ? [middle, values[values.length - 1]]
      : [values[0], values[Math.ceil(values.length * 0.9) - 1] ?? 0];
    const spread = high > low ? high - low : 1;
    return report.plot(parent, {
      name: plotName, title, caption,
      height: (width) => Math.min(460, Math.max(260, 90 + ys.length * (width > 600 ? 26 : 20))),
      label: `${title}. ${caption}`,
      option: (paint) => {
        const best = cells.reduce((a, b) => (report.better(a.value, b.value) <= 0 ? a : b), cells[0]);
        const category = (values, title, extra) => ({
          type: "category", data: values, name: title, nameLocation: "middle", nameTextStyle: { color: paint.soft },
          axisLine: { lineStyle: { color: paint.faint } }, axisTick: { show: false }, axisLabel: { color: paint.soft, hideOverlap: true }, ...extra,
        });
        return {
          grid: { left: 76, right: 16, top: 10, bottom: 84 },
          xAxis: category(xs, across, { nameGap: 28 }), yAxis: category(ys, up, { nameGap: 56 }),
          visualMap: {
            type: "continuous", seriesIndex: 0, min: low, max: low + spread, calculable: false, orient: "horizontal", left: "center", bottom: 0,
            itemWidth: 10, itemHeight: 140, text: [number(high), number(low)], textStyle: { color: paint.soft, fontSize: 12 },
            inRange: { color: report.maximizes ? paint.ramp : [...paint.ramp].reverse() },
          },
          series: [{
            type: "heatmap",
            data: cells.map((cell) => ({
              value: [cell.x, cell.y, cell.value], trial: cell.trial, itemStyle: { borderColor: paint.paper, borderWidth: 1 },
            })),
            tooltip: { formatter: (item) => lines(item.data.trial) },
            emphasis: { disabled: true },
          }, {
            // The frame of the best: above all cells, whose edges would cover a border.
            type: "custom", silent: true, z: 5, data: [[best.x, best.y]],
            renderItem: (_, api) => {
              const [x, y] = api.coord([best.x, best.y]);
              const [w, h] = api.size([1, 1]);
              return { type: "rect", shape: { x: x - w / 2 + 1, y: y - h / 2 + 1, width: w - 2, height: h - 2 }, style: { fill: "none", stroke: paint.alarm, lineWidth: 3 } };
            },
          }],
        };
      },
    });
  }

  /** Where a row stands in its file. */
  const place = (row) => (row.line === null ? `row ${row.row + 1}` : `line ${row.line}`);

  /** Rows as images of this size, all by the same scale, under a plot's name: each with its cells, its place, what is said of it, a remark and a mark. */
  function pictures(parent, { name, width, height }, rows) {
    const most = brightest(rows);
    const list = make("ul", { class: "pictures", "data-plot": name });
    for (const row of rows) {
      const canvas = make("canvas", { width, height, role: "img", "aria-label": `${row.place}: ${row.said}` });
      picture(canvas, row.cells.map((cell) => cell / most));
      list.append(make("li", {}, canvas, make("b", {}, row.said), make("br"), `${row.place}${row.remark ? ` · ${row.remark}` : ""} `, row.mark));
    }
    parent.append(list);
  }

  /** What is white. */
  const brightest = (rows) => Math.max(1e-9, ...rows.flatMap((row) => row.cells));

  /** Paints pixels between 0, black, and 1, white, line by line. */
  function picture(canvas, cells) {
    const context = canvas.getContext("2d");
    const image = context.createImageData(canvas.width, canvas.height);
    cells.forEach((cell, at) => {
      const grey = Math.round(255 * Math.min(Math.max(cell, 0), 1));
      image.data.set([grey, grey, grey, 255], 4 * at);
    });
    context.putImageData(image, 0, 0);
  }

  return { place, pictures, brightest, axis, free, scores, name, cut, lines, slice, map, jitter, hollow };
})();
