// Kendall's tau-b of two lists of numbers, as scipy.stats.kendalltau has it. No drawing here.

const total = (values) => values.reduce((sum, value) => sum + value, 0);

/** For each pair the sign of the difference. */
const signsOf = (values) => values.flatMap((one, i) => values.slice(i + 1).map((other) => Math.sign(one - other)));

export function kendall(xs, ys) {
  const [x, y] = [signsOf(xs), signsOf(ys)];
  const agree = total(x.map((sign, pair) => sign * y[pair])), untied = (signs) => total(signs.map(Math.abs));
  return Math.min(1, Math.max(-1, agree / Math.sqrt(untied(x)) / Math.sqrt(untied(y))));
}
