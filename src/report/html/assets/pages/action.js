// The model in action: what it says of rows that it had not trained on, and of changed ones.
report.page("action", (root, page, data) => {
  const { make, number, count, missing, figures } = report;
  if (page.missing) {
    root.append(missing("The model cannot be seen in action.", page.missing));
    return;
  }
  const { action } = page;
  const percent = (share, digits = 1) => (share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)} %`);
  const table = (parent, summary, fill) => {
    const details = make("details", {}, make("summary", {}, summary));
    details.addEventListener("toggle", () => details.childElementCount === 1 && fill(details));
    parent.append(details);
  };
  root.append(make("p", {}, `What the fold models of trial ${page.trial} say of the ${count(action.row_count, "row")} that they had not trained on.`));

  if (page.pictures) pictures(page.pictures);
  if (action.confusion) confusion(action.confusion);
  if (action.classes) classes(action.classes);
  if (action.calibration) calibration(action.calibration);
  if (action.values) values(action.values);
  if (action.regions) regions(action.regions);
  if (action.segments) segments(action.segments);
  if (action.dependence.length) dependence(action.dependence);

  /** Rows that are images, wrong or right. */
  function pictures({ width, height, rows }) {
    root.append(make("h3", {}, "Some rows, and what is said of them"));
    const text = (value) => (typeof value === "number" ? number(value) : value);
    figures.pictures(root, { name: "pictures", width, height }, rows.map((row) => {
      const isWrong = row.probability !== null && row.own !== row.said;
      const said = isWrong ? `${text(row.own)} taken for ${text(row.said)}` : row.probability === null ? `${text(row.own)} said to be ${text(row.said)}` : text(row.own);
      const sure = row.probability === null ? "" : percent(row.probability);
      return { cells: row.cells, place: figures.place(row), said, remark: sure, mark: isWrong ? make("span", { class: "mark alarm" }, "wrong") : null };
    }));
  }

  function confusion(found) {
    root.append(make("h3", {}, "Which class is taken for which"));
    const names = found.other_count ? [...found.classes, `${found.other_count} others`] : found.classes;
    const short = names.map((name) => figures.cut(name, 18));
    const totals = found.counts.map((line) => line.reduce((sum, many) => sum + many, 0));
    const isSmall = names.length > 12;
    const cells = found.counts.flatMap((line, label) => line.map((many, said) => ({ label, said, many, share: totals[label] ? many / totals[label] : 0 })));
    report.plot(root, {
      name: "confusion",
      caption: "A line is a label, a column what is predicted; shades are shares of the line. All that is not on the diagonal is a mistake.",
      height: (width) => Math.min(720, 90 + names.length * Math.max(18, Math.min(44, (Math.min(width, 760) - 150) / names.length))),
      label: `Confusion matrix of ${count(names.length, "class", "classes")}; the table below has the numbers.`,
      option: (paint, width) => {
        const side = Math.min(width, 190 + names.length * 64);
        const category = (extra) => ({ type: "category", axisTick: { show: false }, axisLine: { show: false }, axisLabel: { color: paint.ink, interval: 0, width: 110, overflow: "truncate", rotate: 0 }, nameTextStyle: { color: paint.soft }, nameLocation: "middle", ...extra });
        return {
          grid: { left: 130, right: Math.max(16, width - side), top: 4, bottom: isSmall ? 84 : 52 },
          xAxis: category({ data: short, name: "prediction", nameGap: isSmall ? 64 : 30, axisLabel: { color: paint.ink, interval: 0, rotate: isSmall ? 60 : 0, hideOverlap: !isSmall } }),
          yAxis: category({ data: short, name: "label", nameGap: 112, inverse: true }),
          series: [{
            type: "custom", cursor: "default", data: cells.map((cell) => [cell.said, cell.label]),
            renderItem: (item, api) => {
              const cell = cells[item.dataIndex];
              const [x, y] = api.coord([cell.said, cell.label]);
              const [w, h] = api.size([1, 1]);
              const fill = cell.many === 0 ? paint.raised : report.plot.shade(paint.ramp, 0.04 + 0.9 * cell.share);
              const isStrong = cell.many > 0 && cell.share > 0.25;
              return { type: "group", children: [
                { type: "rect", shape: { x: x - w / 2 + 1, y: y - h / 2 + 1, width: w - 2, height: h - 2 }, style: { fill } },
                { type: "text", style: { text: cell.many === 0 || h < 13 ? "" : String(cell.many), x, y, align: "center", verticalAlign: "middle", fontSize: isSmall ? 10 : 12, fill: isStrong ? paint.paper : paint.ink } },
              ] };
            },
            tooltip: { formatter: (item) => { const cell = cells[item.dataIndex]; return `${names[cell.label]} taken for ${names[cell.said]}\n${cell.many} of ${totals[cell.label]} (${percent(cell.share)})`; } },
          }],
        };
      },
    });
    table(root, "The numbers of this plot", (parent) => report.table(parent, {
      caption: "Rows by label (line) and prediction (column)", rows: names.map((name, at) => ({ name, at })), top: 40, one: "class",
      columns: [{ title: "label", isHead: true, text: (row) => row.name }, ...names.map((name, said) => ({ title: name, isNumber: true, text: (row) => String(found.counts[row.at][said]) }))],
    }));
  }

  function classes(found) {
    root.append(make("h3", {}, "Class by class"));
    root.append(make("p", { class: "soft" }, `Accuracy ${percent(found.accuracy)}; the mean of F1 over classes ${number(found.macro_f1, 3)}.${found.other_count ? ` The classes with the least F1; ${found.other_count} more are not listed.` : ""}`));
    const share = (title, of) => ({ title, isNumber: true, text: (row) => (of(row) === null ? "–" : of(row).toFixed(3)), sort: of });
    report.table(root, {
      caption: "precision: of the rows said to be of a class, those that are; recall: of its rows, those said to be; f1: their harmonic mean",
      rows: found.classes, top: 20, one: "class",
      columns: [
        { title: "class", isHead: true, text: (row) => row.name, sort: (row) => row.name },
        share("precision", (row) => row.precision), share("recall", (row) => row.recall), share("f1", (row) => row.f1),
        { title: "rows", isNumber: true, text: (row) => String(row.support), sort: (row) => row.support },
        { title: "predicted", isNumber: true, text: (row) => String(row.predicted), sort: (row) => row.predicted },
      ],
    });
  }

  function calibration(found) {
    root.append(make("h3", {}, "Whether probabilities mean what they say"));
    root.append(make("p", { class: "soft" }, `Expected calibration error ${number(found.expected_error, 3)}, Brier score ${number(found.brier, 3)}, log loss ${number(found.log_loss, 3)}.`));
    const name = (curve) => (curve.class === null ? "whatever is predicted" : curve.class);
    const tools = make("div", { class: "tools" });
    const select = make("select", {}, ...found.curves.map((curve, at) => make("option", { value: at }, name(curve))));
    select.addEventListener("change", () => plot.update());
    tools.append(make("label", {}, "Probability of", select));
    root.append(tools);
    const plot = report.plot(root, {
      name: "calibration", height: (width) => Math.min(420, width * 0.8 + 40),
      caption: "A point is the rows of a tenth of the probabilities: what is said against what comes true, with a 95 % interval; larger points have more rows. On the diagonal probabilities mean what they say.",
      label: "Reliability diagram; the table below has the numbers.",
      option: (paint, width) => {
        const { bins } = found.curves[Number(select.value)];
        const most = Math.max(...bins.map((bin) => bin.count));
        const side = Math.max(16, width - 520);
        const axis = (title, gap) => figures.free(title, paint, { min: 0, max: 1, scale: false, nameGap: gap });
        return {
          grid: { left: 56, right: side, top: 10, bottom: 46 },
          xAxis: { ...axis("probability", 28), splitLine: { show: false } }, yAxis: axis("share that is so", 38),
          series: [
            { type: "line", silent: true, showSymbol: false, data: [[0, 0], [1, 1]], lineStyle: { color: paint.faint, type: "dashed", width: 1 } },
            {
              type: "custom", silent: true, data: bins.map((bin) => [bin.probability, bin.interval[0]]),
              renderItem: (item, api) => {
                const bin = bins[item.dataIndex];
                const [x, y1] = api.coord([bin.probability, bin.interval[0]]);
                const [, y2] = api.coord([bin.probability, bin.interval[1]]);
                return { type: "line", shape: { x1: x, y1, x2: x, y2 }, style: { stroke: paint.accent, lineWidth: 1.5, opacity: 0.6 } };
              },
            },
            {
              type: "scatter", cursor: "default", itemStyle: { color: paint.accent }, data: bins.map((bin) => ({ value: [bin.probability, bin.frequency], symbolSize: 5 + 13 * Math.sqrt(bin.count / most), bin })),
              tooltip: { formatter: ({ data: { bin } }) => `${bin.count} rows between ${number(bin.low)} and ${number(bin.high)}\nsaid ${percent(bin.probability)}, so ${percent(bin.frequency)}\n95 % interval ${percent(bin.interval[0])} to ${percent(bin.interval[1])}` },
            },
          ],
        };
      },
    });
    table(root, "The numbers of this plot", (parent) => report.table(parent, {
      caption: "Rows by their probability", rows: found.curves.flatMap((curve) => curve.bins.map((bin) => ({ curve, bin }))), top: 20, one: "line",
      columns: [
        { title: "probability of", isHead: true, text: (row) => name(row.curve), sort: (row) => name(row.curve) },
        { title: "above", isNumber: true, text: (row) => number(row.bin.low) }, { title: "up to", isNumber: true, text: (row) => number(row.bin.high) },
        { title: "rows", isNumber: true, text: (row) => String(row.bin.count), sort: (row) => row.bin.count },
        { title: "said", isNumber: true, text: (row) => percent(row.bin.probability), sort: (row) => row.bin.probability },
        { title: "so", isNumber: true, text: (row) => percent(row.bin.frequency), sort: (row) => row.bin.frequency },
        { title: "95 % interval", isNumber: true, text: (row) => row.bin.interval.map((share) => percent(share)).join(" to ") },
      ],
    }));
  }

  function values(found) {
    root.append(make("h3", {}, "Predicted against actual"));
    root.append(make("p", { class: "soft" }, `rmse ${number(found.rmse)}, mean absolute error ${number(found.mae)}, R² ${number(found.r2, 3)}, mean error ${number(found.bias, 3)}; in the unit of ${page.target}.`));
    const grid = make("div", { class: "columns even" });
    root.append(grid);
    const all = found.points.flatMap((point) => [point.actual, point.predicted]);
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const sample = found.points.length < action.row_count ? ` ${found.points.length} of the rows are drawn.` : "";
    report.plot(grid, {
      name: "predicted", height: 380, caption: `A point is a row; on the dashed line predictions are right.${sample}`,
      label: `Predicted against actual ${page.target}; the page of mistakes lists those farthest off.`,
      option: (paint) => ({
        grid: { left: 70, right: 14, top: 10, bottom: 46 },
        xAxis: figures.free("actual", paint, { min: low, max: high, nameGap: 28, splitLine: { show: false }, axisLabel: { color: paint.soft, hideOverlap: true, showMinLabel: false, showMaxLabel: false, formatter: (value) => number(value, 3) } }),
        yAxis: figures.free("predicted", paint, { min: low, max: high, nameGap: 52, axisLabel: { color: paint.soft, showMinLabel: false, showMaxLabel: false, formatter: (value) => number(value, 3) } }),
        series: [
          { type: "line", silent: true, showSymbol: false, data: [[low, low], [high, high]], lineStyle: { color: paint.faint, type: "dashed", width: 1 }, z: 3 },
          { type: "scatter", symbolSize: 4, cursor: "default", itemStyle: { color: paint.accent, opacity: 0.35 }, data: found.points.map((point) => [point.actual, point.predicted]), tooltip: { formatter: (item) => `actual ${number(item.value[0], 5)}\npredicted ${number(item.value[1], 5)}` } },
        ],
      }),
    });
    report.plot(grid, {
      name: "residuals", height: 380, caption: "All rows by their error, predicted minus actual.",
      label: "Histogram of errors; the table below has the numbers.",
      option: (paint) => ({
        grid: { left: 56, right: 14, top: 10, bottom: 46 },
        xAxis: { type: "category", data: found.residuals.map((bin) => number((bin.low + bin.high) / 2, 3)), name: "error", nameLocation: "middle", nameGap: 28, nameTextStyle: { color: paint.soft }, axisLabel: { color: paint.soft, hideOverlap: true }, axisTick: { show: false }, axisLine: { lineStyle: { color: paint.faint } } },
        yAxis: figures.free("rows", paint, { scale: false, nameGap: 40, minInterval: 1 }),
        series: [{ type: "bar", barCategoryGap: "8%", cursor: "default", itemStyle: { color: paint.accent }, data: found.residuals.map((bin) => bin.count || null), tooltip: { formatter: (item) => { const bin = found.residuals[item.dataIndex]; return `${bin.count} rows off by ${number(bin.low, 3)} to ${number(bin.high, 3)}`; } } }],
      }),
    });
    table(root, "The numbers of the histogram", (parent) => report.table(parent, {
      caption: "Rows by their error", rows: found.residuals.filter((bin) => bin.count > 0), top: 40, one: "line",
      columns: [{ title: "from", isNumber: true, isHead: true, text: (bin) => number(bin.low) }, { title: "to", isNumber: true, text: (bin) => number(bin.high) }, { title: "rows", isNumber: true, text: (bin) => String(bin.count) }],
    }));
  }

  /** The plane of two columns. */
  function regions(found) {
    root.append(make("h3", {}, "What is predicted where"));
    const [across, up] = found.axes;
    const isNumber = (axis) => axis.places.every((place) => typeof place === "number");
    const ends = (axis) => {
      if (!isNumber(axis)) return [-0.5, axis.places.length - 0.5];
      const half = axis.places.length > 1 ? (axis.places[1] - axis.places[0]) / 2 : 0.5;
      return [axis.places[0] - half, axis.places[axis.places.length - 1] + half];
    };
    const place = (axis, value) => (isNumber(axis) ? value : axis.places.indexOf(value));
    const signs = ["circle", "circle", "triangle", "triangle", "rect", "rect", "diamond", "diamond"];
    const isOfClasses = found.classes.length > 0;
    const numbers = found.numbers.flat();
    const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
    const legend = isOfClasses ? ` Points are rows with their labels: ${found.classes.slice(0, 8).map((name, at) => `${["●", "○", "▲", "△", "■", "□", "◆", "◇"][at]} ${name}`).join(", ")}.` : " Points are rows.";
    report.plot(root, {
      name: "regions", height: (width) => Math.min(520, width * 0.75),
      caption: `${isOfClasses ? "A shade for each class, paler where it is less probable." : `Stronger: a larger ${page.target}.`}${legend}`,
      label: `Predictions over ${across.column} and ${up.column}.`,
      option: (paint, width) => {
        const span = (axis, extra) => {
          const [min, max] = ends(axis);
          const named = isNumber(axis) ? {} : { axisLabel: { color: paint.soft, customValues: axis.places.map((_, at) => at), formatter: (at) => axis.places[at] ?? "" }, axisTick: { customValues: axis.places.map((_, at) => at) } };
          return figures.free(axis.column, paint, { min, max, splitLine: { show: false }, axisLabel: { color: paint.soft, hideOverlap: true, showMinLabel: false, showMaxLabel: false, formatter: (value) => number(value, 3) }, ...named, ...extra });
        };
        const fill = (line, column) => {
          const value = found.numbers[line][column];
          if (!isOfClasses) return [report.plot.shade(paint.ramp, high > low ? (value - low) / (high - low) : 0.5), 0.75];
          const share = found.classes.length > 1 ? found.predicted[line][column] / (found.classes.length - 1) : 0;
          return [report.plot.shade([paint.alarm, paint.faint, paint.accent], share), 0.15 + 0.6 * Math.max(0, value - 1 / found.classes.length)];
        };
        const cells = found.numbers.flatMap((line, row) => line.map((_, column) => [column, row]));
        const [[x0, x1], [y0, y1]] = [ends(across), ends(up)];
        const [columns, rows] = [across.places.length, up.places.length];
        return {
          grid: { left: 72, right: Math.max(16, width - 820), top: 10, bottom: 46 },
          xAxis: span(across, { nameGap: 28 }), yAxis: span(up, { nameGap: 52 }),
          series: [
            {
              type: "custom", silent: true, z: 1, data: cells,
              renderItem: (item, api) => {
                const [column, row] = cells[item.dataIndex];
                const [left, bottom] = api.coord([x0 + ((x1 - x0) * column) / columns, y0 + ((y1 - y0) * row) / rows]).map(Math.round);
                const [right, top] = api.coord([x0 + ((x1 - x0) * (column + 1)) / columns, y0 + ((y1 - y0) * (row + 1)) / rows]).map(Math.round);
                const [color, opacity] = fill(row, column);
                return { type: "rect", shape: { x: left, y: top, width: right - left, height: bottom - top }, style: { fill: color, opacity } };
              },
            },
            {
              type: "scatter", z: 3, cursor: "default", symbolSize: 6,
              data: found.points.filter((point) => point.at.every((at) => at !== null)).map((point) => ({
                value: [place(across, point.at[0]), place(up, point.at[1])], point,
                symbol: isOfClasses ? signs[point.own % signs.length] : "circle",
                itemStyle: isOfClasses && point.own % 2 ? figures.hollow(paint.ink) : { color: paint.ink, opacity: 0.75 },
              })),
              tooltip: { formatter: ({ data: { point } }) => `${isOfClasses ? found.classes[point.own] : number(point.own, 5)}\n${across.column} ${point.at[0]}\n${up.column} ${point.at[1]}` },
            },
          ],
        };
      },
    });
  }

  function segments(found) {
    root.append(make("h3", {}, "Where it is worst"));
    const isShare = found.measure === "error_rate";
    const text = (error) => (isShare ? percent(error) : number(error));
    root.append(make("p", { class: "soft" }, `Rows that are alike in one column, by their ${isShare ? "share of mistakes" : "mean absolute error"}; of all rows it is ${text(found.overall)}. Marked: worse beyond chance, though of many segments some are by chance.`));
    if (!found.segments.length) {
      root.append(make("p", {}, "No segment has enough rows to be told."));
      return;
    }
    report.table(root, {
      caption: "Segments, the surely worse ones first", rows: found.segments, top: 12, one: "segment",
      columns: [
        { title: "column", isHead: true, text: (row) => row.column, sort: (row) => row.column },
        { title: "value", text: (row) => make("span", {}, row.value, " ", row.stands_out ? make("span", { class: "mark alarm" }, "worse") : null), sort: (row) => row.value },
        { title: "rows", isNumber: true, text: (row) => String(row.rows), sort: (row) => row.rows },
        { title: isShare ? "mistakes" : "error", isNumber: true, text: (row) => text(row.error), sort: (row) => row.error },
        { title: "95 % interval", isNumber: true, text: (row) => row.interval.map(text).join(" to "), sort: (row) => row.interval[0] },
      ],
    });
  }

  /** Partial dependence on the columns that move predictions most. */
  function dependence(found) {
    root.append(make("h3", {}, "What each column does"));
    const first = found[0].curves[0];
    const ofLines = first && first.class !== null && found[0].curves.length > 1 ? ` of ${first.class}` : "";
    const what = first && first.class !== null ? (found[0].curves.length === 1 ? `probability of ${first.class}` : "probability of each class") : `predicted ${page.target}`;
    root.append(make("p", { class: "soft" }, `The mean ${what} where a column is set to a value in every row, those first that move it most. Thin: single rows${ofLines}. Where columns go together it averages over rows that do not exist.`));
    const grid = make("div", { class: "small-multiples" });
    root.append(grid);
    const isOfClasses = first && first.class !== null;
    const all = found.flatMap((one) => [...one.curves.flatMap((curve) => curve.mean), ...one.lines.flat()]).filter((value) => value !== null);
    const [low, high] = isOfClasses ? [0, 1] : [Math.min(...all), Math.max(...all)];
    const names = found[0].curves.map((curve) => curve.class).filter((name) => name !== null);
    const fromPale = `Classes from pale to strong: ${names.join(", ")}`;
    for (const one of found) {
      const isNumber = one.places.every((place) => typeof place === "number");
      const at = (index) => (isNumber ? one.places[index] : index);
      const strength = (index) => (one.curves.length > 1 ? index / (one.curves.length - 1) : 0.5);
      const end = one.places.length - 1;
      report.plot(grid, {
        name: `dependence-${one.column}`, height: 220,
        still: `The mean ${what} where ${one.column} is set to a value in every row. Thin: single rows${ofLines}.${names.length > 1 ? ` ${fromPale}.` : ""}`,
        label: `Partial dependence on ${one.column}: ${one.curves.map((curve) => `${curve.class ?? page.target} from ${number(curve.mean[0], 3)} at ${one.places[0]} to ${number(curve.mean[end], 3)} at ${one.places[end]}`).join("; ")}.`,
        option: (paint) => ({
          grid: { left: 56, right: 12, top: 10, bottom: 42 },
          xAxis: isNumber
            ? figures.free(figures.cut(one.column, 40), paint, { nameGap: 26, min: one.places[0], max: one.places[end], splitLine: { show: false }, axisLabel: { color: paint.soft, hideOverlap: true, showMinLabel: false, showMaxLabel: false, formatter: (value) => number(value, 3) } })
            : { type: "category", data: one.places.map((place) => figures.cut(String(place), 12)), name: figures.cut(one.column, 40), nameLocation: "middle", nameGap: 26, nameTextStyle: { color: paint.soft }, axisLabel: { color: paint.soft, hideOverlap: true }, axisLine: { lineStyle: { color: paint.faint } }, axisTick: { show: false } },
          yAxis: figures.free("", paint, { min: low, max: high, scale: false, interval: isOfClasses ? 0.5 : undefined, splitNumber: 3, axisLabel: { color: paint.soft, formatter: (value) => number(value, 3), showMinLabel: isOfClasses, showMaxLabel: isOfClasses } }),
          series: [
            ...one.lines.map((line) => ({ type: "line", silent: true, showSymbol: false, z: 1, lineStyle: { color: paint.thin, width: 1 }, data: line.map((value, index) => [at(index), value]) })),
            ...one.curves.map((curve, index) => ({
              type: "line", z: 3, symbol: "circle", symbolSize: isNumber ? 3 : 7, cursor: "default", lineStyle: { color: report.plot.shade(paint.ramp, strength(index)), width: isNumber ? 2.5 : 1 }, itemStyle: { color: report.plot.shade(paint.ramp, strength(index)) },
              data: curve.mean.map((value, place) => [at(place), value]),
              tooltip: { formatter: (item) => `${curve.class ?? page.target}  ${number(item.value[1], 4)}\n${one.column}  ${isNumber ? number(item.value[0], 4) : one.places[item.dataIndex]}` },
            })),
          ],
        }),
      });
    }
    if (names.length > 1) root.append(make("p", { class: "soft" }, `${fromPale}.`));
  }
});
