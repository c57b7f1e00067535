// Tables that are sorted by their heads, and show the first rows until all are asked for.
report.table = (parent, { caption, columns, rows, top = 20, one = "row", isBest = () => false }) => {
  const { make, count } = report;
  let [current, sorted, isAscending, isAll] = [rows, null, true, false];
  const body = make("tbody");
  const heads = columns.map((column) => {
    const head = make("th", { scope: "col", class: column.isNumber ? "number" : "" });
    if (!column.sort) {
      head.append(column.title);
      return head;
    }
    const button = make("button", { type: "button" }, column.title);
    button.addEventListener("click", () => {
      isAscending = sorted === column ? !isAscending : true;
      sorted = column;
      fill();
    });
    head.append(button);
    return head;
  });
  const table = make("table", {}, make("caption", {}, caption), make("thead", {}, make("tr", {}, ...heads)), body);
  const scroller = make("div", { class: "scroller", role: "region", tabindex: "0", "aria-label": caption }, table);
  const more = make("button", { class: "plain", type: "button" });
  more.addEventListener("click", () => {
    isAll = !isAll;
    fill();
  });
  parent.append(scroller, more);

  // What has no value comes last, whichever way.
  function compare(a, b) {
    const [x, y] = [sorted.sort(a), sorted.sort(b)];
    const [isX, isY] = [x !== null && x !== undefined, y !== null && y !== undefined];
    if (!isX || !isY) return Number(isY) - Number(isX);
    const order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
    return isAscending ? order : -order;
  }

  function cell(column, row, at) {
    const content = column.text(row, at);
    const attributes = { class: [column.isNumber ? "number" : "", column.isWide ? "wide" : ""].join(" ").trim() || null };
    if (column.isHead) return make("th", { ...attributes, scope: "row" }, content);
    return make("td", attributes, content);
  }

  function fill() {
    heads.forEach((head, at) => {
      if (columns[at] === sorted) head.setAttribute("aria-sort", isAscending ? "ascending" : "descending");
      else head.removeAttribute("aria-sort");
    });
    const ordered = sorted ? [...current].sort(compare) : current;
    const shown = isAll ? ordered : ordered.slice(0, top);
    const line = (row, at) => make("tr", { class: isBest(row) ? "best" : null }, ...columns.map((column) => cell(column, row, at)));
    body.replaceChildren(...shown.map(line));
    more.hidden = current.length <= top;
    more.textContent = isAll ? `Show the first ${top}` : `Show all ${count(current.length, one)}`;
  }

  fill();
  return {
    element: table,
    /** Shows these rows alone. */
    show(rows) {
      current = rows;
      fill();
    },
  };
};

/** A table of names and values. */
report.pairs = (parent, caption, pairs) => {
  const { make } = report;
  const lines = pairs.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)));
  parent.append(make("table", { class: "pairs" }, make("caption", {}, caption), make("tbody", {}, ...lines)));
};
