// The job "plane": points of the plane of gamma and learning rate, one net after the other. Its
// points are [gamma|rate, {loss, step, diverged_at, done, ...}], see page_lane.js.

import { JOBS, slice } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";

/** mine.state: {norm, depth, momentum, seed, batch_size, unit, cells: [[gamma, rate], ...]} */
JOBS.plane = async function plane(shared, mine, tell) {
  const { norm, depth, momentum, seed, batch_size, unit, cells } = mine.state;
  shared.keep([shared.keyOf(norm, depth)]);
  for (const [gamma, rate] of cells) {
    const setting = { depth, seed, batch_size, lr: unit * rate, gamma: norm === "batch" ? gamma : 1 };
    const lane = new Lane(shared, norm, { ...setting, inputs: { momentum } }, mine.steps);
    do {
      slice(() => {
        lane.advance();
        return !lane.done;
      });
      const [, content] = lane.take();
      if (!(await tell([[`${gamma}|${rate}`, content]]))) return;
    } while (!lane.done);
  }
};
