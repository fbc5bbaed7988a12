// The job of "Repeat this verdict": it trains one row of the evidence. Its points are
//   ["training", null]   every few seconds, as a sign of life
//   ["row", {loss, end, val_accuracy, test_accuracy, diverged_at, digest}]   at the end
// with the numbers of bnlab.verdicts.race.outcome, or those of another kind of row, see page_rows.js.

import { JOBS, slice } from "../kit/js/page_jobs.js";
import { ROWS } from "./page_rows.js";
import { digestOf } from "./sha256.js";

const SIGN_OF_LIFE = 5000;  // ms

/** The images with which the page is tested, from a digit to the base 36 for each pixel. */
function testImages(shared, { images, labels }) {
  shared.test ??= {
    images: Float32Array.from(images, (level) => (parseInt(level, 36) - 5) / 6),
    labels: Int32Array.from(labels, Number),
  };
  return shared.test;
}

/** Rows in float64 bring the kernels for it, as hexadecimal digits. */
async function addDoubles({ store }, { precision, test: { doubles } }) {
  if (precision !== "float64" || store.modules.float64) return;
  await store.add("float64", Uint8Array.from(doubles.match(/../g), (byte) => parseInt(byte, 16)));
}

JOBS.repeat = async function repeatRow(shared, mine, tell) {
  const { state } = mine;
  await addDoubles(shared, state);
  const row = ROWS[state.kind ?? "race"](shared, state);
  let told = performance.now();
  while (!row.done) {
    slice(() => { row.advance(); return !row.done; });
    const isSilent = performance.now() - told > SIGN_OF_LIFE;
    if (isSilent) told = performance.now();
    if (!(await tell(isSilent ? [["training", null]] : []))) return;
    while (mine.paused) if (!(await mine.woken())) return;
  }
  const digest = digestOf(row.vector());
  await tell([["row", { ...row.numbers(testImages(shared, state.test)), digest }]]);
};
