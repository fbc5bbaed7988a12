// Scales of plots of cards, as those of plot_scales.js.

import { twoDigits } from "../kit/js/sentence.js";

const ofTwoDigits = (value) => String(+value.toPrecision(2));
const bounded = (height) => Math.min(1, Math.max(0, height));

/** From `low` to `high`, in equal steps; below and above it lies what is further away. */
export const evenScale = (low, high, ticks, write = ofTwoDigits) =>
  ({ at: (value) => bounded((value - low) / (high - low)), ticks, write });

/** From `low` to `high`, in equal ratios. */
export const ratioScale = (low, high, ticks, write = ofTwoDigits) =>
  ({ at: (value) => bounded(Math.log(value / low) / Math.log(high / low)), ticks, write });

/** Accuracies of nets of which all are good. */
export const HIGH_ACCURACIES = evenScale(
  0.6, 1, [[0.6, "≤ 0.6"], [0.7, "0.7"], [0.8, "0.8"], [0.9, "0.9"], [1, "1"]], twoDigits);
