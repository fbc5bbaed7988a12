// The job "t1": one net whose accuracies differ between the modes. Its points are
//   [train|eval|repaired, {accuracy, step, diverged_at, done}]

import { JOBS, slice } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { batchesOfDigits, imagesOf } from "./page_digits.js";
import { USUAL_MOMENTUM, accuracyAnew } from "./page_statistics.js";

const T1_SETTING = { depth: 4, batch_size: 32, lr: 0.1 }, T1_STEPS = 200;
const T1_LAST = 20, T1_LAST_EVERY = 5;         // batches of one class, and those between two looks
const T1_LAST_CLASS = 9;
const T1_SHARE = Math.fround(1 - 0.98);        // of the weights of now in their average
const T1_MOMENTUM = { batch: USUAL_MOMENTUM, slow: 0.001 };

/** A net with one of the causes: shared has {cause, seed}, and {repaired} for its looks. */
export class ModesLane extends Lane {
  clear() {
    super.clear();
    this.looks = [];
  }

  /** Steps are taken one by one where each of them counts. */
  update(count) {
    if (this.shared.cause !== "averaged") return super.update(count);
    const some = super.update(1), now = this.net.getState().params;
    // As torch's lerp_: product and sum are rounded once.
    now.forEach((value, i) => { this.average[i] += T1_SHARE * Math.fround(value - this.average[i]); });
    return some;
  }

  look() { this.lookAt(this.taken); }

  lookAt(step) {
    const { repaired, val } = this.shared;
    this.looks.push([step, this.accuraciesOn(val, repaired)]);
  }

  /** Weights and statistics that are looked at: those of the net, or the average beside it. */
  measured() {
    const { params, buffers } = this.net.getState();
    if (this.shared.cause !== "averaged") return { params, buffers };
    this.average ??= params.slice();
    this.untouched ??= buffers.slice();
    return { params: this.average, buffers: this.untouched };
  }

  /** Accuracies in both modes and, if that is wanted, after the repair. */
  accuraciesOn({ images, labels }, isRepaired) {
    const { net, shared: { train } } = this, { params, buffers, counters } = net.getState();
    net.setState(this.measured());
    const right = (inTraining) => net.evaluate(images, labels, inTraining).accuracy;
    const found = { train: right(true), eval: right(false) };
    if (isRepaired) found.repaired = accuracyAnew(net, train, { images, labels }, T1_MOMENTUM[this.variant]);
    net.setState({ params, buffers, counters });
    return found;
  }

  finish() {
    super.finish();
    if (this.shared.cause === "one_class") this.passOneClass();
  }

  /** Batches of the last class alone pass in training mode; the weights stay. */
  passOneClass() {
    const { net, steps, size, shared: { train, seed } } = this;
    const drawn = batchesOfDigits(train, (digit) => digit === T1_LAST_CLASS, seed, size)(0, T1_LAST);
    for (let number = 1; number <= T1_LAST; number++) {
      net.gradient(...imagesOf(train, drawn.subarray((number - 1) * size, number * size)));
      if (number % T1_LAST_EVERY === 0) this.lookAt(steps + number);
    }
  }

  take() {
    const { looks, done } = this;
    this.clear();
    return looks.flatMap(([step, found], i) => Object.entries(found).map(([name, value]) =>
      [name, { accuracy: [[step, value]], step, diverged_at: null, done: done && i === looks.length - 1 }]));
  }
}

JOBS.t1 = async function trainT1(shared, mine, tell) {
  const { cause, seed, repaired } = mine.state, variant = cause === "slow" ? "slow" : "batch";
  shared.keep([shared.keyOf(variant, T1_SETTING.depth)]);
  const own = Object.assign(Object.create(shared), { cause, seed, repaired });
  const lane = new ModesLane(own, variant, { ...T1_SETTING, seed }, T1_STEPS);
  if (!(await tell(lane.take()))) return;
  while (!lane.done) {
    slice(() => {
      lane.advance();
      return !lane.done;
    });
    if (!(await tell(lane.take()))) return;
  }
};
