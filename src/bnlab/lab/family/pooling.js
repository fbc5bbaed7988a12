// Which numbers of a block (N, C, H, W) share one statistic.
//
// A block is {N, C, P, values}: P = H * W positions, values in C order, so that the number of
// sample n, channel c and position p has the index (n * C + c) * P + p.
// A setting is {norm, mode, batch_size, group_size, ghost_size}.

/** Pool over the samples in training; in evaluation a stored statistic takes the place. */
const OVER_SAMPLES = new Set([
  "batch", "ghost_batch", "batch_renorm", "noisy_batch", "variance", "l1_batch", "l2_batch",
  "linf_batch", "evonorm_b0",
]);

/** The samples (lists of C * P numbers) as one block. */
export function blockOf(samples, C) {
  const values = samples.flat();
  return { N: samples.length, C, P: values.length / samples.length / C, values };
}

export function hasStored(norm) {
  return OVER_SAMPLES.has(norm);
}

/** Whether running statistics, stored while training, take the place of the batch's own. */
export function usesStored({ norm, mode }) {
  return mode === "eval" && hasStored(norm);
}

/** Whether the normalizer has groups of channels. */
export function hasGroups(norm) {
  return norm === "group" || norm === "evonorm_s0";
}

/** Sample and channel of the number at `index`. */
export function placeOf(index, { C, P }) {
  return { n: Math.floor(index / (P * C)), c: Math.floor(index / P) % C };
}

/**
 * The pool of sample n, channel c: all samples from n0 up to n1 and channels from c0 up to c1, at
 * every position. null: nothing of the block is pooled.
 */
export function poolOf(setting, { N, C }, n, c) {
  const { norm, group_size: group, ghost_size: ghost } = setting;
  if (norm === "none" || usesStored(setting)) return null;
  const part = (at, size) => [at - (at % size), at - (at % size) + size];
  const [n0, n1] = part(n, norm === "ghost_batch" ? ghost : hasStored(norm) ? N : 1);
  const [c0, c1] = part(c, hasGroups(norm) ? group : { layer: C, rms: C }[norm] ?? 1);
  return { n0, n1, c0, c1 };
}

/** The pool of one sample inside of the batch's, where a normalizer has both; else null. */
export function innerPoolOf({ norm }, n, c) {
  return norm === "evonorm_b0" ? { n0: n, n1: n + 1, c0: c, c1: c + 1 } : null;
}

/** Indices of the numbers in a pool. */
export function membersOf({ n0, n1, c0, c1 }, { C, P }) {
  const members = [];
  for (let n = n0; n < n1; n++) {
    for (let i = (n * C + c0) * P; i < (n * C + c1) * P; i++) members.push(i);
  }
  return members;
}

/** Mean, biased variance, and the means of squares and absolute values, and the largest of these. */
export function statisticOf(numbers) {
  const average = (list) => list.reduce((sum, v) => sum + v, 0) / list.length;
  const mean = average(numbers);
  return {
    mean,
    variance: average(numbers.map((v) => (v - mean) ** 2)),  // two passes, as in bnlab
    square: average(numbers.map((v) => v * v)),
    absolute: average(numbers.map(Math.abs)),
    largest: Math.max(...numbers.map(Math.abs)),
  };
}

/** The list of samples with all but number `keep` replaced by the next ones not in use. */
export function otherSamples(samples, keep, size) {
  const used = new Set(samples);
  let at = samples.at(keep === samples.length - 1 ? -2 : -1);
  return samples.map((sample, n) => {
    if (n === keep) return sample;
    do at = (at + 1) % size; while (used.has(at));
    used.add(at);
    return at;
  });
}
