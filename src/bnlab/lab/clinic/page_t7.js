// The job "t7": dropout and BatchNorm; what bnlab.lab.clinic.t7 computes with a kernel. Its points are
//   [dropout|in_training|none|head, {loss, accuracy, ratio, step, diverged_at, done}]
// of which in_training is the net of dropout in training mode, and has the accuracy alone. The ratio,
// [layer, running variance over variance in evaluation mode], comes at the end.

import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { inTurns, ownNet } from "./page_lanes.js";
import { varianceRatios } from "./t7_variances.js";

const T7_DEPTH = 4, T7_BATCH_SIZE = 32, T7_RATE = 0.1;
const T7_VARIANTS = {
  before: { 0.2: "dropout_2", 0.5: "dropout_5" }, layer: { 0.2: "after_2", 0.5: "after_5" },
};

class DropoutLane extends Lane {
  constructor(shared, name, variant, state, steps) {
    super(shared, variant, state, steps);
    this.name = name;
  }

  clear() {
    super.clear();
    Object.assign(this, { inTraining: [], ratio: [] });
  }

  look() {
    super.look();
    const { val, train } = this.shared;
    this.inTraining.push([this.taken, this.net.evaluate(val.images, val.labels, true).accuracy]);
    if (this.taken < this.steps) return;
    const found = varianceRatios(this.net.getState(), T7_DEPTH, train.images, train.labels.length);
    this.ratio = found.map((value, i) => [i + 1, value]);
  }

  told() {
    const { inTraining, ratio } = this, [, { loss, accuracy, step, diverged_at, done }] = this.take();
    const end = { step, diverged_at, done }, own = [this.name, { loss, accuracy, ratio, ...end }];
    if (this.name !== "dropout") return [own];
    return [own, ["in_training", { loss: [], accuracy: inTraining, ratio: [], ...end }]];
  }
}

JOBS.t7 = async function t7(shared, mine, tell) {
  const { state: { where, share, seed, repaired }, steps } = mine;
  const wanted = [["dropout", T7_VARIANTS[where][share]], ["none", "batch"]];
  if (repaired) wanted.push(["head", "head_5"]);
  const state = { depth: T7_DEPTH, batch_size: T7_BATCH_SIZE, lr: T7_RATE, seed };
  await inTurns(wanted.map(([name, variant]) => () =>
    new DropoutLane(ownNet(shared, name, variant, T7_DEPTH), name, variant, state, steps)), shared, tell);
};
