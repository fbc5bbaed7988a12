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

/** Those ticks [value, text] whose words leave room for each other, `y` being their heights; the ends first. */
export function spacedTicks(ticks, y, em) {
  const kept = [];
  for (const tick of [ticks[0], ticks.at(-1), ...ticks].filter(Boolean)) {
    if (kept.every(([value]) => Math.abs(y(value) - y(tick[0])) > 1.1 * em)) kept.push(tick);
  }
  return kept;
}
