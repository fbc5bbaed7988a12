// What the layers of nets in training hand on: of some units of each layer the mean over the batch,
// and one standard deviation to both sides.

import { html, sizeWatch, svg } from "../kit/js/elements.js";
import { coloured } from "../kit/js/looks.js";
import { STYLE } from "../kit/js/style.js";

const HIGHEST = 4;  // larger values are cut off
const TOPS = [1, 2, HIGHEST];
const nameOf = (norm) => STYLE[norm].label;

/** Rows [mean, variance] of the units of all layers, of the newest look; null if there is none. */
const newest = (curve) => curve.layers.at(-1)?.[1] ?? null;

const deviation = (variance) => Math.sqrt(Math.max(0, variance));

function median(values) {
  const sorted = [...values].sort((a, b) => a - b), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * How far a unit's mean moves between two looks, in its standard deviations before: the median
 * over all units that are alive, of the newest two looks. Null before the second look.
 */
export function movement({ layers }) {
  if (layers.length < 2) return null;
  const [[, before], [, now]] = layers.slice(-2);
  const moves = before.map(([mean, variance], i) => [Math.abs(now[i][0] - mean), deviation(variance)])
    .filter(([, spread]) => spread > 0).map(([move, spread]) => move / spread);
  return moves.length ? median(moves) : null;
}

export function movementText(norm, curve) {
  const moved = movement(curve);
  if (curve.divergedAt !== null) return `${nameOf(norm)}: diverged at step ${curve.divergedAt}`;
  if (moved === null) return `${nameOf(norm)}: no two looks yet`;
  const [from, to] = curve.layers.slice(-2).map(([step]) => step);
  return `${nameOf(norm)}: a mean moves ${moved.toFixed(2)} deviations in ${to - from} steps`;
}

/** The top of the common scale: the smallest stop above all that was seen. */
export function scaleTop(curves) {
  const highest = Math.max(0, ...curves.map(({ layers }) => Math.max(0, ...layers.map(([, rows]) =>
    Math.max(0, ...rows.map(([mean, variance]) => mean + deviation(variance)))))));
  return TOPS.find((top) => highest <= top) ?? HIGHEST;
}

export function layerView({ units }) {
  const panels = new Map();  // one for each net
  const row = html("div", { class: "bnlab-layers" });
  const element = html("div", { class: "bnlab-layer-view", hidden: true },
    html("p", { class: "bnlab-caption" },
      `outputs of ${units} units of each layer, over the batch: mean, and one standard deviation to both sides`),
    row);
  let last = [null, []];

  function panel(norm) {
    if (!panels.has(norm)) {
      const picture = svg("svg", { class: "bnlab-plot bnlab-layer-plot", role: "img" });
      const caption = html("figcaption", { class: "bnlab-caption" });
      const figure = html("figure", { class: "bnlab-figure" }, caption, html("div", { class: "bnlab-frame" }, picture));
      picture.dataset.norm = norm;
      coloured(picture, norm);
      panels.set(norm, { picture, caption, figure });
    }
    return panels.get(norm);
  }

  function draw(race, names) {
    last = [race, names];
    const drawn = race ? names.filter((norm) => newest(race.curves.get(norm))) : [];
    element.hidden = drawn.length === 0;
    if (!drawn.length) return;
    const figures = drawn.map((norm) => panel(norm).figure);
    if (figures.some((figure, i) => row.children[i] !== figure) || row.children.length !== figures.length) {
      row.replaceChildren(...figures);
    }
    const top = scaleTop(drawn.map((norm) => race.curves.get(norm)));
    for (const norm of drawn) drawPanel(panel(norm), norm, race.curves.get(norm), top);
  }

  function drawPanel({ picture, caption }, norm, curve, top) {
    const text = movementText(norm, curve);
    if (caption.textContent !== text) caption.textContent = text;
    const [step, rows] = curve.layers.at(-1), depth = rows.length / units;
    picture.setAttribute("aria-label",
      `Outputs of the layers at step ${step}, ${text}.`);
    picture.dataset.step = step;
    const width = picture.clientWidth, height = picture.clientHeight;
    if (!width || !height) return;
    const em = parseFloat(getComputedStyle(picture).fontSize);
    const box = { left: 2.4 * em, right: width - 0.6 * em, top: 0.7 * em, bottom: height - 2.4 * em };
    const bottom = -top / 4;  // a mean near 0 has a bar that reaches below 0
    const y = (v) => box.bottom - ((Math.min(top, Math.max(bottom, v)) - bottom) / (top - bottom)) * (box.bottom - box.top);
    const x = (layer, unit) => box.left + ((layer + (unit + 1) / (units + 1)) / depth) * (box.right - box.left);
    const parts = [];
    for (const value of [0, top / 2, top]) {
      const sign = value === HIGHEST ? "≥ " : "";
      parts.push(svg("path", { class: "bnlab-grid", d: `M${box.left},${y(value)}H${box.right}` }));
      parts.push(svg("text", { x: box.left - 0.3 * em, y: y(value) + 0.35 * em, "text-anchor": "end" }, `${sign}${value}`));
    }
    const bars = [], dots = [];
    rows.forEach(([mean, variance], i) => {
      const at = x(Math.floor(i / units), i % units).toFixed(1), spread = deviation(variance);
      bars.push(`M${at},${y(mean - spread).toFixed(1)}V${y(mean + spread).toFixed(1)}`);
      dots.push(`M${at},${y(mean).toFixed(1)}h0`);
    });
    const every = Math.ceil(depth / 6);
    for (let layer = 0; layer < depth; layer += every) {
      const middle = box.left + ((layer + 0.5) / depth) * (box.right - box.left);
      parts.push(svg("text", { x: middle, y: box.bottom + 1.2 * em, "text-anchor": "middle" }, layer + 1));
    }
    parts.push(svg("path", { class: "bnlab-tick", d: `M${box.left},${box.top}V${box.bottom}H${box.right}` }));
    parts.push(svg("text", { x: (box.left + box.right) / 2, y: box.bottom + 2.2 * em, "text-anchor": "middle" }, "layer"));
    parts.push(svg("path", { class: "bnlab-bars", d: bars.join("") }));
    parts.push(svg("path", { class: "bnlab-means", d: dots.join("") }));
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    picture.replaceChildren(...parts);
  }

  const watch = sizeWatch(() => draw(...last));
  watch.observe(row);
  return { element, draw, destroy: () => watch.disconnect() };
}
