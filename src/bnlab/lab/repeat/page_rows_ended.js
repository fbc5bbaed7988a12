// Rows of LW3: trainings on labels of which some are wrong, with LAWN or without.

import { wrongLabels } from "../../engines/compiled/js/random.js";
import { heldAfterFreeSteps } from "../lawn/held_lane.js";
import { CHANCE_SCORE, fiveDigits, ROWS, RowLane } from "./page_rows.js";

const DIGIT_COUNT = 10;

class EndedRow extends heldAfterFreeSteps(RowLane) {
  constructor(shared, state) {
    super(shared, state);
    this.net.setData(shared.train.images, shared.train.labels);
    this.free = state.free ?? Infinity;
  }

  numbers(test) {
    const { divergedAt, shared } = this, isLost = divergedAt !== null;
    const score = ({ images, labels }) => (isLost ? CHANCE_SCORE : fiveDigits(this.net.evaluate(images, labels).accuracy));
    return { val: score(shared.val), test: score(test), diverged_at: divergedAt };
  }
}

ROWS.ended = (shared, state) => {
  const labels = wrongLabels(shared.train.labels, state.wrong, DIGIT_COUNT, state.seed);
  return new EndedRow(Object.assign(Object.create(shared), { train: { ...shared.train, labels } }), state);
};
