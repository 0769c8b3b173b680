// How long traces and answers are, and what packing leaves empty, by stage of a manifest.

import { card, count, facts, field, h, link, options, percent, short, table, to } from "./dom.js";
import { bars } from "./charts.js";
import { get } from "./rest.js";

export async function lengths(query) {
  const [found, manifests] = await Promise.all([get("/v1/views/lengths", { manifest: query.manifest }), get("/v1/manifests")]);
  const known = manifests.rows ?? manifests;
  const choose = h("select", { onchange: event => { location.hash = to("lengths", { manifest: event.target.value }).slice(1); } },
    options(known.map(one => [one.id, `${one.name} ${short(one.id)}`]), found.manifest));
  return [
    h("h1", {}, "Lengths and packing"),
    known.length ? h("div", { class: "bar" }, field("Manifest", choose), link("what is in it", "manifest", found.manifest))
      : h("p", { class: "note" }, "There is no manifest yet: `gradus curriculum build` makes one."),
    found.stages.length > 0 && card("Stages", () => summary(found.stages), "Waste is the share of a stage's sequences that holds no token."),
    found.stages.map(stage),
    card("Answers", () => answers(found.answers), "Attempts by length in tokens, as the models' own tokenizers count; each bar is 1.41 times as long as the one before."),
  ];
}

const summary = stages => table(stages, {
  Stage: row => row.name, Context: row => row.context_length, Traces: row => row.num_traces, Tokens: row => row.num_tokens,
  "p10": row => row.quantiles.p10, "p50": row => row.quantiles.p50, "p90": row => row.quantiles.p90, Longest: row => row.quantiles.max,
  Sequences: row => row.num_sequences, Waste: row => h("span", { class: "number" }, percent(row.waste, 1)),
});

function stage(row) {
  const labels = row.lengths.map((_, i) => String(Math.round((i + 1) * row.context_length / row.lengths.length)));
  const draw = (values, what) => h("figure", {}, h("figcaption", {}, what),
    bars([{ name: "num", values }], labels, { width: 480, height: 130, label: `${what} of stage ${row.name}, by tokens` }));
  return h("section", {}, h("h2", {}, `Stage ${row.name}`),
    h("div", { class: "row" }, draw(row.lengths, "Traces by length"), draw(row.fill, "Packed sequences by tokens in them")),
    facts({ Budget: `${count(row.num_tokens)} of ${count(row.token_budget)} tokens`, Waste: percent(row.waste, 2), Mixture: Object.entries(row.mixture).map(([name, share]) => `${name} ${percent(share)}`).join(", ") }));
}

function answers(rows) {
  if (!rows.length) return h("p", { class: "note" }, "No attempt says how many tokens it has.");
  const bins = rows.map(row => row.bin), low = Math.min(...bins), high = Math.max(...bins);
  const labels = Array.from({ length: high - low + 1 }, (_, i) => String(Math.round(2 ** ((low + i) / 2))));
  const models = [...new Set(rows.map(row => row.model))];
  return h("div", { class: "multiples" }, models.map(model => {
    const values = Array(labels.length).fill(0);
    for (const row of rows) if (row.model === model) values[row.bin - low] = row.answers;
    return h("figure", {}, h("figcaption", {}, model), bars([{ name: "answers", values }], labels, { label: `Answers of ${model} by length` }));
  }));
}
