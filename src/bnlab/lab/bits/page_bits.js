// The job "bits": binary nets that train in turns, and their signs; what bnlab.lab.bits computes
// with a kernel. Its points are
//   [net, {loss, accuracy, flips, inside, bits, step, diverged_at, done}]
// with bits as look() of signs.py has them, {now, before, inside, step}, or null.

import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { trainAll } from "../kit/js/page_side_by_side.js";

const EVERY = 10, LOOKED_BATCH = 32, LOOKED_AT = 3, KERNEL = 9, SIDE = 8;
const MOMENTUM = 0.9;

/** Bits as a text of hexadecimal digits, four a digit. */
function hexOf(bits) {
  let text = "";
  for (let i = 0; i < bits.length; i += 4) {
    text += (8 * bits[i] + 4 * bits[i + 1] + 2 * bits[i + 2] + bits[i + 3]).toString(16);
  }
  return text;
}

/** The share of the bits of some texts that differ. */
function shareFlipped(before, now) {
  let differ = 0, all = 0;
  now.forEach((text, layer) => {
    for (let i = 0; i < text.length; i++) {
      for (let x = parseInt(text[i], 16) ^ parseInt(before[layer][i], 16); x; x >>= 1) differ += x & 1;
    }
    all += 4 * text.length;
  });
  return differ / all;
}

/** The signs of filters: of the weights, or of what they are above the mean of their filter. */
function signsOfFilters(params, [first, end], filters, standardized) {
  const fan = (end - first) / filters, bits = [];
  for (let at = first; at < end; at += fan) {
    const filter = params.subarray(at, at + fan);
    const mean = standardized ? filter.reduce((sum, w) => sum + w, 0) / fan : 0;
    for (const weight of filter) bits.push(weight >= mean ? 1 : 0);
  }
  return bits;
}

/** Where the 3x3 filters of binary layers lie among the parameters, from their rules: [first, end]. */
function filtersOf(rules, layers) {
  const found = [];
  let at = 0;
  for (const [kind, count] of rules) {
    const { channels, filters } = layers[found.length] ?? {};
    if (kind === "filters" && count === channels * filters * KERNEL) found.push([at, at + count]);
    at += count;
  }
  return found;
}

class BitsLane extends Lane {
  constructor(shared, name, variant, state, steps) {
    super(shared, variant, state, steps);
    const { images, labels } = shared.train;
    this.name = name;
    this.standardized = name === "standardized" || name === "bn_free";
    this.probe = [images.subarray(0, LOOKED_BATCH * SIDE ** 2), labels.subarray(0, LOOKED_BATCH)];
    this.filters = filtersOf(shared.store.rules(shared.keyOf(variant, state.depth)).params, state.layers);
    this.layersOf = state.layers;
    this.before = null;
    this.lookAtSigns();
  }

  clear() {
    super.clear();
    Object.assign(this, { flips: [], inside: [], bits: null });
  }

  advance() {
    super.advance();
    if (this.divergedAt === null && this.taken % EVERY === 0) this.lookAtSigns();
  }

  lookAtSigns() {
    const told = this.net.look(...this.probe), inside = [], signs = [];
    let at = 0;
    for (const { channels, side } of this.layersOf) {
      const count = LOOKED_AT * channels * side ** 2;
      inside.push(told[at]);
      signs.push(hexOf(told.subarray(at + 1, at + 1 + count)));
      at += 1 + count;
    }
    const params = Float64Array.from(this.net.getState().params);
    const weights = this.filters.map((place, layer) =>
      hexOf(signsOfFilters(params, place, this.layersOf[layer].filters, this.standardized)));
    const now = { signs, weights }, { before, taken: step } = this;
    this.inside.push([step, inside.reduce((sum, share) => sum + share, 0) / inside.length]);
    if (before) this.flips.push([step, shareFlipped(before.weights, weights)]);
    this.bits = { now, before, inside, step };
    this.before = now;
  }

  take() {
    const { flips, inside, bits } = this, [, { loss, accuracy, step, diverged_at, done }] = super.take();
    return [this.name, { loss, accuracy, flips, inside, bits, step, diverged_at, done }];
  }
}

/** What a lane needs: a net with these programs in a heap of its own, or one of the last request. */
function sharedFor(shared, name, variant, { depth, optimizer, clip }) {
  const update = optimizer === "adam" ? "adam" : "momentum";
  const key = [name, variant, depth, update, clip > 0].join(" ");
  if (!shared.nets.has(key)) {
    const net = shared.store.net(shared.keyOf(variant, depth), "float32", update, clip > 0 ? "clip" : null);
    net.setData(shared.train.images, shared.train.labels);
    shared.nets.set(key, net);
  }
  const net = shared.nets.get(key);
  net.set({ momentum: MOMENTUM, clip });
  return [key, Object.assign(Object.create(shared), { net: () => net })];
}

JOBS.bits = async function bits(shared, mine, tell) {
  const { state, steps } = mine, { shortcuts, start } = state, lanes = [];
  const own = { ...state, positive: start === "positive" };
  const parts = state.norms.map((name) => {
    const variant = (shortcuts === "off" ? "bare_" : "") + name;
    return [name, variant, ...sharedFor(shared, name, variant, own)];
  });
  shared.keep(parts.map(([, , key]) => key));
  for (const [name, variant, , of] of parts) {
    lanes.push(new BitsLane(of, name, variant, own, steps));
    if (!(await tell([lanes.at(-1).take()]))) return;
  }
  await trainAll(lanes, tell);
};
