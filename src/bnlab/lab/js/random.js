// The counter-based generator of bnlab.random: the same bits as in Python.

const GOLDEN = 0x9E3779B9;

/** lowbias32 (Wellons, github.com/skeeto/hash-prospector): scatters neighbouring integers. */
export function mixBits(x) {
  x = Math.imul(x ^ (x >>> 16), 0x7FEB352D);
  x = Math.imul(x ^ (x >>> 15), 0x846CA68B);
  return (x ^ (x >>> 16)) >>> 0;
}

/** `count` integers of 32 bits, the first ones of a stream. */
export function randomBits(seed, stream, count) {
  const a = mixBits(seed ^ mixBits(stream)), b = mixBits(a ^ GOLDEN);
  return Array.from({ length: count }, (_, i) => mixBits(mixBits((i + a) | 0) ^ b));
}

/** Numbers in [0, 1), multiples of 2^-24: the upper 24 bits. */
export function randomUniform(seed, stream, count) {
  return randomBits(seed, stream, count).map((word) => (word >>> 8) * 2 ** -24);
}
