// A field for SQL, saved queries, and charts of what they answer.

import { announce, card, count, field, h, link, options, plain, shown, table, to } from "./dom.js";
import { bars, plot, unique } from "./charts.js";
import { call, get, here, put, remove, send } from "./rest.js";

const FIRST = "SELECT domain, model_id, count(*) AS problems, avg(pass_at_1) AS pass_at_1\nFROM difficulty\nGROUP BY ALL\nORDER BY ALL";
const SHOWN = 500;
const MEASURES = /pass|rate|share|mean|avg|loss|reward|ratio/;
const FORMATS = { CSV: ["text/csv", "csv"], NDJSON: ["application/x-ndjson", "ndjson"], Parquet: ["application/vnd.apache.parquet", "parquet"], Arrow: ["application/vnd.apache.arrow.stream", "arrows"] };

export async function sql(query) {
  const saved = await get("/v1/queries");
  const chosen = saved.find(one => one.name === query.saved);
  const text = h("textarea", { id: "sql", spellcheck: "false", "aria-label": "SQL", value: chosen?.sql ?? query.sql ?? sessionStorage.getItem("gradus-sql") ?? FIRST });
  const values = h("div", { class: "bar" }), answer = h("div", { "aria-live": "polite" });
  const body = () => ({ query: text.value, parameters: parameters(values) });
  const ask = () => answered(answer, body());
  const retype = () => { sessionStorage.setItem("gradus-sql", text.value); declare(values, text.value, chosen?.parameters ?? []); };
  text.addEventListener("input", retype);
  text.addEventListener("keydown", event => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); ask(); } });
  retype();
  return [
    h("h1", {}, "SQL"),
    h("section", {},
      h("form", { onsubmit: event => { event.preventDefault(); ask(); } },
        h("div", { class: "bar" }, picker(saved, chosen), chosen && h("span", { class: "quiet" }, chosen.description)),
        text, values,
        h("div", { class: "bar" }, h("button", { class: "main" }, "Ask (Ctrl+Enter)"),
          Object.entries(FORMATS).map(([name, [media, ending]]) => h("button", { type: "button", onclick: () => download(answer, body(), media, ending) }, name)))),
      keep(chosen, text, values), answer),
    card("Tables and views", catalogue, "Read-only, on the newest snapshot. $name in a query asks for a value below it."),
  ];
}

const picker = (saved, chosen) => field("Saved queries", h("select", { onchange: event => { location.hash = to("sql", { saved: event.target.value }).slice(1); } },
  h("option", { value: "" }, "none"),
  [["Of this workspace", false], ["Come with Gradus", true]].map(([title, shipped]) => {
    const some = saved.filter(one => Boolean(one.shipped) === shipped).map(one => one.name);
    return some.length ? h("optgroup", { label: title }, options(some, chosen?.name)) : null;
  })));

