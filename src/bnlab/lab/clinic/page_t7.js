// The job "t7": dropout and BatchNorm; what bnlab.lab.clinic.t7 computes with a kernel. Its points are
//   [dropout|none|head, {accuracy, ratio, anew, step, diverged_at, done}]
//   [in_training, {accuracy, step, diverged_at, done}], the net with dropout in training mode
// The ratio, [layer, running variance over variance in evaluation mode], and anew, the accuracy with
// statistics computed anew and without dropout, come at the end; before, they are [] and null.

import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { inTurns, ownNet } from "./page_lanes.js";
import { accuracyAnew } from "./page_statistics.js";
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
    Object.assign(this, { inTraining: [], ratio: [], anew: null });
  }

  look() {
    super.look();
    const { val, train } = this.shared;
    this.inTraining.push([this.taken, this.net.evaluate(val.images, val.labels, true).accuracy]);
    if (this.taken < this.steps) return;
    const state = this.net.getState();
    const found = varianceRatios(state, T7_DEPTH, train.images, train.labels.length);
    this.ratio = found.map((value, i) => [i + 1, value]);
    this.anew = this.withNewStatistics(state.params);
  }

  /** Accuracy with statistics computed anew, in a net with these weights and no dropout. */
  withNewStatistics(params) {
    const { val, train, plain } = this.shared;
    plain.setState({ params });
    return accuracyAnew(plain, train, val);
  }

  told() {
    const { inTraining, ratio, anew } = this, [, { accuracy, step, diverged_at, done }] = this.take();
    const end = { step, diverged_at, done }, own = [this.name, { accuracy, ratio, anew, ...end }];
    return this.name === "dropout" ? [own, ["in_training", { accuracy: inTraining, ...end }]] : [own];
  }
}

JOBS.t7 = async function trainT7(shared, mine, tell) {
  const { state: { where, share, seed, repaired }, steps } = mine;
  const wanted = [["dropout", T7_VARIANTS[where][share]], ["none", "batch"]];
  if (repaired) wanted.push(["head", "head_5"]);
  const state = { depth: T7_DEPTH, batch_size: T7_BATCH_SIZE, lr: T7_RATE, seed };
  const plain = ownNet(shared, "plain", "batch", T7_DEPTH);
  await inTurns(wanted.map(([name, variant]) => () => {
    const own = Object.assign(ownNet(shared, name, variant, T7_DEPTH), { plain: plain.net() });
    return new DropoutLane(own, name, variant, state, steps);
  }), shared, tell);
};
