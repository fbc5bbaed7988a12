// How the values of a claim's effects follow from its rows; see effects.py. No drawing here.

import { kendall } from "./kendall.js";
import { CLINIC_KINDS } from "./repeat_formulas_t.js";

const CHANCE_LEVEL = 0.1, USABLE_LOSS = 0.05, TIED = 1e-9;

/** The largest rate at which the net is nearly as good as at its best; see bnlab.verdicts.ties. */
function largestUsable(arms, row, rates) {
  const scores = arms.map((arm) => (row(arm).diverged_at === null ? row(arm).val_accuracy : CHANCE_LEVEL));
  const least = Math.max(...scores) - USABLE_LOSS - TIED;
  return rates.get(arms.findLast((_, i) => scores[i] >= least));
}

const leadOf = (row, one, other, column, subtracted = column) => row(one)[column] - row(other)[subtracted];

/** The range of a column over some arms; 0 over none. */
function rangeOf(row, arms, column) {
  const found = arms.map((arm) => row(arm)[column]);
  return found.length ? Math.max(...found) - Math.min(...found) : 0;
}

/** The value of a seed by the kind of a formula; `row(arm)` are the numbers of its row, `rates` those of the arms. */
const VALUE_KINDS = {
  ...CLINIC_KINDS,
  lead: ({ arms, columns }, row) => leadOf(row, ...arms, ...columns),
  contrast: ({ arms: [a, b, c, d], column }, row) => leadOf(row, a, b, column) - leadOf(row, c, d, column),
  decades: ({ arms: [above, below], column }, row) => Math.log10(row(above)[column] / row(below)[column]),
  usable: ({ arms: [some, others] }, row, rates) => Math.log10(largestUsable(some, row, rates) / largestUsable(others, row, rates)),
  missing: ({ arms: [none, batch, other], column }, row) =>
    Math.log(row(other)[column] / row(batch)[column]) / Math.log(row(none)[column] / row(batch)[column]),
  spread: ({ arms: [some, less], column }, row) => rangeOf(row, some, column) - rangeOf(row, less, column),
  order: ({ arms, column, beside }, row, _rates, number) =>
    kendall(beside.map((numbers) => numbers[number]), arms.map((arm) => row(arm)[column])),
};

/** Whether a formula has what the evidence measured beside the rows: of its own seeds alone. */
export const needsEvidence = ({ beside }) => beside !== undefined;

/** The values of an effect, one a seed, from rows by arm: `trained.get(arm)[number]` are numbers. */
export function valuesBy(formula, { arms, seeds }, trained) {
  const rates = new Map(arms.map(({ name, lr }) => [name, lr]));
  return seeds.map((_, i) => VALUE_KINDS[formula.kind](formula, (arm) => trained.get(arm)[i], rates, i));
}