// Fields for the $names of a text; what was typed into one stays.
function declare(place, text, known) {
  const names = unique([...text.replace(/'(?:[^']|'')*'|--[^\n]*/g, "").matchAll(/\$([A-Za-z_]\w*)/g)].map(match => match[1]));
  const typed = Object.fromEntries([...place.querySelectorAll("input")].map(input => [input.name, input.value]));
  place.replaceChildren(...names.map(name => {
    const one = known.find(parameter => parameter.name === name);
    const value = typed[name] ?? (one?.default === null || one?.default === undefined ? "" : shown(one.default));
    return field(`$${name}${one ? ` (${one.type})` : ""}`, h("input", { name, value, size: 12, "data-type": one?.type, title: one?.description }));
  }));
}

// An empty field is NULL; what reads as a number, true or false is one, except where text is declared.
function parameters(place) {
  return Object.fromEntries([...place.querySelectorAll("input")].map(input => {
    const { name, value, dataset: { type } } = input;
    if (value === "") return [name, null];
    if (type !== "text" && (/^-?\d+(\.\d+)?([eE]-?\d+)?$/.test(value) || /^(true|false)$/.test(value) || type === "texts")) return [name, JSON.parse(value)];
    return [name, value];
  }));
}

async function answered(place, body) {
  place.replaceChildren(h("p", { class: "note loading" }, "asking"));
  const begun = performance.now(), stays = here();
  try {
    const found = await send("POST", "/v1/sql", body);
    const said = `${count(found.rows.length)} rows in ${((performance.now() - begun) / 1000).toFixed(2)} s${found.truncated ? "; there are more than are returned" : ""}`;
    announce(said);
    place.replaceChildren(h("p", { class: "note" }, said, found.rows.length > SHOWN ? `; the first ${SHOWN} are shown` : ""), chart(found), table(found.rows.slice(0, SHOWN), linked(found.columns)));
  } catch (error) {
    if (stays()) place.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
  }
}

// Ids lead to what they name.
const linked = columns => Object.fromEntries(columns.map(name => [name, row => {
  const view = { problem_id: "problem", trace_id: "trace" }[name];
  return view && row[name] ? link(row[name].slice(0, 12), view, row[name]) : plain(row[name]);
}]));

function chart({ columns, rows }) {
  const numbers = columns.filter(name => rows.some(row => typeof row[name] === "number"));
  if (!numbers.length || rows.length < 2) return h("div", {});
  const names = columns.filter(name => !numbers.includes(name));
  const kind = h("select", {}, options(["none", "bars", "line", "scatter"], sessionStorage.getItem("gradus-chart") ?? "bars"));
  const x = h("select", {}, options(columns, names[0] ?? numbers[0])), y = h("select", {}, options(numbers, numbers.find(name => MEASURES.test(name)) ?? numbers.at(-1)));
  const by = h("select", {}, options([["", "nothing"], ...names], names[1] ?? ""));
  const place = h("div", {});
  const draw = () => { sessionStorage.setItem("gradus-chart", kind.value); place.replaceChildren(drawn(rows, kind.value, { x: x.value, y: y.value, by: by.value })); };
  for (const control of [kind, x, y, by]) control.addEventListener("change", draw);
  draw();
  return h("div", {}, h("div", { class: "bar" }, field("Chart", kind), field("across", x), field("up", y), field("by", by)), place);
}

function drawn(rows, kind, { x, y, by }) {
  const label = `${y} by ${x}`, groups = unique(rows.map(row => by ? shown(row[by]) : y)).slice(0, 8);
  const of = group => rows.filter(row => !by || shown(row[by]) === group);
  if (kind === "none") return h("div", {});
  if (kind === "bars") {
    const labels = unique(rows.map(row => shown(row[x]))).slice(0, 40);
    const sum = (group, text) => of(group).filter(row => shown(row[x]) === text).reduce((total, row) => total + Number(row[y] ?? 0), 0);
    return h("div", { class: "multiples" }, groups.map(group => h("figure", {}, h("figcaption", {}, group),
      bars([{ name: group, values: labels.map(text => sum(group, text)) }], labels, { label: `${label}, ${group}`, names: groups }))));
  }
  const at = new Map(unique(rows.map(row => shown(row[x]))).map((text, i) => [text, i]));
  const place = value => typeof value === "number" ? value : at.get(shown(value));
  const points = group => of(group).filter(row => typeof row[y] === "number").map(row => [place(row[x]), row[y]]);
  return plot(groups.map(name => ({ name, points: points(name) })), { kind, label, x, y });
}

async function download(place, body, media, ending) {
  try {
    const response = await call("POST", "/v1/sql", JSON.stringify({ ...body, max_rows: 1_000_000, timeout_s: 60 }), { "content-type": "application/json", accept: media });
    const address = URL.createObjectURL(await response.blob());
    h("a", { href: address, download: `answer.${ending}` }).click();
    URL.revokeObjectURL(address);
    const cut = response.headers.get("Gradus-Truncated");
    if (cut && cut !== "no") place.replaceChildren(h("p", { class: "error" }, `The file is not whole: the limit of ${cut} was reached.`));
  } catch (error) {
    place.replaceChildren(h("p", { class: "error", role: "alert" }, error.message));
  }
}

function keep(chosen, text, values) {
  const name = h("input", { name: "name", pattern: "[a-z0-9][a-z0-9_\\-]{0,63}", required: true, size: 18, value: chosen && !chosen.shipped ? chosen.name : "" });
  const words = h("input", { name: "description", size: 30, value: chosen && !chosen.shipped ? chosen.description : "" }), said = h("p", { class: "error" });
  const doing = async (what, after) => {
    try { await what(); location.hash = after; } catch (error) { said.textContent = error.message; }
  };
  const save = event => {
    event.preventDefault();
    const inputs = [...values.querySelectorAll("input")], known = parameters(values);
    const declared = inputs.map(input => ({ name: input.name, type: input.dataset.type ?? type(known[input.name]), required: false, default: known[input.name] }));
    doing(() => put(`/v1/queries/${encodeURIComponent(name.value)}`, { sql: text.value, description: words.value, parameters: declared }), to("sql", { saved: name.value }));
  };
  const own = chosen && !chosen.shipped;
  return h("details", {}, h("summary", {}, "Save this query"),
    h("form", { class: "filters", onsubmit: save }, field("Name", name), field("What it answers", words, "wide"), h("button", {}, "Save"),
      own && h("button", { type: "button", onclick: () => doing(() => remove(`/v1/queries/${encodeURIComponent(chosen.name)}`), "#/sql") }, `Delete ${chosen.name}`)), said);
}

const type = value => ({ number: Number.isInteger(value) ? "integer" : "number", boolean: "boolean" })[typeof value] ?? "text";

async function catalogue() {
  const tables = await get("/v1/views/tables");
  return tables.map(row => h("details", {}, h("summary", {}, h("code", {}, row.name)),
    h("p", { class: "note mono" }, row.columns.map(column => `${column.name} ${column.type}`).join(", "))));
}
