// The colours of the page, and what every chart has of them.
report.paint = (() => {
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

  /** What a chart has whatever it shows. */
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

  /** What a chart shows, for those who cannot see it. */
  const said = ({ name, title, caption, label }) => label ?? `${title ?? name}. ${caption ?? ""}`;

  const heightAt = ({ height }, width) => (typeof height === "function" ? height(width) : height);

  return { colours, shade, base, said, heightAt };
})();
