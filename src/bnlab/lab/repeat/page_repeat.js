// The jobs of "Repeat this verdict". "repeat" trains one row of the evidence; its one point is
//   ["row", {loss, end, val_accuracy, test_accuracy, diverged_at, digest}]
// with the numbers of bnlab.verdicts.race.outcome. "judge" computes intervals and words; its point is
//   ["verdict", what decideClaim() of judge.js gives]

import { JOBS, slice } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { decideClaim } from "./judge.js";
import { meanOf } from "./means.js";
import { digestOf } from "./sha256.js";

const CHANCE_SCORE = 0.1, GUESS_LOSS = Math.log(10), LAST_PART = 10;
const rounded = (accuracy) => Math.round(1e4 * accuracy) / 1e4;

/** The images with which the page is tested, from a digit to the base 36 for each pixel. */
function testImages(shared, { images, labels }) {
  shared.test ??= {
    images: Float32Array.from(images, (level) => (parseInt(level, 36) - 5) / 6),
    labels: Int32Array.from(labels, Number),
  };
  return shared.test;
}

/** The compiled net of a row; `extra` is an update that looks at single tensors, see run.js. */
function netOfRow(shared, { variant, depth, extra }) {
  if (!extra) return shared.net(variant, depth);
  const key = shared.keyOf(variant, depth), name = `${extra} ${key}`;
  if (!shared.nets.has(name)) {
    const net = shared.store.net(key, "float32", shared.rules.optimizer, extra);
    net.setData(shared.train.images, shared.train.labels);
    shared.nets.set(name, { net, update: extra });
  }
  return shared.nets.get(name).net;
}

/** One net in training that is looked at when it has ended. */
class RowLane extends Lane {
  look() { /* at the end */ }

  outcome(test) {
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
  return Number(meanOf(counted).toPrecision(5));
}

JOBS.repeat = async function repeatRow(shared, mine, tell) {
  const { state } = mine, net = netOfRow(shared, state), own = Object.assign(Object.create(shared), { net: () => net });
  const lane = new RowLane(own, state.variant, state, state.steps);
  if (state.decay) net.set({ decay: state.decay });
  while (!lane.done) {
    slice(() => { lane.advance(); return !lane.done; });
    if (!(await tell([]))) return;
    while (mine.paused) if (!(await mine.woken())) return;
  }
  const digest = digestOf(net.getState().params);  // evaluations leave the weights alone
  await tell([["row", { ...lane.outcome(testImages(shared, state.test)), digest }]]);
};

JOBS.judge = async function judgeClaim(_shared, mine, tell) {
  const { claim, values } = mine.state;
  await tell([["verdict", decideClaim(claim, values)]]);
};
