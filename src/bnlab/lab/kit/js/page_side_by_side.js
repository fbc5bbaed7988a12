// The job "side_by_side": nets that train in turns. Its points are
//   [variant, {loss, accuracy, records, layers, guesses, step, diverged_at, done}]

import { JOBS, slice } from "./page_jobs.js";
import { Lane } from "./page_lane.js";

const behind = (lanes) => lanes.filter((lane) => !lane.done).sort((a, b) => a.taken - b.taken)[0];

/** Trains for some milliseconds, the net that is behind first. */
function together(lanes) {
  const moved = new Set();
  slice(() => {
    const lane = behind(lanes);
    lane.advance();
    moved.add(lane);
    return behind(lanes);
  });
  return [...moved];
}

/** Trains all lanes, the one that is behind first; `told(lane)` lists what is new about it. */
export async function trainAll(lanes, tell, told = (lane) => [lane.take()]) {
  while (behind(lanes)) {
    if (!(await tell(together(lanes).flatMap(told)))) return;
  }
}

/** The nets that are behind take one point; in slow motion. */
function oneRound(lanes) {
  const step = behind(lanes).taken, late = lanes.filter((lane) => !lane.done && lane.taken === step);
  for (const lane of late) lane.advance();
  return late;
}

/** Brings all nets to the same step. */
function level(lanes) {
  const step = Math.max(...lanes.map((lane) => lane.taken));
  const late = lanes.filter((lane) => !lane.done && lane.taken < step);
  for (const lane of late) while (!lane.done && lane.taken < step) lane.advance(step - lane.taken);
  return late;
}

const SLOW = 10_000;  // ms of a race in slow motion

/** Trains until all nets are done, or something else is wanted. */
JOBS.side_by_side = async function sideBySide(shared, mine, tell) {
  const { state, steps, seen } = mine, lanes = [], period = (SLOW * shared.rules.block) / steps;
  let due = 0;  // in slow motion: when the next point may come
  const taken = (moved) => tell(moved.map((lane) => lane.take()));
  shared.keep(state.norms.map((norm) => shared.keyOf(norm, state.depth)));
  for (const norm of state.norms) {
    lanes.push(new Lane(shared, norm, state, steps, seen));
    if (!(await taken(lanes.slice(-1)))) return;
  }
  while (behind(lanes)) {
    let moved;
    const early = mine.slow && !mine.paused ? due - performance.now() : 0;
    if (early > 0) {
      if (!(await mine.woken(early))) return;
      continue;
    }
    if (!mine.paused && mine.slow) {
      moved = oneRound(lanes);
      due = Math.max(due, performance.now() - period) + period;
    } else if (!mine.paused) moved = together(lanes);
    else if ((moved = level(lanes)).length === 0 && mine.singles > 0) {
      mine.singles--;
      moved = lanes.filter((lane) => !lane.done);
      for (const lane of moved) lane.advance(1);
    }
    if (!(await taken(moved))) return;
    if (mine.paused && !moved.length && !mine.singles && !(await mine.woken())) return;
  }
};
