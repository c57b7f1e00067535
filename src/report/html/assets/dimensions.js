// Hyperparameters as axes: where a value stands, and what is written there.
report.dimensions = (() => {
  /** Ticks of a range: powers of ten and, of few, what is between; else round steps. */
  function ticksOf(low, high, log) {
    if (log) {
      const decades = [];
      for (let power = Math.floor(low); power <= Math.ceil(high); power += 1) decades.push(power);
      const steps = high - low < 2.5 ? [1, 2, 5] : [1];
      const all = decades.flatMap((power) => steps.map((step) => power + Math.log10(step)));
      const inside = all.filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
      const every = Math.ceil(inside.length / 7);
      return inside.length > 1 ? inside.filter((_, at) => at % every === 0) : [low, high];
    }
    const rough = (high - low) / 5;
    if (!(rough > 0)) return [low];
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= rough);
    const ticks = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) ticks.push(k * step);
    return ticks;
  }

  function numeric({ name, low, high, log, whole }) {
    const place = (value) => (log ? Math.log10(value) : value);
    let [min, max] = [place(low), place(high)];
    if (!(max > min)) [min, max] = [min - 0.5, max + 0.5];
    const back = (at) => (log ? 10 ** at : at);
    const text = (at) => report.number(whole ? Math.round(back(at)) : back(at), 3);
    return { name, min, max, isNumber: true, log, place, back, text, ticks: ticksOf(min, max, log) };
  }

  function chosen({ name, values }) {
    const place = (value) => values.indexOf(value);
    // Numbers of a list in few digits, as those of a range; the file has the rest.
    const isOfNumbers = values.every((value) => value.trim() !== "" && Number.isFinite(Number(value)));
    const short = (value) => (isOfNumbers ? report.number(Number(value), 3) : value);
    const text = (at) => short(values[Math.round(at)] ?? "");
    const ticks = values.map((_, at) => at);
    return { name, min: -0.5, max: values.length - 0.5, isNumber: false, log: false, place, back: text, text, short, ticks, values };
  }

  const all = report.data.dimensions.map((dimension) => (dimension.values ? chosen(dimension) : numeric(dimension)));

  /** Where a trial stands on an axis; null where the hyperparameter is inactive. */
  function at(dimension, trial) {
    const value = trial.settings[dimension.name];
    return value === undefined || value === null ? null : dimension.place(value);
  }

  /** The value of a hyperparameter as a trial has it, for people. */
  function shown(dimension, trial) {
    const value = trial.settings[dimension.name];
    if (value === undefined || value === null) return "–";
    return typeof value === "number" ? report.number(value, 3) : dimension.short(value);
  }

  const varies = (dimension) => new Set(report.data.trials.map((trial) => trial.settings[dimension.name])).size > 1;
  const varying = all.filter(varies);

  /** The scores as an axis: from far worse ones, which stand at its end, to the best. */
  const values = report.data.trials.map((trial) => trial.value).filter((value) => value !== null);
  const sorted = [...values].sort((a, b) => a - b);
  const quantile = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  // Three times the middle half beyond it is far (Tukey): such scores would press all others together.
  const reach = 3 * (quantile(0.75) - quantile(0.25));
  let [low, high] = [sorted[0], sorted[sorted.length - 1]];
  if (report.maximizes && reach > 0) low = Math.max(low, quantile(0.25) - reach);
  if (!report.maximizes && reach > 0) high = Math.min(high, quantile(0.75) + reach);
  const scores = sorted.length === 0 ? null : numeric({ name: report.data.study.objective, low, high, log: false });
  if (scores) {
    scores.text = (value) => report.number(value, 4);
    // Points at the ends are seen whole.
    const margin = 0.04 * (scores.max - scores.min);
    [scores.min, scores.max] = [scores.min - margin, scores.max + margin];
  }
  const clamped = (value) => Math.min(Math.max(value, low), high);
  const farCount = values.filter((value) => value < low || value > high).length;

  // From 0, the worst, to 1, the best: by rank, so that no outlier takes all shades for itself.
  const order = [...new Set(values)].sort((a, b) => report.better(b, a));
  const rank = new Map(order.map((value, index) => [value, order.length > 1 ? index / (order.length - 1) : 1]));
  const goodness = (value) => rank.get(value) ?? 0;

  return { all, varying, at, shown, scores, clamped, farCount, goodness };
})();
