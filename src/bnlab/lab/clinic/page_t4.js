// The job "t4": nets on batches of 32, and on gradients accumulated over parts of them; what
// bnlab.lab.clinic.t4 computes with a kernel. Its points are
//   [whole|accumulated|layer_whole|layer_accumulated,
//    {loss, accuracy, distance, step, diverged_at, done}]

import { sumOfSquares } from "../../engines/compiled/js/norms.js";
import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { imagesOf } from "./page_digits.js";
import { inTurns, ownNet } from "./page_lanes.js";

const T4_DEPTH = 4, T4_BATCH_SIZE = 32, T4_PIXELS = 64, T4_RATES = { batch: 0.3, layer: 0.1 };
const T4_CURVES = {
  whole: { variant: "batch", isAccumulated: false }, accumulated: { variant: "batch", isAccumulated: true },
  layer_whole: { variant: "layer", isAccumulated: false },
  layer_accumulated: { variant: "layer", isAccumulated: true },
};

/** Mean loss, accuracy and gradient of parts of a batch, of so many images each; sums in double. */
export function accumulate(net, images, labels, micro) {
  const parts = labels.length / micro, mean = { loss: 0, accuracy: 0, gradient: new Float64Array(net.sizes.params) };
  for (let first = 0; first < labels.length; first += micro) {
    const pixels = images.subarray(first * T4_PIXELS, (first + micro) * T4_PIXELS);
    const { loss, accuracy, gradient } = net.gradient(pixels, labels.subarray(first, first + micro));
    mean.loss += loss;
    mean.accuracy += accuracy;
    for (let i = 0; i < gradient.length; i++) mean.gradient[i] += gradient[i];
  }
  mean.loss /= parts;
  mean.accuracy /= parts;
  mean.gradient = mean.gradient.map((value) => value / parts);
  return mean;
}

/** A net whose steps take accumulated gradients, and whose batches are evaluated in parts. */
const accumulating = (net, train, micro) => Object.assign(Object.create(net), {
  steps(numbers, size, limit) {
    const seen = { loss: [], accuracy: [] };
    for (let first = 0; first < numbers.length; first += size) {
      const batch = imagesOf(train, numbers.subarray(first, first + size));
      const { loss, accuracy, gradient } = accumulate(net, ...batch, micro);
      net.apply(gradient);
      seen.loss.push(loss);
      seen.accuracy.push(accuracy);
      if (!(loss <= limit)) break;
    }
    return { taken: seen.loss.length, ...seen };
  },
  evaluate(images, labels, batchStatistics = false) {
    if (!batchStatistics) return net.evaluate(images, labels);
    let loss = 0;
    for (let first = 0; first < labels.length; first += micro) {
      const pixels = images.subarray(first * T4_PIXELS, (first + micro) * T4_PIXELS);
      loss += net.evaluate(pixels, labels.subarray(first, first + micro), true).loss;
    }
    return { loss: loss / (labels.length / micro) };
  },
});

class AccumulationLane extends Lane {
  constructor(shared, name, { seed, micro }, steps) {
    const { variant, isAccumulated } = T4_CURVES[name], own = ownNet(shared, `t4 ${name}`, variant, T4_DEPTH);
    const net = own.net(), { ownKey } = own;
    const of = isAccumulated ? accumulating(net, shared.train, micro) : net;
    const state = { depth: T4_DEPTH, batch_size: T4_BATCH_SIZE, lr: T4_RATES[variant], seed };
    super(Object.assign(Object.create(shared), { net: () => of, ownKey }), variant, state, steps);
    Object.assign(this, { name, plain: net, micro, isAccumulated });
    this.compare();
  }

  clear() {
    super.clear();
    this.distance = [];
  }

  look() {
    super.look();
    if (this.plain) this.compare();  // there once the first look is over
  }

  /** How far the accumulated gradient of the first batch is from that of the whole. */
  compare() {
    if (!this.isAccumulated) return;
    const { plain, taken, micro } = this, { buffers, counters } = plain.getState();
    const batch = imagesOf(this.shared.train, this.batches(0, 1)), { gradient } = accumulate(plain, ...batch, micro);
    const whole = Float64Array.from(plain.gradient(...batch).gradient);
    plain.setState({ buffers, counters });
    const difference = whole.map((value, i) => gradient[i] - value);
    this.distance.push([taken, Math.sqrt(sumOfSquares(difference) / sumOfSquares(whole))]);
  }

  told() {
    const { distance } = this, [, { loss, accuracy, step, diverged_at, done }] = this.take();
    return [[this.name, { loss, accuracy, distance, step, diverged_at, done }]];
  }
}

JOBS.t4 = async function t4(shared, mine, tell) {
  const { state, steps } = mine;
  const names = Object.keys(T4_CURVES).filter((name) => state.repaired || T4_CURVES[name].variant === "batch");
  await inTurns(names.map((name) => () => new AccumulationLane(shared, name, state, steps)), shared, tell);
};
