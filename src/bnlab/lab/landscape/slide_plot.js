// A panel of curves over the length of a step, both axes logarithmic, with a marker that slides.

import { html, sizeWatch, svg } from "../kit/js/elements.js";
import { stack } from "../kit/js/label_places.js";
import { coloured, MARKERS } from "../kit/js/looks.js";
import { STYLE } from "../kit/js/style.js";

const NAME_LETTER = 0.6;  // em, a letter of a name
const TICKS = [0.125, 0.25, 0.5, 1, 2, 4, 8];
const TICK_WORDS = { 0.125: "⅛", 0.25: "¼", 0.5: "½" };
const MOST_DECADES = 7;

/** The length of a step, as below the axis. */
export const stepText = (length) => TICK_WORDS[length] ?? String(length);

/** A number with three digits, in words of a page. */
export function short(value) {
  if (value === null) return "not finite";
  const rounded = Number(value.toPrecision(3));
  return rounded !== 0 && (Math.abs(rounded) < 1e-4 || Math.abs(rounded) >= 1e6)
    ? rounded.toExponential().replace("e", " × 10^").replace("^+", "^") : String(rounded);
}

/** A logarithmic axis that holds these values: the top decades of them, if they span too many. */
export function heightScale(values) {
  const logs = values.filter((value) => value > 0).map(Math.log10);
  const high = logs.length ? Math.max(...logs) + 0.08 : 1;
  const low = logs.length ? Math.max(Math.min(...logs) - 0.08, high - MOST_DECADES) : -1;
  const span = Math.max(high - low, 1), bottom = high - span, ticks = [];
  const factors = span < 1.6 ? [1, 2, 5] : span < 3 ? [1, 3] : [1];
  for (let power = Math.floor(bottom); power <= high; power++) {
    for (const factor of factors) {
      const value = Number(`${factor}e${power}`);
      if (Math.log10(value) >= bottom && Math.log10(value) <= high) ticks.push(value);
    }
  }
  return { ticks, at: (v) => (Math.max(bottom, v > 0 ? Math.log10(v) : bottom) - bottom) / span };
}

/**
 * `draw(curves, {marker, alt, key})`: curves are {name, values}, a value for each of `lengths` and
 * null where it is not finite, and perhaps `ghost`: it is pale, from before; the marker is one of `lengths`, or null. `alt` is the alt text, and
 * `key` (in data-shown) names what is drawn.
 */
