// The plots of the report as single pictures: what a page would show in a browser is kept by its name, and drawn when
// it is asked for.
report.plot = (() => {
  const { colours, shade } = report.paint;
  return Object.assign((parent, options) => headless.keep(options), { colours, shade });
})();

globalThis.headless = (() => {
  const { base, said, heightAt, colours } = report.paint;
  // As wide as those of the font in which pictures are written, or narrower.
  const FONT = "'DejaVu Sans Condensed', 'Arial', 'Liberation Sans', 'Helvetica', sans-serif";
  const MARGIN = 16;
  const TITLE = { size: 15, line: 22 };
  const TEXT = { size: 12, line: 17 };
  const plots = [];
  let changed = new Set();

  /** Keeps a plot. It is drawn when it is asked for, as all is then: of being told to be drawn anew only that is kept. */
  function keep(options) {
    const plot = { ...options, choices: [] };
    plots.push(plot);
    return { update: () => changed.add(plot) };
  }

  /** Takes in a page, and returns its plots with what can be chosen for each. */
  function open(name, dataOfPage) {
    report.data.pages[name] = JSON.parse(dataOfPage);
    const before = plots.length;
    report.draw(name);
    const labels = document.getElementById(`page-${name}`).all("label");
    for (const label of labels) {
      const select = label.children.find((child) => child.tag === "select");
      if (!select) continue;
      changed = new Set();
      fire(select);
      for (const plot of changed) plot.choices.push({ name: label.children[0], select });
    }
    return JSON.stringify(plots.slice(before).map((plot) => ({
      name: plot.name, title: titleOf(plot),
      choices: plot.choices.map(({ name, select }) => ({ name, options: optionsOf(select) })),
    })));
  }

  const fire = (select) => {
    for (const heard of select.listeners.get("change") ?? []) heard();
  };

  const optionsOf = (select) => select.options.map((option) => option.textContent);

  /** What was chosen for a plot, in words. */
  const chosen = (plot) => plot.choices.map(({ name, select }) => {
    const option = select.options.find((one) => one.value === select.value);
    return `${name.toLowerCase()} ${option ? option.textContent : ""}`;
  });

  const titleOf = (plot) => plot.title ?? plot.name.replaceAll("-", " ").replaceAll("_", " ");

  /** Chooses for a plot, by their places among what was returned, what people would choose by hand. */
  function choose(name, choice, option) {
    const { select } = plots.find((plot) => plot.name === name).choices[choice];
    select.value = select.options[option].value;
    fire(select);
  }

  /** A plot as SVG, with what it shows above it unless it is to be bare. */
  function draw(name, looks) {
    const { width, height, isDark, isBare } = JSON.parse(looks);
    document.isDark = isDark;
    const plot = plots.find((one) => one.name === name);
    const paint = colours();
    const inner = width - 2 * MARGIN;
    const head = isBare ? [] : [
      ...wrapped([report.data.study.name, titleOf(plot), ...chosen(plot)].join(" · "), inner, TITLE).map((text) => ({ ...TITLE, weight: 600, fill: paint.ink, text })),
      ...wrapped(plot.still ?? plot.caption ?? said(plot), inner, TEXT).map((text) => ({ ...TEXT, weight: 400, fill: paint.soft, text })),
    ];
    const top = MARGIN + head.reduce((sum, { line }) => sum + line, 0) + (isBare ? 0 : 8);
    const room = height === null ? heightAt(plot, inner) : Math.max(40, height - top - MARGIN);
    const { text, tall } = plot.rows ? pictures(plot, paint, inner) : { text: chart(plot, paint, inner, room), tall: room };
    const all = height ?? Math.ceil(top + tall + MARGIN);
    let y = MARGIN;
    const lines = head.map(({ size, line, weight, fill, text }) => {
      y += line;
      return `<text x="${MARGIN}" y="${y - 0.3 * line}" font-size="${size}" font-weight="${weight}" fill="${fill}">${escaped(text)}</text>`;
    });
    const whole = [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${all}" viewBox="0 0 ${width} ${all}" font-family="${FONT}">`,
      `<title>${escaped(titleOf(plot))}</title>`, `<desc>${escaped(said(plot))}</desc>`,
      `<rect width="${width}" height="${all}" fill="${paint.paper}"/>`,
      ...lines, `<g transform="translate(${MARGIN},${top})">`, text, "</g>", "</svg>", "",
    ].join("\n");
    // What no XML may hold, the texts of charts among it.
    return whole.toWellFormed().replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd");
  }

  function chart(plot, paint, width, height) {
    const chart = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
    const common = base(paint);
    chart.setOption({ ...common, textStyle: { ...common.textStyle, fontFamily: FONT }, tooltip: { show: false }, ...plot.option(paint, width, height) });
    const text = chart.renderToSVGString();
    chart.dispose();
    // What is for a pointer is taken out: text within has no quotation marks that are not escaped. Names of parts are by
    // the plot, whatever was drawn before it, so that several can stand in one document.
    const prefix = `${plot.name.replace(/[^\w-]/g, "_")}-`;
    return text.replace(/ (?:ecmeta_\w+|class|pointer-events)="[^"]*"/g, "").replace(/<style ?>[^]*?<\/style>\n?/g, "")
      .replace(/(id="|url\(#)zr\d+-/g, `$1${prefix}`);
  }

  /** Text in lines of this width at most, of letters that are wide rather than narrow. */
  function wrapped(text, width, { size }) {
    const most = Math.max(10, Math.floor(width / (0.54 * size)));
    const lines = [];
    if (text === "") return lines;
    for (const word of text.split(/\s+/).map((word) => report.figures.cut(word, most))) {
      const last = lines.length - 1;
      if (last >= 0 && lines[last].length + 1 + word.length <= most) lines[last] += ` ${word}`;
      else lines.push(word);
    }
    return lines;
  }

  /** Rows that are images, side by side, each with three lines below. */
  function pictures({ size, rows }, paint, width) {
    const CELL = 128;
    const most = report.figures.brightest(rows);
    const across = Math.max(1, Math.floor(width / CELL));
    const scale = (CELL - 20) / Math.max(size.width, size.height);
    const step = scale * size.height + 58;
    const one = (row, at) => {
      const [x, y] = [(at % across) * CELL, Math.floor(at / across) * step];
      const line = (dy, fill, weight, text) => `<text x="0" y="${scale * size.height + dy}" font-size="11" font-weight="${weight}" fill="${fill}">${escaped(report.figures.cut(text, 22))}</text>`;
      const isMarked = row.mark !== null;
      return `<g transform="translate(${x},${y})"><g transform="scale(${scale})" shape-rendering="crispEdges">${pixels(row.cells, size, most)}</g>` +
        `${line(14, isMarked ? paint.alarm : paint.ink, 600, row.said)}${line(28, paint.soft, 400, row.place)}${line(42, paint.soft, 400, row.remark)}</g>`;
    };
    return { text: rows.map(one).join("\n"), tall: Math.ceil(rows.length / across) * step };
  }

  /** One path for each of 32 greys, of runs of pixels that have it, over black. */
  function pixels(cells, { width, height }, most) {
    const GREYS = 31;
    const paths = new Map();
    const grey = (at) => Math.round(GREYS * Math.min(Math.max(cells[at] / most, 0), 1));
    for (let y = 0; y < height; y += 1) {
      for (let x = 0; x < width;) {
        const [start, shade] = [x, grey(y * width + x)];
        while (x < width && grey(y * width + x) === shade) x += 1;
        if (shade > 0) paths.set(shade, `${paths.get(shade) ?? ""}M${start} ${y}h${x - start}v1h${start - x}z`);
      }
    }
    const hex = (shade) => Math.round((255 * shade) / GREYS).toString(16).padStart(2, "0").repeat(3);
    const black = `<rect width="${width}" height="${height}" fill="#000000"/>`;
    return [black, ...[...paths].map(([shade, d]) => `<path fill="#${hex(shade)}" d="${d}"/>`)].join("");
  }

  /** Text between tags. */
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  return { keep, open, choose, draw };
})();
