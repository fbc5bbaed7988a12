// A panel of curves over the layers of a net, each with the range of its seeds as a band.

import { html, sizeWatch, svg } from "./elements.js";
import { stack } from "./label_places.js";
import { coloured, MARKERS } from "./looks.js";
import { cursor } from "./plot_cursor.js";
import { spacedTicks } from "./plot_scales.js";
import { STYLE } from "./style.js";

const MOST_TICKS = 6;
const LETTER = 0.61;  // em, a letter of a label
const SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹";

/** 10 to a whole power: in full where that is short. */
export function powerText(exponent) {
  if (Math.abs(exponent) <= 3) return String(10 ** exponent);
  const digits = [...String(Math.abs(exponent))].map((digit) => SUPERSCRIPTS[digit]).join("");
  return `10${exponent < 0 ? "⁻" : ""}${digits}`;
}

/** Two digits, in full where that is short. */
export function shortText(value) {
  if (value === 0) return "0";
  const [digits, exponent] = value.toExponential(1).split("e");
  if (exponent >= 6 || exponent < -4) return `${digits} × ${powerText(+exponent)}`;
  return (+value.toPrecision(2)).toLocaleString("en", { maximumFractionDigits: 6 });
}

/** Ticks and heights for values of 0 to 1. */
export const UNIT = {
  at: (v) => v, has: (v) => v !== null,
  ticks: [0, 0.2, 0.4, 0.6, 0.8, 1].map((v) => [v, String(v)]),
};

/** Ticks and heights on a logarithmic axis that holds these values; a zero cannot be drawn on it. */
function logScale(values) {
  const logs = values.map(Math.log10);
  let low = Math.min(...logs), high = Math.max(...logs);
  if (!values.length) [low, high] = [-1, 1];
  const missing = Math.max(0, 1 - (high - low)) / 2;  // at least a decade
  low -= missing + 0.03;
  high += missing + 0.03;
  const step = Math.max(1, Math.ceil((high - low) / MOST_TICKS)), ticks = [];
  for (let k = Math.ceil(low / step) * step; k <= high; k += step) ticks.push([10 ** k, powerText(k)]);
  if (high - low < 2.2) addBetween(ticks, low, high);
  return {
    at: (v) => (Math.log10(v) - low) / (high - low), has: (v) => v !== null && v > 0, ticks,
  };
}

/** A short axis needs 2 and 5 times the powers of ten as well. */
function addBetween(ticks, low, high) {
  for (let k = Math.floor(low); k <= high; k++) {
    for (const factor of [2, 5]) {
      const place = k + Math.log10(factor);
      if (place > low && place < high) ticks.push([factor * 10 ** k, String(+(factor * 10 ** k).toPrecision(1))]);
    }
  }
}

/** Layers that are named below the axis: the first, and some equal steps up to the last. */
function layerTicks(layers) {
  const parts = [4, 3, 5, 2, 1].find((count) => layers % count === 0), step = layers / parts;
  const ends = Array.from({ length: parts }, (_, i) => (i + 1) * step);
  return ends[0] > 1 ? [1, ...ends] : ends;
}

/**
 * The heights are logarithmic, or those of a `scale` like UNIT; a curve without a short name has
 * no label.
 *
 * `draw(curves, {layers, word, alt, key, event})`: an `event` is a layer with an upright line; curves are {name, rows}, a row of each layer being
 * [median, smallest, largest] or null where there is no finite value: there the curve has a gap.
 * `alt` is the alt text, and `key` (in data-shown) names what is drawn.
 */
