// Two answers side by side, what differs marked in both.

import { h, state } from "./dom.js";
import { difference } from "./words.js";

// Each side: { title, model, outcome, reason, answer }; `after` may come with a text of its own.
export function compare(before, after, { left = "Before", right = "After", text = after.answer } = {}) {
  const parts = difference(before.answer, text);
  const side = (gone, tag, label) => parts.filter(([kind]) => kind !== gone).map(([kind, words]) => kind === "same" ? words : h(tag, { title: label }, words));
  const num = parts.filter(([kind]) => kind !== "same").length;
  return h("figure", {},
    h("figcaption", { class: "note" }, num ? ["Only on the left: ", h("del", {}, "struck out"), ". Only on the right: ", h("ins", {}, "underlined"), "."] : "The two are equal."),
    h("div", { class: "compare" },
      panel(left, before, side("ins", "del", "only on the left")), panel(right, after, side("del", "ins", "only on the right"))));
}

function panel(title, attempt, text) {
  return h("div", {}, h("strong", {}, title), h("span", { class: "quiet" }, ` · ${attempt.model ?? "unknown"}`),
    h("p", { class: "verdict" }, state(attempt.outcome), attempt.reason ?? ""), h("pre", {}, text));
}
