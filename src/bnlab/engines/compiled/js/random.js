// The random generator of bnlab.random, and the initial states and batches made from it: the same
// bits as in Python. No imports; for node, web workers and pages.
//
//   bits(seed, stream, count, start = 0)          Uint32Array
//   uniform(seed, stream, count, start = 0)       Float64Array in [0, 1)
//   integers(seed, stream, high, count, start)    Int32Array in [0, high)
//   permutation(seed, stream, count)              Int32Array, a random order of 0 .. count - 1
//   split(seed, count, sizes)                     image numbers of each part of the data
//   sampler(name, labels, seed, batchSize, k)     f(first, count): Int32Array(count * batchSize)
//   wrongLabels(labels, share, classes, seed)     labels of which some are wrong
//   initial(rules, seed, {gamma, noiseSeed, positive, scale})    Float32Array, or Int32Array for
//                                                 counters; `scale` is a factor of all weights

export const SPLIT = 1, BATCH = 2, CLASSES = 3, WHICH_CLASS = 4, MEMBERS = 5;
export const IS_WRONG = 50, WRONG_LABEL = 51;
export const WEIGHTS = 1000, NOISE = 2000;

/** lowbias32: a bijection of the 32-bit integers that scatters neighbours. */
export function mix(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

export function bits(seed, stream, count, start = 0) {
  const a = mix(seed ^ mix(stream)), b = mix(a ^ 0x9e3779b9);
  const out = new Uint32Array(count);
  for (let i = 0; i < count; i++) out[i] = mix(mix((start + i + a) | 0) ^ b);
  return out;
}

export function uniform(seed, stream, count, start = 0) {
  return Float64Array.from(bits(seed, stream, count, start), (x) => (x >>> 8) * 2 ** -24);
}

export function integers(seed, stream, high, count, start = 0) {
  return Int32Array.from(bits(seed, stream, count, start), (x) => x % high);
}

/** The stable sort order of an array of numbers. */
function order(keys) {
  const numbers = Int32Array.from(keys, (_, i) => i);
  return numbers.sort((i, j) => keys[i] - keys[j] || i - j);
}

export function permutation(seed, stream, count) {
  return order(bits(seed, stream, count));
}

export function split(seed, count, sizes) {
  const all = permutation(seed, SPLIT, count), parts = [];
  let start = 0;
  for (const size of sizes) parts.push(all.subarray(start, (start += size)));
  return parts;
}

function iid(labels, seed, batchSize) {
  return (first, count) =>
    integers(seed, BATCH, labels.length, count * batchSize, first * batchSize);
}

function fewClasses(labels, seed, batchSize, k) {
  const byClass = order(labels), classes = [...new Set(labels)].sort((a, b) => a - b);
  const sizes = classes.map((c) => labels.reduce((n, label) => n + (label === c), 0));
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const some = classes.length;
  return (first, count) => {
    const keys = bits(seed, CLASSES, count * some, first * some);
    const which = bits(seed, WHICH_CLASS, count * batchSize, first * batchSize);
    const member = bits(seed, MEMBERS, count * batchSize, first * batchSize);
    const out = new Int32Array(count * batchSize);
    for (let s = 0; s < count; s++) {
      const chosen = order(keys.subarray(s * some, (s + 1) * some));
      for (let i = s * batchSize; i < (s + 1) * batchSize; i++) {
        const c = chosen[which[i] % k];
        out[i] = byClass[starts[c] + (member[i] % sizes[c])];
      }
    }
    return out;
  };
}

export function sampler(name, labels, seed, batchSize, k = 1) {
  if (name === "iid") return iid(labels, seed, batchSize);
  if (name === "one_class") return fewClasses(labels, seed, batchSize, 1);
  if (name === "k_classes") return fewClasses(labels, seed, batchSize, k);
  throw new Error(`unknown sampler "${name}". Known: iid, one_class, k_classes.`);
}

export function wrongLabels(labels, share, classes, seed) {
  const isWrong = uniform(seed, IS_WRONG, labels.length);
  const shift = integers(seed, WRONG_LABEL, classes - 1, labels.length);
  return Int32Array.from(labels, (label, i) =>
    isWrong[i] < share ? (label + 1 + shift[i]) % classes : label,
  );
}

function noiseKey(seed, stream) {
  return (bits(seed, stream, 1)[0] ^ mix(stream)) | 0;
}

/** Weights of binary layers between 0 and 1e-3, as bnlab.nets.binary has them: in float32. */
function positives(weights, bound) {
  const single = Math.fround, most = single(1e-3), whole = single(bound);
  return weights.map((w) => single(single(most * single(single(single(w) / whole) + 1)) / 2));
}

/** A vector from the rules of the manifest (see bnlab/engines/compiled/initial.py). */
export function initial(rules, seed, { gamma = null, noiseSeed = 0, positive = false, scale = 1 } = {}) {
  const out = [];
  for (const [kind, ...values] of rules) {
    if (kind === "weights" || kind === "filters") {
      const [count, stream, bound] = values;
      const weights = uniform(seed, stream, count).map((u) => (2 * u - 1) * bound);
      for (const w of positive && kind === "filters" ? positives(weights, bound) : weights) out.push(scale * Math.fround(w));
    } else if (kind === "noise") out.push(noiseKey((noiseSeed + seed) >>> 0, NOISE + values[0]));
    else if (kind === "count") out.push(0);
    else {
      const value = kind === "gamma" && gamma !== null ? gamma : values[1];
      for (let i = 0; i < values[0]; i++) out.push(value);
    }
  }
  const whole = rules.some(([kind]) => kind === "noise" || kind === "count");
  return whole ? Int32Array.from(out) : Float32Array.from(out);
}
