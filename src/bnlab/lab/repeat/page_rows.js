// The rows of a verdict as a page trains them, by kind: `(shared, state)` gives a row, which has
//   done, advance()
//   vector()         the numbers whose digest is taken, of the net at its end; asked for first
//   numbers(test)    what the row tells, of the images {images, labels} that it is tested with
// Each module of a kind adds its own to ROWS; a kind is that of bnlab.verdicts.again.Kind.

import { Lane } from "../kit/js/page_lane.js";
import { meanOf } from "./means.js";

export const CHANCE_SCORE = 0.1;
const GUESS_LOSS = Math.log(10), LAST_PART = 10;

/** An accuracy with four digits behind the point, as Python rounds it. */
export const rounded = (accuracy) => Number(accuracy.toFixed(4));

export const fiveDigits = (number) => Number(number.toPrecision(5));

/** The compiled net of a row; `extra` is an update that looks at single tensors, see run.js. */
export function netOfRow(shared, { variant, depth, extra = null, momentum, precision = "float32" }) {
  const update = momentum ? "momentum" : shared.rules.optimizer;
  if (!extra && precision === "float32") return shared.net(variant, depth, update);
  const key = shared.keyOf(variant, depth), name = `${extra} ${precision} ${key}`;
  if (!shared.nets.has(name)) {
    const net = shared.store.net(key, precision, update, extra);
    net.setData(shared.train.images, shared.train.labels);
    shared.nets.set(name, { net, update: extra });
  }
  return shared.nets.get(name).net;
}

/** One net in training that is looked at when it has ended: its numbers are those of a race. */
export class RowLane extends Lane {
  constructor(shared, state) {
    const net = netOfRow(shared, state);
    super(Object.assign(Object.create(shared), { net: () => net }), state.variant, state, state.steps);
    if (state.decay) net.set({ decay: state.decay });
    this.depth = state.depth;
  }

  look() { /* at the end */ }

  vector() { return this.net.getState().params; }

  numbers(test) {
    const { divergedAt, steps, shared } = this, losses = this.records.map(([loss]) => loss);
    const first = steps - Math.floor(steps / LAST_PART), isLost = divergedAt !== null;
    const score = ({ images, labels }) => (isLost ? CHANCE_SCORE : rounded(this.net.evaluate(images, labels).accuracy));
    return {
      loss: meanLoss(losses, steps), end: meanLoss(losses.slice(first), steps - first),
      val_accuracy: score(shared.val), test_accuracy: score(test), diverged_at: divergedAt,
    };
  }
}

/** What a net that diverged leaves out counts as a guess, and no step for more; five digits. */
function meanLoss(losses, steps) {
  const counted = new Float64Array(steps).fill(GUESS_LOSS);
  losses.forEach((loss, i) => { counted[i] = Math.min(loss, GUESS_LOSS); });
  return fiveDigits(meanOf(counted));
}

export const ROWS = { race: (shared, state) => new RowLane(shared, state) };

/** Weights and statistics, one after the other. */
export function withStatistics({ params, buffers }) {
  const vector = new params.constructor(params.length + buffers.length);
  vector.set(params);
  vector.set(buffers, params.length);
  return vector;
}
