// SHA-256 (FIPS 180-4): a page that is not served over https has no crypto.subtle. No imports.

const FIRST_OF_ROOTS = primes(64);
const ROUND_KEYS = FIRST_OF_ROOTS.map((prime) => fraction(Math.cbrt(prime)));
const BEGINNING = FIRST_OF_ROOTS.slice(0, 8).map((prime) => fraction(Math.sqrt(prime)));

function primes(count) {
  const found = [];
  for (let n = 2; found.length < count; n++) if (found.every((prime) => n % prime)) found.push(n);
  return found;
}

/** The first 32 bits behind the point. */
function fraction(root) { return Math.floor((root % 1) * 2 ** 32) | 0; }

const turned = (word, by) => (word >>> by) | (word << (32 - by));

/** The bytes with one bit set behind them, zeros, and their number of bits: whole blocks of 64. */
function padded(bytes) {
  const whole = new Uint8Array(Math.ceil((bytes.length + 9) / 64) * 64), view = new DataView(whole.buffer);
  whole.set(bytes);
  whole[bytes.length] = 0x80;
  view.setUint32(whole.length - 8, Math.floor(bytes.length / 2 ** 29));
  view.setUint32(whole.length - 4, (bytes.length * 8) >>> 0);
  return view;
}

function mixBlock(hash, words) {
  for (let i = 16; i < 64; i++) {
    const near = words[i - 15], far = words[i - 2];
    const first = turned(near, 7) ^ turned(near, 18) ^ (near >>> 3);
    const second = turned(far, 17) ^ turned(far, 19) ^ (far >>> 10);
    words[i] = words[i - 16] + first + words[i - 7] + second;
  }
  let [a, b, c, d, e, f, g, h] = hash;
  for (let i = 0; i < 64; i++) {
    const chosen = (e & f) ^ (~e & g), most = (a & b) ^ (a & c) ^ (b & c);
    const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + chosen + ROUND_KEYS[i] + words[i]) | 0;
    const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + most) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => { hash[i] += word; });
}

/** The hash of some bytes as hexadecimal digits. */
export function sha256(bytes) {
  const view = padded(bytes), hash = Int32Array.from(BEGINNING), words = new Int32Array(64);
  for (let at = 0; at < view.byteLength; at += 64) {
    for (let i = 0; i < 16; i++) words[i] = view.getInt32(at + 4 * i);
    mixBlock(hash, words);
  }
  return [...hash].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
}

const DIGEST_DIGITS = 16, SAME_NAN = 0x7fc00000, SAME_NAN_DOUBLE = 0x7ff80000;  // its upper half

/** The digest of a vector of weights, as bnlab.verdicts.again has it. */
export function digestOf(weights) {
  const isDouble = weights instanceof Float64Array, size = isDouble ? 8 : 4;
  const bytes = new DataView(new ArrayBuffer(size * weights.length)), set = isDouble ? "setFloat64" : "setFloat32";
  weights.forEach((weight, i) => {
    if (!Number.isNaN(weight)) bytes[set](size * i, weight, true);
    else bytes.setUint32(size * (i + 1) - 4, isDouble ? SAME_NAN_DOUBLE : SAME_NAN, true);
  });
  return sha256(new Uint8Array(bytes.buffer)).slice(0, DIGEST_DIGITS);
}
