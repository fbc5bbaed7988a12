// LAWN's free phase in a page: the step from which the norms of the weights are held.

/** Lanes whose norms are held from the step `this.free` on; Infinity holds them never. */
export const heldAfterFreeSteps = (LaneClass) => class extends LaneClass {
  /** The last free step ends a block. */
  update(count) {
    if (this.taken === this.free) this.net.constrain();
    const left = this.free - this.taken;
    return super.update(left > 0 ? Math.min(count, left) : count);
  }
};
