// The drawing of card T8: for each net the matrix of what the output of a sample has to do with the
// input of another one, as squares whose depth of colour is the size of the gradient.

import { html, svg } from "../kit/js/elements.js";
import { coloured } from "../kit/js/looks.js";
import { STYLE } from "../kit/js/style.js";

const MATRIX_TITLE = "gradient of output (row) by input (column)";
const MATRIX_MARGIN = 1.1, MATRIX_HEAD = 1.5;  // in squares

const largestOf = (matrix) => Math.max(...matrix.flat());
const shareOfLargest = (value) => (100 * value).toFixed(value >= 0.1 || value === 0 ? 0 : 1);

/** The matrix in a sentence: how large the gradients off the diagonal are beside those on it. */
function matrixAlt(name, matrix, when) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const on = matrix.map((row, i) => row[i]), off = matrix.flatMap((row, i) => row.filter((_, j) => j !== i));
  return `Matrix of ${matrix.length} outputs by ${matrix.length} inputs with ${STYLE[name].label}, ${when} the training: `
    + `the gradient by another sample’s input is on average ${shareOfLargest(mean(off) / mean(on))} % of that by its own.`;
}

/** The squares of a matrix, numbered, the deepest being the largest. */
function matrixPicture(name, matrix, alt) {
  const count = matrix.length, largest = largestOf(matrix), side = count + MATRIX_MARGIN;
  const squares = matrix.flatMap((row, i) => row.map((value, j) => svg("rect", {
    class: "bnlab-matrix-square", x: MATRIX_MARGIN + j, y: MATRIX_HEAD + i, width: 1, height: 1,
    "fill-opacity": (value / largest).toFixed(3),
  })));
  const numbers = matrix.flatMap((_, i) => [
    svg("text", { x: MATRIX_MARGIN + i + 0.5, y: MATRIX_HEAD - 0.3, "text-anchor": "middle" }, i + 1),
    svg("text", { x: MATRIX_MARGIN - 0.3, y: MATRIX_HEAD + i + 0.7, "text-anchor": "end" }, i + 1),
  ]);
  const edge = svg("rect", { class: "bnlab-matrix-edge", x: MATRIX_MARGIN, y: MATRIX_HEAD, width: count, height: count });
  const picture = svg("svg", {
    class: "bnlab-matrix", role: "img", "aria-label": alt, viewBox: `0 0 ${side + 0.1} ${count + MATRIX_HEAD + 0.1}`,
  }, ...squares, ...numbers, edge);
  picture.dataset.norm = name;
  return coloured(picture, name);
}

/** A drawing of a card, see clinic.js. */
export function matrixView(widget) {
  const row = html("div", { class: "bnlab-matrix-row" });
  const element = html("figure", { class: "bnlab-figure bnlab-matrix-figure" },
    html("figcaption", { class: "bnlab-caption" }, MATRIX_TITLE), row);
  let shown = [];

  function draw(outcome) {
    const names = (outcome?.state.norms ?? []).filter((name) => !widget.hidden.has(name) && outcome.curves.get(name).matrix);
    shown = names.map((name) => [name, outcome.curves.get(name).matrix, outcome.state.when]);
    row.replaceChildren(...shown.map(([name, matrix, when]) => html("div", { class: "bnlab-matrix-part" },
      matrixPicture(name, matrix, matrixAlt(name, matrix, when)),
      html("div", { class: "bnlab-matrix-name" }, STYLE[name].label))));
  }

  /** What is shown, as rows of a table: see TABLE in save_menu.js. */
  const rows = () => shown.flatMap(([name, matrix, when]) => matrix.flatMap((values, i) => values.map((value, j) =>
    [MATRIX_TITLE, STYLE[name].label, `${when} the training, output ${i + 1}`, j + 1, value])));
  return { element, draw, rows, destroy() {} };
}
