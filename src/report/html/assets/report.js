"use strict";
// What all scripts share: the data, elements made of text alone, numbers for people, pages and their navigation.
const report = (() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const draws = new Map();
  const shown = new Set();
  const maximizes = data.study.direction === "maximize";

  /** An element. Text is only ever text: nothing here parses what the data say as HTML. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === false || value === null || value === undefined) continue;
      if (name === "class") element.className = value;
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  /** A number in so many significant digits. */
  function number(value, digits = 4) {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    if (typeof value !== "number") return String(value);
    if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
    const size = Math.abs(value);
    if (size !== 0 && (size < 1e-4 || size >= 1e7)) {
      return value.toExponential(digits - 1).replace(/\.?0+e/, "e").replace("e+", "e").replace("-", "−");
    }
    const decimals = size === 0 ? 0 : Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
    const text = value.toFixed(Math.min(decimals, 20));
    return (text.includes(".") ? text.replace(/\.?0+$/, "") : text).replace("-", "−");
  }

  /** Scores of one column: as many decimals as four digits of the best one need. */
  function scorer(best) {
    if (best === null || best === undefined || !Number.isFinite(best)) return (value) => number(value);
    const below = Math.abs(best) * (1 - 1e-6);
    const exponent = below === 0 ? 0 : Math.floor(Math.log10(below));
    if (exponent < -7 || exponent >= 15) return (value) => number(value);
    const decimals = Math.min(10, Math.max(0, 3 - exponent));
    return (value) =>
      value === null || value === undefined || Number.isNaN(value) ? "–" : value.toFixed(decimals).replace("-", "−");
  }

  const bestTrial = data.trials.find((trial) => trial.state === "complete" && trial.value !== null) ?? null;
  const firstValue = data.trials.find((trial) => trial.value !== null)?.value ?? null;
  const score = scorer(bestTrial ? bestTrial.value : firstValue);

  /** How two values are ordered, the better first; what is no number comes last. */
  function better(a, b) {
    const [isA, isB] = [a !== null && !Number.isNaN(a), b !== null && !Number.isNaN(b)];
    if (!isA || !isB) return Number(isB) - Number(isA);
    return maximizes ? b - a : a - b;
  }

  /** "1 trial", "2 trials". */
  const count = (many, one, several = `${one}s`) => `${many.toLocaleString("en")} ${many === 1 ? one : several}`;

  /** What stands in the place of what cannot be shown. */
  function missing(what, reason) {
    const lines = [make("b", {}, what), ` ${reason.found}`];
    if (reason.allowed) lines.push(make("br"), `allowed: ${reason.allowed}`);
    if (reason.try) lines.push(make("br"), `to get it: ${reason.try}`);
    return make("p", { class: "note" }, ...lines);
  }

  /** Declares what draws a page. */
  const page = (name, draw) => draws.set(name, draw);

  function draw(name) {
    if (shown.has(name) || !draws.has(name)) return;
    shown.add(name);
    draws.get(name)(document.getElementById(`page-${name}`), data.pages[name], data);
  }

  function show(name, isAsked) {
    for (const section of document.querySelectorAll("section.page")) section.hidden = section.id !== `page-${name}`;
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    draw(name);
    if (isAsked) {
      document.getElementById(`title-${name}`).focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  }

  function route(isAsked) {
    const asked = location.hash.slice(1);
    if (asked === "main") return;
    show(draws.has(asked) ? asked : draws.keys().next().value, isAsked);
  }

  function subtitle() {
    const study = data.study;
    const folds = study.folds === null ? "" : study.folds === 1 ? " over a hold-out set" : ` over ${study.folds} folds`;
    const planned = study.planned && study.planned > data.trials.length ? ` of ${study.planned}` : "";
    const trials = planned ? `${data.trials.length}${planned} trials` : count(data.trials.length, "trial");
    const device = study.device ? ` on ${study.device}` : "";
    const states = Object.entries(study.states).map(([state, many]) => `${many} ${state}`).join(", ");
    const running = study.is_running ? " · running when this was written" : "";
    return `${study.direction} ${study.objective}${folds} · ${trials} (${states || "none yet"})${device}${running}`;
  }

  /** Everything is drawn before it is printed, and in the colours of paper: every page is on it. */
  function print() {
    for (const name of draws.keys()) draw(name);
    report.plot.paper(true);
  }

  function start() {
    document.getElementById("subtitle").textContent = subtitle();
    document.getElementById("made").textContent = `Made by manytune ${data.study.version}. Charts: Apache ECharts.`;
    window.addEventListener("hashchange", () => route(true));
    window.addEventListener("beforeprint", print);
    window.addEventListener("afterprint", () => report.plot.paper(false));
    route(false);
  }

  return { data, make, number, score, scorer, better, maximizes, bestTrial, count, missing, page, draw, start };
})();
