// The job "all_seeds": the nets of a race with one seed after the other. Its points are
//   [variant, {seed, loss, accuracy, diverged_at}]    one for each training, when it has ended

import { JOBS, slice } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";

/** mine.state: that of a race, and the list `seeds`. */
JOBS.all_seeds = async function allSeeds(shared, mine, tell) {
  const { state, steps } = mine;
  shared.keep(state.norms.map((norm) => shared.keyOf(norm, state.depth)));
  for (const seed of state.seeds) {
    for (const norm of state.norms) {
      const lane = new Lane(shared, norm, { ...state, seed }, steps), points = { loss: [], accuracy: [] };
      while (!lane.done) {
        if (!(await tell([]))) return;
        while (mine.paused) if (!(await mine.woken())) return;
        slice(() => {
          lane.advance();
          return !lane.done;
        });
        const [, { loss, accuracy }] = lane.take();
        points.loss.push(...loss);
        points.accuracy.push(...accuracy);
      }
      if (!(await tell([[norm, { seed, ...points, diverged_at: lane.divergedAt }]]))) return;
    }
  }
};
