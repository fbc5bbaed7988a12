// The job "t2": nets on batches of a few images. Its points are
//   [norm, {loss, accuracy, step, diverged_at, done, refused}], by images seen

import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { trainAll } from "../kit/js/page_side_by_side.js";

const T2_DEPTH = 4, T2_IMAGES = 4800, T2_LOOK = 240;  // images in all, and between two points
const T2_RATES = {
  batch: { 8: 0.1, 4: 0.03, 2: 0.03 },
  batch_renorm: { 8: 0.3, 4: 0.1, 2: 0.01 },
  group: { 8: 0.1, 4: 0.03, 2: 0.03, 1: 0.03 },
  layer: { 8: 0.03, 4: 0.03, 2: 0.01, 1: 0.01 },
};
const T2_POOLING = ["batch", "batch_renorm"];
const T2_REFUSED = "Expected more than 1 value per channel when training";  // as PyTorch says it

class ImagesLane extends Lane {
  take() {
    const [name, { loss, accuracy, step, diverged_at: lost, done }] = super.take(), { size } = this;
    const seen = (points) => points.map(([at, value]) => [at * size, value]);
    return [name, {
      loss: seen(loss), accuracy: seen(accuracy), step: (lost ?? step) * size,
      diverged_at: lost === null ? null : lost * size, done,
    }];
  }
}

const refusedPoints = (norm) =>
  [norm, { loss: [], accuracy: [], step: 0, diverged_at: null, done: true, refused: T2_REFUSED }];

JOBS.t2 = async function trainT2(shared, mine, tell) {
  const { batch_size: size, instead, seed, repaired } = mine.state;
  const every = T2_LOOK / size, rules = { ...shared.rules, block: every, evaluate: every };
  const own = Object.assign(Object.create(shared), { rules }), lanes = [];
  const norms = ["batch", ...(repaired ? [instead] : [])];
  shared.keep(norms.map((norm) => shared.keyOf(norm, T2_DEPTH)));
  for (const norm of norms) {
    const isRefused = size === 1 && T2_POOLING.includes(norm);
    if (!isRefused) {
      const state = { depth: T2_DEPTH, batch_size: size, lr: T2_RATES[norm][size], seed };
      lanes.push(new ImagesLane(own, norm, state, T2_IMAGES / size));
    }
    if (!(await tell([isRefused ? refusedPoints(norm) : lanes.at(-1).take()]))) return;
  }
  await trainAll(lanes, tell);
};
