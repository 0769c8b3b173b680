// Charts, in SVG by hand. Every chart has a label that says what it shows; its numbers stand in a title or a table as well.

import { h, svg, rounded, percent, count } from "./dom.js";

export const DOMAINS = ["math", "code", "instruction", "stem", "tool"];
export const colour = (name, names) => `c${(DOMAINS.includes(name) ? DOMAINS.indexOf(name) : names.indexOf(name) + (names.some(n => DOMAINS.includes(n)) ? 5 : 0)) % 8}`;

export const legend = (names, all = names) => h("ul", { class: "legend" },
  names.map(name => h("li", {}, h("span", { class: `swatch ${colour(name, all)}` }), name)));

const frame = (width, height, label, ...inside) =>
  svg("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label }, inside);

// Stacked bars: series [{ name, values }], one value a bin; labels stand under the bins, where there is one.
export function bars(series, labels, { label, width = 300, height = 110, names = series.map(one => one.name) }) {
  const left = 34, bottom = height - 16, bins = labels.length;
  const totals = Array.from({ length: bins }, (_, i) => series.reduce((sum, one) => sum + (one.values[i] ?? 0), 0));
  const top = ticks(0, Math.max(...totals, 1), 3).at(-1), step = (width - left) / bins;
  const y = value => bottom - (bottom - 8) * value / top;
  const columns = totals.map((total, i) => {
    let sum = 0;
    const parts = series.filter(one => one.values[i]).map(one => {
      const from = sum;
      sum += one.values[i];
      return svg("rect", { class: `filled ${colour(one.name, names)}`, x: left + i * step + 1, width: Math.max(step - 2, 1), y: y(sum), height: Math.max(y(from) - y(sum), .5) });
    });
    const said = series.filter(one => one.values[i]).map(one => `${one.name}: ${count(one.values[i])}`).join("\n");
    return svg("g", {}, svg("title", {}, `${labels[i]}\n${said || "none"}`), parts,
      svg("rect", { x: left + i * step, width: step, y: 8, height: bottom - 8, "fill-opacity": 0 }));
  });
  const every = Math.ceil(bins / 6);
  return frame(width, height, label,
    ticks(0, top, 3).map(value => [
      svg("line", { class: "axis", x1: left, x2: width, y1: y(value), y2: y(value) }),
      svg("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, compact(value))]),
    columns,
    labels.map((text, i) => i % every === 0 && svg("text", { x: left + (i + .5) * step, y: height - 3, "text-anchor": "middle" }, text)));
}

// Curves or points: series [{ name, points: [[x, y], …] }]. Moving over it reads the nearest point.
export function plot(series, { label, kind = "line", smooth = 0, width = 640, height = 220, x: xName = "", y: yName = "" }) {
  const left = 56, bottom = height - 34, names = series.map(one => one.name);
  const points = series.flatMap(one => one.points).filter(point => point.every(Number.isFinite));
  if (!points.length) return h("p", { class: "note" }, "No numbers to draw.");
  const [xs, ys] = [0, 1].map(i => { const [low, high] = range(points, i); return ticks(low, high, i ? 4 : 7); });
  const x = value => left + (width - left - 10) * (value - xs[0]) / (xs.at(-1) - xs[0] || 1);
  const y = value => bottom - (bottom - 8) * (value - ys[0]) / (ys.at(-1) - ys[0] || 1);
  const curves = series.map(one => {
    const name = colour(one.name, names), known = one.points.filter(point => point.every(Number.isFinite));
    const line = smooth ? smoothed(known, smooth) : known;
    return [
      (kind === "scatter" || smooth > 1) && thinned(known, 1500).map(([a, b]) => svg("circle", { class: `filled mark ${name}`, cx: x(a), cy: y(b), r: kind === "scatter" ? 3 : 1.6 })),
      kind === "line" && svg("polyline", { class: `curve drawn ${name}`, points: thinned(line, 1500).map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" ") })];
  });
  const readout = h("div", { class: "readout", "aria-hidden": "true" });
  const cursor = svg("circle", { r: 5, "fill-opacity": 0, class: "drawn", visibility: "hidden" });
  const chart = frame(width, height, label,
    ys.map(value => [svg("line", { class: "axis", x1: left, x2: width - 10, y1: y(value), y2: y(value) }), svg("text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, compact(value))]),
    xs.map(value => svg("text", { x: x(value), y: bottom + 15, "text-anchor": "middle" }, compact(value))),
    svg("text", { x: (left + width) / 2, y: height - 4, "text-anchor": "middle" }, xName), curves, cursor);
  chart.addEventListener("pointermove", event => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
    const [best, name] = nearest(series, point => (x(point[0]) - at.x) ** 2 + (kind === "scatter" ? (y(point[1]) - at.y) ** 2 : .01 * (y(point[1]) - at.y) ** 2));
    readout.textContent = `${name}: ${xName || "x"} ${rounded(best[0])}, ${yName || "y"} ${rounded(best[1])}`;
    cursor.setAttribute("cx", x(best[0]));
    cursor.setAttribute("cy", y(best[1]));
    cursor.setAttribute("class", `drawn ${colour(name, names)}`);
    cursor.setAttribute("visibility", "visible");
  });
  return h("figure", {}, series.length > 1 && legend(names), chart, readout);
}

// Estimates with their intervals: rows [{ name, value, low, high }], lower or higher as the caption says.
export function intervals(rows, { label }) {
  const width = 420, left = 130, height = 26 + 24 * rows.length;
  const all = rows.flatMap(row => [row.low ?? row.value, row.high ?? row.value]), low = Math.min(...all), high = Math.max(...all);
  const xs = ticks(low, high === low ? low + 1 : high, 4), x = value => left + (width - left - 20) * (value - xs[0]) / (xs.at(-1) - xs[0]);
  return frame(width, height, label,
    xs.map(value => [svg("line", { class: "axis", x1: x(value), x2: x(value), y1: 4, y2: height - 18 }), svg("text", { x: x(value), y: height - 4, "text-anchor": "middle" }, compact(value))]),
    rows.map((row, i) => {
      const y = 16 + 24 * i, name = colour(row.name, rows.map(one => one.name));
      const text = row.low === null ? rounded(row.value) : `${rounded(row.value)}, ${rounded(row.low)} to ${rounded(row.high)}`;
      return svg("g", {}, svg("title", {}, `${row.name}: ${text}`),
        svg("text", { x: left - 10, y: y + 4, "text-anchor": "end" }, row.name.length > 20 ? `${row.name.slice(0, 19)}…` : row.name),
        row.low !== null && svg("line", { class: `drawn ${name}`, "stroke-width": 2, x1: x(row.low), x2: x(row.high), y1: y, y2: y }),
        svg("circle", { class: `filled ${name}`, cx: x(row.value), cy: y, r: 4.5 }));
    }));
}

// Domain by model, a table for every stage: rows [{ stage, domain, model, n, rate, low, high }].
export function heat(rows) {
  const models = unique(rows.map(row => row.model)), stages = unique(rows.map(row => row.stage));
  models.sort((a, b) => mean(rows, a) - mean(rows, b));
  return h("div", { class: "heats" }, stages.map(stage => h("table", { class: "heat" },
    h("caption", {}, stage ? `Stage ${stage}` : "All problems"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, h("span", { class: "unseen" }, "Domain")), models.map(model => h("th", { scope: "col" }, model)))),
    h("tbody", {}, unique(rows.filter(row => row.stage === stage).map(row => row.domain)).map(domain => h("tr", {},
      h("th", { scope: "row" }, domain),
      models.map(model => heatCell(rows.find(row => row.stage === stage && row.domain === domain && row.model === model)))))))));
}

// Weaker models stand on the left.
function mean(rows, model) {
  const its = rows.filter(row => row.model === model && row.stage === "");
  return its.reduce((sum, row) => sum + row.rate * row.n, 0) / its.reduce((sum, row) => sum + row.n, 0);
}

function heatCell(row) {
  if (!row) return h("td", { "--rate": 0 }, h("small", {}, "–"));
  const digits = row.high - row.low < .03 ? 1 : 0;
  return h("td", { "--rate": row.rate.toFixed(3) }, percent(row.rate, digits),
    h("small", {}, `${percent(row.low, digits)}–${percent(row.high, digits)}`), h("small", {}, `n = ${count(row.n)}`));
}

export const unique = values => [...new Set(values)];

export function ticks(low, high, wanted) {
  const rough = (high - low) / wanted || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(times => times * power).find(size => size >= rough * .999);
  const first = Math.floor(low / step + 1e-9), last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: Math.max(last - first, 1) + 1 }, (_, i) => +((first + i) * step).toPrecision(12));
}

function range(points, i) {
  let [low, high] = [Infinity, -Infinity];
  for (const point of points) { low = Math.min(low, point[i]); high = Math.max(high, point[i]); }
  const room = low === high ? Math.abs(low) / 2 || .5 : 0;
  return [low - room, high + room];
}

// The mean of so many neighbours on either side, fewer at the ends.
function smoothed(points, width) {
  const sums = [0];
  for (const [, y] of points) sums.push(sums.at(-1) + y);
  return points.map(([x], i) => {
    const room = Math.min(width, i, points.length - 1 - i);
    return [x, (sums[i + room + 1] - sums[i - room]) / (2 * room + 1)];
  });
}

const thinned = (points, most) => points.length <= most ? points : points.filter((_, i) => i % Math.ceil(points.length / most) === 0);

function nearest(series, distance) {
  let found = [null, "", Infinity];
  for (const one of series)
    for (const point of one.points) {
      const far = distance(point);
      if (far < found[2]) found = [point, one.name, far];
    }
  return found;
}

const compact = value => Math.abs(value) >= 10_000
  ? new Intl.NumberFormat("en", { notation: "compact" }).format(value) : Math.abs(value) < 1e-3 && value ? Number(value.toPrecision(3)).toExponential() : String(+value.toFixed(4));
