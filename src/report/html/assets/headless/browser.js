"use strict";
// What the report's scripts find where there is no browser: elements that hold what they are given and show nothing.
// `dataText` and `styleText` are set before: the report's data as JSON, and its style sheet.
globalThis.window = globalThis;
// The charts take this for a server.
globalThis.navigator = { userAgent: "Node.js" };
// Nothing here happens later.
globalThis.setTimeout = () => 0;
globalThis.clearTimeout = () => {};

class Element {
  constructor(tag) {
    Object.assign(this, { tag, children: [], attributes: new Map(), listeners: new Map(), style: {}, hidden: false });
  }

  append(...children) {
    this.children.push(...children);
  }

  replaceChildren(...children) {
    this.children = children;
  }

  setAttribute(name, value) {
    this.attributes.set(name, String(value));
  }

  removeAttribute(name) {
    this.attributes.delete(name);
  }

  addEventListener(type, heard) {
    this.listeners.set(type, [...(this.listeners.get(type) ?? []), heard]);
  }

  get childElementCount() {
    return this.children.filter((child) => child instanceof Element).length;
  }

  get textContent() {
    return this.children.map((child) => (child instanceof Element ? child.textContent : child)).join("");
  }

  set textContent(text) {
    this.children = [text];
  }

  /** All of a kind within, in their order. */
  all(tag) {
    return this.children.filter((child) => child instanceof Element).flatMap((child) => [...(child.tag === tag ? [child] : []), ...child.all(tag)]);
  }

  /** There is nothing to paint on: the charts then measure text by a table of their own. */
  getContext() {
    return null;
  }

  get options() {
    return this.all("option");
  }

  /** Of a select the chosen option's, the first one's to begin with. */
  get value() {
    return this.chosen ?? (this.tag === "select" ? this.options[0]?.value : this.attributes.get("value")) ?? "";
  }

  set value(value) {
    this.chosen = String(value);
  }
}

const elements = new Map();

globalThis.document = {
  documentElement: new Element("html"),
  createElement: (tag) => new Element(tag),
  getElementById(id) {
    if (!elements.has(id)) elements.set(id, new Element("section"));
    return elements.get(id);
  },
};
document.getElementById("data").textContent = dataText;

globalThis.getComputedStyle = (() => {
  const blocks = [...styleText.matchAll(/:root[^{]*\{([^}]*)\}/g)].map((found) => found[1]);
  const read = (block) => [...block.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((found) => [found[1], found[2].trim()]);
  const light = new Map(read(blocks[0]));
  // What the dark style does not name is as in the light one.
  const dark = new Map([...light, ...read(blocks[1])]);
  return () => ({ getPropertyValue: (name) => (document.isDark ? dark : light).get(name) ?? "" });
})();

// Without the tables of languages that a browser has: English is all that the report asks for.
Number.prototype.toLocaleString = function () {
  const [whole, part] = String(this).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
};
