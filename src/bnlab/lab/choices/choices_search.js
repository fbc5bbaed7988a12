// The evolution of BN-NAS: the best score within a budget. Seeded; no drawing here.

import { bits } from "../../engines/compiled/js/random.js";

const EVOLUTION = 80, SAME_SIZE = 81, TRAINED_PATH = 20;  // streams; the last one is Python's PATHS
const NEAR = 0.05;  // of the size: nets of the same size
const TRIES = 10;   // for each candidate that is wanted

/** Numbers of a stream, one after the other. */
function drawing(seed, stream) {
  let used = 0;
  const next = () => bits(seed, stream, 1, used++)[0];
  return { below: (high) => next() % high, share: () => (next() >>> 8) * 2 ** -24 };
}

/** The path on which a supernet is trained in this step, counted from 1: Supernet.sample. */
export function pathOfStep(blocks, seed, step) {
  const numbers = bits(seed, TRAINED_PATH, blocks.length, (step - 1) * blocks.length);
  return blocks.map(({ length }, k) => numbers[k] % length);
}

/**
 * Rounds of an evolution. First a random population; then, of the best ones seen so far, mutants
 * and children of two, and random ones up to the same number. Nothing is tried twice, and nothing
 * beyond the budget. Gives for each round {tried, best}, numbers of architectures.
 *
 * `scores` are of all architectures, `allowed` a list of those within the budget.
 */
export function evolve({ blocks, paths }, scores, allowed, seed, search) {
  const { population, parents, mutants, children, rate, rounds } = search;
  const random = drawing(seed, EVOLUTION), fits = new Set(allowed), seen = new Set();
  const numberOf = (path) => path.reduce((sum, op, k) => sum * blocks[k].length + op, 0);
  const any = () => blocks.map(({ length }) => random.below(length));

  function fill(tried, count, make) {
    for (let left = TRIES * count; left > 0 && count > 0; left--) {
      const number = numberOf(make());
      if (!fits.has(number) || seen.has(number)) continue;
      seen.add(number);
      tried.push(number);
      count--;
    }
  }
  const better = (a, b) => scores[b] - scores[a] || a - b;
  const found = [];
  let best = [];
  for (let round = 0; round <= rounds; round++) {
    const tried = [], parent = () => paths[best[random.below(best.length)]];
    if (best.length) {
      fill(tried, mutants, () => parent().map((op, k) =>
        (random.share() < rate ? random.below(blocks[k].length) : op)));
      fill(tried, children, () => {
        const [one, other] = [parent(), parent()];
        return one.map((op, k) => (random.below(2) ? other[k] : op));
      });
    }
    fill(tried, population - tried.length, any);
    best = [...best, ...tried].sort(better).slice(0, parents);
    found.push({ tried, best: best[0] ?? null });
  }
  return found;
}

/** Other architectures within the budget that cost as much, or else the one that costs most nearly. */
export function sameSize({ macs }, number, allowed) {
  const off = (i) => Math.abs(macs[i] - macs[number]), others = allowed.filter((i) => i !== number);
  const near = others.filter((i) => off(i) <= NEAR * macs[number]);
  if (near.length || !others.length) return near;
  return [others.reduce((a, b) => (off(b) < off(a) ? b : a))];
}

/** One of them, at random. */
export const oneOf = (numbers, seed) => (numbers.length ? numbers[drawing(seed, SAME_SIZE).below(numbers.length)] : null);
