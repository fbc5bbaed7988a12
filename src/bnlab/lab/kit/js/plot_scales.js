// How values become heights in a plot of curves.

const logHeight = (low, high) => (v) => Math.log(Math.min(high, Math.max(low, v)) / low) / Math.log(high / low);

/**
 * By name: `at`, a value's height between 0 (bottom) and 1 (top); `ticks`; `write`, a value in
 * words; `chance`, the value that guessing gives, if there is one.
 */
export const SCALES = {
  loss: {
    at: logHeight(1e-3, 10),
    ticks: [[1e-3, "≤ 0.001"], [0.01, "0.01"], [0.1, "0.1"], [1, "1"], [10, "≥ 10"]],
    write: (v) => (v <= 1e-3 ? "≤ 0.001" : v >= 10 ? "≥ 10" : String(+v.toPrecision(2))),
  },
  accuracy: {
    at: (v) => v,
    ticks: [[0, "0"], [0.2, "0.2"], [0.4, "0.4"], [0.6, "0.6"], [0.8, "0.8"], [1, "1"]],
    write: (v) => v.toFixed(2), chance: 0.1,
  },
};
