// Findings: what the doctor says, what the study ran on, and how to repeat it exactly.
report.page("findings", (root, page, data) => {
  const { make, missing } = report;
  if (page.examined) doctor();
  root.append(make("h3", {}, "What it ran on"));
  report.pairs(root, "What decides the bits of the study", page.facts);
  if (page.source) again();

  function doctor() {
    root.append(make("h3", {}, "The doctor"));
    for (const reason of page.missing) root.append(missing("Not all could be examined.", reason));
    const found = page.examined.flatMap((one) => one.findings);
    const order = ["error", "warning", "note"];
    found.sort((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity));
    if (found.length) {
      root.append(make("ul", { class: "findings" }, ...found.map((finding) => make("li", {},
        make("span", { class: finding.severity === "note" ? "mark" : "mark alarm" }, finding.severity), " ",
        make("b", {}, finding.name.replaceAll("_", " ")), finding.where ? ` · ${finding.where}` : "",
        make("p", {}, finding.seen),
        make("p", { class: "soft" }, `why: ${finding.cause}`),
        make("p", { class: "soft" }, `try: ${finding.try}`)))));
    } else if (page.examined.length) {
      root.append(make("p", {}, "Nothing was found."));
    }
    if (page.verdicts.length) {
      report.pairs(root, "What the curves of each trial say", page.verdicts.map((one) => [`${one.count} ${one.name.replaceAll("_", " ")}`, one.meaning]));
      root.append(make("p", { class: "soft" }, "Which trial has which stands in the leaderboard; why, and what to try: ", make("code", {}, `manytune doctor ${page.folder} --trial N`)));
    }
    const well = page.examined.filter((one) => one.findings.length === 0);
    if (well.length) {
      const details = make("details", {}, make("summary", {}, `${well.length} of ${page.examined.length} diagnoses found nothing`));
      report.pairs(details, "What is well", well.map((one) => [one.name.replaceAll("_", " "), one.healthy]));
      root.append(details);
    }
    if (page.examined.length && !page.has_trained) {
      root.append(make("p", { class: "soft" }, "These looked at results and data alone. Those that train small models too: ", make("code", {}, `manytune report ${page.folder} --doctor`)));
    }
    for (const remark of page.remarks) root.append(make("p", { class: "note" }, remark));
  }

  function again() {
    root.append(make("h3", {}, "How to repeat it exactly"));
    root.append(make("p", {}, "With the data as they were, the same version, engine and device, this gives the same leaderboard, bit for bit. The study as it ran, every default written out:"));
    root.append(make("pre", {}, make("code", {}, "manytune tune study.toml --out runs/again")));
    root.append(make("details", { open: true }, make("summary", {}, "study.toml"), make("pre", { tabindex: "0" }, make("code", {}, page.source))));
  }
});
