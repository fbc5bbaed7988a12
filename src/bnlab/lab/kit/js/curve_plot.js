// Curves of nets in training, and the legend that switches them.

import { html, sizeWatch, svg } from "./elements.js";
import { coloured, MARKERS, swatch } from "./looks.js";
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

/** How values become heights between 0 (bottom) and 1 (top), and which of them get a tick. */
export const SCALES = {
  loss: {
    at: (v) => Math.log(Math.min(10, Math.max(1e-3, v)) / 1e-3) / Math.log(1e4),
    ticks: [[1e-3, "≤ 0.001"], [0.01, "0.01"], [0.1, "0.1"], [1, "1"], [10, "≥ 10"]],
  },
  accuracy: {
    at: (v) => v,
    ticks: [[0, "0"], [0.2, "0.2"], [0.4, "0.4"], [0.6, "0.6"], [0.8, "0.8"], [1, "1"]],
  },
};

/**
 * Moves boxes {x, y, width, height} up or down until none covers another, y being a box's middle;
 * a box with `avoid` (a list of boxes) keeps clear of these too, if there is room. Boxes side by
 * side keep their order: the label of a lower curve does not stand above that of a higher one.
 */
export function spread(boxes, top, bottom) {
  const placed = [], most = bottom - top, sorted = [...boxes].sort((a, b) => a.y - b.y);
  for (const box of sorted) {
    const wanted = box.y, others = [...placed, ...(box.avoid ?? [])];
    const isBeside = (other) => overlap({ ...box, y: other.y }, other);
    const highest = Math.max(-Infinity, ...placed.filter(isBeside).map((other) => other.y));
    const clear = (y, of) => !of.some((other) => overlap({ ...box, y }, other));
    // Those that come after it need room below it.
    const later = sorted.slice(placed.length + 1).filter(isBeside);
    const lowest = bottom - later.reduce((sum, other) => sum + 1.01 * other.height, 0);
    const within = (y) => Math.max(top, Math.min(lowest, y));
    const heights = [];
    for (let offset = 0; Math.abs(offset) <= most; offset = offset < 0 ? -offset : -offset - 1) {
      heights.push(within(wanted + offset));
    }
    // Words on a curve can be read, words on words cannot.
    box.y = heights.find((y) => y >= highest && clear(y, others))
      ?? heights.find((y) => clear(y, placed)) ?? within(wanted);
    placed.push(box);
  }
}

function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width
    && Math.abs(a.y - b.y) < (a.height + b.height) / 2;
}

/**
 * A plot of one curve per normalizer over the steps of a training; `names` are those it may show,
 * `scale` is a name in SCALES, or a scale like those.
 * `draw(curves, sentence, key, events)`: curves are {name, points: [[step, value], ...], divergedAt};
 * the sentence is the alt text, and `key` (in data-shown) names the setting that is drawn. Events,
 * {step, text}, are upright lines, with their words at the foot of an accuracy, else at the top.
 * A curve may have a `band`, [[step, low, high], ...], and be a `ghost`: one from before, pale and
 * behind the others.
 */
