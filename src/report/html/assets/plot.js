// One plot: a figure with its caption, drawn when it comes into sight, anew in other colours or another width.
report.plot = (() => {
  const { make } = report;
  const plots = new Set();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // Until printing is over, everything is drawn for paper.
  let isPrinting = false;
  const PAPER_WIDTH = 680;

  /** The colours of the page, as charts need them. */
  function colours() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    const names = ["paper", "raised", "ink", "soft", "faint", "line", "accent", "pale", "deep", "alarm", "thin"];
    const found = Object.fromEntries(names.map((name) => [name, of(name)]));
    return { ...found, ramp: [found.pale, found.accent, found.deep] };
  }

  /** A shade between pale (0) and deep (1). */
  function shade(ramp, share) {
    const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
    const place = Math.min(Math.max(share, 0), 1) * (ramp.length - 1);
    const first = Math.min(Math.floor(place), ramp.length - 2);
    const [a, b] = [parts(ramp[first]), parts(ramp[first + 1])];
    return `rgb(${a.map((x, at) => Math.round(x + (b[at] - x) * (place - first))).join(",")})`;
  }

  function base(paint) {
    return {
      animation: false,
      textStyle: { fontFamily: "inherit", color: paint.soft, fontSize: 12 },
      tooltip: {
        trigger: "item", renderMode: "richText", confine: true, backgroundColor: paint.raised,
        borderColor: paint.line, borderWidth: 1, padding: 8, textStyle: { color: paint.ink, fontSize: 12, lineHeight: 17 },
      },
    };
  }

  const sight = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) entry.target.plot.draw();
  }, { rootMargin: "300px" });

  const size = new ResizeObserver((entries) => {
    for (const entry of entries) if (!isPrinting) entry.target.plot.fit();
  });

  class Plot {
    constructor({ name, title, caption, height, option, label, ready, restore }) {
      Object.assign(this, { option, height, ready, restore, chart: null, width: 0 });
      const lines = [title ? make("b", {}, title) : null, caption ? make("span", {}, caption) : null].filter(Boolean);
      this.canvas = make("div", { class: "canvas", role: "img", "aria-label": label ?? `${title ?? name}. ${caption ?? ""}` });
      this.canvas.style.height = `${this.heightAt(1000)}px`;
      this.figure = make("figure", { "data-plot": name }, lines.length ? make("figcaption", {}, ...lines) : null, this.canvas);
      this.canvas.plot = this;
      plots.add(this);
      sight.observe(this.canvas);
      size.observe(this.canvas);
    }

    heightAt(width) {
      return typeof this.height === "function" ? this.height(width) : this.height;
    }

    /** Draws it for the first time. */
    draw(width = this.canvas.clientWidth) {
      if (this.chart || width === 0) return;
      sight.unobserve(this.canvas);
      this.canvas.style.height = `${this.heightAt(width)}px`;
      this.chart = echarts.init(this.canvas, null, { renderer: "svg", width, height: this.heightAt(width) });
      this.width = width;
      this.update();
      if (this.ready) this.ready(this.chart, this);
    }

    /** Draws it anew, of what may have changed. */
    update() {
      if (!this.chart) return;
      const paint = colours();
      this.chart.setOption({ ...base(paint), ...this.option(paint, this.width) }, { notMerge: true });
      if (this.restore) this.restore(this.chart);
    }

    fit(width = this.canvas.clientWidth) {
      if (!this.chart || width === 0 || width === this.width) return;
      this.width = width;
      this.canvas.style.height = `${this.heightAt(width)}px`;
      this.chart.resize({ width, height: this.heightAt(width) });
      this.update();
    }
  }

  function paper(isOn) {
    isPrinting = isOn;
    document.documentElement.classList.toggle("paper", isOn);
    for (const plot of plots) {
      if (!plot.figure.isConnected) continue;
      const width = isOn ? (plot.figure.closest(".small-multiples") ? PAPER_WIDTH / 3 - 16 : PAPER_WIDTH) : undefined;
      if (isOn) plot.draw(width);
      plot.fit(width);
      plot.update();
      if (plot.chart) plot.chart.getZr().flush();
    }
  }
  dark.addEventListener("change", () => plots.forEach((plot) => plot.update()));

  const plot = (parent, options) => {
    const made = new Plot(options);
    parent.append(made.figure);
    return made;
  };
  return Object.assign(plot, { colours, shade, paper });
})();
