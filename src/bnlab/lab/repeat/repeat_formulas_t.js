// Kinds of formulas for claims of the clinic, see effects_t.py and repeat_formulas.js.

const NINE_DIGITS = 1e9, LEAST_ERROR = 1e-17;

const numbersOf = (arms, columns, row) => arms.flatMap((arm) => columns.map((column) => row(arm)[column]));

/** By the kind of a formula, the value of one seed; `row(arm)` are the numbers of its row. */
export const CLINIC_KINDS = {
  effective: ({ arms: [long, short] }, row) => 2 * (Math.log10(row(long).length) - Math.log10(row(short).length)),
  mean: ({ arms: [arm], column }, row) => row(arm)[column].reduce((sum, value) => sum + value, 0) / row(arm)[column].length,
  least: ({ arms, columns }, row) => Math.min(...numbersOf(arms, columns, row)),
  rounding: ({ arms, columns }, row) => Math.log10(Math.max(LEAST_ERROR, ...numbersOf(arms, columns, row))),
  unmoved: ({ arms: [arm] }, row) => {
    const { before, old, moved } = row(arm);
    return Math.round(NINE_DIGITS * Math.max(Math.abs(before - old), moved)) / NINE_DIGITS;
  },
};
