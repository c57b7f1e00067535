// Rows as images are pictures of their own here, where a page has a list of them.
report.figures.pictures = (parent, { name, width, height }, rows) => {
  report.plot(parent, { name, title: null, caption: "", rows, size: { width, height } });
};
