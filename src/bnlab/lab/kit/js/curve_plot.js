// Curves of nets in training, and the legend that switches them.

import { curveMarks, putLabels } from "./curve_marks.js";
import { html, sizeWatch, svg } from "./elements.js";
import { placeEvents, placeLabels } from "./label_places.js";
import { swatch, textWidth } from "./looks.js";
import { cursor } from "./plot_cursor.js";
import { SCALES, spacedTicks } from "./plot_scales.js";
import { STYLE } from "./style.js";

/** Buttons that switch curves on and off. */
export function legend(onToggle) {
  const element = html("div", { class: "bnlab-legend", role: "group", "aria-label": "curves shown" });
  let keys = new Map();
  function key(name) {
    const press = html("button", {
      type: "button", class: "bnlab-key",
      onclick: () => {
        const on = press.getAttribute("aria-pressed") !== "true";
        press.setAttribute("aria-pressed", String(on));
        onToggle(name, on);
      },
    }, swatch(name), " ", STYLE[name].short);
    press.dataset.norm = name;
    return [name, press];
  }
  function set(names, hidden) {
    if (names.join() !== [...keys.keys()].join()) {
      keys = new Map(names.map(key));
      element.replaceChildren("curves:", ...keys.values());
    }
    for (const [name, press] of keys) press.setAttribute("aria-pressed", String(!hidden.has(name)));
  }
  return { element, set };
}

/**
 * A plot of one curve per normalizer over the steps of a training; `names` are those it may show,
 * `scale` is a name in SCALES, or a scale like those; `axis` is what it has along.
 * `draw(curves, sentence, key, events)`: curves are {name, points: [[step, value], ...], divergedAt};
 * the sentence is the alt text, and `key` (in data-shown) names the setting that is drawn. Events,
 * {step, text}, are upright lines, with their words at the foot of an accuracy, else at the top.
 * A curve may have a `band`, [[step, low, high], ...], and `dots` like its points, values of single
 * steps; and be a `ghost`: one from before, pale and behind the others.
 */
