// Saying something of problems or traces: leave out, take back, weigh, label. Every time with a reason.

import { announce, count, field, h, options } from "./dom.js";
import { once, post } from "./rest.js";

const ACTIONS = [["exclude", "exclude"], ["restore", "restore"], ["weight", "weigh"], ["label", "label"]];
const VALUES = { weight: "Weight, 0 to 100", label: "Label", restore: "Label (empty: the exclusion)" };

// target: returns { ids } or { filter }, or null where nothing is chosen; done is called after it was said.
export function curate(kind, target, done) {
  const action = h("select", { name: "action" }, options(ACTIONS));
  const value = h("input", { name: "value", size: 14 }), reason = h("input", { name: "reason", required: true, minlength: 3 });
  const values = field("", value), said = h("p", { class: "note", role: "status" });
  const show = () => {
    values.hidden = !(action.value in VALUES);
    values.firstChild.textContent = VALUES[action.value] ?? "";
    value.required = action.value === "weight" || action.value === "label";
  };
  action.addEventListener("change", show);
  const send = async event => {
    event.preventDefault();
    const chosen = target();
    said.className = "error";
    if (!chosen) return said.replaceChildren("Nothing is marked.");
    try {
      const found = await post("/v1/labels", { ...chosen, action: action.value, value: value.value.trim(), reason: reason.value.trim() }, once());
      said.className = "done";
      said.replaceChildren(told(found, kind));
      announce(said.textContent);
      await done?.(found);
    } catch (error) {
      if (error.name !== "AbortError") said.replaceChildren(error.message);
    }
  };
  const form = h("form", { "data-curate": true, onsubmit: send },
    h("div", { class: "bar" }, field("Action", action), values, field("Reason", reason, "wide"), h("button", { class: "main" }, "Apply")), said);
  show();
  return form;
}

function told({ in: all, kept, dropped, visible }, kind) {
  const rest = Object.entries(dropped ?? {}).map(([why, num]) => `, ${count(num)} ${why}`).join("");
  const later = visible === false ? " It shows once the command that is writing has ended." : "";
  return `${count(kept)} of ${count(all)} ${kind}s changed${rest}.${later}`;
}

// What stands there now, in words.
export function present({ excluded, weight, labels }) {
  return [
    excluded ? h("span", { class: "state excluded" }, "excluded") : null,
    weight !== 1 ? h("span", { class: "tag" }, `weight ${weight}`) : null,
    labels.map(label => h("span", { class: "tag" }, label)),
  ].flat().filter(Boolean);
}
