// Traces: what training learns from; a correction beside the attempt that failed.

import { facts, h, link, options, rounded, short, state, tags } from "./dom.js";
import { DOMAINS } from "./charts.js";
import { compare } from "./compare.js";
import { curate, present } from "./curate.js";
import { listing, neighbours } from "./listing.js";
import { again, said } from "./problems.js";
import { get } from "./rest.js";

const KINDS = ["correction", "cot", "imported"];

export async function traces(query) {
  const text = (name, size) => h("input", { name, size, value: query[name] ?? "" });
  const wide = text("text", 24);
  wide.dataset.wide = "true";
  return [h("h1", {}, "Traces"), listing({
    section: "traces", view: "trace", kind: "trace", path: "/v1/traces", query, named: { kind: "trace_kind" },
    filters: {
      Text: wide, Kind: h("select", { name: "kind" }, options([["", "any"], ...KINDS], query.kind)),
      Domain: h("select", { name: "domain" }, options([["", "any"], ...DOMAINS], query.domain)), Teacher: text("teacher", 14),
    },
    columns: {
      "Begins": row => row.messages.find(message => message.role === "user")?.content.slice(0, 200) ?? short(row.id), Kind: row => row.kind, Domain: row => row.domain,
      Teacher: row => row.teacher, Turns: row => row.messages.length, Problem: row => row.problem_id && link(short(row.problem_id), "problem", row.problem_id),
    },
  })];
}

export async function trace(id) {
  const found = await get(`/v1/views/traces/${encodeURIComponent(id)}`);
  const { trace: row, problem, attempt, failed, revision, curated } = found;
  return [
    neighbours("trace", id),
    h("h1", {}, `${{ cot: "Chain of thought", correction: "Correction", imported: "Imported trace" }[row.kind] ?? row.kind} ${short(id)}`),
    problem && h("section", {}, h("h2", {}, "Problem"), h("pre", { class: "text" }, problem.prompt)),
    failed && attempt && h("section", {}, h("h2", {}, "Failed attempt and correction"),
      revision?.why && h("p", {}, h("strong", {}, revision.step ? `First wrong step, ${revision.step}: ` : "Why: "), revision.why),
      compare(failed, attempt, { left: "Failed", right: "Corrected", text: found.corrected })),
    h("div", { class: "row" },
      h("section", {}, h("h2", {}, "Lineage"), lineage(found)),
      h("section", {}, h("h2", {}, "What it is"), facts({
        Id: h("code", {}, row.id), Domain: row.domain, Teacher: row.teacher, "Kinds of mistake": revision?.kinds?.length ? tags(revision.kinds) : "",
        Verifier: problem && `${problem.verifier}${attempt?.verifier_version ? `, version ${attempt.verifier_version}` : ""}`,
        Verdict: attempt && h("span", {}, state(attempt.outcome), attempt.reason ?? ""), Score: attempt?.score === undefined || attempt?.score === null ? "" : rounded(attempt.score),
        Now: present(curated).length ? present(curated) : "",
      }))),
    h("section", {}, h("h2", {}, "What training sees"), h("p", { class: "note" }, "Turns with a green edge are learned."), row.messages.map((message, i) => turn(message, row.learn[i]))),
    h("section", {}, h("h2", {}, "Curate"), said(found.said), curate("trace", () => ({ ids: [id] }), () => again("trace", id))),
  ];
}

function turn(message, learned) {
  return h("div", { class: `turn ${learned ? "learn" : ""}` },
    h("div", { class: "quiet" }, message.role, message.name ? ` ${message.name}` : "", learned ? " · learned" : ""),
    message.reasoning && h("details", {}, h("summary", {}, "thoughts"), h("pre", {}, message.reasoning)),
    h("pre", {}, message.content), message.tool_calls && h("pre", {}, JSON.stringify(message.tool_calls, null, 1)));
}

// From where it came to what became of it.
function lineage({ trace: row, problem, attempt, failed, said: remarks }) {
  const step = (title, ...rest) => h("li", {}, h("strong", {}, title), " ", rest);
  const asked = one => h("div", { class: "quiet" }, `${one.model}${one.policy_version ? ` at ${one.policy_version}` : ""}, sampler ${one.sampler}, attempt ${one.index}, ended by ${one.finish_reason}`);
  return h("ol", { class: "lineage" },
    problem?.parents.map(parent => step("Parent problem", link(short(parent), "problem", parent))),
    problem && step("Problem", link(short(problem.id), "problem", problem.id), h("div", { class: "quiet" }, `from ${problem.source}, judged by ${problem.verifier}`)),
    failed && step("Failed attempt", h("code", {}, short(failed.id)), " ", state(failed.outcome), failed.reason ?? "", asked(failed)),
    attempt && step(failed ? "Correction" : "Attempt", h("code", {}, short(attempt.id)), " ", state(attempt.outcome), attempt.reason ?? "", asked(attempt)),
    step("Trace", h("code", {}, short(row.id)), " ", row.kind),
    remarks.map(one => step(one.what, one.reason, one.who && h("span", { class: "quiet" }, ` ${one.who}`))));
}
