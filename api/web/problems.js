// Problems: found by filters, and each with its attempts.

import { count, facts, h, link, options, percent, short, state, table, tags, to } from "./dom.js";
import { DOMAINS } from "./charts.js";
import { compare } from "./compare.js";
import { curate, present } from "./curate.js";
import { listing, neighbours } from "./listing.js";
import { get } from "./rest.js";

export async function problems(query) {
  const text = (name, size) => h("input", { name, size, value: query[name] ?? "" });
  const rate = name => h("input", { name, type: "number", min: 0, max: 1, step: "any", value: query[name] ?? "" });
  const wide = text("text", 24);
  wide.dataset.wide = "true";
  return [h("h1", {}, "Problems"), listing({
    section: "problems", view: "problem", kind: "problem", path: "/v1/problems", query,
    filters: {
      "Text": wide, Domain: h("select", { name: "domain" }, options([["", "any"], ...DOMAINS], query.domain)), Tag: text("tag", 10), Source: text("source", 10),
      Model: text("model", 14), "Rate from": rate("min_rate"), to: rate("max_rate"),
    },
    columns: { Prompt: row => row.prompt, Domain: row => row.domain, Verifier: row => row.verifier, Source: row => row.source, Tags: row => tags(row.tags) },
  })];
}

export async function problem(id) {
  const [row, more] = await Promise.all([get(`/v1/problems/${encodeURIComponent(id)}`), get(`/v1/views/problems/${encodeURIComponent(id)}`)]);
  const head = h("h1", {}, `Problem ${short(id)}`);
  return [
    neighbours("problem", id), head,
    h("section", {}, h("h2", {}, "Prompt"), h("pre", { class: "text" }, row.prompt)),
    h("div", { class: "row" },
      h("section", {}, h("h2", {}, "What it is"), facts({
        Id: h("code", {}, row.id), Domain: row.domain, Verifier: row.verifier, Spec: h("pre", {}, JSON.stringify(row.spec, null, 1)), Source: row.source,
        Tags: row.tags.length ? tags(row.tags) : "", Now: present(more.curated).length ? present(more.curated) : "",
        "Made from": row.parents.length ? row.parents.map(parent => [link(short(parent), "problem", parent), " "]) : "",
        "Made into": more.children.length ? more.children.map(child => [link(short(child.id), "problem", child.id), " "]) : "",
        Traces: more.traces.length ? more.traces.map(trace => [link(`${trace.kind} ${short(trace.id)}`, "trace", trace.id), " "]) : "",
      })),
      h("section", {}, h("h2", {}, "Difficulty"), difficulty(row.difficulty))),
    attempts(more.attempts),
    h("section", {}, h("h2", {}, "Curate"), said(more.said), curate("problem", () => ({ ids: [id] }), () => again("problem", id))),
  ];
}

// The same view once more, for what has changed in it.
export function again(...parts) {
  setTimeout(() => location.hash === to(...parts) && dispatchEvent(new HashChangeEvent("hashchange")), 900);
}

export const said = rows => rows.length ? table(rows, { What: row => row.what, Reason: row => row.reason, Who: row => row.who, When: row => row.at.replace("T", " ").slice(0, 19) })
  : h("p", { class: "note" }, "Nobody has said anything of it, and no step has left it out.");

function difficulty(rows) {
  return table(rows, {
    Model: row => row.policy_version ? `${row.model_id} at ${row.policy_version}` : row.model_id, Passed: row => `${row.num_passed} of ${row.num_attempts}`,
    "pass@1": row => h("span", {}, percent(row.pass_at_1), h("small", { class: "quiet" }, ` ${percent(row.wilson_low)}–${percent(row.wilson_high)}`)),
    "pass@4": row => row.pass_at_4 === null ? "" : percent(row.pass_at_4), Unparseable: row => row.num_unparseable,
  });
}

function attempts(rows) {
  const chosen = [], place = h("div", {});
  const choose = (row, box) => {
    if (box.checked) chosen.push([row, box]); else chosen.splice(chosen.findIndex(([other]) => other === row), 1);
    if (chosen.length > 2) chosen.shift()[1].checked = false;
    const [one, other] = chosen.map(([attempt]) => attempt);
    place.replaceChildren(...(other ? [compare(one.outcome === "pass" ? other : one, one.outcome === "pass" ? one : other)] : []));
  };
  const one = row => {
    const box = h("input", { type: "checkbox", "aria-label": `compare attempt ${row.index} of ${row.model}` });
    box.addEventListener("change", () => choose(row, box));
    return h("div", { class: "attempt" },
      h("div", { class: "bar" }, box, state(row.outcome), h("strong", {}, row.model), h("span", { class: "quiet" }, `${row.failed_attempt_id ? "correction" : `attempt ${row.index}`} · ${count(row.tokens_out)} tokens · ${row.reason ?? "not judged yet"}`)),
      h("details", {}, h("summary", {}, row.answer.slice(0, 90) || "empty"), h("pre", {}, row.answer)));
  };
  return h("section", {}, h("h2", {}, `Attempts (${rows.length}${rows.length === 200 ? ", the first" : ""})`),
    rows.length > 1 && h("p", { class: "note" }, "Mark two to see where they differ."), place, rows.map(one));
}
