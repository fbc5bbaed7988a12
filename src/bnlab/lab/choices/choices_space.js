// The architectures of a supernet: what they cost, how they score and rank. No drawing here.

/**
 * All architectures, in Python's order. `truth.right` has, for each seed, how many test images each
 * one gets right when it is trained alone; whole numbers, so that ranks are the same everywhere.
 */
export function architectures({ blocks, costs, truth }) {
  let paths = [[]];
  for (const block of blocks) paths = paths.flatMap((path) => block.map((_, op) => [...path, op]));
  const count = ({ table, fixed }) => paths.map((path) => path.reduce((sum, op, k) => sum + table[k][op], fixed));
  const macs = count(costs.macs);
  const right = paths.map((_, i) => truth.right.reduce((sum, row) => sum + row[i], 0));
  const all = truth.images * truth.right.length;
  return {
    blocks, paths, macs, right, parameters: count(costs.parameters),
    layers: paths.map((path) => path.filter((op, k) => blocks[k][op] !== "identity").length),
    names: paths.map((path) => path.map((op, k) => blocks[k][op]).join("-")),
    accuracy: right.map((count) => count / all),
    rows: truth.right,
    largest: Math.max(...macs),
  };
}

/** The scales, one after the other as Python tells them, by block. */
export function byBlock(blocks, scales) {
  let first = 0;
  return blocks.map(({ length }) => scales.slice(first, (first += length)));
}

/** What the scales are before the first step: 1, in thousandths; an identity has none. */
export const untrained = (blocks) => blocks.flat().map((name) => (name === "identity" ? 0 : 1000));

/** The score of each architecture: the sum of the scales of its operations, in thousandths. */
export function scoresOf({ blocks, paths }, scales) {
  const table = byBlock(blocks, scales);
  return paths.map((path) => path.reduce((sum, op, k) => sum + table[k][op], 0));
}

/** 1 for the largest value; as many places lower as there are larger ones among these. */
export function rankOf(values, at, among = values.keys()) {
  let rank = 1;
  for (const one of among) if (values[one] > values[at]) rank++;
  return rank;
}

/** Numbers of the architectures that cost at most so many per cent of the largest. */
export function within({ macs, largest }, percent) {
  return [...macs.keys()].filter((i) => 100 * macs[i] <= percent * largest);
}

/** Kendall's tau-a: pairs in the same order minus pairs in opposite order, over all pairs. A tie gains nothing. */
export function kendall(x, y) {
  let agree = 0;
  for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < i; j++) {
      agree += Math.sign(x[i] - x[j]) * Math.sign(y[i] - y[j]);
    }
  }
  return agree / (x.length * (x.length - 1) / 2);
}

const meanOf = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Tau with each seed's truth, averaged. */
export const agreement = ({ rows }, values) => meanOf(rows.map((row) => kendall(values, row)));

/** Tau of each seed's truth with the mean of the other seeds; null for one seed. */
export function ceiling({ rows, right }) {
  if (rows.length < 2) return null;
  return meanOf(rows.map((row) => kendall(row, right.map((sum, i) => sum - row[i]))));
}
