// Which teacher's traces a student reads most easily, by domain.

import { h, rounded, table } from "./dom.js";
import { intervals, unique } from "./charts.js";
import { get } from "./rest.js";

const SIGNALS = [["rsr", "Rank-surprisal ratio"], ["local_nll", "Local NLL, nats"]];

export async function fit() {
  const rows = await get("/v1/views/fit");
  const title = h("h1", {}, "Teacher fit");
  if (!rows.length) return [title, h("p", { class: "note" }, "No traces are scored yet: `gradus compare-teachers` does it.")];
  return [
    title,
    h("p", { class: "note" }, "How a student reads each teacher's traces. Both signals are better when lower; bars are 95% intervals over problems. Where they overlap, or rest on fewer than 20 problems, they say nothing: `gradus compare-teachers` gives a verdict, and with --probe a test."),
    unique(rows.map(row => row.student)).map(student => one(student, rows.filter(row => row.student === student))),
  ];
}

function one(student, rows) {
  return h("section", {}, h("h2", {}, `Student ${student}`),
    unique(rows.map(row => row.domain)).map(domain => [
      h("h3", {}, domain),
      h("div", { class: "row" }, SIGNALS.map(([key, name]) => h("figure", {}, h("figcaption", {}, name),
        intervals(rows.filter(row => row.domain === domain).map(row => ({ name: row.teacher || "no name", value: row[key], low: row[`${key}_low`], high: row[`${key}_high`] })),
          { label: `${name} of the teachers in ${domain}, for ${student}` })))),
    ]),
    h("details", {}, h("summary", {}, "Numbers"), table(rows, {
      Domain: row => row.domain, Teacher: row => row.teacher, Traces: row => row.traces, Problems: row => row.problems,
      "Rank-surprisal": row => ranged(row, "rsr"), "Local NLL": row => ranged(row, "local_nll"), NLL: row => row.nll, Tokens: row => row.tokens, Definition: row => row.definition,
    })));
}

const ranged = (row, key) => row[`${key}_low`] === null ? rounded(row[key]) : `${rounded(row[key])} (${rounded(row[`${key}_low`])} to ${rounded(row[`${key}_high`])})`;
