// Rows of races that tell more: of T2 the accuracy with statistics computed anew, of T5 length and
// gamma, of T7 variances remembered over variances met.

import { accuracyAnew } from "../clinic/page_statistics.js";
import { lengthAndGamma } from "../clinic/page_t5.js";
import { varianceRatios } from "../clinic/t7_variances.js";
import { CHANCE_SCORE, fiveDigits, ROWS, RowLane, rounded, withStatistics } from "./page_rows.js";

class RepairedRow extends RowLane {
  numbers(test) {
    const found = super.numbers(test), isLost = this.divergedAt !== null;
    return { ...found, repaired: isLost ? CHANCE_SCORE : rounded(accuracyAnew(this.net, this.shared.train, test)) };
  }
}

class LengthRow extends RowLane {
  numbers(test) {
    const { shared, variant, depth } = this, rules = shared.store.rules(shared.keyOf(variant, depth)).params;
    const [length, gamma] = lengthAndGamma(this.net.getState().params, rules).map(fiveDigits);
    return { ...super.numbers(test), length, gamma };
  }
}

class ShiftsRow extends RowLane {
  vector() { return withStatistics(this.net.getState()); }

  numbers(test) {
    const found = super.numbers(test), { shared, depth } = this, { train } = shared, state = this.net.getState();
    const ratios = varianceRatios(state, depth, train.images, train.labels.length);
    const plain = shared.withoutDropout;  // statistics are computed anew without dropout
    plain.setState({ params: state.params });
    return {
      ...found, shifts: ratios.map((ratio) => rounded(Math.log10(ratio))),
      accuracy: found.test_accuracy, repaired: rounded(accuracyAnew(plain, train, test)),
    };
  }
}

ROWS.repaired = (shared, state) => new RepairedRow(shared, state);
ROWS.length = (shared, state) => new LengthRow(shared, state);
ROWS.shifts = (shared, state) => {
  const withoutDropout = shared.net("batch", state.depth);
  return new ShiftsRow(Object.assign(Object.create(shared), { withoutDropout }), state);
};
