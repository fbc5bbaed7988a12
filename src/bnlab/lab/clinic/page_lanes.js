// Nets that train in turns, for the jobs of several cards: a net of its own for each lane, also where
// two have the same program.

import { trainAll } from "../kit/js/page_side_by_side.js";

/**
 * What a lane shares with the others, but with a net of its own: nets are kept between requests under
 * `name`, and those of other names are dropped by `keep` once all are there. `extra` is one of store.net() of run.js, always the same for a name.
 */
export function ownNet(shared, name, variant, depth, extra = null) {
  const key = `${name} ${shared.keyOf(variant, depth)}`;
  if (!shared.nets.has(key)) {
    const net = shared.store.net(shared.keyOf(variant, depth), "float32", shared.rules.optimizer, extra);
    net.setData(shared.train.images, shared.train.labels);
    shared.nets.set(key, net);
  }
  const net = shared.nets.get(key);
  return Object.assign(Object.create(shared), { net: () => net, ownKey: key });
}

/**
 * Trains in turns; `makers` make a lane each, which has advance(), done, taken, shared and
 * told(): a list of [name, content].
 */
export async function inTurns(makers, shared, tell) {
  const lanes = [];
  for (const make of makers) {
    lanes.push(make());
    if (!(await tell(lanes.at(-1).told()))) return;
  }
  shared.keep(lanes.map((lane) => lane.shared.ownKey));
  await trainAll(lanes, tell, (lane) => lane.told());
}
