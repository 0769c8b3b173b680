// Jobs: commands that run beside the server; follow and cancel them.

import { facts, h, short, shown, state, table, to } from "./dom.js";
import { events, get, here, pause, post } from "./rest.js";

const OVER = ["succeeded", "failed", "cancelled"];

export async function jobs(query) {
  const place = h("section", {}), stays = here();
  const draw = async () => {
    const found = await get("/v1/jobs", { limit: 50, cursor: query.cursor });
    place.replaceChildren(found.rows.length ? table(found.rows, {
      Job: row => h("a", { href: to("job", row.id), "data-row": true }, short(row.id)), Command: row => `gradus ${row.command}`, State: row => state(row.state), By: row => row.actor,
      Began: row => when(row.started ?? row.created), Ended: row => when(row.ended), Result: row => row.error ?? shown(row.result),
    }) : h("p", { class: "note" }, "None yet."), found.next ? h("a", { href: to("jobs", { cursor: found.next }), "data-next": true }, "Older") : "");
    return found.rows.some(row => !OVER.includes(row.state));
  };
  const watch = async busy => {
    for (; stays(); await pause(busy ? 2000 : 10_000)) {
      if (document.activeElement?.closest("section") === place) continue;  // a redrawn row would lose the focus
      busy = await draw().catch(() => false);
    }
  };
  const busy = await draw();
  pause(2000).then(() => watch(busy));
  return [h("h1", {}, "Jobs"), h("p", { class: "note" }, "Imports, exports, curricula and other commands that were asked for over REST. Those that write run one after the other."), place];
}

export async function job(id) {
  const path = `/v1/jobs/${encodeURIComponent(id)}`, row = await get(path);
  const place = h("div", {}), log = h("pre", { tabindex: 0, "aria-label": "Log" }), now = h("p", { class: "note", role: "status" });
  const describe = one => place.replaceChildren(facts({
    State: state(one.state), Command: h("code", {}, `gradus ${one.command}`), Arguments: h("pre", {}, JSON.stringify(one.arguments, null, 1)), By: one.actor, Created: when(one.created), Began: when(one.started), Ended: when(one.ended),
    "Exit code": one.exit_code, Result: one.result ? h("pre", {}, JSON.stringify(one.result, null, 1)) : "", Error: one.error && h("span", { class: "error" }, one.error),
  }));
  const cancel = h("button", { type: "button", onclick: () => post(`${path}/cancel`).then(describe, error => { now.textContent = error.message; }) }, "Cancel");
  describe(row);
  follow(path, { describe, log, now });
  return [h("h1", {}, `Job ${short(id)}`), h("section", {}, place), now, OVER.includes(row.state) ? null : h("div", { class: "bar" }, cancel), h("section", {}, h("h2", {}, "Log"), log)];
}

async function follow(path, { describe, log, now }) {
  const stays = here();
  try {
    await events(`${path}/events`, ({ event, data }) => {
      const found = JSON.parse(data);
      if (event === "log") log.append(`${found.line ?? found.text ?? shown(found)}\n`);
      else now.textContent = event === "end" ? "" : `${event}: ${Object.entries(found).map(([name, value]) => `${name} ${shown(value)}`).join(", ")}`;
      if (event === "state" || event === "end") get(path).then(describe, () => null);
      return event === "end" ? "end" : "";
    });
  } catch (error) {
    if (stays()) now.textContent = error.message;
  }
}

const when = time => time ? time.replace("T", " ").slice(0, 19) : "";
