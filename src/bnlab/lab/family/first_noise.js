// The noise that noisy_batch draws at its first step, with noise_seed 0: bnlab.norms.noisy.

import { bits, NOISE, uniform } from "../../engines/compiled/js/random.js";

const SHIFT = { ofChannel: 0.5, ofValue: 0.1 };    // n_mu and r_mu
const FACTOR = { ofChannel: 0.25, ofValue: 0.1 };  // n_sigma - 1 and r_sigma

const drawn = new Map();  // by size: the widget asks for the same ones again and again

/** {factor, shift}: a number for each of a block's, in its order. N * C * P must be even. */
export function firstNoise({ N, C, P }) {
  const key = `${N},${C},${P}`;
  if (!drawn.has(key)) drawn.set(key, drawNoise(C, P, N * C * P));
  return drawn.get(key);
}

function drawNoise(C, P, count) {
  // Each step has a seed of its own: the step, here 0, xor the first word of the noise's seed.
  const u = uniform(bits(0, NOISE, 1)[0], NOISE, 2 * C + 2 * count);
  const half = count / 2, channel = (i) => Math.floor(i / P) % C;
  const mu = (c) => (2 * u[c] - 1) * SHIFT.ofChannel, sigma = (c) => 1 + u[C + c] * FACTOR.ofChannel;
  const normal = (i) => {  // Box and Muller: the radius from the first half, the angle from the second
    const at = 2 * C + count + (i % half);
    const radius = Math.sqrt(-2 * Math.log1p(-u[at])), angle = 2 * Math.PI * u[at + half];
    return radius * (i < half ? Math.cos(angle) : Math.sin(angle));
  };
  const indices = Array.from({ length: count }, (_, i) => i);
  return {
    factor: indices.map((i) => sigma(channel(i)) + FACTOR.ofValue * normal(i)),
    shift: indices.map((i) => mu(channel(i)) + (2 * u[2 * C + i] - 1) * SHIFT.ofValue),
  };
}
