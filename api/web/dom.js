// Elements. Text only ever becomes text nodes: nothing a model wrote is read as HTML.

export function h(tag, attributes, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name.startsWith("--")) element.style.setProperty(name, value);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

export const link = (text, ...parts) => h("a", { href: to(...parts) }, text);

// The address of a view: `to("problems", { domain: "math" })`. Empty values are left out.
export function to(...parts) {
  const query = typeof parts.at(-1) === "object" ? new URLSearchParams(given(parts.pop())).toString() : "";
  return "#/" + parts.map(encodeURIComponent).join("/") + (query && `?${query}`);
}

export const given = values => Object.fromEntries(
  Object.entries(values).filter(([, value]) => value !== "" && value !== null && value !== undefined));

export const short = id => (id ?? "").slice(0, 10);
export const state = name => h("span", { class: `state ${name ?? ""}` }, name ?? "not judged");
export const tags = names => (names ?? []).map(name => h("span", { class: "tag" }, name));
export const percent = (share, digits = 0) => `${(100 * share).toFixed(digits)}%`;
export const count = number => Number(number).toLocaleString("en");

export function shown(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return Number.isInteger(value) ? (value < 10_000 ? String(value) : count(value)) : rounded(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

// A value out of a row, which may be a list or an object: as text, but for numbers, which stand on the right.
export const plain = value => typeof value === "number" ? value : shown(value);

export const rounded = value => Math.abs(value) >= 1e-3 || value === 0 ? String(+value.toPrecision(4)) : value.toExponential(2);

// columns: { heading: row => what stands in the cell }, or a list of keys.
export function table(rows, columns, { caption } = {}) {
  const cells = Array.isArray(columns) ? Object.fromEntries(columns.map(name => [name, row => plain(row[name])])) : columns;
  if (!rows.length) return h("p", { class: "note" }, "Nothing here.");
  return h("table", {},
    caption && h("caption", { class: "unseen" }, caption),
    h("thead", {}, h("tr", {}, Object.entries(cells).map(([name, cell]) => h("th", { scope: "col", class: rows.some(row => isNumber(cell(row))) && "number" }, name)))),
    h("tbody", {}, rows.map(row => h("tr", {}, Object.values(cells).map(cell => td(cell(row)))))));
}

const isNumber = content => typeof content === "number" || (content instanceof Element && content.classList.contains("number"));

function td(content) {
  return h("td", { class: isNumber(content) && "number" }, content instanceof Node || Array.isArray(content) ? content : shown(content));
}

export function facts(pairs) {
  const known = Object.entries(pairs).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, known.map(([name, value]) =>
    [h("dt", {}, name), h("dd", {}, value instanceof Node || Array.isArray(value) ? value : shown(value))]));
}

// A card that fills itself: what `load` returns, or why it could not be had.
export function card(title, load, note) {
  const body = h("div", { class: "loading note" }, "loading");
  const fill = async () => {
    try {
      body.replaceChildren(...[await load()].flat(Infinity));
    } catch (error) {
      if (error.name === "AbortError") return;
      body.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
    }
    body.removeAttribute("class");
  };
  fill();
  return h("section", {}, h("h2", {}, title), note && h("p", { class: "note" }, note), body);
}

export const field = (label, control, name = "") => h("label", { class: name }, label, control);

export const options = (names, chosen) => names.map(name => {
  const [value, text] = Array.isArray(name) ? name : [name, name];
  return h("option", { value, selected: value === chosen }, text);
});

export function announce(text) {
  document.getElementById("status").textContent = text;
}
