// The job "lawn": Adam, and LAWN around Adam, in training on the same batches; what bnlab.lab.lawn
// computes with a kernel. Its points are
//   [adam|lawn, {loss, accuracy, weights, logits, step, diverged_at, done}]

import { sumOfSquares, weightsOf } from "../../engines/compiled/js/norms.js";
import { wrongLabels } from "../../engines/compiled/js/random.js";
import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { trainAll } from "../kit/js/page_side_by_side.js";
import { heldAfterFreeSteps } from "./held_lane.js";

const VARIANT = "none", DEPTH = 3, BATCH_SIZE = 64, DIGIT_COUNT = 10;
const LOOKED_AT = 100;  // validation images that the size of the logits is a mean over
const CONSTRAINED = "lawn all adam";

/** The mean size of the logits of a perceptron without a normalizer, from its parameters. */
function sizeOfLogits(params, weights, images, count) {
  let x = Float64Array.from(images);
  weights.forEach(([first, end], layer) => {
    const ins = x.length / count, outs = (end - first) / ins, next = new Float64Array(count * outs);
    const isLast = layer === weights.length - 1;
    for (let i = 0; i < count; i++) {
      for (let o = 0; o < outs; o++) {
        let sum = params[end + o];  // the biases lie behind the matrix
        for (let k = 0, w = first + o * ins, at = i * ins; k < ins; k++) sum += params[w + k] * x[at + k];
        next[i * outs + o] = isLast || sum > 0 ? sum : 0;
      }
    }
    x = next;
  });
  return x.reduce((sum, value) => sum + Math.abs(value), 0) / x.length;
}

class LawnLane extends heldAfterFreeSteps(Lane) {
  /** @param free   steps before the norms are held; Infinity for Adam alone */
  constructor(shared, name, state, steps, free) {
    super(shared, VARIANT, state, steps);
    Object.assign(this, { name, free });
  }

  clear() {
    super.clear();
    Object.assign(this, { weights: [], logits: [] });
  }

  look() {
    super.look();
    const { params } = this.net.getState(), { weights } = this.net, { images, labels } = this.shared.val;
    const some = images.subarray(0, LOOKED_AT * (images.length / labels.length));
    const squares = weights.map(([first, end]) => sumOfSquares(params.subarray(first, end)));
    const norm = Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
    const logits = sizeOfLogits(Float64Array.from(params), weights, some, LOOKED_AT);
    if (Number.isFinite(norm)) this.weights.push([this.taken, norm]);
    if (Number.isFinite(logits)) this.logits.push([this.taken, logits]);
  }

  take() {
    const { weights, logits } = this, [, { loss, accuracy, step, diverged_at, done }] = super.take();
    return [this.name, { loss, accuracy, weights, logits, step, diverged_at, done }];
  }
}

/** One of the two nets, which have the same programs but heaps of their own, with these labels. */
function netFor(shared, name, labels) {
  const { nets, store, rules, train } = shared, key = shared.keyOf(VARIANT, DEPTH);
  if (!nets.has(name)) nets.set(name, store.net(key, "float32", rules.optimizer, CONSTRAINED));
  const net = nets.get(name);
  net.setData(train.images, labels);
  return net;
}

JOBS.lawn = async function lawn(shared, mine, tell) {
  const { state: { free, lr, wrong, seed }, steps } = mine;
  const labels = wrongLabels(shared.train.labels, wrong, DIGIT_COUNT, seed);
  const state = { depth: DEPTH, batch_size: BATCH_SIZE, lr, seed }, lanes = [];
  shared.keep(["adam", "lawn"]);
  for (const [name, end] of [["adam", Infinity], ["lawn", Math.round(free * steps)]]) {
    const net = netFor(shared, name, labels), train = { ...shared.train, labels };
    const own = Object.assign(Object.create(shared), { train, net: () => net });
    lanes.push(new LawnLane(own, name, state, steps, end));
    if (!(await tell([lanes.at(-1).take()]))) return;
  }
  await trainAll(lanes, tell);
};
