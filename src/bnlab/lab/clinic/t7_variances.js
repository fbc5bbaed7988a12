// The running variance of each BatchNorm over the variance of the numbers that it meets in evaluation
// mode, as `shifts` of bnlab.chapters.clinic.t7_dropout has it.

import { linear, mlpLayers } from "./mlp.js";

const T7_EPS = 1e-5;

/** Variance of each column of `count` rows, with count - 1 below. */
function columnVariances(x, count) {
  const columns = x.length / count;
  return Float64Array.from({ length: columns }, (_, c) => {
    let mean = 0, squares = 0;
    for (let i = c; i < x.length; i += columns) mean += x[i];
    mean /= count;
    for (let i = c; i < x.length; i += columns) squares += (x[i] - mean) ** 2;
    return squares / (count - 1);
  });
}

/**
 * By layer: the geometric mean over channels of running variance over variance met.
 *
 * @param state    of a net that was trained with dropout or without it: linear, BatchNorm, ReLU
 * @param images   numbers of all images, one after the other
 */
export function varianceRatios(state, depth, images, count) {
  let x = Float64Array.from(images);
  return mlpLayers(state, depth).slice(0, -1).map((layer) => {
    const { gamma, beta, mean, variance } = layer, z = linear(x, layer, count), met = columnVariances(z, count);
    const log = met.reduce((sum, one, c) => sum + Math.log10(variance[c] / one), 0) / met.length;
    x = z.map((value, i) => {
      const c = i % met.length;
      return Math.max(0, ((value - mean[c]) / Math.sqrt(variance[c] + T7_EPS)) * gamma[c] + beta[c]);
    });
    return 10 ** log;
  });
}