export function slidePlot({ title, lengths, band }) {
  const axes = svg("g", { class: "bnlab-axes" }), lines = svg("g"), labels = svg("g");
  const mark = svg("path", { class: "bnlab-marker" });
  const picture = svg("svg", { class: "bnlab-plot", role: "img", "aria-label": title }, axes, mark, lines, labels);
  const frame = html("div", { class: "bnlab-frame" }, picture);
  const element = html("figure", { class: "bnlab-figure" },
    html("figcaption", { class: "bnlab-caption" }, title), frame);
  const [first, last] = [lengths[0], lengths.at(-1)].map(Math.log);
  let drawn = null, x = null, box = null, size = null;

  /** What the browser would have to lay out anew is asked once, not at each drawing. */
  function measure() {
    const width = frame.clientWidth, height = frame.clientHeight;
    if (!width || !height) return false;
    size = { width, height, em: parseFloat(getComputedStyle(picture).fontSize) };
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return true;
  }

  function place(curves, scale) {
    if (!size && !measure()) return false;
    const { width, height, em } = size;
    const letters = Math.max(1, ...scale.ticks.map((tick) => short(tick).length));
    const room = Math.max(2, ...curves.map(({ name }) => STYLE[name].short.length)) * NAME_LETTER + 1.1;
    box = { em, width, left: (0.8 + 0.56 * letters) * em, right: width - room * em, top: 0.7 * em, bottom: height - 2.5 * em };
    x = (length) => box.left + ((Math.log(length) - first) / (last - first)) * (box.right - box.left);
    return true;
  }

  function drawAxes(scale, y) {
    const { em, left, right, top, bottom } = box, parts = [];
    parts.push(svg("path", { class: "bnlab-zone", d: `M${x(band[0])},${top}H${x(band[1])}V${bottom}H${x(band[0])}z` }));
    for (const tick of scale.ticks) {
      parts.push(svg("path", { class: "bnlab-grid", d: `M${left},${y(tick)}H${right}` }));
      parts.push(svg("text", { x: left - 0.4 * em, y: y(tick) + 0.35 * em, "text-anchor": "end" }, short(tick)));
    }
    for (const tick of TICKS) {
      parts.push(svg("path", { class: "bnlab-tick", d: `M${x(tick)},${bottom}v${0.3 * em}` }));
      parts.push(svg("text", { x: x(tick), y: bottom + 1.3 * em, "text-anchor": "middle" }, stepText(tick)));
    }
    parts.push(svg("path", { class: "bnlab-tick", d: `M${left},${top}V${bottom}H${right}` }));
    parts.push(svg("text", { x: (left + right) / 2, y: bottom + 2.25 * em, "text-anchor": "middle" }, "step length (× rate)"));
    axes.replaceChildren(...parts);
  }

  function drawCurve({ name, values, ghost }, y) {
    const { em } = box, { dash, marker } = STYLE[name], lost = values.findIndex((value) => value === null);
    const seen = lost < 0 ? values : values.slice(0, lost);
    const spots = seen.map((value, i) => [x(lengths[i]), y(value)]);
    const path = spots.map(([left, up], i) => `${i ? "L" : "M"}${left.toFixed(1)},${up.toFixed(1)}`).join("");
    const pale = ghost ? " bnlab-ghost" : "";
    const line = svg("path", {
      class: `bnlab-curve${pale}`, d: path, "stroke-dasharray": dash.map((part) => (part * em) / 14).join(" "),
    });
    line.dataset.norm = name;
    line.dataset.points = seen.length;
    const end = spots.at(-1) ?? [x(lengths[0]), box.top];
    const cross = lost >= 0 ? [svg("path", {
      class: `bnlab-cross${pale}`, d: MARKERS.x(0.3 * em), transform: `translate(${x(lengths[lost])},${box.top})`,
    })] : [];
    const dots = spots.filter((_, i) => i % 4 === 0).map(([left, up]) => svg("path", {
      class: `bnlab-dot${pale}`, d: MARKERS[marker](0.24 * em), transform: `translate(${left.toFixed(1)},${up.toFixed(1)})`,
    }));
    lines.append(coloured(svg("g", {}, line, ...dots, ...cross), name));
    const text = coloured(svg("text", { class: `bnlab-label${pale}` }, ghost ? "before" : STYLE[name].short), name);
    labels.append(text);
    return { text, x: end[0] + 0.6 * em, y: end[1], height: 1.1 * em };
  }

  function slide(length) {
    if (!box) return;
    mark.setAttribute("d", length === null ? "" : `M${x(length).toFixed(1)},${box.top}V${box.bottom}`);
    mark.dataset.at = length ?? "";
  }

  function draw(curves, words) {
    drawn = [curves, words];
    picture.dataset.shown = words.key;
    picture.setAttribute("aria-label", words.alt);
    const scale = heightScale(curves.flatMap(({ values }) => values.filter((value) => value !== null)));
    if (!place(curves, scale)) return;
    const y = (value) => box.bottom - scale.at(value) * (box.bottom - box.top);
    drawAxes(scale, y);
    for (const part of [lines, labels]) part.replaceChildren();
    const boxes = curves.map((curve) => drawCurve(curve, y));
    stack(boxes, box.top - 0.4 * box.em, box.bottom + 0.4 * box.em);
    for (const { text, x: left, y: middle } of boxes) {
      text.setAttribute("x", left.toFixed(1));
      text.setAttribute("y", (middle + 0.35 * box.em).toFixed(1));
    }
    slide(curves.length ? words.marker : null);
  }

  const watch = sizeWatch(() => {
    size = null;
    if (drawn) draw(...drawn);
  });
  watch.observe(frame);
  const rows = () => (drawn?.[0] ?? []).flatMap(({ name, values, ghost, shown }) => values.map((value, i) =>
    [title, STYLE[name].label, ghost ? shown : drawn[1].key, lengths[i], value ?? "not finite"]));
  return { element, draw, rows, destroy: () => watch.disconnect() };
}
