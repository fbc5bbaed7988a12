// The random generator of numpy's default_rng(seed), PCG64 with output XSL-RR (O'Neill 2014,
// HMC-CS-2014-0905), and its integers below a bound (Lemire 2019, ACM TOMACS 29). A number of 128
// bits is four words of 32, the lowest first.

const M0 = 0x9fccf645, M1 = 0x4385df64, M2 = 0x1fc65da4, M3 = 0x2360ed05;  // the multiplier
const WORD = 2 ** 32;

const lowWord = (a, b) => Math.imul(a, b) >>> 0;
/** The upper 32 bits of a product; each sum below is an integer under 2**53. */
export function highWord(a, b) {
  const low = Math.floor((a * (b & 0xffff)) / 65536);
  return Math.floor((a * (b >>> 16) + low) / 65536);
}

/** What numpy's SeedSequence makes of a seed: `count` words of 32 bits (O'Neill's seed_seq_fe). */
export function seedWords(seed, count) {
  if (!Number.isSafeInteger(seed) || seed < 0) throw new RangeError(`A seed is an integer of 0 or more, got ${seed}.`);
  let constant = 0x43b0d7e5;
  const scattered = (value) => {
    value ^= constant;
    constant = Math.imul(constant, 0x931e8875);
    value = Math.imul(value, constant);
    return value ^ (value >>> 16);
  };
  const pool = [seed >>> 0, Math.floor(seed / WORD), 0, 0].map(scattered);
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from === to) continue;
      const mixed = Math.imul(0xca01f9dd, pool[to]) - Math.imul(0x4973f715, scattered(pool[from]));
      pool[to] = mixed ^ (mixed >>> 16);
    }
  }
  constant = 0x8b51f9dd;
  return Array.from({ length: count }, (_, k) => {
    let value = pool[k % 4] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    value = Math.imul(value, constant);
    return (value ^ (value >>> 16)) >>> 0;
  });
}

/** numpy's default_rng(seed), as far as it is needed here. */
export class Pcg64 {
  constructor(seed) {
    const [a, b, c, d, e, f, g, h] = seedWords(seed, 8);  // pairs of words, the upper pair first
    const stream = [g, h, e, f];
    this.increment = stream.map((word, k) => ((word << 1) | (k ? stream[k - 1] >>> 31 : 1)) >>> 0);
    this.setState(c, d, a, b, this.increment);  // after a first step from 0
    this.step();
    this.kept = -1;  // the upper half of the last number, which is given next
  }

  /** The state a, b, c, d, the lowest word first, plus a number; each word may be up to 2**53. */
  setState(a, b, c, d, plus) {
    const first = a + plus[0], second = b + plus[1] + Math.floor(first / WORD);
    const third = c + plus[2] + Math.floor(second / WORD), fourth = d + plus[3] + Math.floor(third / WORD);
    this.a = first >>> 0;
    this.b = second >>> 0;
    this.c = third >>> 0;
    this.d = fourth >>> 0;
  }

  /** state * multiplier + increment, modulo 2**128. */
  step() {
    const { a, b, c, d } = this;
    this.setState(
      lowWord(a, M0),
      highWord(a, M0) + lowWord(a, M1) + lowWord(b, M0),
      highWord(a, M1) + highWord(b, M0) + lowWord(a, M2) + lowWord(b, M1) + lowWord(c, M0),
      highWord(a, M2) + highWord(b, M1) + highWord(c, M0)
        + lowWord(a, M3) + lowWord(b, M2) + lowWord(c, M1) + lowWord(d, M0),
      this.increment,
    );
  }

  /** The next 32 bits: the lower half of a number of 64, then its upper half. */
  word() {
    const kept = this.kept;
    if (kept >= 0) {
      this.kept = -1;
      return kept;
    }
    this.step();
    const turn = this.d >>> 26, by = turn & 31, one = this.a ^ this.c, other = this.b ^ this.d;
    const low = turn > 31 ? other : one, high = turn > 31 ? one : other;
    this.kept = ((high >>> by) | ((low << 1) << (31 - by))) >>> 0;
    return ((low >>> by) | ((high << 1) << (31 - by))) >>> 0;
  }

  /** Fill an array with integers from 0 to bound - 1, each as often; bound from 2 to 2**32 - 1. */
  fillBelow(bound, numbers) {
    const least = WORD % bound;  // a product whose lower half is below it is drawn again
    for (let i = 0; i < numbers.length; i++) {
      let word = this.word();
      while (lowWord(word, bound) < least) word = this.word();
      numbers[i] = highWord(word, bound);
    }
    return numbers;
  }
}
