// All architectures as points: score or size across, accuracy when trained alone upwards.

import { html, sizeWatch, svg } from "../kit/js/elements.js";
import { MARKERS } from "../kit/js/looks.js";
import { MARKS } from "./choices_grid.js";

const SHAPES = { mine: "o", found: "*", random: "D" };
const NEAREST = 2;  // em: a press further away means no point

/** Round numbers between two values, four or so. */
function roundTicks(low, high) {
  const rough = (high - low) / 4, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const first = Math.ceil(low / step), last = Math.floor(high / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => +((first + i) * step).toPrecision(6));
}

function rangeAround(values) {
  const low = Math.min(...values), high = Math.max(...values), room = 0.04 * (high - low || 1);
  return [low - room, high + room];
}

/** `onPick(number)` hears which architecture is pressed. */
export function cloudPlot({ onPick }) {
  const axes = svg("g", { class: "bnlab-axes" });
  const beyond = svg("path", { class: "bnlab-points bnlab-beyond" }), inside = svg("path", { class: "bnlab-points" });
  const tried = svg("path", { class: "bnlab-tried" }), marks = svg("g");
  const picture = svg("svg", {
    class: "bnlab-plot bnlab-cloud", role: "img", onclick: (event) => press(event),
  }, axes, beyond, inside, tried, marks);
  const frame = html("div", { class: "bnlab-frame" }, picture);
  let last = null, box = null;

  function place({ x, y }) {
    const width = frame.clientWidth, height = frame.clientHeight;
    if (!width || !height) return false;
    const em = parseFloat(getComputedStyle(picture).fontSize);
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const across = rangeAround(x), up = rangeAround(y);
    const left = 2.9 * em, right = width - 0.8 * em, top = 0.7 * em, bottom = height - 2.5 * em;
    box = {
      em, left, right, top, bottom, across, up,
      x: (value) => left + ((value - across[0]) / (across[1] - across[0])) * (right - left),
      y: (value) => bottom - ((value - up[0]) / (up[1] - up[0])) * (bottom - top),
    };
    return true;
  }

  function drawAxes(word) {
    const { em, left, right, top, bottom, x, y, across, up } = box, parts = [];
    for (const value of roundTicks(...up)) {
      parts.push(svg("path", { class: "bnlab-grid", d: `M${left},${y(value)}H${right}` }));
      parts.push(svg("text", { x: left - 0.4 * em, y: y(value) + 0.35 * em, "text-anchor": "end" }, `${value} %`));
    }
    for (const value of roundTicks(...across)) {
      parts.push(svg("path", { class: "bnlab-tick", d: `M${x(value)},${bottom}v${0.3 * em}` }));
      parts.push(svg("text", { x: x(value), y: bottom + 1.3 * em, "text-anchor": "middle" }, value));
    }
    parts.push(svg("path", { class: "bnlab-tick", d: `M${left},${top}V${bottom}H${right}` }));
    parts.push(svg("text", { x: (left + right) / 2, y: bottom + 2.25 * em, "text-anchor": "middle" }, word));
    axes.replaceChildren(...parts);
  }

  const spot = (i) => `${box.x(last.x[i]).toFixed(1)},${box.y(last.y[i]).toFixed(1)}`;
  const dots = (numbers) => numbers.map((i) => `M${spot(i)}h0`).join("");

  function drawMarks({ chosen }) {
    const all = Object.entries(chosen).filter(([, i]) => i !== null);
    marks.replaceChildren(...all.map(([name, i]) => svg("path", {
      class: `bnlab-chosen bnlab-${name}`, d: MARKERS[SHAPES[name]]((name === "found" ? 0.6 : 0.45) * box.em),
      transform: `translate(${spot(i)})`,
    })));
  }

  /**
   * `x` and `y` of all architectures; `allowed` are in the budget, `tried` in this round of the
   * search; `chosen` is {mine, found, random}, each a number or null.
   */
  function draw(shown) {
    last = shown;
    picture.setAttribute("aria-label", shown.alt);
    picture.dataset.shown = shown.key;
    if (!place(shown)) return;
    drawAxes(shown.word);
    const allowed = new Set(shown.allowed);
    beyond.setAttribute("d", dots([...shown.x.keys()].filter((i) => !allowed.has(i))));
    inside.setAttribute("d", dots(shown.allowed));
    tried.setAttribute("d", shown.tried.map((i) => {
      const [x, y] = spot(i).split(","), r = 0.32 * box.em;
      return `M${x - r},${y}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`;
    }).join(""));
    drawMarks(shown);
  }

  function press(event) {
    if (!box || !last) return;
    const { left, top } = picture.getBoundingClientRect();
    const off = (i) => Math.hypot(box.x(last.x[i]) - (event.clientX - left), box.y(last.y[i]) - (event.clientY - top));
    const near = [...last.x.keys()].reduce((a, b) => (off(b) < off(a) ? b : a));
    if (off(near) <= NEAREST * box.em) onPick(near);
  }

  const watch = sizeWatch(() => { if (last) draw(last); });
  watch.observe(frame);
  return { element: frame, draw, destroy: () => watch.disconnect() };
}

const NAMES = { mine: "yours", found: "found", random: "random" };

/** What the marks mean that are there; `most` is the budget in words, "" if everything is within it. */
export function cloudKey() {
  const element = html("p", { class: "bnlab-caption bnlab-cloud-key" });
  function draw({ chosen, tried, most }) {
    const there = Object.entries({ mine: "●", ...MARKS }).filter(([name]) => chosen[name] !== null);
    element.replaceChildren(
      ...there.flatMap(([name, mark]) => [html("span", { class: `bnlab-${name}` }, mark), ` ${NAMES[name]}  `]),
      most ? `· faint: too large (over ${most})` : "", tried.length ? " · rings: tried in this round" : "");
  }
  return { element, draw };
}
