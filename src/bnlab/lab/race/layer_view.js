// What the layers of nets in training hand on: of some units of each layer the mean over the batch,
// and one standard deviation to both sides.

import { html, sizeWatch, svg, throttle } from "../kit/js/elements.js";
import { coloured } from "../kit/js/looks.js";
import { STYLE } from "../kit/js/style.js";

const HIGHEST = 4;  // larger values are cut off
const TOPS = [1, 2, HIGHEST];
const nameOf = (norm) => STYLE[norm].label;

/** Rows [mean, variance] of the units of all layers, of the newest look; null if there is none. */
const newest = (curve) => curve.layers.at(-1)?.[1] ?? null;

const deviation = (variance) => Math.sqrt(Math.max(0, variance));

export function median(values) {
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

/** The title of a panel; `whole`, it can be understood without the line above the panels. */
export function movementText(norm, curve, whole = false) {
  const moved = movement(curve);
  if (curve.divergedAt !== null) return `${nameOf(norm)}: diverged at step ${curve.divergedAt}`;
  if (moved === null) return `${nameOf(norm)}: no step to compare yet`;
  const far = `moves by ${percentText(moved)} of its spread`;
  return whole ? `${nameOf(norm)}: in ${lastSteps(curve)} a mean ${far}` : `${STYLE[norm].short}: a mean ${far}`;
}

const percentText = (share) => `${share < 0.1 ? +(100 * share).toPrecision(1) : Math.round(100 * share)} %`;

function lastSteps({ layers }) {
  const [from, to] = layers.slice(-2).map(([step]) => step);
  return to - from === 1 ? "one step" : `${to - from} steps`;
}

const tops = new WeakMap();  // of each curve: the highest end of a bar so far, and in how many looks

/** Looks at what is new alone: a long race has many looks. */
function highestOf(curve) {
  const { count, highest } = tops.get(curve) ?? { count: 0, highest: 0 };
  const ends = curve.layers.slice(count).flatMap(([, rows]) => rows.map(([mean, variance]) => mean + deviation(variance)));
  const now = ends.reduce((most, end) => Math.max(most, end), highest);
  tops.set(curve, { count: curve.layers.length, highest: now });
  return now;
}

/** The top of the common scale: the smallest stop above all that was seen. */
export function scaleTop(curves) {
  const highest = Math.max(0, ...curves.map(highestOf));
  return TOPS.find((top) => highest <= top) ?? HIGHEST;
}

/** Where a panel has its bars, in a frame of this size. */
function boxOf({ width, height, em }) {
  return { left: 3.6 * em, right: width - 0.6 * em, top: 0.7 * em, bottom: height - 2.6 * em };
}

/** The picture of one net: `draw(rows, depth, top)`, rows as in newest(). */
function layerPanel(norm, units) {
  const axes = svg("g"), bars = svg("path", { class: "bnlab-bars" }), means = svg("path", { class: "bnlab-means" });
  const picture = svg("svg", { class: "bnlab-plot bnlab-layer-plot", role: "img" }, axes, bars, means);
  const caption = html("figcaption", { class: "bnlab-caption" });
  const frame = html("div", { class: "bnlab-frame" }, picture);
  const figure = html("figure", { class: "bnlab-figure" }, caption, frame);
  picture.dataset.norm = norm;
  coloured(picture, norm);
  let size = null, axesShown = "", last = null;

  /** Of the frame: the picture's own shape follows from its viewBox, which is that of before. */
  function measure() {
    const { clientWidth: width, clientHeight: height } = frame;
    if (!width || !height) return false;
    size = { width, height, em: parseFloat(getComputedStyle(picture).fontSize) };
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return true;
  }

  function draw(rows, depth, top) {
    last = [rows, depth, top];
    if (!size && !measure()) return;
    const box = boxOf(size), low = -top / 4;  // a mean near 0 has a bar that reaches below 0
    const y = (v) => box.bottom - ((Math.min(top, Math.max(low, v)) - low) / (top - low)) * (box.bottom - box.top);
    const x = (layer, unit) => box.left + ((layer + (unit + 1) / (units + 1)) / depth) * (box.right - box.left);
    const shown = [size.width, size.height, size.em, depth, top].join();
    if (shown !== axesShown) axes.replaceChildren(...axesOf(box, y, depth, top));
    axesShown = shown;
    const each = (mark) => rows.map(([mean, variance], i) =>
      mark(x(Math.floor(i / units), i % units).toFixed(1), mean, deviation(variance))).join("");
    const height = (v) => y(v).toFixed(1);
    bars.setAttribute("d", each((at, mean, spread) => `M${at},${height(mean - spread)}V${height(mean + spread)}`));
    means.setAttribute("d", each((at, mean) => `M${at},${height(mean)}h0`));
  }

  function axesOf(box, y, depth, top) {
    const { em } = size, middle = (box.top + box.bottom) / 2, parts = [];
    const text = (words, place) => parts.push(svg("text", { "text-anchor": "middle", ...place }, words));
    const line = (kind, d) => parts.push(svg("path", { class: kind, d }));
    const isLow = box.bottom - box.top < 3.2 * em;  // no room for a third number
    for (const value of isLow ? [0, top] : [0, top / 2, top]) {
      line("bnlab-grid", `M${box.left},${y(value)}H${box.right}`);
      const place = { x: box.left - 0.3 * em, y: y(value) + 0.35 * em, "text-anchor": "end" };
      text(`${value === HIGHEST ? "≥ " : ""}${value}`, place);
    }
    for (let layer = 0; layer < depth; layer += Math.ceil(depth / 6)) {
      text(layer + 1, { x: box.left + ((layer + 0.5) / depth) * (box.right - box.left), y: box.bottom + 1.2 * em });
    }
    line("bnlab-tick", `M${box.left},${box.top}V${box.bottom}H${box.right}`);
    text("layer", { x: (box.left + box.right) / 2, y: box.bottom + 2.4 * em });
    const turned = `rotate(-90 ${0.9 * em} ${middle})`;
    if (!isLow) text("output", { x: 0.9 * em, y: middle, transform: turned });
    return parts;
  }

  const watch = sizeWatch(() => {
    size = null;
    if (last) draw(...last);
  });
  watch.observe(frame);
  return { picture, caption, figure, draw, destroy: () => watch.disconnect() };
}

const SOON = 100;  // ms between two drawings while the nets train

export function layerView({ units }) {
  const panels = new Map();  // one for each net
  const row = html("div", { class: "bnlab-layers" });
  const meaning = html("p", { class: "bnlab-caption" });
  const element = html("div", { class: "bnlab-layer-view", hidden: true }, meaning, row);
  const soon = throttle(drawNow, SOON);

  function panel(norm) {
    if (!panels.has(norm)) panels.set(norm, layerPanel(norm, units));
    return panels.get(norm);
  }

  function draw(race, names) {
    if (race?.phase === "training") { soon(race, names); return; }
    soon.cancel();
    drawNow(race, names);
  }

  function drawNow(race, names) {
    const drawn = race ? names.filter((norm) => newest(race.curves.get(norm))) : [];
    element.hidden = drawn.length === 0;
    if (!drawn.length) return;
    const figures = drawn.map((norm) => panel(norm).figure);
    if (figures.some((figure, i) => row.children[i] !== figure) || row.children.length !== figures.length) {
      row.replaceChildren(...figures);
    }
    explain(race.curves.get(drawn[0]));
    const top = scaleTop(drawn.map((norm) => race.curves.get(norm)));
    for (const norm of drawn) drawPanel(panel(norm), norm, race.curves.get(norm), top);
  }

  function explain(curve) {
    const moves = curve.layers.length > 1 ? `; how far a mean moves in ${lastSteps(curve)}` : "";
    const text = `outputs of ${units} units a layer: mean (dot) and spread (bar)${moves}`;
    if (meaning.textContent !== text) meaning.textContent = text;
  }

  function drawPanel({ picture, caption, draw: drawRows }, norm, curve, top) {
    const text = movementText(norm, curve), [step, rows] = curve.layers.at(-1);
    if (caption.textContent !== text) caption.textContent = text;
    picture.setAttribute("aria-label", `Outputs of the layers at step ${step}, ${movementText(norm, curve, true)}.`);
    picture.dataset.step = step;
    drawRows(rows, rows.length / units, top);
  }

  function destroy() {
    soon.cancel();
    for (const { destroy: end } of panels.values()) end();
  }
  return { element, draw, destroy };
}
