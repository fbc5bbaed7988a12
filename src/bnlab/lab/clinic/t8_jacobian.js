// What the output of one sample has to do with the input of another one: the matrix of ||d f_i / d x_j||
// of bnlab.chapters.clinic.t8_penalty, f_i being the logit of the label of sample i, in training mode.

import { linear, linearBack, mlpLayers } from "./mlp.js";

const T8_EPS = 1e-5, T8_CHANNELS = 64, GHOST_SIZE = 4, GROUP_SIZE = 8;

/** Over how many samples and channels mean and variance are taken; with "none" over nothing. */
const T8_SETS = {
  none: () => null,
  batch: (count) => [count, 1],
  batch_renorm: (count) => [count, 1],
  ghost_batch: () => [GHOST_SIZE, 1],
  group: () => [1, GROUP_SIZE],
  layer: () => [1, T8_CHANNELS],
};

/** The sets: of each the places of its numbers in (count, channels). */
function placesOf([samples, channels], count) {
  const all = [];
  for (let i = 0; i < count; i += samples) {
    for (let c = 0; c < T8_CHANNELS; c += channels) {
      const numbers = [];
      for (let a = i; a < i + samples; a++) {
        for (let b = c; b < c + channels; b++) numbers.push(a * T8_CHANNELS + b);
      }
      all.push(numbers);
    }
  }
  return all;
}

const meanBy = (numbers, value) => numbers.reduce((sum, n) => sum + value(n), 0) / numbers.length;

/** Batch renormalization's r and d of a channel, which count as constants; of others 1 and 0. */
function correction({ mean, variance }, channel, ofBatch, deviation, limits) {
  if (!limits) return [1, 0];
  const sd = Math.sqrt(variance[channel] + T8_EPS), { r_max, d_max } = limits;
  const within = (value, low, high) => Math.min(high, Math.max(low, value));
  return [within(deviation / sd, 1 / r_max, r_max), within((ofBatch - mean[channel]) / sd, -d_max, d_max)];
}

/** A normalizer's output, and what takes gradients by it back to its input. */
function normalized(z, layer, sets, count, limits) {
  const all = placesOf(sets, count);
  const hat = new Float64Array(z.length), slope = new Float64Array(z.length), y = new Float64Array(z.length);
  for (const numbers of all) {
    const mean = meanBy(numbers, (n) => z[n]);
    const deviation = Math.sqrt(meanBy(numbers, (n) => (z[n] - mean) ** 2) + T8_EPS);
    const [r, d] = correction(layer, numbers[0] % T8_CHANNELS, mean, deviation, limits);
    for (const n of numbers) {
      const channel = n % T8_CHANNELS;
      hat[n] = (z[n] - mean) / deviation;
      slope[n] = (layer.gamma[channel] * r) / deviation;
      y[n] = layer.gamma[channel] * (hat[n] * r + d) + layer.beta[channel];
    }
  }
  function back(g) {
    const by = new Float64Array(g.length), scaled = g.map((value, n) => value * slope[n]);
    for (const numbers of all) {
      if (numbers.every((n) => scaled[n] === 0)) continue;  // samples that do not see this output
      const mean = meanBy(numbers, (n) => scaled[n]), along = meanBy(numbers, (n) => scaled[n] * hat[n]);
      for (const n of numbers) by[n] = scaled[n] - mean - hat[n] * along;
    }
    return by;
  }
  return { y, back };
}

const rowNorms = (x, count) => Array.from({ length: count }, (_, i) => {
  const size = x.length / count, row = x.subarray(i * size, (i + 1) * size);
  return Math.sqrt(row.reduce((sum, value) => sum + value * value, 0));
});

/**
 * {matrix, summed}: ||d f_i / d x_j||, a row for each i, and ||sum_i d f_i / d x_j||.
 *
 * @param state    {params, buffers} of the net
 * @param norm     a key of T8_SETS
 * @param limits   {r_max, d_max} of batch renormalization
 */
export function jacobian(state, { depth, norm, limits }, images, labels) {
  const count = labels.length, sets = T8_SETS[norm](count), layers = mlpLayers(state, depth, sets !== null);
  const head = layers.pop(), renorm = norm === "batch_renorm" ? limits : null;
  let x = Float64Array.from(images);
  const backs = layers.map((layer) => {
    const z = linear(x, layer, count), { y, back } = sets ? normalized(z, layer, sets, count, renorm) : { y: z, back: (g) => g };
    x = y.map((value) => Math.max(0, value));
    return (g) => linearBack(back(g.map((value, n) => (y[n] > 0 ? value : 0))), layer, count);
  }).reverse();
  const rows = Array.from(labels, (label, i) => {
    const g = new Float64Array(count * head.bias.length);
    g[i * head.bias.length + label] = 1;
    return backs.reduce((by, back) => back(by), linearBack(g, head, count));
  });
  const sum = rows[0].map((_, n) => rows.reduce((all, row) => all + row[n], 0));
  return { matrix: rows.map((row) => rowNorms(row, count)), summed: rowNorms(sum, count) };
}

/** Share of the squares off the diagonal. */
export function leakOf(matrix) {
  let own = 0, all = 0;
  matrix.forEach((row, i) => row.forEach((value, j) => {
    all += value * value;
    if (i === j) own += value * value;
  }));
  return Math.max(0, 1 - own / all);
}

/** How wrong the gradients' norms are if the outputs are summed: a mean over the samples. */
export const penaltyOf = ({ matrix, summed }) =>
  summed.reduce((sum, value, j) => sum + Math.abs(value / matrix[j][j] - 1), 0) / summed.length;
