// Manifests: what is trained on, what changed between two, and training from one.

import { count, facts, field, given, h, link, options, percent, short, shown, table, to } from "./dom.js";
import { bars, legend } from "./charts.js";
import { get, once, post } from "./rest.js";

export async function manifests() {
  const found = await get("/v1/manifests"), rows = found.rows ?? found;
  const title = h("h1", {}, "Manifests");
  if (!rows.length) return [title, h("p", { class: "note" }, "There is none yet: `gradus curriculum build` makes one.")];
  return [title,
    h("section", {}, table(rows, {
      Manifest: row => h("a", { href: to("manifest", row.id), "data-row": true }, `${row.name} ${short(row.id)}`),
      Stages: row => row.stages.map(stage => `${stage.name} (${count(stage.context_length)})`).join(", "),
      Tokens: row => row.stages.reduce((sum, stage) => sum + stage.tokens, 0), "RL problems": row => row.rl_problems,
    })),
    rows.length > 1 && h("section", {}, h("h2", {}, "What changed"), chooser(rows)),
  ];
}

function chooser(rows) {
  const names = rows.map(row => [row.id, `${row.name} ${short(row.id)}`]);
  const from = h("select", { name: "from" }, options(names, rows[1].id)), until = h("select", { name: "until" }, options(names, rows[0].id));
  return h("form", { class: "filters", onsubmit: event => { event.preventDefault(); location.hash = to("diff", from.value, until.value).slice(1); } },
    field("From", from), field("to", until), h("button", { class: "main" }, "Compare"));
}

export async function diff(a, b) {
  const found = await get(`/v1/manifests/${encodeURIComponent(a)}/diff/${encodeURIComponent(b)}`);
  return [
    h("h1", {}, "What changed"),
    h("p", {}, "From ", link(short(found.a), "manifest", found.a), " to ", link(short(found.b), "manifest", found.b)),
    h("section", {}, h("h2", {}, "In words"), found.text.length ? h("ul", {}, found.text.map(line => h("li", {}, line))) : h("p", {}, "They are the same.")),
    found.changes?.length > 0 && h("section", {}, h("h2", {}, "Records"), table(found.changes, {
      Section: row => row.section, Change: row => row.change, Reason: row => row.reason, Number: row => row.num,
      "For example": row => (row.ids ?? []).slice(0, 4).map(id => [link(short(id), row.section === "rl" ? "problem" : "trace", id), " "]),
    })),
    settings(found.settings),
  ];
}

function settings(found) {
  const rows = Array.isArray(found) ? found : Object.entries(found ?? {}).map(([name, change]) => ({ name, ...(change && typeof change === "object" ? change : { change }) }));
  return rows.length > 0 && h("section", {}, h("h2", {}, "Settings"), table(rows, Object.keys(rows[0])));
}

export async function manifest(id) {
  const path = `/v1/manifests/${encodeURIComponent(id)}`, [row, courses] = await Promise.all([get(path), get(`${path}/course`)]);
  return [
    h("h1", {}, `Manifest ${row.name} ${short(row.id)}`),
    h("section", {}, facts({ Id: h("code", {}, row.id), Policy: row.policy, Seed: row.seed, Student: row.tokenizer.model_id, "Made by": `Gradus ${row.gradus_version}`, More: link("lengths and packing", "lengths", { manifest: row.id }) })),
    h("section", {}, h("h2", {}, "Stages"), table(row.stages, {
      Stage: stage => stage.name, Context: stage => stage.context_length, Traces: stage => stage.num_traces, Tokens: stage => stage.num_tokens, Sequences: stage => stage.num_sequences,
      Waste: stage => percent(1 - stage.utilisation, 1), Mixture: stage => shares(stage),
    })),
    courses.map((course, i) => running(course, row.stages[i])),
    row.rl && h("section", {}, h("h2", {}, "Reinforcement"), facts({
      Problems: row.rl.problems.num_rows, Band: `${row.rl.band.map(shown).join(" to ")}, with a probability of ${percent(row.rl.confidence)} or more`, "In reserve": Object.entries(row.rl.reserve).map(([name, num]) => `${count(num)} ${name}`).join(", "), "In every minibatch": Object.entries(row.rl.quotas).map(([name, num]) => `${num} ${name}`).join(", "), "Left out": Object.entries(row.rl.left_out).map(([why, num]) => `${count(num)} ${why}`).join(", "),
    })),
    row.gates.length > 0 && h("section", {}, h("h2", {}, "Gates"), table(row.gates, {
      Teacher: gate => gate.teacher, Domain: gate => gate.domain, Measure: gate => gate.metric, Value: gate => gate.value === null ? "–" : shown(gate.value), Traces: gate => gate.num_traces,
      Then: gate => gate.action === "weigh" ? `weight ${shown(gate.weight)}` : gate.action, Why: gate => gate.reason,
    })),
    Object.keys(row.dropped).length > 0 && h("section", {}, h("h2", {}, "Traces left out"), table(Object.entries(row.dropped), { Reason: ([why]) => why, Traces: ([, num]) => num })),
    h("section", {}, h("h2", {}, "Train on this"), train(row.id)),
    h("section", {}, h("details", {}, h("summary", {}, "Recipe"), h("pre", {}, JSON.stringify(row.recipe, null, 2)))),
  ];
}

