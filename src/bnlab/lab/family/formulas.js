// What becomes of the numbers of a block: every normalizer's formula, untrained (weight 1, bias 0,
// v = 1, tau = 0).
//
// Where the stored statistics of a normalizer are asked for, they are {mean, var, norm}, a list over
// the channels each, as far as the normalizer has them; null if it has none.

import { firstNoise } from "./first_noise.js";
import {
  innerPoolOf, membersOf, placeOf, poolOf, statisticOf, usesStored,
} from "./pooling.js";

export const RENORM_LIMITS = { r: 3, d: 5 };  // r_max and d_max

const centredOf = (x, s) => (x - s.mean) / s.deviation;

/** y from x and what `sharedBy` finds for it, s. */
const FORMULAS = {
  none: (x) => x,
  batch: centredOf,
  ghost_batch: centredOf,
  layer: centredOf,
  group: centredOf,
  instance: centredOf,
  batch_renorm: (x, s) => centredOf(x, s) * s.r + s.d,
  noisy_batch: (x, s) => centredOf(x, s) * s.factor + s.shift,
  variance: (x, s) => x / s.deviation,
  l1_batch: (x, s) => (x - s.mean) / s.norm,
  l2_batch: (x, s) => (x - s.mean) / s.norm,
  linf_batch: (x, s) => (x - s.mean) / s.norm,
  rms: (x, s) => x / s.root,
  filter_response: (x, s) => Math.max(x / s.root, 0),
  evonorm_b0: (x, s) => x / Math.max(s.deviation, x + s.own.deviation),
  evonorm_s0: (x, s) => (x / (1 + Math.exp(-x))) / s.deviation,
};

/** The divisors that a normalizer makes of a statistic. */
function withDivisors(norm, s, eps) {
  return {
    ...s, deviation: Math.sqrt(s.variance + eps), root: Math.sqrt(s.square + eps),
    norm: { l1_batch: s.absolute + eps, l2_batch: Math.sqrt(s.square + eps), linf_batch: s.largest + eps }[norm],
  };
}

function fromStore(stored, c, eps) {
  const [mean, variance, norm] = [stored.mean?.[c], stored.var?.[c], stored.norm?.[c]];
  return { mean, variance, norm, deviation: Math.sqrt(variance + eps) };
}

/** r and d, which take a batch's statistics to the stored ones, within limits. */
function renormed(s, stored, c, eps) {
  const now = fromStore(stored, c, eps), { r: most, d: far } = RENORM_LIMITS;
  const exact = { r: s.deviation / now.deviation, d: (s.mean - now.mean) / now.deviation };
  const r = Math.min(most, Math.max(1 / most, exact.r)), d = Math.min(far, Math.max(-far, exact.d));
  return { r, d, limited: r !== exact.r || d !== exact.d };
}

/**
 * What the number at `index` is normalized with: {members, inner, pool, statistic}. The members are
 * the indices of the numbers that share the statistic, inner those that share the second one of
 * their own sample (statistic.own), if there is one.
 */
export function sharedBy(setting, block, stored, eps, index) {
  const { n, c } = placeOf(index, block), { norm, mode } = setting;
  const pool = poolOf(setting, block, n, c), innerPool = innerPoolOf(setting, n, c);
  const members = pool ? membersOf(pool, block) : [index];
  const inner = innerPool ? membersOf(innerPool, block) : [];
  const over = (indices) => withDivisors(norm, statisticOf(indices.map((i) => block.values[i])), eps);
  const statistic = pool ? over(members) : usesStored(setting) ? fromStore(stored, c, eps) : {};
  if (innerPool) statistic.own = over(inner);
  if (norm === "batch_renorm") {
    Object.assign(statistic, mode === "train" ? renormed(statistic, stored, c, eps) : { r: 1, d: 0 });
  }
  return { members, inner, pool, innerPool, statistic };
}

/** The statistic with what the number at `index` has alone: its noise. */
export function statisticAt(setting, block, statistic, index) {
  if (setting.norm !== "noisy_batch") return statistic;
  if (setting.mode === "eval") return { ...statistic, factor: 1, shift: 0 };
  const { factor, shift } = firstNoise(block);
  return { ...statistic, factor: factor[index], shift: shift[index] };
}

/** The output for the number at `index`, with the statistic of `statisticAt`. */
export function outputOf(setting, block, statistic, index) {
  return FORMULAS[setting.norm](block.values[index], statistic);
}

/** The numbers of the block after the normalizer. */
export function normalizeBlock(setting, block, stored, eps) {
  const { N, C, P, values } = block, out = [...values];
  // One statistic serves a channel of a sample; no larger part of the block in every normalizer.
  for (let first = 0; first < N * C * P; first += P) {
    const { statistic } = sharedBy(setting, block, stored, eps, first);
    for (let i = first; i < first + P; i++) {
      out[i] = outputOf(setting, block, statisticAt(setting, block, statistic, i), i);
    }
  }
  return out;
}
