// The rows of T1: a net with one of the causes, its accuracies in both modes and after the repair.

import { ModesLane } from "../clinic/page_t1.js";
import { ROWS, rounded, withStatistics } from "./page_rows.js";

class ModesRow extends ModesLane {
  lookAt() { this.measured(); }  // an average begins with the first look

  diverge(step) { throw new Error(`The training diverged at step ${step}: choose other seeds.`); }

  vector() { return withStatistics(this.measured()); }

  numbers(test) {
    const { train, eval: evaluation, repaired } = this.accuraciesOn(test, true);
    return { train_mode: rounded(train), eval_mode: rounded(evaluation), repaired: rounded(repaired) };
  }
}

ROWS.modes = (shared, state) => {
  const own = Object.assign(Object.create(shared), { cause: state.arm, seed: state.seed });
  return new ModesRow(own, state.variant, state, state.steps);
};
