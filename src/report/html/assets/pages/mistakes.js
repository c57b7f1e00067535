// The worst mistakes: rows as images or as lines of a table, those first whose labels may be wrong.
report.page("mistakes", (root, page, data) => {
  const { make, number, count, missing, figures } = report;
  if (page.missing) {
    root.append(missing("The rows cannot be shown.", page.missing));
    return;
  }
  const trainedOn = page.trained_on_count ? ` ${count(page.trained_on_count, "row is", "rows are")} in no fold and judged by models that trained on them.` : "";
  const ways = page.is_of_classes
    ? page.wrong_count
      ? `${count(page.wrong_count, "is", "are")} taken for another class. First come those whose own class has the least probability beside the most probable other one.`
      : "none is taken for another class. These are the least sure."
    : "those farthest from their own value come first.";
  root.append(make("p", {}, `Of ${count(page.row_count, "row")}, each judged by models of trial ${page.trial} that had not trained on it: ${ways}${trainedOn}`));
  if (page.doubtful_count) {
    root.append(make("p", { class: "note" }, make("b", {}, `${count(page.doubtful_count, "label")} may be wrong. `),
      `Their rows have a probability below ${page.doubtful_below} for the class they are labelled as: look at these first. They are marked.`));
  }

  const percent = (p) => (p < 0.001 ? "<0.1 %" : `${(100 * p).toFixed(p < 0.1 ? 1 : 0)} %`);
  const isRight = (row) => page.is_of_classes && row.label === row.prediction;
  const doubt = (row) => (row.is_doubtful ? make("span", { class: "mark alarm" }, "label?") : null);
  if (page.picture) pictures();
  else table();

  function pictures() {
    figures.pictures(root, { name: "mistakes", ...page.picture }, page.rows.map((row) => {
      const said = page.is_of_classes ? (isRight(row) ? `${row.label}, barely` : `${row.label} taken for ${row.prediction}`) : `${number(row.value)} taken for ${number(row.prediction)}`;
      const remark = page.is_of_classes ? `${percent(row.probability_of_label)} against ${percent(row.probability_of_prediction)}` : `off by ${number(row.error)}`;
      return { cells: row.cells, place: figures.place(row), said, remark, mark: doubt(row) };
    }));
  }

  function table() {
    const p = (row, name) => row[`probability_of_${name}`];
    const ofClasses = [
      { title: page.target, text: (row) => make("span", {}, row.label, " ", doubt(row)), sort: (row) => row.label },
      { title: "prediction", text: (row) => row.prediction, sort: (row) => row.prediction },
      { title: "p(label)", isNumber: true, text: (row) => p(row, "label").toFixed(3), sort: (row) => p(row, "label") },
      { title: "p(prediction)", isNumber: true, text: (row) => p(row, "prediction").toFixed(3), sort: (row) => p(row, "prediction") },
    ];
    const ofValues = [
      { title: page.target, isNumber: true, text: (row) => number(row.value, 6), sort: (row) => row.value },
      { title: "prediction", isNumber: true, text: (row) => number(row.prediction, 6), sort: (row) => row.prediction },
      { title: "error", isNumber: true, text: (row) => number(row.error), sort: (row) => row.error },
    ];
    const cells = page.columns.map((name, at) => {
      const numbers = page.rows.map((row) => Number(row.cells[at]));
      const isNumber = numbers.every((value, index) => !Number.isNaN(value) || page.rows[index].cells[at] === "");
      const text = (row) => (row.cells[at] === "" ? "–" : figures.cut(row.cells[at], 60));
      return { title: name, isNumber, text, sort: (row) => (row.cells[at] === "" ? null : isNumber ? Number(row.cells[at]) : row.cells[at]) };
    });
    const where = page.rows.some((row) => row.line !== null) ? "line" : "row";
    const star = (row) => (row.trained_on ? "*" : "");
    report.table(root, {
      caption: `The ${page.rows.length} worst rows, with what they hold${page.rows.some((row) => row.trained_on) ? "; * trained on" : ""}`,
      rows: page.rows, top: 20, one: "row",
      columns: [{ title: where, isNumber: true, isHead: true, text: (row) => `${where === "line" ? row.line : row.row + 1}${star(row)}`, sort: (row) => row.row }, ...(page.is_of_classes ? ofClasses : ofValues), ...cells],
    });
    if (page.columns_left_out) root.append(make("p", { class: "soft" }, `${count(page.columns_left_out, "more column is", "more columns are")} not shown.`));
  }
});