export function curvePlot({ title, scale, steps, names }) {
  const { at, ticks } = SCALES[scale] ?? scale;
  const margin = 0.8 + 0.58 * Math.max(...ticks.map(([, text]) => text.length));  // em
  const room = Math.max(5, 0.8 + 0.58 * Math.max(...names.map((name) => STYLE[name].short.length)));
  const axes = svg("g", { class: "bnlab-axes" }), upright = svg("g"), labels = svg("g");
  const bands = svg("g"), ghosts = svg("g"), lines = svg("g");
  const picture = svg("svg", { class: "bnlab-plot", role: "img", "aria-label": title },
    axes, bands, ghosts, upright, lines, labels);
  const frame = html("div", { class: "bnlab-frame" }, picture);
  const element = html("figure", { class: "bnlab-figure" },
    html("figcaption", { class: "bnlab-caption" }, title), frame);
  const marks = new Map();
  let box = null, inTheWay = [], last = [[], title, "", []];

  function measure() {
    const width = frame.clientWidth, height = frame.clientHeight;
    if (!width || !height) return false;
    const em = parseFloat(getComputedStyle(picture).fontSize);
    box = {
      em, width, height,
      left: margin * em, right: width - room * em, top: 0.7 * em, bottom: height - 2.5 * em,
    };
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return true;
  }
  const x = (step) => box.left + (step / steps) * (box.right - box.left);
  const y = (value) => box.bottom - at(value) * (box.bottom - box.top);

  function drawAxes() {
    const { em, left, right, top, bottom } = box, parts = [];
    for (const [value, text] of ticks) {
      parts.push(svg("path", { class: "bnlab-grid", d: `M${left},${y(value)}H${right}` }));
      parts.push(svg("text", { x: left - 0.4 * em, y: y(value) + 0.35 * em, "text-anchor": "end" }, text));
    }
    for (const step of [0, steps / 3, (2 * steps) / 3, steps].map(Math.round)) {
      parts.push(svg("path", { class: "bnlab-tick", d: `M${x(step)},${bottom}v${0.3 * em}` }));
      parts.push(svg("text", { x: x(step), y: bottom + 1.3 * em, "text-anchor": "middle" }, step));
    }
    parts.push(svg("path", { class: "bnlab-tick", d: `M${left},${top}V${bottom}H${right}` }));
    parts.push(svg("text", { x: (left + right) / 2, y: bottom + 2.25 * em, "text-anchor": "middle" }, "step"));
    axes.replaceChildren(...parts);
  }

  /** Draws them; where their words stand. */
  function drawEvents(events) {
    const { em, top, bottom } = box, middle = scale === "accuracy" ? bottom - 0.85 * em : top + 0.45 * em;
    upright.replaceChildren(...events.flatMap(({ step, text }) => [
      svg("path", { class: "bnlab-event", d: `M${x(step)},${top}V${bottom}` }),
      svg("text", { class: "bnlab-event-text", x: x(step) + 0.4 * em, y: middle + 0.35 * em }, text),
    ]));
    return events.map(({ step, text }) =>
      ({ x: x(step) + 0.4 * em, y: middle, width: text.length * 0.56 * em, height: 1.1 * em }));
  }

  const markKey = ({ name, ghost }) => `${ghost ? "before " : ""}${name}`;

  function mark(curve) {
    const key = markKey(curve), { name, ghost } = curve;
    if (!marks.has(key)) {
      const pale = ghost ? " bnlab-ghost" : "";
      const line = svg("path", { class: `bnlab-curve${pale}` }), area = svg("path", { class: `bnlab-band${pale}` });
      const end = svg("path", {}), label = svg("text", { class: `bnlab-label${pale}` });
      line.dataset.norm = label.dataset.norm = name;
      for (const part of [line, area, end, label]) coloured(part, name);
      bands.append(area);
      (ghost ? ghosts : lines).append(line, end);
      labels.append(label);
      marks.set(key, { line, area, end, label });
    }
    return marks.get(key);
  }

  /** The outline of a band: along its lower edge and back along the upper one. */
  function outline(band) {
    const edge = (points) => points.map(([s, v]) => `${x(s).toFixed(1)},${y(v).toFixed(1)}`).join("L");
    const low = band.map(([s, v]) => [s, v]), high = band.map(([s, , v]) => [s, v]).reverse();
    return band.length ? `M${edge([...low, ...high])}z` : "";
  }

  function drawCurve(curve) {
    const { name, points, divergedAt, band = [], ghost } = curve, diverged = divergedAt !== null;
    const { line, area, end, label } = mark(curve);
    area.setAttribute("d", outline(band));
    const d = points.map(([s, v], i) => `${i ? "L" : "M"}${x(s).toFixed(1)},${y(v).toFixed(1)}`).join("");
    line.setAttribute("d", d);
    line.dataset.points = points.length;
    line.setAttribute("stroke-dasharray", STYLE[name].dash.map((part) => (part * box.em) / 14).join(" "));
    // A net that diverged before its first point left the picture through the top of the loss.
    const [step, value] = points.at(-1) ?? [divergedAt ?? 0, Infinity];
    const spot = { x: x(step), y: points.length ? y(value) : box.top };
    const visible = points.length > 0 || diverged;
    end.setAttribute("d", visible ? MARKERS[diverged ? "x" : STYLE[name].marker](0.3 * box.em) : "");
    end.setAttribute("class", `${diverged ? "bnlab-cross" : "bnlab-dot"}${ghost ? " bnlab-ghost" : ""}`);
    end.setAttribute("transform", `translate(${spot.x.toFixed(1)},${spot.y.toFixed(1)})`);
    const short = STYLE[name].short;
    label.textContent = !visible ? "" : ghost ? "before" : diverged ? `${short} diverged at step ${divergedAt}` : short;
    return visible ? labelBox(label, spot, diverged) : null;
  }

  function labelBox(label, spot, diverged) {
    const { em, left, width } = box, long = label.textContent.length * 0.56 * em;
    const gap = (diverged ? 1 : 0.6) * em;
    const toRight = spot.x + gap + long <= width || !diverged;
    const start = toRight ? spot.x + gap : Math.max(left, spot.x - gap - long);
    return { label, x: start, y: spot.y, width: long, height: 1.1 * em, avoid: diverged ? inTheWay : null };
  }

  /** Small boxes along a curve, for the words of an event to keep clear of. */
  function trail({ points }) {
    const spots = points.map(([s, v]) => [x(s), y(v)]), size = 0.4 * box.em;
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
    if (!box && (!measure() || drawAxes())) return;
    const words = drawEvents(events), kept = new Set(curves.map(markKey));
    for (const [key, parts] of marks) {
      if (kept.has(key)) continue;
      Object.values(parts).forEach((part) => part.remove());
      marks.delete(key);
    }
    inTheWay = curves.some((curve) => curve.divergedAt !== null) ? [...words, ...curves.flatMap(trail)] : [];
    const boxes = curves.map(drawCurve).filter(Boolean);
    spread(boxes, box.top + 0.3 * box.em, box.bottom - 0.8 * box.em);
    for (const { label, x: left, y: middle } of boxes) {
      label.setAttribute("x", left.toFixed(1));
      label.setAttribute("y", (middle + 0.35 * box.em).toFixed(1));
    }
  }

  /** The last step of the axis. */
  function setSteps(count) {
    if (count === steps) return;
    steps = count;
    if (box) drawAxes();
  }

  function resize() {
    box = null;
    if (measure()) { drawAxes(); draw(...last); }
  }
  const watch = sizeWatch(resize);
  watch.observe(frame);
  return { element, draw, setSteps, destroy: () => watch.disconnect() };
}
