// Sums and means with the roundings of numpy, so that both give the same bits.

const LANES = 8, PAIRED_FROM = 128;

/** The sum of values[from] to values[from + count - 1] in numpy's order: pairwise, in blocks of eight lanes. */
function pairwiseSum(values, from, count) {
  if (count > PAIRED_FROM) {
    const half = Math.floor(count / 2), first = half - (half % LANES);
    return pairwiseSum(values, from, first) + pairwiseSum(values, from + first, count - first);
  }
  const whole = count - (count % LANES), last = from + whole;
  let sum = 0;
  if (whole) {
    let a = values[from], b = values[from + 1], c = values[from + 2], d = values[from + 3];
    let e = values[from + 4], f = values[from + 5], g = values[from + 6], h = values[from + 7];
    for (let i = from + LANES; i < last; i += LANES) {
      a += values[i];
      b += values[i + 1];
      c += values[i + 2];
      d += values[i + 3];
      e += values[i + 4];
      f += values[i + 5];
      g += values[i + 6];
      h += values[i + 7];
    }
    sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
  }
  for (let i = last; i < from + count; i++) sum += values[i];
  return sum;
}

export const sumOf = (values) => pairwiseSum(values, 0, values.length);
export const meanOf = (values) => sumOf(values) / values.length;

/** The standard error of the mean. */
export function standardError(values) {
  const mean = meanOf(values), squares = values.map((value) => (value - mean) ** 2);
  return Math.sqrt(sumOf(squares) / (values.length - 1)) / Math.sqrt(values.length);
}
