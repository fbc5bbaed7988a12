// The job "t8": how far samples see each other, while a net trains; what bnlab.lab.clinic.t8 computes
// with a kernel. Its points are
//   [norm, {leak, matrix, penalty, step, diverged_at, done}]
// with the leak as [step, per cent], and matrix and penalty of the start, or of now.

import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { inTurns, ownNet } from "./page_lanes.js";
import { jacobian, leakOf, penaltyOf } from "./t8_jacobian.js";

const T8_DEPTH = 4, T8_BATCH_SIZE = 32, T8_RATE = 0.1, T8_LOOKED_AT = 8, T8_PIXELS = 64;

class PenaltyLane extends Lane {
  clear() {
    super.clear();
    this.leak = [];
  }

  look() {
    const { val: { images, labels }, rules, when } = this.shared, { r_max, d_max } = rules.nets[this.variant].inputs;
    const kind = { depth: T8_DEPTH, norm: this.variant, limits: { r_max, d_max } };
    const some = [images.subarray(0, T8_LOOKED_AT * T8_PIXELS), labels.subarray(0, T8_LOOKED_AT)];
    const found = jacobian(this.net.getState(), kind, ...some);
    this.leak.push([this.taken, 100 * leakOf(found.matrix)]);
    if (when === "after" || this.taken === 0) {
      Object.assign(this, { matrix: found.matrix, penalty: 100 * penaltyOf(found) });
    }
  }

  told() {
    const { leak, matrix, penalty } = this, [name, { step, diverged_at, done }] = this.take();
    return [[name, { leak, matrix, penalty, step, diverged_at, done }]];
  }
}

JOBS.t8 = async function trainT8(shared, mine, tell) {
  const { state: { norm, instead, when, seed, repaired }, steps } = mine;
  const state = { depth: T8_DEPTH, batch_size: T8_BATCH_SIZE, lr: T8_RATE, seed };
  await inTurns([norm, ...(repaired ? [instead] : [])].map((variant) => () => {
    const own = Object.assign(ownNet(shared, variant, variant, T8_DEPTH), { when });
    return new PenaltyLane(own, variant, state, steps);
  }), shared, tell);
};
