// The rows as a table: an arm a line, a mark for each seed.

import { html, svg } from "../kit/js/elements.js";

const CELL = 20, MARK = 14;
export const ROW_WORDS = {
  waiting: "not trained yet", begun: "in training", equal: "equal to the last bit", differs: "different",
  trained: "trained",
};

const inset = (CELL - MARK) / 2;
const MARK_SHAPES = {
  waiting: (x) => svg("circle", { cx: x + CELL / 2, cy: CELL / 2, r: 2 }),
  begun: (x) => svg("circle", { cx: x + CELL / 2, cy: CELL / 2, r: MARK / 2 - 2 }),
  equal: (x) => svg("rect", { x: x + inset, y: inset, width: MARK, height: MARK, rx: 2 }),
  trained: (x) => svg("circle", { cx: x + CELL / 2, cy: CELL / 2, r: MARK / 2 }),
  differs: (x) => svg("path", { d: `M${x + inset} ${inset}l${MARK} ${MARK}m0 ${-MARK}l${-MARK} ${MARK}` }),
};

/** `labels` are the names of the arms, in words; `count` is the number of seeds. */
export function rowGrid(labels, count) {
  const lines = labels.map((label) => {
    const marks = svg("svg", { class: "bnlab-row-marks", viewBox: `0 0 ${count * CELL} ${CELL}`, role: "img" });
    return { marks, element: html("tr", {}, html("th", { scope: "row" }, label), html("td", {}, marks)), shown: "" };
  });
  const element = html("table", { class: "bnlab-rows" }, html("tbody", {}, ...lines.map((line) => line.element)));

  /** `outcomes[arm][seed]` is a key of ROW_WORDS. */
  function draw(outcomes, seeds) {
    lines.forEach((line, arm) => {
      const now = `${outcomes[arm].join()} ${seeds[0]}`;
      if (line.shown === now) return;
      line.shown = now;
      line.marks.replaceChildren(...outcomes[arm].map((outcome, i) => {
        const mark = MARK_SHAPES[outcome](i * CELL);
        mark.setAttribute("class", `bnlab-row bnlab-row-${outcome}`);
        mark.append(svg("title", {}, `seed ${seeds[i]}: ${ROW_WORDS[outcome]}`));
        return mark;
      }));
      line.marks.setAttribute("aria-label", countsText(outcomes[arm]));
    });
  }
  return { element, draw };
}

/** `12 equal to the last bit, 4 not trained yet`. */
export function countsText(outcomes) {
  return Object.entries(ROW_WORDS).map(([key, words]) => [outcomes.filter((one) => one === key).length, words])
    .filter(([found]) => found).map(([found, words]) => `${found} ${words}`).join(", ");
}
