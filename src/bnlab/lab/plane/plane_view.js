// The picture of the plane: a cell for each gamma and rate, the predicted line, a cursor.

import { html, sizeWatch, svg } from "../kit/js/elements.js";
import { coloured } from "../kit/js/looks.js";
import { cellName, columns, finalLoss, goodness, isPredicted, lossText, predictedRate } from "./plane_state.js";

const ROOM = { left: 4.6, right: 0.6, top: 0.6, bottom: 3.4 };  // em
const KEYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

/**
 * `onMove([gamma, rate])` and `onTrain()` are called when the reader moves the cursor or asks for a
 * training. `draw({state, points, sentence, hidden})`.
 */
export function planeView({ options, onMove, onTrain }) {
  const axes = svg("g", { class: "bnlab-axes" }), cells = svg("g"), marks = svg("g"), words = svg("g");
  const picture = svg("svg", {
    class: "bnlab-plot bnlab-field", role: "application", tabindex: 0,
    "aria-roledescription": "plane", "data-lm-suppress-shortcuts": "true",
    onkeydown: (event) => press(event), onclick: (event) => click(event),
  }, axes, cells, marks, words);
  const frame = html("div", { class: "bnlab-plane-frame" }, picture);
  const element = html("figure", { class: "bnlab-figure" },
    html("figcaption", { class: "bnlab-caption" },
      "loss at the end, or × and the step of divergence; ",
      html("span", { class: "bnlab-whole" },
        svg("svg", { class: "bnlab-swatch", viewBox: "0 0 34 12", "aria-hidden": "true" },
          svg("path", { class: "bnlab-star", d: "M1,6H33" })), " border computed before training;"), " ",
      html("span", { class: "bnlab-whole" }, html("span", { class: "bnlab-wrong-key" }), " wrong")), frame);
  let box = null, last = null, drawn = "";
  const known = new Map();  // what is drawn of each cell: {text: of its outcome, rect, words}

  function measure() {
    const width = frame.clientWidth, height = frame.clientHeight;
    if (!width || !height) return false;
    const em = parseFloat(getComputedStyle(picture).fontSize);
    box = {
      em, left: ROOM.left * em, right: width - ROOM.right * em,
      top: ROOM.top * em, bottom: height - ROOM.bottom * em,
    };
    picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
    return true;
  }

  const grid = () => ({ gammas: columns(options, last.state), rates: options.rates });
  function size() {
    const { gammas, rates } = grid();
    return { w: (box.right - box.left) / gammas.length, h: (box.bottom - box.top) / rates.length };
  }
  const corner = (column, row) => {
    const { w, h } = size();
    return { x: box.left + column * w, y: box.bottom - (row + 1) * h, w, h };
  };
  /** Height of a rate between the middles of the cells, on the logarithmic axis. */
  function height(rate) {
    const { rates } = options, { h } = size(), top = rates.length - 1;
    const place = rates.findIndex((value) => value > rate);
    const at = place === 0 ? -0.5 : place < 0 ? top + 0.5
      : place - 1 + Math.log(rate / rates[place - 1]) / Math.log(rates[place] / rates[place - 1]);
    return box.bottom - (at + 0.5) * h;
  }

  function drawAxes() {
    const { em, left, right, bottom } = box, { gammas, rates } = grid(), parts = [];
    const text = (attributes, words) => parts.push(svg("text", attributes, words));
    rates.forEach((rate, row) => {
      const { y, h } = corner(0, row);
      text({ x: left - 0.4 * em, y: y + h / 2 + 0.33 * em, "text-anchor": "end" }, rate);
    });
    gammas.forEach((gamma, column) => {
      const { x, w } = corner(column, 0);
      const what = last.state.norm === "batch" ? gamma : "no normalizer";
      text({ x: x + w / 2, y: bottom + 1.3 * em, "text-anchor": "middle" }, what);
    });
    const name = last.state.norm === "batch" ? "γ (batch norm’s scale) at the start" : "";
    text({ x: (left + right) / 2, y: bottom + 2.7 * em, "text-anchor": "middle" }, name);
    const middle = (box.top + bottom) / 2;
    text({
      x: 0.9 * em, y: middle, "text-anchor": "middle", transform: `rotate(-90 ${0.9 * em} ${middle})`,
    }, "learning rate η");
    axes.replaceChildren(...parts);
  }

  /** Drawn anew only where something has changed: all cells together would take long. */
  function cell(gamma, column, rate, row) {
    const name = cellName([gamma, rate]), point = last.points.get(name), loss = finalLoss(point);
    const outcome = point ? `${point.done} ${point.divergedAt} ${loss}` : "";
    const before = known.get(name);
    if (before?.outcome === outcome) return;
    const [rect, text] = makeCell({ name, point, loss, at: [gamma, rate] }, corner(column, row));
    if (before) { before.rect.replaceWith(rect); before.text.replaceWith(text); } else { cells.append(rect); words.append(text); }
    known.set(name, { outcome, rect, text });
  }

  function makeCell({ name, point, loss, at }, { x, y, w, h }) {
    const gone = point?.done && point.divergedAt !== null;
    const kind = gone ? "lost" : loss !== null ? "trained" : point ? "busy" : "open";
    const wrong = point?.done && !isPredicted(options, last.state, at, point) ? " bnlab-cell-wrong" : "";
    const rect = svg("rect", {
      class: `bnlab-cell bnlab-cell-${kind}${wrong}`, "data-cell": name, rx: 2,
      x: x + 1, y: y + 1, width: Math.max(0, w - 2), height: Math.max(0, h - 2),
      "fill-opacity": loss === null ? null : (0.06 + 0.6 * goodness(loss)).toFixed(3),
    });
    const text = svg("text", {
      class: `bnlab-outcome${gone ? " bnlab-lost" : ""}`, "text-anchor": "middle", x: x + w / 2, y: y + h / 2 + 0.33 * box.em,
    }, gone ? `× ${point.divergedAt}` : loss !== null ? lossText(loss) : point ? "…" : "");
    return [rect, text];
  }

  function line() {
    const { gammas } = grid(), { w } = size();
    const spots = gammas.map((gamma, column) => [
      box.left + (column + 0.5) * w, height(predictedRate(options, last.state, gamma))]);
    const ends = gammas.length > 1 ? spots : [[box.left, spots[0][1]], [box.right, spots[0][1]]];
    const d = ends.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(1)},${y.toFixed(1)}`).join("");
    return [svg("path", { class: "bnlab-star-back", d }), svg("path", { class: "bnlab-star", d })];
  }

  function cursor() {
    const { gammas, rates } = grid(), { gamma, rate } = last.state;
    const column = gammas.length > 1 ? gammas.indexOf(gamma) : 0;
    const { x, y, w, h } = corner(column, rates.indexOf(rate));
    return svg("rect", { class: "bnlab-cursor", x, y, width: w, height: h, rx: 3 });
  }

  function draw(shown) {
    last = shown;
    picture.setAttribute("aria-label", shown.sentence);
    picture.dataset.shown = shown.key;
    coloured(picture, shown.state.norm);
    if (!box && !measure()) return;
    const { gammas, rates } = grid(), { gamma, rate } = shown.state, place = `${shown.key} ${gamma} ${rate}`;
    if (shown.key !== drawn.split(" ")[0]) {
      drawAxes();
      known.clear();
      for (const part of [cells, words]) part.replaceChildren();
    }
    gammas.forEach((one, column) => rates.forEach((value, row) => cell(one, column, value, row)));
    if (place !== drawn) marks.replaceChildren(...line(), cursor());
    drawn = place;
  }

  // ---- the reader ------------------------------------------------------------------------------

  function press(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const move = KEYS[event.key];
    if (!move && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    if (!move) { onTrain(); return; }
    const { gammas, rates } = grid(), { gamma, rate } = last.state;
    const within = (values, value, by) =>
      values[Math.min(values.length - 1, Math.max(0, values.indexOf(value) + by))];
    onMove([gammas.length > 1 ? within(gammas, gamma, move[0]) : gamma, within(rates, rate, move[1])]);
  }

  function click(event) {
    if (!box) return;
    const { left, top } = picture.getBoundingClientRect(), { gammas, rates } = grid(), { w, h } = size();
    const column = Math.floor((event.clientX - left - box.left) / w);
    const row = Math.floor((box.bottom - (event.clientY - top)) / h);
    if (!(column in gammas) || !(row in rates)) return;
    onMove([gammas.length > 1 ? gammas[column] : last.state.gamma, rates[row]]);
    onTrain();
  }

  const watch = sizeWatch(() => {
    box = null;
    drawn = "";
    if (last && measure()) draw(last);
  });
  watch.observe(frame);
  return { element, draw, destroy: () => watch.disconnect() };
}
