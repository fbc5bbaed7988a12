// The parts that every widget of the book is made of. Each maker returns an object with `element`
// and the few methods that its users need; `destroy` where a part listens beyond its own element.

import { STYLE } from "./style.js";  // made by bundle.py from draw/style.json

// Each widget of a page brings a copy of this module with it: what must differ is counted globally.
export function uniqueId(stem) {
  globalThis.bnlabIds = (globalThis.bnlabIds ?? 0) + 1;
  return `bnlab-${stem}-${globalThis.bnlabIds}`;
}

// ---- elements ----------------------------------------------------------------------------------

function build(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children);
  // JupyterLab takes arrow keys, Enter and Space away from controls in outputs without this mark.
  if (/^(input|button)$/.test(node.localName)) node.dataset.lmSuppressShortcuts = "true";
  return node;
}

export function html(tag, attributes = {}, ...children) {
  return build(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return build(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

/** Gives an element the colour of a normalizer, for light and dark pages, as --bnlab-colour. */
export function coloured(element, name) {
  const { light, dark } = STYLE[name];
  element.style.setProperty("--bnlab-colour", `light-dark(${light}, ${dark})`);
  return element;
}

/** Calls `action` at once, then at most every `wait` ms; the last call is never lost. */
export function throttle(action, wait) {
  let timer = null, again = null, last = -Infinity;
  const run = (args) => { last = performance.now(); action(...args); };
  const late = () => { timer = null; if (again) { const args = again; again = null; run(args); } };
  const throttled = (...args) => {
    const left = last + wait - performance.now();
    if (timer === null && left <= 0) return run(args);
    again = args;
    timer ??= setTimeout(late, left);
  };
  throttled.cancel = () => { clearTimeout(timer); timer = again = null; };
  return throttled;
}

/** At most one call of `action` per animation frame. */
export function perFrame(action) {
  let handle = 0;
  const ask = () => { handle ||= requestAnimationFrame(() => { handle = 0; action(); }); };
  ask.cancel = () => { cancelAnimationFrame(handle); handle = 0; };
  return ask;
}

// ---- controls ----------------------------------------------------------------------------------

const plain = (value) => String(value);

/** A slider over a list of stops. `show` writes a stop with its unit. */
export function slider({ label, values, value, show = plain, onInput }) {
  const id = uniqueId("slider");
  const output = html("output", { for: id, class: "bnlab-value" });
  const input = html("input", {
    id, type: "range", min: 0, max: values.length - 1, step: 1, class: "bnlab-slider",
    oninput: () => { refresh(); onInput(values[input.value]); },
  });
  function refresh() {
    const text = show(values[input.value]);
    if (output.textContent === text) return;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  }
  function set(next) {
    const at = values.indexOf(next);
    if (at < 0) throw new RangeError(`${label}: ${next} is not a stop of the slider`);
    input.value = at;
    refresh();
  }
  set(value);
  const caption = html("span", { class: "bnlab-caption" },
    html("label", { for: id }, label), " ", output);
  return { element: html("div", { class: "bnlab-control bnlab-wide" }, caption, input), set };
}

function option(type, group, { value, text, swatchOf, checked, reason }, onchange) {
  const input = html("input", {
    type, name: group, value, checked, onchange,
    "aria-disabled": reason ? "true" : null, "aria-describedby": reason ? `${group}-why` : null,
  });
  const face = html("span", { class: "bnlab-face" });
  if (swatchOf) face.append(swatch(swatchOf), " ");
  face.append(text);
  return { input, element: html("label", { class: "bnlab-option" }, input, face) };
}

function optionGroup(label, options, ...after) {
  return html("fieldset", { class: "bnlab-control" }, html("legend", { class: "bnlab-caption" }, label),
    html("div", { class: "bnlab-options" }, ...options.map((one) => one.element)), ...after);
}

/** One out of a few: `items` are values or {value, text, swatchOf}. */
export function choice({ label, items, value = null, onChange }) {
  const group = uniqueId("choice");
  const all = items.map((item) => (typeof item === "object" ? item : { value: item, text: item }));
  const options = all.map((item) => option("radio", group, item, () => onChange(item.value)));
  const set = (next) => options.forEach((one, i) => { one.input.checked = all[i].value === next; });
  set(value);
  return { element: optionGroup(label, options), set };
}

/**
 * Several out of a few. `items` are {value, text, swatchOf, reason}; an item with a reason cannot
 * be chosen but keeps its place in the tab order, so that the reason can be heard too.
 */
export function toggles({ label, items, chosen, atLeast = 1, atMost = 5, onChange, onRefuse }) {
  const group = uniqueId("toggles");
  const options = items.map((item) => option("checkbox", group, item, (event) => change(item, event)));
  const current = () => items.filter((_, i) => options[i].input.checked).map((item) => item.value);
  function change(item, event) {
    const count = current().length;
    if (!item.reason && count >= atLeast && count <= atMost) return onChange(current());
    event.target.checked = !event.target.checked;
    onRefuse(item.reason ? `${item.text} ${item.reason}`
      : count < atLeast ? `at least ${atLeast} must stay chosen` : `at most ${atMost} can be chosen`);
  }
  const set = (values) =>
    options.forEach((one, i) => { one.input.checked = values.includes(items[i].value); });
  set(chosen);
  const reasons = items.filter((item) => item.reason).map((item) => `${item.text}: ${item.reason}`);
  const why = html("span", { id: `${group}-why`, class: "bnlab-why" }, reasons.join("; "));
  return { element: optionGroup(label, options, ...(reasons.length ? [why] : [])), set };
}

export function checkbox({ label, value, onChange }) {
  const input = html("input", { type: "checkbox", onchange: () => onChange(input.checked) });
  const element = html("label", { class: "bnlab-check" }, input, " ", label);
  const set = (next) => { input.checked = next; };
  set(value);
  return { element, set };
}

/** A button that stays in the tab order while it is off. */
export function button({ text, kind = "", title = null, onClick }) {
  const element = html("button", {
    type: "button", class: `bnlab-button ${kind}`, title,
    onclick: () => { if (element.getAttribute("aria-disabled") !== "true") onClick(); },
  }, text);
  return {
    element,
    setText(next) { if (element.textContent !== next) element.textContent = next; },
    enable(on) { element.setAttribute("aria-disabled", String(!on)); },
  };
}

/** Says which engine computes. */
export function badge() {
  const element = html("span", { class: "bnlab-badge" });
  return { element, set(text) { if (element.textContent !== text) element.textContent = text; } };
}

/** Text that a screen reader reads when it changes, at most every `wait` ms. */
export function liveText({ kind, wait = 1500 }) {
  const element = html("p", { class: kind, "aria-live": "polite" });
  const set = (text) => { if (element.textContent !== text) element.textContent = text; };
  const soon = throttle(set, wait);
  return { element, soon, now(text) { soon.cancel(); set(text); }, destroy: soon.cancel };
}

// ---- full screen -------------------------------------------------------------------------------

/** A button that lets `target` fill the screen; where the browser refuses, it fills the window. */
export function fullScreen(target) {
  const toggle = button({ text: "Full screen", onClick: () => (large() ? leave() : enter()) });
  const large = () => target.classList.contains("bnlab-large");
  function show(on) {
    target.classList.toggle("bnlab-large", on);
    toggle.setText(on ? "Leave full screen" : "Full screen");
  }
  async function enter() {
    show(true);
    try { await target.requestFullscreen(); } catch { /* the class alone fills the window */ }
  }
  function leave() {
    show(false);
    if (document.fullscreenElement === target) document.exitFullscreen();
  }
  const followBrowser = () => { if (!document.fullscreenElement && large()) show(false); };
  const escape = (event) => { if (event.key === "Escape" && large()) leave(); };
  document.addEventListener("fullscreenchange", followBrowser);
  target.addEventListener("keydown", escape);
  function destroy() {
    document.removeEventListener("fullscreenchange", followBrowser);
    if (large()) leave();
  }
  return { element: toggle.element, destroy };
}

// ---- guess box ---------------------------------------------------------------------------------

/** Asks for a prediction before the outcome is shown. `items` as in `choice`. */
export function guessBox({ hint }) {
  const body = html("div", {});
  let asked = "", answers = null;
  const element = html("div", { class: "bnlab-guess", hidden: true },
    body, html("p", { class: "bnlab-hint" }, hint));
  return {
    element,
    ask(question, items, value, onGuess) {
      const now = JSON.stringify([question, items]);
      if (now !== asked) {
        answers = choice({ label: question, items, onChange: onGuess });
        body.replaceChildren(answers.element);
        asked = now;
      }
      answers.set(value);
      element.hidden = false;
    },
    close() { element.hidden = true; },
  };
}

// ---- curves ------------------------------------------------------------------------------------

/** A polygon, first corner up; `radii`, in turn from corner to corner, make stars and crosses. */
const corners = (count, radii = [1.15], turn = 0) => (r) => "M" + Array.from({ length: count }, (_, i) => {
  const angle = ((i + turn) / count) * 2 * Math.PI, radius = radii[i % radii.length] * r;
  return `${(radius * Math.sin(angle)).toFixed(2)},${(-radius * Math.cos(angle)).toFixed(2)}`;
}).join("L") + "z";

export const MARKERS = {
  o: (r) => `M${-r},0a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0z`,
  s: (r) => `M${-r},${-r}h${2 * r}v${2 * r}h${-2 * r}z`,
  "^": (r) => `M0,${-1.2 * r}L${1.15 * r},${0.9 * r}H${-1.15 * r}z`,
  v: (r) => `M0,${1.2 * r}L${1.15 * r},${-0.9 * r}H${-1.15 * r}z`,
  ">": (r) => `M${1.2 * r},0L${-0.9 * r},${1.15 * r}V${-1.15 * r}z`,
  "<": (r) => `M${-1.2 * r},0L${0.9 * r},${1.15 * r}V${-1.15 * r}z`,
  D: (r) => `M0,${-1.3 * r}L${1.3 * r},0L0,${1.3 * r}L${-1.3 * r},0z`,
  d: (r) => `M0,${-1.35 * r}L${0.8 * r},0L0,${1.35 * r}L${-0.8 * r},0z`,
  p: corners(5),
  h: corners(6),
  H: corners(6, [1.15], 0.5),
  8: corners(8, [1.15], 0.5),
  "*": corners(10, [1.4, 0.6]),
  P: corners(8, [1.3, 0.6]),
  X: corners(8, [0.6, 1.3]),
  ".": (r) => MARKERS.o(0.6 * r),
  x: (r) => `M${-r},${-r}L${r},${r}M${-r},${r}L${r},${-r}`,
};

/** A short piece of a normalizer's curve: colour, dash and marker. */
export function swatch(name) {
  const { dash, marker } = STYLE[name];
  const picture = svg("svg", { class: "bnlab-swatch", viewBox: "0 0 34 12", "aria-hidden": "true" },
    svg("path", { class: "bnlab-curve", d: "M1,6H33", "stroke-dasharray": dash.join(" ") }),
    svg("path", { class: "bnlab-dot", d: MARKERS[marker](3.4), transform: "translate(17,6)" }));
  return coloured(picture, name);
}

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
  const placed = [], most = bottom - top;
  for (const box of [...boxes].sort((a, b) => a.y - b.y)) {
    const wanted = box.y, others = [...placed, ...(box.avoid ?? [])];
    const beside = placed.filter((other) => overlap({ ...box, y: other.y }, other));
    const highest = Math.max(-Infinity, ...beside.map((other) => other.y));
    const free = (y) => y >= highest && !others.some((other) => overlap({ ...box, y }, other));
    const within = (y) => Math.min(bottom, Math.max(top, y));
    box.y = within(wanted);
    for (let offset = 0; Math.abs(offset) <= most; offset = offset < 0 ? -offset : -offset - 1) {
      if (free(within(wanted + offset))) { box.y = within(wanted + offset); break; }
    }
    placed.push(box);
  }
}

function overlap(a, b) {
  return a.x < b.x + b.width && b.x < a.x + a.width
    && Math.abs(a.y - b.y) < (a.height + b.height) / 2;
}

/**
 * A plot of one curve per normalizer over the steps of a training; `names` are those it may show.
 * `draw(curves, sentence, key)`: curves are {name, points: [[step, value], ...], divergedAt};
 * the sentence is the alt text, and `key` (in data-shown) names the setting that is drawn.
 */
export function curvePlot({ title, scale, steps, names }) {
  const { at, ticks } = SCALES[scale];
  const margin = 0.8 + 0.58 * Math.max(...ticks.map(([, text]) => text.length));  // em
  const room = Math.max(5, 0.8 + 0.58 * Math.max(...names.map((name) => STYLE[name].short.length)));
  const axes = svg("g", { class: "bnlab-axes" }), lines = svg("g"), labels = svg("g");
  const picture = svg("svg", { class: "bnlab-plot", role: "img", "aria-label": title }, axes, lines, labels);
  const frame = html("div", { class: "bnlab-frame" }, picture);
  const element = html("figure", { class: "bnlab-figure" },
    html("figcaption", { class: "bnlab-caption" }, title), frame);
  const marks = new Map();
  let box = null, inTheWay = [], last = [[], title, ""];

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

  function mark(name) {
    if (!marks.has(name)) {
      const line = svg("path", { class: "bnlab-curve" });
      const end = svg("path", {}), label = svg("text", { class: "bnlab-label" });
      line.dataset.norm = label.dataset.norm = name;
      for (const part of [line, end, label]) coloured(part, name);
      lines.append(line, end);
      labels.append(label);
      marks.set(name, { line, end, label });
    }
    return marks.get(name);
  }

  function drawCurve({ name, points, divergedAt }) {
    const { line, end, label } = mark(name), diverged = divergedAt !== null;
    const d = points.map(([s, v], i) => `${i ? "L" : "M"}${x(s).toFixed(1)},${y(v).toFixed(1)}`).join("");
    line.setAttribute("d", d);
    line.dataset.points = points.length;
    line.setAttribute("stroke-dasharray", STYLE[name].dash.map((part) => (part * box.em) / 14).join(" "));
    // A net that diverged before its first point left the picture through the top of the loss.
    const [step, value] = points.at(-1) ?? [divergedAt ?? 0, Infinity];
    const spot = { x: x(step), y: points.length ? y(value) : box.top };
    const visible = points.length > 0 || diverged;
    end.setAttribute("d", visible ? MARKERS[diverged ? "x" : STYLE[name].marker](0.3 * box.em) : "");
    end.setAttribute("class", diverged ? "bnlab-cross" : "bnlab-dot");
    end.setAttribute("transform", `translate(${spot.x.toFixed(1)},${spot.y.toFixed(1)})`);
    const short = STYLE[name].short;
    label.textContent = !visible ? "" : diverged ? `${short} diverged at step ${divergedAt}` : short;
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

  function draw(curves, sentence, key) {
    last = [curves, sentence, key];
    if (picture.dataset.shown !== key) picture.dataset.shown = key;
    picture.setAttribute("aria-label", sentence);
    if (!box && (!measure() || drawAxes())) return;
    const names = new Set(curves.map((curve) => curve.name));
    for (const [name, parts] of marks) {
      if (names.has(name)) continue;
      Object.values(parts).forEach((part) => part.remove());
      marks.delete(name);
    }
    inTheWay = curves.some((curve) => curve.divergedAt !== null) ? curves.flatMap(trail) : [];
    const boxes = curves.map(drawCurve).filter(Boolean);
    spread(boxes, box.top + 0.3 * box.em, box.bottom - 0.8 * box.em);
    for (const { label, x: left, y: middle } of boxes) {
      label.setAttribute("x", left.toFixed(1));
      label.setAttribute("y", (middle + 0.35 * box.em).toFixed(1));
    }
  }

  function resize() {
    box = null;
    if (measure()) { drawAxes(); draw(...last); }
  }
  const watch = new ResizeObserver(resize);
  watch.observe(frame);
  return { element, draw, destroy: () => watch.disconnect() };
}
