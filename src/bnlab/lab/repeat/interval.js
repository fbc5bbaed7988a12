// The 95 % interval of a mean over seeds: bnlab.verdicts.interval in JavaScript. No drawing here.

import { meanOf, standardError, sumOf } from "./means.js";
import { normalCdf, normalPpf, studentPpf } from "./normal.js";
import { Pcg64 } from "./pcg64.js";

const CONFIDENCE = 0.95, RESAMPLES = 9999;
const PIECE = 1000;  // resamples
const TIE_WITHIN = 1e-9;  // what differs by less, relative to the largest value, is equal but for rounding
const LEAST_TIE = 1e-12;

/**
 * [low, high] of the mean of `values`, one number a seed: the wider of the bootstrap and Student's
 * t, each end. The resamples are those that scipy draws with numpy's default_rng(seed). In pieces of
 * a few ms, so that a page can do something else between them: a generator that returns the ends.
 */
export function* intervalPieces(values, seed = 0) {
  const numbers = Float64Array.from(requireNumbers(values));
  const mean = meanOf(numbers), largest = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const near = Math.max(LEAST_TIE, TIE_WITHIN * largest);
  // Equal but for rounding: the mean of all but one is the mean, whichever is left out. With n seeds
  // that is the tolerance of a mean times n - 1.
  if (numbers.every((value) => Math.abs(value - mean) <= near * (numbers.length - 1))) return [mean, mean];
  const meanAlike = (sample) => {
    const found = meanOf(sample);
    return Math.abs(found - mean) <= near ? mean : found;
  };
  const [low, high] = yield* bootstrapPieces(numbers, meanAlike, seed);
  const half = studentPpf((1 + CONFIDENCE) / 2, numbers.length - 1) * standardError(numbers);
  return [numberOf(low, mean - half, Math.min), numberOf(high, mean + half, Math.max)];
}

function requireNumbers(values) {
  const count = values?.length ?? 0;
  if (count < 2) throw new RangeError(`An interval needs at least 2 seeds, got ${count}.`);
  if (!Array.from(values).every(Number.isFinite)) {
    throw new RangeError("An effect is not finite; give a net that diverged a finite score.");
  }
  return values;
}

/** The bootstrap's correction is undefined (NaN) for some values; then Student's t stands alone. */
const numberOf = (first, second, choose) => (Number.isNaN(first) ? second : choose(first, second));

/** Which values each resample takes, as scipy.stats.bootstrap draws them; one array, filled anew each time. */
export function* resampledPlaces(count, seed, resamples = RESAMPLES) {
  const random = new Pcg64(seed), places = new Uint32Array(count);
  for (let r = 0; r < resamples; r++) {
    yield random.fillBelow(count, places);
  }
}

/** Bias-corrected and accelerated (Efron 1987, J. Am. Stat. Assoc. 82), as scipy.stats.bootstrap has it. */
function* bootstrapPieces(values, statistic, seed) {
  const sample = new Float64Array(values.length), found = new Float64Array(RESAMPLES);
  let r = 0;
  for (const places of resampledPlaces(values.length, seed)) {
    for (let i = 0; i < sample.length; i++) sample[i] = values[places[i]];
    found[r++] = statistic(sample);
    if (r % PIECE === 0) yield;
  }
  found.sort();
  const bias = normalPpf(shareBelow(found, statistic(values))), by = acceleration(values, statistic);
  return [-1, 1].map((side) => {
    const shifted = bias + side * -normalPpf((1 - CONFIDENCE) / 2);
    return quantile(found, normalCdf(bias + shifted / (1 - by * shifted)));
  });
}

/** Which share lies below a number; what is equal to it counts one half. */
function shareBelow(sorted, number) {
  let twice = 0;
  for (const value of sorted) twice += (value < number) + (value <= number);
  return twice / (2 * sorted.length);
}

/** From the means without one value each (jackknife): a sixth of their skewness. */
function acceleration(values, statistic) {
  const count = values.length;
  const means = values.map((_, left) => statistic(values.filter((_value, i) => i !== left)));
  const middle = meanOf(means), moved = means.map((mean) => (count - 1) * (middle - mean));
  const cubes = sumOf(moved.map((u) => u ** 3)) / count ** 3, squares = sumOf(moved.map((u) => u ** 2)) / count ** 2;
  return ((1 / 6) * cubes) / squares ** 1.5;
}

/** Between two neighbours linearly, Hyndman and Fan's seventh definition; NaN for no share. */
function quantile(sorted, share) {
  if (Number.isNaN(share)) return NaN;
  const place = share * sorted.length + (1 - share), whole = Math.floor(place), part = place - whole;
  const at = (i) => sorted[Math.min(Math.max(i, 0), sorted.length - 1)];
  return (1 - part) * at(whole - 1) + part * at(whole);
}
