// How it stands: difficulty, pass rates by domain, model and stage, and what became of the records.

import { card, count, field, h, options, percent, short, to } from "./dom.js";
import { bars, heat, legend, unique } from "./charts.js";
import { get } from "./rest.js";

const TENTHS = Array.from({ length: 10 }, (_, i) => (i / 10).toFixed(1));

export async function overview(query) {
  return [
    h("h1", {}, "Overview"),
    h("div", { class: "row" },
      card("Funnel", funnel, "What became of problems, attempts and traces, and why records were left out."),
      card("Difficulty", histogram, "Problems by pass rate, for each model; hard ones are on the left.")),
    card("Pass rate by domain, model and stage", () => rates(query.manifest),
      "Mean pass@1 over n problems and its 95% interval: Wilson's with n problems, which holds however alike the attempts at one problem are."),
  ];
}

async function histogram() {
  const rows = await get("/v1/views/histogram");
  if (!rows.length) return h("p", { class: "note" }, "Nothing is measured yet: `gradus sample`, `gradus judge`, `gradus score`.");
  const domains = unique(rows.map(row => row.domain)).sort();
  const hard = model => { const its = rows.filter(row => row.model_id === model); return weigh(its, row => row.tenth) / weigh(its, () => 1); };
  const charts = unique(rows.map(row => row.model_id)).sort((a, b) => hard(a) - hard(b)).map(model => {
    const its = rows.filter(row => row.model_id === model);
    const series = domains.map(name => ({ name, values: filled(its.filter(row => row.domain === name)) }));
    return h("figure", {}, h("figcaption", {}, model), bars(series, TENTHS, { label: `Problems by pass rate of ${model}`, names: domains }));
  });
  return [legend(domains), h("div", { class: "multiples" }, charts)];
}

const weigh = (rows, of) => rows.reduce((sum, row) => sum + row.problems * of(row), 0);

function filled(rows) {
  const values = Array(10).fill(0);
  for (const row of rows) values[row.tenth] = row.problems;
  return values;
}

async function rates(manifest) {
  const [rows, manifests] = await Promise.all([get("/v1/views/rates", { manifest }), get("/v1/manifests")]);
  const known = manifests.rows ?? manifests;
  const choose = h("select", { onchange: event => { location.hash = to("overview", { manifest: event.target.value }).slice(1); } },
    options(known.map(one => [one.id, `${one.name} ${short(one.id)}`]), known.find(one => manifest && one.id.startsWith(manifest))?.id ?? known[0]?.id));
  if (!rows.length) return h("p", { class: "note" }, "Nothing is measured yet.");
  return [known.length > 0 && h("div", { class: "bar" }, field("Stages of manifest", choose)), heat(rows)].filter(Boolean);
}

async function funnel() {
  const rows = (await get("/v1/views/funnel")).map(row => ({ ...row, records: Number(row.records) }));
  const of = kind => rows.filter(row => row.step.startsWith(`${kind}: `)).map(row => ({ ...row, step: row.step.slice(kind.length + 2) }));
  const attempts = rows.find(row => row.step === "attempts")?.records ?? 0;
  const parts = [
    ["Made", rows.filter(row => !row.step.includes(": ")), 0],
    ["Verdicts", of("verdict"), attempts],
    ["Traces", of("trace"), 0],
    ["Left out, by step and reason", of("dropped"), 0],
  ];
  return parts.filter(([, some]) => some.length).map(([title, some, whole]) => [h("h3", {}, title), flow(some, whole)]);
}

function flow(rows, whole) {
  const top = whole || Math.max(...rows.map(row => row.records), 1);
  return h("div", { class: "flow" }, rows.map(row => [
    h("span", {}, row.step),
    h("span", { class: "track" }, h("i", { class: shade(row.step), "--share": (row.records / top).toFixed(4) })),
    h("span", { class: "number" }, count(row.records), whole ? h("span", { class: "quiet" }, ` ${percent(row.records / whole)}`) : null),
  ]));
}

const shade = step => ({ pass: "c2", fail: "c1", unparseable: "c5", verifier_error: "c7" })[step] ?? "c0";