export function curvePlot({ title, scale, steps, names, axis = "step" }) {
  const kind = SCALES[scale] ?? scale, { at, ticks, chance = null } = kind;
  const margin = 0.8 + 0.58 * Math.max(...ticks.map(([, text]) => text.length));  // em
  const [axes, upright, bands, ghosts, lines, labels] = Array.from({ length: 6 }, () => svg("g"));
  axes.setAttribute("class", "bnlab-axes");
  const picture = svg("svg", { class: "bnlab-plot", role: "img", "aria-label": title },
    axes, bands, ghosts, upright, lines, labels);
  const frame = html("div", { class: "bnlab-frame" }, picture);
  const element = html("figure", { class: "bnlab-figure" },
    html("figcaption", { class: "bnlab-caption" }, title), frame);
  const marks = curveMarks({ bands, ghosts, lines, labels });
  const guessing = chance === null ? null : chanceLabel(labels);
  const values = cursor({ title, word: axis, write: kind.write });
  frame.append(values.element);
  let view = null, last = [[], title, "", []];

  function measure() {
    const width = frame.clientWidth, height = frame.clientHeight;
    if (!width || !height) return false;
    const { fontSize, fontFamily } = getComputedStyle(picture), em = parseFloat(fontSize);
    const words = [...names.map((name) => STYLE[name].short), "before", "chance"];
    const room = 1.3 + Math.max(...words.map((text) => textWidth(text, fontFamily)));
    const left = margin * em, right = width - room * em, top = 0.7 * em, bottom = height - 2.5 * em;
    view = {
      em, font: fontFamily, width, left, right, top, bottom,
      x: (step) => left + (step / steps) * (right - left),
      y: (value) => bottom - at(value) * (bottom - top),
    };
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return true;
  }

  function drawAxes() {
    const { em, left, right, top, bottom, x, y } = view, parts = [];
    for (const [value, text] of spacedTicks(ticks, y, em)) {
      parts.push(svg("path", { class: "bnlab-grid", d: `M${left},${y(value)}H${right}` }));
      parts.push(svg("text", { x: left - 0.4 * em, y: y(value) + 0.35 * em, "text-anchor": "end" }, text));
    }
    for (const step of [0, steps / 3, (2 * steps) / 3, steps].map(Math.round)) {
      parts.push(svg("path", { class: "bnlab-tick", d: `M${x(step)},${bottom}v${0.3 * em}` }));
      parts.push(svg("text", { x: x(step), y: bottom + 1.3 * em, "text-anchor": "middle" }, step));
    }
    if (guessing) parts.push(svg("path", { class: "bnlab-chance", d: `M${left},${y(chance)}H${right}` }));
    parts.push(svg("path", { class: "bnlab-tick", d: `M${left},${top}V${bottom}H${right}` }));
    parts.push(svg("text", { x: (left + right) / 2, y: bottom + 2.25 * em, "text-anchor": "middle" }, axis));
    axes.replaceChildren(...parts);
  }

  /** Draws them; where their words stand. */
  function drawEvents(events) {
    const { em, top, bottom, width, font, x } = view, foot = scale === "accuracy";
    const boxes = placeEvents(
      events.map(({ step, text }) => ({ x: x(step), width: textWidth(text, font) * em })),
      { right: width, first: foot ? bottom - 0.85 * em : top + 0.45 * em, row: (foot ? -1.1 : 1.1) * em, gap: 0.4 * em });
    upright.replaceChildren(...events.flatMap(({ step, text }, i) => [
      svg("path", { class: "bnlab-event", d: `M${x(step)},${top}V${bottom}` }),
      svg("text", { class: "bnlab-event-text", x: boxes[i].x, y: boxes[i].y + 0.35 * em }, text),
    ]));
    return boxes;
  }

  /** Small boxes along a curve, for sentences to keep clear of. */
  function trail({ points }) {
    const { em, x, y } = view, spots = points.map(([s, v]) => [x(s), y(v)]), size = 0.5 * em;
    return spots.slice(1).flatMap(([x1, y1], i) => {
      const [x0, y0] = spots[i], count = Math.ceil(Math.hypot(x1 - x0, y1 - y0) / size) || 1;
      return Array.from({ length: count }, (_, k) =>
        ({ x: x0 + ((x1 - x0) * k) / count - size / 2, y: y0 + ((y1 - y0) * k) / count, width: size, height: size }));
    });
  }

  function draw(curves, sentence, key, events = []) {
    last = [curves, sentence, key, events];
    if (picture.dataset.shown !== key) picture.dataset.shown = key;
    picture.setAttribute("aria-label", sentence);
    values.set(curves);
    if (!view && (!measure() || drawAxes())) return;
    const { em, left, right, width, bottom, x, y } = view;
    const words = drawEvents(events), all = marks.draw(curves, view);
    if (guessing) all.push(guessing.at([right, y(chance)], view));
    const trails = all.some(({ wide }) => wide) ? curves.flatMap(trail) : [];
    putLabels(all, placeLabels(all, { left, right: width, top: 0, bottom: bottom + 0.5 * em }, words, trails), em);
    values.place(view, x);
  }

  /** The last step of the axis. */
  function setSteps(count) {
    if (count === steps) return;
    steps = count;
    if (measure()) drawAxes();
  }

  function resize() {
    view = null;
    if (measure()) { drawAxes(); draw(...last); }
  }
  const watch = sizeWatch(resize);
  watch.observe(frame);
  return { element, draw, setSteps, rows: () => curveRows(title, last), destroy: () => watch.disconnect() };
}

/** The word at the line of chance, as a label of a curve. */
function chanceLabel(labels) {
  const element = svg("text", { class: "bnlab-chance-text" }), leader = svg("path", { class: "bnlab-leader" });
  labels.append(leader, element);
  const words = ["chance"];
  return {
    at: (end, { em, font }) => ({
      end, widths: [textWidth(words[0], font) * em], height: 1.15 * em, gap: 0.6 * em, weak: true, words, element, leader,
    }),
  };
}

/** What a plot shows, as rows of a table: see TABLE in widget.js. */
function curveRows(title, [curves, , key]) {
  return curves.flatMap(({ name, points, divergedAt, band = [], ghost, shown }) => {
    const range = new Map(band.map(([step, low, high]) => [step, [low, high]]));
    const about = [title, STYLE[name].label, ghost ? shown : key];
    const rows = points.map(([step, value]) => [...about, step, value, ...(range.get(step) ?? [])]);
    return divergedAt === null ? rows : [...rows, [...about, divergedAt, "diverged"]];
  });
}
