// The job "t3": a net is frozen in two ways and fine-tuned; what bnlab.lab.clinic.t3 computes with a
// kernel. Its points are
//   [free|head|frozen, {old, new, moved, step, diverged_at, done}]

import { initial } from "../../engines/compiled/js/random.js";
import { JOBS } from "../kit/js/page_jobs.js";
import { batchesOfDigits, imagesOf } from "./page_digits.js";
import { inTurns, ownNet } from "./page_lanes.js";

const T3_DEPTH = 4, T3_UNITS = 64, T3_DIGITS = 10;
const T3_FIRST = { batchSize: 32, lr: 0.1 }, T3_SMALL = 4;
const T3_HEAD = "parts all head";
const T3_WAYS = {
  free: { variant: "batch", extra: null, lr: 0.03 },
  head: { variant: "batch", extra: T3_HEAD, lr: 0.1 },
  frozen: { variant: "frozen", extra: T3_HEAD, lr: 0.3 },
};
const isOldDigit = (digit) => digit < 5, isNewDigit = (digit) => digit >= 5;

/** The images of the old digits in a part of the data, and those of the new ones. */
export const oldAndNew = (part) => [isOldDigit, isNewDigit].map((isWanted) =>
  imagesOf(part, [...part.labels.keys()].filter((i) => isWanted(part.labels[i]))));

/** How far the running means moved, in standard deviations before, as a mean over all channels. */
export function movementOf(before, after) {
  let sum = 0;
  for (let mean = 0; mean < before.length; mean += 2 * T3_UNITS) {
    for (let i = mean; i < mean + T3_UNITS; i++) {
      sum += Math.abs(after[i] - before[i]) / Math.sqrt(before[i + T3_UNITS]);
    }
  }
  return sum / (before.length / 2);
}

/** Weights and statistics of the net that has learned the old digits. */
export function learnedOld(shared, seed, steps) {
  const { net } = ownNet(shared, "t3 first", "batch", T3_DEPTH), one = net();
  const rules = shared.store.rules(shared.keyOf("batch", T3_DEPTH)), state = {};
  for (const [name, rule] of Object.entries(rules)) state[name] = initial(rule, seed);
  one.start(state);
  one.set({ lr: T3_FIRST.lr, weight_decay: 0 });
  t3Steps(one, batchesOfDigits(shared.train, isOldDigit, seed, T3_FIRST.batchSize)(0, steps), T3_FIRST.batchSize);
  return one.getState();
}

function t3Steps(net, numbers, size) {
  const { loss } = net.steps(numbers, size);
  if (!loss.every(Number.isFinite)) throw new Error("The loss is not finite: choose another seed.");
}

/** A net that learns the new digits in one way, which is {variant, extra, lr}. */
export class TunedLane {
  constructor(shared, name, seed, steps, before, { variant, extra, lr } = T3_WAYS[name]) {
    const { params, buffers } = before;
    this.shared = ownNet(shared, `t3 ${name}`, variant, T3_DEPTH, extra);
    this.net = this.shared.net();
    this.net.start({ params, buffers });
    this.net.set({ lr, weight_decay: 0, ...(extra ? { decay: 0 } : {}) });
    this.batches = batchesOfDigits(shared.train, isNewDigit, seed, T3_SMALL);
    this.digits = oldAndNew(shared.val);
    Object.assign(this, { name, steps, before, taken: 0, done: false, points: { old: [], new: [], moved: [] } });
    this.look();
  }

  look() {
    const [old, fresh] = this.digits, { points, taken } = this;
    points.new.push([taken, this.net.evaluate(...fresh).accuracy]);
    points.moved.push([taken, movementOf(this.before.buffers, this.net.getState().buffers)]);
    points.old.push([taken, this.kept(old)]);
  }

  /** The accuracy on the old digits with the last layer of before. */
  kept(old) {
    const { params } = this.net.getState(), mixed = params.slice(), head = mixed.length - T3_DIGITS * (T3_UNITS + 1);
    mixed.set(this.before.params.subarray(head), head);
    this.net.setState({ params: mixed });
    const { accuracy } = this.net.evaluate(...old);
    this.net.setState({ params });
    return accuracy;
  }

  advance() {
    const count = Math.min(this.shared.rules.evaluate, this.steps - this.taken);
    t3Steps(this.net, this.batches(this.taken, count), T3_SMALL);
    this.taken += count;
    this.done = this.taken === this.steps;
    this.look();
  }

  told() {
    const { name, points, taken: step, done } = this;
    this.points = { old: [], new: [], moved: [] };
    return [[name, { ...points, step, diverged_at: null, done }]];
  }
}

JOBS.t3 = async function t3(shared, mine, tell) {
  const { state: { seed, repaired }, steps } = mine, before = learnedOld(shared, seed, steps);
  const ways = Object.keys(T3_WAYS).filter((way) => way !== "frozen" || repaired);
  await inTurns(ways.map((way) => () => new TunedLane(shared, way, seed, steps, before)), shared, tell);
};
