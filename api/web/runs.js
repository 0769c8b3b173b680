// Training runs, with curves that grow while they run.

import { facts, h, link, rounded, short, shown, state, table, to } from "./dom.js";
import { plot } from "./charts.js";
import { events, get, here, pause, post } from "./rest.js";

const FIRST = ["loss", "reward", "eval_pass_rate", "eval_loss", "grad_norm", "lr", "mfu", "tokens_per_s", "memory_gib"];
const OVER = ["finished", "stopped", "failed", "cancelled"];

export async function runs() {
  const found = await get("/v1/runs"), rows = found.rows ?? found;
  return [h("h1", {}, "Runs"), h("section", {}, rows.length ? table(rows, {
    Run: row => h("a", { href: to("run", row.name), "data-row": true }, row.name), State: row => state(row.state), Kind: row => row.kind ?? row.name.split("-")[0], Step: row => row.step ?? row.metrics?.step ?? "",
    Newest: row => Object.entries(row.metrics ?? {}).filter(([name, value]) => FIRST.slice(0, 6).includes(name) && typeof value === "number").map(([name, value]) => `${name} ${rounded(value)}`).join(", "),
  }) : h("p", { class: "note" }, "None yet: start one from a manifest, or by `gradus train`."))];
}

export async function run(name) {
  const path = `/v1/runs/${encodeURIComponent(name)}`, row = await get(path), measured = await get(`${path}/metrics`);
  const rows = new Map((measured.rows ?? measured).map(one => [one.step, one]));
  const head = h("p", {}), curves = h("div", { class: "row" }), live = h("p", { class: "note", role: "status" });
  const [cancel, resume] = ["Cancel", "Resume"].map(what => h("button", { type: "button", onclick: () => does(what.toLowerCase()) }, what));
  const describe = record => {
    head.replaceChildren(...[state(record.state), record.manifest && [" on ", link(short(record.manifest), "manifest", record.manifest)], ` step ${shown([...rows.keys()].at(-1))}`].flat().filter(Boolean));
    cancel.disabled = OVER.includes(record.state);
    resume.disabled = !cancel.disabled || record.state === "finished";
  };
  const draw = () => curves.replaceChildren(...charts([...rows.values()]));
  const does = async what => {
    try {
      describe(await post(`${path}/${what}`));
      follow(path, { rows, describe, draw, live });
    } catch (error) {
      live.textContent = error.message;
    }
  };
  describe(row);
  draw();
  if (!OVER.includes(row.state)) follow(path, { rows, describe, draw, live });
  return [
    h("h1", {}, `Run ${name}`), head, live, curves,
    h("section", {}, h("h2", {}, "What it is"),
      facts(Object.fromEntries(Object.entries(row).filter(([key]) => !["metrics", "name", "state"].includes(key)).map(([key, value]) => [key, value && typeof value === "object" ? h("pre", {}, JSON.stringify(value, null, 1)) : value])))),
    h("div", { class: "bar" }, cancel, resume),
    h("section", {}, h("details", {}, h("summary", {}, "Numbers"), table([...rows.values()].slice(-200), [...new Set([...rows.values()].flatMap(Object.keys))]))),
  ];
}

function charts(rows) {
  const names = [...new Set(rows.flatMap(Object.keys))].filter(name => name !== "step" && rows.some(row => typeof row[name] === "number"));
  const order = name => FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length;
  return names.sort((a, b) => order(a) - order(b)).map(name => h("section", {}, h("h2", {}, name),
    plot([{ name, points: rows.map(row => [row.step, row[name]]) }], { label: `${name} by step`, smooth: rows.length > 20 && !name.startsWith("eval_") ? 4 : 0, x: "step", y: name, width: 480, height: 180 })));
}

// Events, and where there are none a look every few seconds, until the run is over or another view is open.
async function follow(path, { rows, describe, draw, live }) {
  const stays = here();
  let waiting = null;
  const redraw = () => { waiting ??= setTimeout(() => { waiting = null; if (stays()) draw(); }, 300); };
  live.textContent = "Live.";
  try {
    await events(`${path}/events`, ({ event, data }) => {
      const found = JSON.parse(data);
      if (event === "rewound") for (const step of rows.keys()) if (step > (found.step ?? Infinity)) rows.delete(step);
      if (event === "metrics" || event === "message") rows.set(found.step, found);
      if (found.state) describe(found);
      redraw();
      return event === "end" || OVER.includes(found.state) ? "end" : "";
    });
  } catch (error) {
    live.textContent = `No events (${error.message}): looked at every 3 seconds.`;
    for (let over = false; stays() && !over; await pause(3000)) {
      const [record, measured] = [await get(path), await get(`${path}/metrics`)];
      for (const one of measured.rows ?? measured) rows.set(one.step, one);
      describe(record);
      draw();
      over = OVER.includes(record.state);
    }
  }
  if (stays()) { draw(); live.textContent = "Over."; }
}
