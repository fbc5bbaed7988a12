// The job "t6": BatchNorm before and behind the ReLU; what bnlab.lab.clinic.t6 computes with a kernel.
// Its points are
//   [before|after|before_own|after_own, {loss, accuracy, step, diverged_at, done}]

import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { inTurns, ownNet } from "./page_lanes.js";

const T6_BATCH_SIZE = 32;
const T6_VARIANTS = {
  before: { bias: "batch", bare: "no_bias" }, after: { bias: "relu_norm", bare: "relu_norm_no_bias" },
};
/** The best rate of each net, as the evidence found it. */
const T6_OWN = {
  before: { bias: { 2: 0.3, 6: 0.3 }, bare: { 2: 0.3, 6: 0.3 } },
  after: { bias: { 2: 0.3, 6: 0.1 }, bare: { 2: 0.3, 6: 0.3 } },
};

class OrderLane extends Lane {
  constructor(shared, name, variant, state, steps) {
    super(shared, variant, state, steps);
    this.name = name;
  }

  told() {
    const [, { loss, accuracy, step, diverged_at, done }] = this.take();
    return [[this.name, { loss, accuracy, step, diverged_at, done }]];
  }
}

JOBS.t6 = async function trainT6(shared, mine, tell) {
  const { state: { depth, bias, lr, seed, repaired }, steps } = mine;
  const wanted = Object.keys(T6_VARIANTS).map((order) => [order, order, lr]);
  if (repaired) wanted.push(...Object.keys(T6_OWN).map((order) => [`${order}_own`, order, T6_OWN[order][bias][depth]]));
  const makers = wanted.map(([name, order, rate]) => () => {
    const variant = T6_VARIANTS[order][bias], state = { depth, batch_size: T6_BATCH_SIZE, lr: rate, seed };
    return new OrderLane(ownNet(shared, name, variant, depth), name, variant, state, steps);
  });
  await inTurns(makers, shared, tell);
};
