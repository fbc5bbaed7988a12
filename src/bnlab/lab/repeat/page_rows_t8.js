// The rows of T8, in float64: how far test images see each other before and after a training, in batches
// of two sizes.

import { jacobian, leakOf, penaltyOf } from "../clinic/t8_jacobian.js";
import { ROWS, RowLane, withStatistics } from "./page_rows.js";

const SIZES_OF_BATCHES = [8, 64], PIXELS_OF_IMAGE = 64;
const fourDigits = (number) => Number(number.toPrecision(4));

class InfluenceRow extends RowLane {
  constructor(shared, state) {
    super(shared, state);
    this.before = this.net.getState();
  }

  vector() { return withStatistics(this.net.getState()); }

  numbers(test) {
    const after = this.net.getState();
    return { ...this.influences(test, this.before, "_start"), ...this.influences(test, after, "") };
  }

  influences({ images, labels }, state, when) {
    const { net, variant: norm, depth, shared: { rules } } = this, { r_max, d_max } = rules.nets[norm].inputs, found = {};
    net.setState(state);
    for (const size of SIZES_OF_BATCHES) {
      const some = [images.subarray(0, size * PIXELS_OF_IMAGE), labels.subarray(0, size)];
      const { matrix, summed } = jacobian(net.getState(), { depth, norm, limits: { r_max, d_max } }, ...some);
      found[`leak_${size}${when}`] = fourDigits(leakOf(matrix));
      found[`penalty_${size}${when}`] = fourDigits(penaltyOf({ matrix, summed }));
      net.gradient(...some);  // a look is a pass in training mode: statistics move before the next one
    }
    return found;
  }
}

ROWS.influence = (shared, state) => new InfluenceRow(shared, state);
