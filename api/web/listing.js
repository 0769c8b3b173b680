// A list with filters and pages, whose rows can be marked and curated. The address holds the filters, so that it can be sent on.

import { card, count, field, given, h, to } from "./dom.js";
import { get } from "./rest.js";
import { curate } from "./curate.js";

const PAGE = 50;
const walked = new Map();

// The rows that were last shown: where `step` goes from one of them.
export function neighbours(view, id) {
  const ids = walked.get(view) ?? [], at = ids.indexOf(id);
  const way = (label, mark, other) => other && h("a", { href: to(view, other), [mark]: true }, label);
  return at < 0 ? null : h("div", { class: "bar" }, way("← Before", "data-before", ids[at - 1]), way("After →", "data-after", ids[at + 1]),
    h("span", { class: "quiet" }, `${at + 1} of the ${ids.length} on the page`));
}

// filters: { name: control }; columns: { heading: row => cell }, the first of which holds the link to the row.
export function listing({ section, view, kind, path, query, filters, columns, ids = row => row.id, named = {} }) {
  const form = h("form", { class: "filters", role: "search", onsubmit: event => { event.preventDefault(); go(section, values(form)); } },
    Object.entries(filters).map(([label, control]) => field(label, control, control.dataset.wide ? "wide" : "")),
    h("button", { class: "main" }, "Filter"), h("button", { type: "button", onclick: () => go(section, {}) }, "Clear"));
  const marked = new Set(), { cursor, ...chosen } = query;
  const everything = h("input", { type: "checkbox" });
  const target = () => everything.checked ? { filter: filterOf(kind, chosen, named) } : marked.size ? { ids: [...marked] } : null;
  const note = h("span", { class: "quiet" });
  const say = () => { note.textContent = everything.checked ? "all that match the filters" : `${count(marked.size)} marked`; panel.open ||= marked.size > 0; };
  everything.addEventListener("change", say);
  const load = async () => {
    const found = await get(path, { ...chosen, limit: PAGE, cursor });
    walked.set(view, found.rows.map(ids));
    return [
      rows(found.rows, { ids, columns, view, marked, say }),
      h("div", { class: "bar" },
        cursor && h("button", { type: "button", onclick: () => history.back() }, "← Page before"),
        found.next && h("button", { type: "button", "data-next": true, onclick: () => go(section, { ...chosen, cursor: found.next }) }, "Next page →"),
        h("span", { class: "quiet" }, `${found.rows.length} rows${found.next ? ", and more" : ""}`)),
    ];
  };
  const all = Object.keys(given(chosen)).length > 0 && h("label", { class: "across" }, everything, "all that match the filters, on every page");
  const panel = h("details", { class: "panel" }, h("summary", {}, "Curate ", note), all && h("div", { class: "bar" }, all), curate(kind, target));
  say();
  return [form, panel, card("Found", load)];
}

const go = (section, filters) => { location.hash = to(section, given(filters)).slice(1); };
const values = form => Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]));

function filterOf(kind, chosen, named) {
  const renamed = Object.entries(given(chosen)).map(([name, value]) => [named[name] ?? name, /_rate$/.test(name) ? Number(value) : value]);
  return { kind, ...Object.fromEntries(renamed) };
}

function rows(found, { ids, columns, view, marked, say }) {
  if (!found.length) return h("p", { class: "note" }, "Nothing matches.");
  const [first, ...others] = Object.entries(columns);
  const mark = row => h("input", { type: "checkbox", "aria-label": `mark ${ids(row).slice(0, 10)}`, onchange: event => { marked[event.target.checked ? "add" : "delete"](ids(row)); say(); } });
  const line = row => h("tr", {}, h("td", {}, mark(row)),
    h("td", {}, h("a", { href: to(view, ids(row)), "data-row": true }, h("span", { class: "clip" }, first[1](row)))),
    others.map(([, cell]) => h("td", {}, cell(row))));
  return h("table", {}, h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "unseen" }, "Mark")), Object.keys(columns).map(name => h("th", { scope: "col" }, name)))),
    h("tbody", {}, found.map(line)));
}
