// Which view stands behind which address, and what the keys do. A view is a function of its address that returns elements.

import { h } from "./dom.js";
import { leave } from "./rest.js";
import { overview } from "./overview.js";
import { lengths } from "./lengths.js";
import { fit } from "./fit.js";
import { problem, problems } from "./problems.js";
import { trace, traces } from "./traces.js";
import { sql } from "./sql.js";
import { diff, manifest, manifests } from "./manifests.js";
import { run, runs } from "./runs.js";
import { job, jobs } from "./jobs.js";
import { reference } from "./reference.js";

const SECTIONS = [
  ["overview", "Overview", "o"], ["lengths", "Lengths", "l"], ["fit", "Teacher fit", "f"], ["problems", "Problems", "p"],
  ["traces", "Traces", "t"], ["sql", "SQL", "s"], ["manifests", "Manifests", "m"], ["runs", "Runs", "r"], ["jobs", "Jobs", "j"],
  ["reference", "REST", "d"],
];
const VIEWS = { overview, lengths, fit, problems, problem, traces, trace, sql, manifests, manifest, diff, runs, run, jobs, job, reference };
const UNDER = { problem: "problems", trace: "traces", manifest: "manifests", diff: "manifests", run: "runs", job: "jobs" };
const KEYS = [
  ["?", "these keys"], ["g, then a letter", SECTIONS.map(([, title, key]) => `${key}: ${title}`).join(", ")],
  ["/", "to the first field"], ["j, k", "next and previous row, problem or trace"], ["Enter", "open the row"], ["x", "mark the row"],
  ["n", "next page"], ["c", "curate"], ["Ctrl+Enter", "ask, in the SQL field"], ["Esc", "out of a field or dialog"],
];
const main = document.getElementById("main");
let going = false, first = true;

async function show() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map(decodeURIComponent);
  const view = VIEWS[name || "overview"];
  const signal = leave();
  mark(UNDER[name] ?? (name || "overview"));
  main.setAttribute("aria-busy", "true");
  let content;
  try {
    if (!view) throw new Error(`There is no view ${name}.`);
    content = await view(...rest, Object.fromEntries(new URLSearchParams(query)));
  } catch (error) {
    if (error.name === "AbortError") return;
    content = [h("h1", {}, "Not to be had"), h("p", { class: "error", role: "alert" }, error.message)];
  }
  if (signal.aborted) return;
  main.replaceChildren(...[content].flat(Infinity).filter(Boolean));
  main.removeAttribute("aria-busy");
  settle();
}

// Where the new view begins is told to who does not see it.
function settle() {
  const title = main.querySelector("h1");
  document.title = `${title?.textContent ?? "Gradus"} · Gradus`;
  if (title && !first) {
    title.tabIndex = -1;
    title.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  first = false;
}

function mark(name) {
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.dataset.section === name) current(anchor);
    else anchor.removeAttribute("aria-current");
  }
}

function current(anchor) {
  anchor.setAttribute("aria-current", "page");
  const nav = anchor.parentElement;
  nav.scrollLeft = anchor.offsetLeft - nav.offsetLeft - (nav.clientWidth - anchor.clientWidth) / 2;
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.matches("input:not([type=checkbox]), textarea, select");
  if (typing && event.key === "Escape") event.target.blur();
  if (typing) return;
  const go = going && SECTIONS.find(([, , key]) => key === event.key);
  going = event.key === "g";
  if (go) location.hash = `#/${go[0]}`;
  else if (!going) act(event);
}

function act(event) {
  const doing = {
    "?": () => document.getElementById("keys").showModal(),
    "/": () => main.querySelector("input:not([type=checkbox]), select, textarea")?.focus(),
    j: () => step(1), k: () => step(-1),
    n: () => main.querySelector("[data-next]")?.click(),
    c: () => {
      const form = main.querySelector("[data-curate]"), panel = form?.closest("details");
      if (panel) panel.open = true;
      form?.querySelector("select").focus();
    },
    x: () => document.activeElement.closest("tr")?.querySelector("input[type=checkbox]")?.click(),
  }[event.key];
  if (!doing) return;
  event.preventDefault();
  doing();
}

function step(by) {
  const rows = [...main.querySelectorAll("[data-row]")];
  if (!rows.length) return main.querySelector(by > 0 ? "[data-after]" : "[data-before]")?.click();
  const at = rows.indexOf(document.activeElement);
  return rows[Math.min(Math.max(at < 0 ? 0 : at + by, 0), rows.length - 1)].focus();
}

function theme(next) {
  const names = ["", "light", "dark"], now = localStorage.getItem("gradus-theme") ?? "";
  const name = next ? names[(names.indexOf(now) + 1) % 3] : now;
  localStorage.setItem("gradus-theme", name);
  document.documentElement.dataset.theme = name;
  document.getElementById("theme").textContent = { light: "Light", dark: "Dark" }[name] ?? "Theme";
}

document.querySelector("nav").append(...SECTIONS.map(([name, title, key]) =>
  h("a", { href: `#/${name}`, "data-section": name, "aria-keyshortcuts": `g ${key}` }, title)));
document.querySelector("#keys dl").append(...KEYS.flatMap(([key, what]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, what)]));
document.getElementById("help").addEventListener("click", () => document.getElementById("keys").showModal());
document.getElementById("theme").addEventListener("click", () => theme(true));
document.querySelector(".skip").addEventListener("click", event => { event.preventDefault(); main.focus(); });
addEventListener("keydown", press);
addEventListener("hashchange", show);
theme(false);
show();
