// The job "landscape": nets are trained to a step, and on the batch that comes next we look along
// the gradient and over a plane. Its points are
//   [variant, {step, diverged_at, loss, size, losses, changes, plane, done}]
// losses and changes at w - a * lr * g for each a of MULTIPLES, changes being |g(w - a lr g) - g|,
// size |g|; plane null, or rows of the loss at w - a lr g + b lr e, a row for each a of PLANE. Null
// stands for a number that is not finite. The sums are taken in order and in float64, and weights
// are rounded to float32: so Python gets the same bits from CompiledTrainer.

import { uniform } from "../../engines/compiled/js/random.js";
import { JOBS, slice } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";

const DIRECTIONS = 3000;  // of bnlab.random
const OCTAVES = 3, PARTS = 4;
const BATCH_SIZE = 64;
const LOOK_EVERY = 50;    // steps between two looks on the way

/** 1/8 to 8 in quarters of octaves, of three digits: the same numbers in Python. */
const MULTIPLES = Array.from({ length: 2 * OCTAVES * PARTS + 1 },
  (_, i) => Number((2 ** (i / PARTS - OCTAVES)).toPrecision(3)));
const PLANE = Array.from({ length: 17 }, (_, i) => i / 2 - 4);

const finite = (value) => (Number.isFinite(value) ? value : null);

function product(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** A random direction at a right angle to the gradient, and as long. */
function sideways(gradient, seed) {
  const found = uniform(seed, DIRECTIONS, gradient.length).map((u) => u - 0.5);
  const square = product(gradient, gradient), share = product(found, gradient) / square;
  for (let i = 0; i < found.length; i++) found[i] -= share * gradient[i];
  const factor = Math.sqrt(square / product(found, found));
  return found.map((value) => value * factor);
}

/** A net that trains to a step, and what it sees from there. */
class Walk {
  constructor(shared, variant, state) {
    Object.assign(this, { state, variant, shared, net: shared.net(variant, state.depth) });
    this.lane = new Lane(shared, variant, { ...state, batch_size: BATCH_SIZE }, Infinity);
    this.found = null;
  }

  /** One more piece of the way to this step; whether something is left. */
  advance(step) {
    const { lane } = this;
    if (!lane.done && lane.taken < step) lane.advance(step - lane.taken);
    lane.clear();
    return !lane.done && lane.taken < step;
  }

  /** Images and labels of the batch that would come next. */
  batch() {
    const { images, labels } = this.shared.train, numbers = this.lane.batches(this.lane.taken, 1);
    const pixels = images.length / labels.length, x = new Float32Array(numbers.length * pixels);
    numbers.forEach((n, i) => x.set(images.subarray(n * pixels, (n + 1) * pixels), i * pixels));
    return [x, Int32Array.from(numbers, (n) => labels[n])];
  }

  /** Puts the weights at w + a g + b e. */
  move(a, b = 0) {
    const { params, gradient, aside } = this, moved = new Float32Array(params.length);
    if (b === 0) for (let i = 0; i < moved.length; i++) moved[i] = params[i] + a * gradient[i];
    else for (let i = 0; i < moved.length; i++) moved[i] = params[i] + a * gradient[i] + b * aside[i];
    this.net.setState({ ...this.start, params: moved });
  }

  /** Looks along the gradient; the net stays as it was. */
  look() {
    const { net, lane, state } = this;
    const found = this.found = {
      step: lane.taken, diverged_at: lane.divergedAt, loss: null, size: null, losses: null,
      changes: null, plane: null, done: lane.done,
    };
    if (lane.divergedAt !== null) return found;
    const { params, buffers, counters } = net.getState();
    this.seen = this.batch();
    this.start = { buffers, counters };
    const { loss, gradient } = net.gradient(...this.seen);
    Object.assign(this, { params, gradient });
    Object.assign(found, { loss: finite(loss), size: finite(Math.sqrt(product(gradient, gradient))), losses: [], changes: [] });
    for (const multiple of MULTIPLES) {
      this.move(-multiple * state.lr);
      const there = net.gradient(...this.seen);
      let sum = 0;
      for (let i = 0; i < gradient.length; i++) sum += (there.gradient[i] - gradient[i]) ** 2;
      found.losses.push(finite(there.loss));
      found.changes.push(finite(Math.sqrt(sum)));
    }
    this.back();
    return found;
  }

  back() { this.net.setState({ ...this.start, params: this.params }); }

  /** The rows of the plane, one at each call of the iterator. */
  *rows() {
    const { state, net } = this;
    this.aside = sideways(this.gradient, state.seed);
    for (const a of PLANE) {
      yield PLANE.map((b) => {
        this.move(-a * state.lr, b * state.lr);
        return finite(net.evaluate(...this.seen, true).loss);
      });
    }
    this.back();
  }
}

JOBS.landscape = async function landscape(shared, mine, tell) {
  const { state } = mine;
  shared.keep(state.norms.map((norm) => shared.keyOf(norm, state.depth)));
  const walks = state.norms.map((norm) => new Walk(shared, norm, state));
  for (let stop = 0, last = false; !last; stop += LOOK_EVERY) {
    last = stop >= state.step;
    for (const walk of walks) {
      for (let left = true; left;) {
        slice(() => (left = walk.advance(Math.min(stop, state.step))));
        if (!(await tell([]))) return;
      }
      if (!(await tell([[walk.variant, { ...walk.look() }]]))) return;
    }
  }
  for (const walk of walks) {
    const plane = [], rows = walk.found.losses ? walk.rows() : [].values();
    for (let more = true; more;) {
      slice(() => {
        const { value, done } = rows.next();
        if (!done) plane.push(value);
        return (more = !done);
      });
      if (!(await tell([]))) return;
    }
    const known = plane.length ? plane : null;
    if (!(await tell([[walk.variant, { ...walk.found, plane: known, done: true }]]))) return;
  }
};
