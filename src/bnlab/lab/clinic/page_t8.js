// The job "t8": how far samples see each other, while a net trains; what bnlab.lab.clinic.t8 computes
// with a kernel. Its points are
//   [batch|alone, {leak, penalty, matrix, step, diverged_at, done}]
// with [step, share] each, and the matrix of the looks that the state asks for, else null.

import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { inTurns, ownNet } from "./page_lanes.js";
import { jacobian, leakOf, penaltyOf } from "./t8_jacobian.js";

const T8_DEPTH = 4, T8_BATCH_SIZE = 32, T8_RATE = 0.1, T8_LOOKED_AT = 8, T8_PIXELS = 64;

class PenaltyLane extends Lane {
  constructor(shared, name, variant, state, steps) {
    super(shared, variant, state, steps);
    this.name = name;
  }

  clear() {
    super.clear();
    Object.assign(this, { leak: [], penalty: [], matrix: null });
  }

  look() {
    const { val: { images, labels }, rules, when } = this.shared, { r_max, d_max } = rules.nets[this.variant].inputs;
    const kind = { depth: T8_DEPTH, norm: this.variant, limits: { r_max, d_max } };
    const some = [images.subarray(0, T8_LOOKED_AT * T8_PIXELS), labels.subarray(0, T8_LOOKED_AT)];
    const found = jacobian(this.net.getState(), kind, ...some);
    this.leak.push([this.taken, leakOf(found.matrix)]);
    this.penalty.push([this.taken, penaltyOf(found)]);
    if (when === "after" || this.taken === 0) this.matrix = found.matrix;
  }

  told() {
    const { leak, penalty, matrix } = this, [, { step, diverged_at, done }] = this.take();
    return [[this.name, { leak, penalty, matrix, step, diverged_at, done }]];
  }
}

JOBS.t8 = async function t8(shared, mine, tell) {
  const { state: { norm, instead, when, seed, repaired }, steps } = mine;
  const wanted = [["batch", norm], ...(repaired ? [["alone", instead]] : [])];
  const state = { depth: T8_DEPTH, batch_size: T8_BATCH_SIZE, lr: T8_RATE, seed };
  await inTurns(wanted.map(([name, variant]) => () => {
    const own = Object.assign(ownNet(shared, name, variant, T8_DEPTH), { when });
    return new PenaltyLane(own, name, variant, state, steps);
  }), shared, tell);
};
