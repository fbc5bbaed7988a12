// Which numbers of a block (N, C, H, W) share one statistic, and what becomes of them.
//
// A block is {N, C, P, values}: P = H * W positions, values in C order, so that the number of
// sample n, channel c and position p has the index (n * C + c) * P + p.
// A setting is {norm, mode, batch_size, group_size, ghost_size}.

/** The samples (lists of C * P numbers) as one block. */
export function blockOf(samples, C) {
  const values = samples.flat();
  return { N: samples.length, C, P: values.length / samples.length / C, values };
}

/** Whether running statistics, stored while training, take the place of the batch's own. */
export function usesStored({ norm, mode }) {
  return mode === "eval" && hasStored(norm);
}

export function hasStored(norm) {
  return norm === "batch" || norm === "ghost_batch";
}

/**
 * The pool of sample n, channel c: all samples from n0 up to n1 and channels from c0 up to c1, at
 * every position. null: nothing of the block is pooled.
 */
export function poolOf(setting, { N, C }, n, c) {
  const { norm, group_size: group, ghost_size: ghost } = setting;
  if (norm === "none" || usesStored(setting)) return null;
  const part = (at, size) => [at - (at % size), at - (at % size) + size];
  const [n0, n1] = part(n, { batch: N, ghost_batch: ghost }[norm] ?? 1);
  const [c0, c1] = part(c, { layer: C, rms: C, group }[norm] ?? 1);
  return { n0, n1, c0, c1 };
}

/** Indices of the numbers in a pool. */
export function membersOf({ n0, n1, c0, c1 }, { C, P }) {
  const members = [];
  for (let n = n0; n < n1; n++) {
    for (let i = (n * C + c0) * P; i < (n * C + c1) * P; i++) members.push(i);
  }
  return members;
}

/** Mean and biased variance; the mean square is that about zero. Two passes, as in bnlab. */
export function statisticOf(numbers) {
  const average = (list) => list.reduce((sum, v) => sum + v, 0) / list.length;
  const mean = average(numbers);
  const variance = average(numbers.map((v) => (v - mean) ** 2));
  return { mean, variance, square: average(numbers.map((v) => v * v)) };
}

/**
 * What a number is normalized with: {members, pool, mean, variance}. The members are the indices
 * of the numbers that share the statistic. For rms the mean is 0 and the variance is about 0.
 */
export function sharedBy(setting, block, stored, index) {
  const c = Math.floor(index / block.P) % block.C, n = Math.floor(index / (block.P * block.C));
  const pool = poolOf(setting, block, n, c);
  if (!pool) {
    const own = { members: [index], pool };
    return usesStored(setting) ? { ...own, mean: stored.mean[c], variance: stored.variance[c] } : own;
  }
  const members = membersOf(pool, block);
  const { mean, variance, square } = statisticOf(members.map((i) => block.values[i]));
  return setting.norm === "rms"
    ? { members, pool, mean: 0, variance: square } : { members, pool, mean, variance };
}

/** The block after the normalizer, with weight 1 and bias 0. */
export function normalizeBlock(setting, block, stored, eps) {
  const { N, C, P, values } = block, out = [...values];
  if (setting.norm === "none") return out;
  const seen = new Set();
  for (let first = 0; first < N * C * P; first += P) {
    if (seen.has(first)) continue;
    const { members, pool, mean, variance } = sharedBy(setting, block, stored, first);
    const all = pool ? members : Array.from({ length: P }, (_, p) => first + p);
    for (const i of all) {
      seen.add(i);
      out[i] = (values[i] - mean) / Math.sqrt(variance + eps);
    }
  }
  return out;
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
