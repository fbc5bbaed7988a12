// The normal distribution and Student's t: what lies below a number, and the number to a share.

const SERIES_UP_TO = 3;  // beyond it the continued fraction
const TERMS = 120;  // of the continued fraction: enough for 16 digits at 3

const density = (x) => Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);

/** The share of a normal distribution below x (Abramowitz and Stegun 1964, 26.2.11 and 26.2.14). */
export function normalCdf(x) {
  if (Number.isNaN(x)) return NaN;
  if (x > SERIES_UP_TO) return 1 - normalCdf(-x);
  if (x < -SERIES_UP_TO) {
    let below = -x;
    for (let k = TERMS; k > 0; k--) below = k / below - x;
    return density(x) / below;
  }
  let term = x, sum = x;
  for (let k = 3; Math.abs(term) > 1e-18 * Math.abs(sum); k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + density(x) * sum;
}

/** The number below which a share p of a normal distribution lies. */
export function normalPpf(p) {
  if (!(p >= 0 && p <= 1)) return NaN;
  if (p > 0.5) return -normalPpf(1 - p);
  return p === 0 ? -Infinity : -tangentRoot((z) => [normalCdf(-z) - p, density(z)]);
}

/** The share between -t and t of Student's t with whole degrees of freedom (A. and S. 26.7.3 and 26.7.4). */
export function studentWithin(t, freedom) {
  const angle = Math.atan2(t, Math.sqrt(freedom)), sine = Math.sin(angle), cosine = Math.cos(angle);
  const odd = freedom % 2;
  let term = odd ? cosine : 1, sum = freedom > 1 ? term : 0;
  for (let k = 2 + odd; k < freedom; k += 2) {
    term *= ((k - 1) / k) * cosine * cosine;
    sum += term;
  }
  return odd ? (angle + sine * sum) * (2 / Math.PI) : sine * sum;
}

/** The number below which a share p of Student's t lies; p of 0.5 or more and below 1. */
export function studentPpf(p, freedom) {
  let peak = freedom % 2 ? 1 / Math.PI : 0.5;  // of the density, at 0, times the root of freedom
  for (let k = freedom % 2 || 2; k < freedom; k += 2) peak *= (k + 1) / k;
  const height = (t) => (peak / Math.sqrt(freedom)) * (1 + (t * t) / freedom) ** (-(freedom + 1) / 2);
  return tangentRoot((t) => [2 * p - 1 - studentWithin(t, freedom), 2 * height(t)]);
}

/**
 * Where a falling convex function of x > 0 is zero: Newton's tangents come from the left, and end
 * when they no longer rise. `at` gives the function's height, and its slope without the sign.
 */
function tangentRoot(at) {
  for (let x = 0; ;) {
    const [height, slope] = at(x), next = x + height / slope;
    if (!(next > x)) return x;
    x = next;
  }
}
