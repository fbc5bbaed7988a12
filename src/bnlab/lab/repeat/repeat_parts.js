// The parts of a verdict as a table: what was measured, the margin, which the reader may change, and
// the word.

import { html, uniqueId } from "../kit/js/elements.js";

const KEPT_MARK = ", from the evidence";
const PART_COLUMNS = ["The claim says", "Measured", "Margin", "Counts, if", "So"];

/** `onMargin(name, text)` hears what the reader writes; "" is the claim's own margin. */
export function partTable({ claim, formulas }, onMargin) {
  const lines = claim.effects.map((effect) => {
    const id = uniqueId("margin"), own = String(effect.margin);
    const input = html("input", {
      id, type: "number", step: "any", value: own, class: "bnlab-margin", "aria-label": `margin: ${effect.says || effect.sentence}`,
      onchange: () => onMargin(effect.name, input.validity.badInput ? "what you wrote" : input.value.trim()),
    });
    const cell = (column, ...parts) => html("td", { "data-column": PART_COLUMNS[column] }, ...parts);
    const [measured, counts, word] = [1, 3, 4].map((column) => cell(column));
    const core = claim.core.includes(effect.name) ? " (core)" : "";
    const says = html("th", { scope: "row" }, `${effect.says || effect.sentence}${core}`);
    const decades = effect.unit === "decades" ? " decades" : "";
    const element = html("tr", {}, says, measured, cell(2, input, decades), counts, word);
    const isKept = !formulas[effect.name];
    return { effect, isKept, input, measured, counts, word, element };
  });
  const element = html("table", { class: "bnlab-rows bnlab-repeat-parts" },
    html("thead", {}, html("tr", {}, ...PART_COLUMNS.map((text) => html("th", { scope: "col" }, text)))),
    html("tbody", {}, ...lines.map((line) => line.element)));

  const written = ({ effect, input }, margins) => { input.value = String(margins[effect.name] ?? effect.margin); };

  /** The margin of a part that counts, in place of what was refused. */
  const reset = (name, margins) => written(lines.find(({ effect }) => effect.name === name), margins);

  /**
   * `decided` is what decidePieces() gives at its end, or null, and `untold` stands where a part has no
   * number. Once all rows are trained here, what no row gives is marked.
   */
  function draw(decided, margins, untold, isTrained) {
    for (const line of lines) {
      const { effect, isKept, input, measured, counts, word } = line;
      const part = decided?.parts.find(({ name }) => name === effect.name);
      if (document.activeElement !== input) written(line, margins);
      for (const [cell, text] of [
        [measured, part ? `${part.measured}${isKept && isTrained ? KEPT_MARK : ""}` : untold], [counts, part?.counts_if ?? ""], [word, part?.word ?? ""],
      ]) if (cell.textContent !== text) cell.textContent = text;
    }
  }
  return { element, draw, reset };
}
