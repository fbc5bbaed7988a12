// The signs of a layer as pictures: of its inputs for a few digits, and of its filters. A square is
// filled for plus; a sign that has flipped since the last look has the colour of flips.

import { html, svg } from "../kit/js/elements.js";

const GAP = 1;  // between two tiles, in squares
const FILTER = 3;
const KEY = { plus: "+1", minus: "−1", "new-plus": "+1, just flipped", "new-minus": "−1, just flipped" };

/**
 * Tiles of `side` x `side` bits, `columns` of them in a line; lines are `apart`, and begin at `left`:
 * a path for each of KEY.
 */
function tiles({ now, flipped }, side, columns, { left = 0, apart = side + GAP } = {}) {
  const found = Object.fromEntries(Object.keys(KEY).map((what) => [what, []]));
  now.forEach((bit, i) => {
    const tile = Math.floor(i / side ** 2), inside = i % side ** 2;
    const x = left + (tile % columns) * (side + GAP) + (inside % side);
    const y = Math.floor(tile / columns) * apart + Math.floor(inside / side);
    found[`${flipped[i] ? "new-" : ""}${bit ? "plus" : "minus"}`].push(`M${x},${y}h1v1h-1z`);
  });
  return Object.entries(found).map(([what, squares]) =>
    svg("path", { class: `bnlab-sign-${what}`, d: squares.join("") }));
}

function panel(kind) {
  const picture = svg("svg", { class: "bnlab-signs", "data-signs": kind, preserveAspectRatio: "xMinYMin" });  // no picture before it has a sentence
  const caption = html("figcaption", { class: "bnlab-caption" });
  const element = html("figure", { class: `bnlab-figure bnlab-signs-of-${kind}` }, caption, picture);
  const room = (width, height) => picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  function set(parts, { text, short }) {
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", text);
    picture.replaceChildren(...parts);
    if (caption.dataset.text === text) return;
    caption.dataset.text = text;
    caption.replaceChildren(html("span", { class: "bnlab-short" }, short), html("span", { class: "bnlab-detail" }, text));
  }
  return { element, room, set };
}

/** `digits`: the pixels of each, of images with this side. */
export function bitsView({ digits, side }) {
  const inputs = panel("inputs"), weights = panel("weights"), apart = side + GAP;
  const pixels = digits.flatMap((values, digit) => values.map((value, i) => svg("rect", {
    class: "bnlab-pixel", x: i % side, y: digit * apart + Math.floor(i / side), width: 1, height: 1,
    "fill-opacity": ((6 * value + 5) / 16).toFixed(2),  // from 0 to 16, see bnlab.data.digits
  })));
  const element = html("div", { class: "bnlab-bits-view" },
    html("div", { class: "bnlab-signs-row" }, inputs.element, weights.element),
    html("p", { class: "bnlab-caption bnlab-signs-key" }, ...Object.entries(KEY).map(([what, text]) =>
      html("span", {}, html("span", { class: `bnlab-square bnlab-square-${what}` }), ` ${text}`))));

  /**
   * `found` as signsOf gives it, or null: then the pictures have their room and nothing in it.
   * `texts` as signsText; `shape`: {channels, side, filters}.
   */
  function draw(found, texts, shape) {
    const { channels, filters } = shape, left = side + 2 * GAP, tile = FILTER + GAP;
    inputs.room(left + channels * (shape.side + GAP) - GAP, digits.length * apart - GAP);
    weights.room(channels * tile - GAP, filters * tile - GAP);
    element.classList.toggle("bnlab-unseen", !found);
    if (!found) return;
    inputs.set([...pixels, ...tiles(found.signs, shape.side, channels, { left, apart })], texts.signs);
    weights.set(tiles(found.weights, FILTER, channels), texts.weights);
  }
  return { element, draw };
}
