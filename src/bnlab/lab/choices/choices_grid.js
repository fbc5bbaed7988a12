// The choice blocks as columns of radio buttons, a bar in each: the scale of its operation.

import { html, uniqueId } from "../kit/js/elements.js";
import { byBlock } from "./choices_space.js";

const LEAST_TOP = 1500;  // thousandths: the end of the bars
export const MARKS = { found: "★", random: "◆" };

const scaleText = (thousandths) => (thousandths / 1000).toFixed(2);

function cellOf(name, group, onPick) {
  const input = html("input", { type: "radio", name: group, value: name, onchange: onPick });
  const value = html("span", { class: "bnlab-scale" }), marks = html("span", { class: "bnlab-marks", "aria-hidden": "true" });
  const bar = html("span", { class: "bnlab-bar", "aria-hidden": "true" });
  const face = html("span", { class: "bnlab-face" },
    html("span", { class: "bnlab-op" }, html("span", {}, name), " ", value), bar, marks);
  return { element: html("label", { class: "bnlab-option bnlab-op-cell" }, input, face), input, value, marks, bar, face };
}

/** `onPick(path)` hears which architecture is picked, a list with the number of each operation. */
export function choiceGrid({ blocks, onPick }) {
  const columns = blocks.map((names, k) => {
    const group = uniqueId("block");
    const cells = names.map((name) => cellOf(name, group, picked));
    const none = names.includes("identity") ? []
      : [html("span", { class: "bnlab-op-none" }, "no identity")];
    const element = html("fieldset", { class: "bnlab-block" },
      html("legend", { class: "bnlab-caption" }, `block ${k + 1}`),
      html("div", { class: "bnlab-ops" }, ...none, ...cells.map((cell) => cell.element)));
    return { cells, element };
  });
  const picture = html("div", { class: "bnlab-blocks" }, ...columns.map(({ element }) => element));
  const element = html("figure", { class: "bnlab-figure" },
    html("figcaption", { class: "bnlab-caption" },
      "Click one operation a block. Bar: its learned γ (line: 1, the start",
      html("span", { class: "bnlab-detail" }, "; mean |γ| of its last BatchNorm"),
      "); score: the sum of the four. Dark edge: trained in this step. k5e3: kernel 5, expansion 3"), picture);

  function picked() {
    onPick(columns.map(({ cells }) => cells.findIndex(({ input }) => input.checked)));
  }

  /** Paths as lists of numbers: `mine`; `found`, `random` and `now` may be null. */
  function draw({ scales, mine, found, random, now, key }) {
    const most = Math.max(LEAST_TOP, ...scales), table = byBlock(blocks, scales);
    picture.dataset.shown = key;
    picture.style.setProperty("--bnlab-start", `${(100 * 1000) / most}%`);
    columns.forEach(({ cells }, k) => cells.forEach((cell, op) => {
      const text = blocks[k][op] === "identity" ? "0" : scaleText(table[k][op]);
      if (cell.value.textContent !== text) cell.value.textContent = text;
      cell.bar.style.setProperty("--bnlab-share", `${(100 * table[k][op]) / most}%`);
      cell.input.checked = mine[k] === op;
      cell.face.classList.toggle("bnlab-now", now?.[k] === op);
      const marks = Object.entries({ found, random }).filter(([, path]) => path?.[k] === op).map(([name]) => name);
      cell.marks.replaceChildren(...marks.map((name) => html("span", { class: `bnlab-${name}` }, MARKS[name])));
    }));
  }
  return { element, draw };
}