export function depthPanel({ title, log, scale: heights = UNIT }) {
  const bands = svg("g"), axes = svg("g", { class: "bnlab-axes" }), lines = svg("g"), labels = svg("g");
  const picture = svg("svg", { class: "bnlab-plot", role: "img", "aria-label": title }, axes, bands, lines, labels);
  const frame = html("div", { class: "bnlab-frame" }, picture);
  const element = html("figure", { class: "bnlab-figure" },
    html("figcaption", { class: "bnlab-caption" }, title), frame);
  const values = cursor({ title, word: "layer", write: shortText });
  frame.append(values.element);
  let last = null;

  function place(curves, layers, scale) {
    const width = frame.clientWidth, height = frame.clientHeight;
    if (!width || !height) return null;
    const em = parseFloat(getComputedStyle(picture).fontSize);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const longest = (texts) => Math.max(0, ...texts.map((text) => text.length));
    const left = (0.7 + 0.56 * longest(scale.ticks.map(([, text]) => text))) * em;
    const right = width - (1.2 + LETTER * longest(curves.map(({ name }) => STYLE[name].short))) * em;
    const top = 0.7 * em, bottom = height - 2.5 * em;
    return {
      em, width, left, right, top, bottom,
      x: (layer) => left + ((layer - 1) / Math.max(1, layers - 1)) * (right - left),
      y: (value) => bottom - scale.at(value) * (bottom - top),
    };
  }

  function drawAxes({ em, left, right, top, bottom, x, y }, scale, { layers, word, event = null }) {
    const parts = event === null ? [] : [svg("path", { class: "bnlab-event", d: `M${x(event)},${top}V${bottom}` })];
    for (const [value, text] of spacedTicks(scale.ticks, y, em)) {
      parts.push(svg("path", { class: "bnlab-grid", d: `M${left},${y(value)}H${right}` }));
      parts.push(svg("text", { x: left - 0.4 * em, y: y(value) + 0.35 * em, "text-anchor": "end" }, text));
    }
    for (const layer of layerTicks(layers)) {
      parts.push(svg("path", { class: "bnlab-tick", d: `M${x(layer)},${bottom}v${0.3 * em}` }));
      parts.push(svg("text", { x: x(layer), y: bottom + 1.3 * em, "text-anchor": "middle" }, layer));
    }
    parts.push(svg("path", { class: "bnlab-tick", d: `M${left},${top}V${bottom}H${right}` }));
    parts.push(svg("text", { x: (left + right) / 2, y: bottom + 2.25 * em, "text-anchor": "middle" }, word));
    axes.replaceChildren(...parts);
  }

  function drawCurve({ name, rows }, box, scale) {
    const { em, x, y } = box, { dash, marker } = STYLE[name], runs = pieces(rows, scale);
    const spot = (layer, value) => `${x(layer).toFixed(1)},${y(value).toFixed(1)}`;
    const path = (points) => points.map((point, i) => `${i ? "L" : "M"}${point}`).join("");
    const middle = runs.map((run) => path(run.map(([layer, [v]]) => spot(layer, v)))).join("");
    const outline = runs.map((run) => `${path([
      ...run.map(([layer, [, low]]) => spot(layer, low)),
      ...run.map(([layer, [, , high]]) => spot(layer, high)).reverse(),
    ])}z`).join("");
    const every = Math.max(1, Math.ceil((1.3 * em * rows.length) / (box.right - box.left)));
    const dots = runs.flatMap((run) => run.filter(([layer], i) => layer % every === 0 || i === run.length - 1))
      .map(([layer, [v]]) => svg("path", {
        class: "bnlab-dot", d: MARKERS[marker](0.26 * em), transform: `translate(${spot(layer, v)})`,
      }));
    const line = svg("path", {
      class: "bnlab-curve", d: middle, "stroke-dasharray": dash.map((part) => (part * em) / 14).join(" "),
    });
    line.dataset.norm = name;
    line.dataset.points = runs.flat().length;
    lines.append(coloured(svg("g", {}, line, ...dots), name));
    bands.append(coloured(svg("path", { class: "bnlab-band", d: outline }), name));
    const end = runs.at(-1)?.at(-1);
    return end && STYLE[name].short ? labelBox(name, x(end[0]) + 0.6 * em, y(end[1][0]), em) : null;
  }

  function labelBox(name, left, middle, em) {
    const label = coloured(svg("text", { class: "bnlab-label" }, STYLE[name].short), name);
    labels.append(label);
    return { label, x: left, y: middle, height: 1.1 * em };
  }

  function draw(curves, shown) {
    const { layers, alt, key } = shown;
    last = [curves, shown];
    picture.dataset.shown = key;
    picture.setAttribute("aria-label", alt);
    values.set(curves.map(({ name, rows: found }) =>
      ({ name, points: found.flatMap((row, i) => (row ? [[i + 1, row[0]]] : [])) })));
    const positive = curves.flatMap(({ rows: found }) => found.flatMap((row) => (row ? row.filter((v) => v > 0) : [])));
    const scale = log ? logScale(positive) : heights, box = place(curves, layers, scale);
    if (!box) return;
    drawAxes(box, scale, shown);
    for (const part of [bands, lines, labels]) part.replaceChildren();
    values.place(box, box.x);
    const boxes = curves.map((curve) => drawCurve(curve, box, scale)).filter(Boolean);
    stack(boxes, box.top - 0.4 * box.em, box.bottom + 0.4 * box.em);
    for (const { label, x, y } of boxes) {
      label.setAttribute("x", x.toFixed(1));
      label.setAttribute("y", (y + 0.35 * box.em).toFixed(1));
    }
  }

  const watch = sizeWatch(() => { if (last) draw(...last); });
  watch.observe(frame);
  function rows() {
    const [curves, { key }] = last ?? [[], {}];
    return curves.flatMap(({ name, rows: layers }) => layers.flatMap((row, i) =>
      (row ? [[title, STYLE[name].label, key, i + 1, ...row]] : [])));
  }
  return { element, draw, rows, destroy: () => watch.disconnect() };
}

/** The stretches of a curve that can be drawn, as lists of [layer, row], layers counted from 1. */
function pieces(rows, scale) {
  const runs = [[]];
  rows.forEach((row, i) => {
    if (row?.every(scale.has)) runs.at(-1).push([i + 1, row]);
    else if (runs.at(-1).length) runs.push([]);
  });
  return runs.filter((run) => run.length);
}
