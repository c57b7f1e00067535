// One plot: a figure with its caption, drawn when it comes into sight, anew in other colours or another width. Where it
// stands by itself, as a file, `still` is its caption: without what only the page has.
report.plot = (() => {
  const { make } = report;
  const { colours, shade, base, said, heightAt } = report.paint;
  const plots = new Set();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  // Until printing is over, everything is drawn for paper.
  let isPrinting = false;
  const PAPER_WIDTH = 680;

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
      this.canvas = make("div", { class: "canvas", role: "img", "aria-label": said({ name, title, caption, label }) });
      this.canvas.style.height = `${this.heightAt(1000)}px`;
      this.figure = make("figure", { "data-plot": name }, lines.length ? make("figcaption", {}, ...lines) : null, this.canvas);
      this.canvas.plot = this;
      plots.add(this);
      sight.observe(this.canvas);
      size.observe(this.canvas);
    }

    heightAt(width) {
      return heightAt(this, width);
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
