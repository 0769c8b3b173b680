// What changed between two texts, word by word.

const MAX_EDITS = 3000;
const WORDS = /\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;
const LINES = /[^\n]*\n|[^\n]+/g;

// Return [kind, text] pairs, kind being "same", "del" (only in before) or "ins" (only in after). Texts that differ in more
// than MAX_EDITS words are compared by lines, and if that is too much as well, as wholes.
export function difference(before, after) {
  const by = pattern => edits(before.match(pattern) ?? [], after.match(pattern) ?? []);
  return joined(by(WORDS) ?? by(LINES) ?? [["del", before], ["ins", after]]);
}

// The shortest way from a to b (Myers 1986): reach[k] is how far into a one gets on the diagonal k = x - y with so many
// edits, -1 where one does not. Null where it takes more than MAX_EDITS.
function edits(a, b) {
  const middle = MAX_EDITS + 1, reach = new Int32Array(2 * middle + 1).fill(-1), before = [];
  for (let num = 0; num <= MAX_EDITS; num++) {
    before.push(reach.slice(middle - num - 1, middle + num + 2));
    for (let k = -num; k <= num; k += 2) {
      let x = num ? step(reach, middle + k, k, a.length, b.length).x : 0;
      if (x >= 0) while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      reach[middle + k] = x;
      if (x === a.length && x - k === b.length) return walked(a, b, before);
    }
  }
  return null;
}

// The better of going right, which leaves out a word of a, and down, which puts in one of b.
function step(reach, at, k, width, height) {
  const right = reach[at - 1] >= 0 && reach[at - 1] < width ? reach[at - 1] + 1 : -1;
  const down = reach[at + 1] >= 0 && reach[at + 1] - k <= height ? reach[at + 1] : -1;
  return right > down ? { x: right, kind: "del" } : { x: down, kind: "ins" };
}

function walked(a, b, before) {
  const found = [];
  let x = a.length, y = b.length;
  for (let num = before.length - 1; num > 0; num--) {
    const k = x - y, { x: from, kind } = step(before[num], num + 1 + k, k, a.length, b.length);
    for (; x > from; x--, y--) found.push(["same", a[x - 1]]);
    found.push(kind === "del" ? [kind, a[--x]] : [kind, b[--y]]);
  }
  for (; x > 0; x--) found.push(["same", a[x - 1]]);
  return found.reverse();
}

// Neighbours of one kind become one; a space between two replacements belongs to both, as they read as one change.
function joined(parts) {
  const found = [];
  let removed = "", added = "";
  const add = (kind, text) => {
    if (!text) return;
    if (found.at(-1)?.[0] === kind) found.at(-1)[1] += text;
    else found.push([kind, text]);
  };
  const flush = () => { add("del", removed); add("ins", added); removed = added = ""; };
  parts.forEach(([kind, text], i) => {
    const between = kind === "same" && removed && added && /^[^\S\n]+$/.test(text) && (parts[i + 1]?.[0] ?? "same") !== "same";
    if (kind === "del" || between) removed += text;
    if (kind === "ins" || between) added += text;
    if (kind === "same" && !between) { flush(); add("same", text); }
  });
  flush();
  return found;
}