// By entry of the recipe's mixture; older manifests state components alone.
const shares = stage => Object.keys(stage.entries ?? {}).length
  ? Object.entries(stage.entries).map(([name, entry]) => `${name} ${percent(entry.num_tokens / stage.num_tokens)}`).join(", ")
  : Object.entries(stage.mixture).map(([name, share]) => `${name} ${percent(share)}`).join(", ");

// A stage from its first sequence to its last, and how hard it is.
function running(course, stage) {
  const names = Object.keys(course.tokens), series = names.map(name => ({ name, values: course.tokens[name] }));
  const domains = [...new Set(course.difficulty.map(one => one.domain))], bands = [...new Set(course.difficulty.map(one => one.band))];
  const hard = domains.map(name => ({ name, values: bands.map(band => course.difficulty.find(one => one.domain === name && one.band === band)?.tokens ?? 0) }));
  const balance = Object.entries(stage.balance ?? {}).map(([ranks, most]) => `${shown(most)} over ${ranks} ranks`).join(", ");
  return h("section", {}, h("h2", {}, `Stage ${course.name}`),
    facts({ Policy: course.policy || null, Schedule: stage.schedule?.kind, "Greatest attention of a rank over the mean": balance || null, Uses: stage.num_documents > stage.num_traces ? `${count(stage.num_documents)} of ${count(stage.num_traces)} traces` : null }),
    stage.notes?.length > 0 && h("ul", {}, stage.notes.map(note => h("li", {}, note))),
    h("div", { class: "row" },
      h("figure", {}, h("figcaption", {}, "Tokens by entry of the mixture, as training goes on"), legend(names), bars(series, course.upto.map(String), { width: 480, height: 140, label: `Mixture of stage ${course.name} over its sequences` })),
      bands.length > 0 && h("figure", {}, h("figcaption", {}, "Tokens by difficulty for the student"), legend(domains), bars(hard, bands, { width: 480, height: 140, label: `Difficulty of stage ${course.name}` }))));
}

function train(id) {
  const kind = h("select", { name: "kind" }, options(["sft", "rl"])), model = h("input", { name: "model", value: "default", size: 16 }), recipe = h("input", { name: "recipe", size: 12, placeholder: "our own" });
  const overrides = h("input", { name: "overrides", placeholder: "steps=50 optim.lr=1e-5" }), said = h("p", { class: "error" });
  const start = async event => {
    event.preventDefault();
    try {
      const pairs = overrides.value.split(/\s+/).filter(Boolean).map(pair => [pair.split("=")[0], pair.slice(pair.indexOf("=") + 1)]);
      const made = await post("/v1/runs", { ...given({ manifest: id, kind: kind.value, model: model.value, recipe: recipe.value }), overrides: Object.fromEntries(pairs) }, once());
      location.hash = to("run", made.name).slice(1);
    } catch (error) {
      said.textContent = error.message;
    }
  };
  return h("form", { onsubmit: start }, h("div", { class: "bar" }, field("Kind", kind), field("Model: default, or a run", model), field("Recipe", recipe), field("Overrides", overrides, "wide"), h("button", { class: "main" }, "Start")), said);
}
