// The norms that LAWN holds, as bnlab.engines.compiled.engine computes them. No imports.

/** Where the weight matrices lie among the parameters, from their rules: [first, end]. */
export function weightsOf(rules) {
  const found = [];
  let at = 0;
  for (const [kind, count] of rules) {
    if (kind === "weights") found.push([at, at + count]);
    at += count;
  }
  return found;
}

/** With what each addition rounds off (Neumaier), so that the sum is as good as exact. */
export function sumOfSquares(values) {
  let sum = 0, rest = 0;
  for (const value of values) {
    const square = value * value, next = sum + square;
    rest += sum >= square ? sum - next + square : square - next + sum;
    sum = next;
  }
  return sum + rest;
}

/** Of each weight matrix. */
export function normsOf(weights, params) {
  const norms = weights.map(([first, end]) => Math.sqrt(sumOfSquares(params.subarray(first, end))));
  if (norms.every((norm) => norm > 0 && norm < Infinity)) return norms;
  throw new Error("A weight matrix has no direction to constrain: use a longer free phase.");
}
