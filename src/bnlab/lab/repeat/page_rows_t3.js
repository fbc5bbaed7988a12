// The rows of T3: a net learns the old digits, then the new ones in one of the ways.

import { TunedLane, learnedOld, movementOf, oldAndNew } from "../clinic/page_t3.js";
import { ROWS, rounded, withStatistics } from "./page_rows.js";

class TunedRow extends TunedLane {
  look() { /* at the end */ }

  vector() { return withStatistics(this.net.getState()); }

  numbers(test) {
    const { net, before, shared } = this, { buffers } = net.getState(), [old, fresh] = oldAndNew(test);
    const right = (images) => rounded(net.evaluate(...images).accuracy), kept = rounded(this.kept(old));
    const tuned = { new: right(fresh), val_new: right(oldAndNew(shared.val)[1]) };
    net.setState({ params: before.params, buffers: before.buffers });
    return { before: right(old), old: kept, ...tuned, moved: rounded(movementOf(before.buffers, buffers)) };
  }
}

ROWS.tuned = (shared, { arm, seed, steps, variant, extra = null, lr }) =>
  new TunedRow(shared, arm, seed, steps, learnedOld(shared, seed, steps), { variant, extra, lr });
