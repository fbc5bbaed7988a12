// Trains the nets of a race in a web worker. bnlab.lab.page joins this file, run.js and random.js
// to one classic script. Messages in:
//   {type: "open", asset}     first and once: what bnlab.lab.page has written
//   {type: "train", id, state, steps}    in place of anything older
//   {type: "drop"}
// Messages out: {type: "ready"}, {type: "failed", text}, and for the newest race
//   {type: "points", id, points: [[norm, {loss, accuracy, diverged_at, done}], ...]}
//   {type: "finished", id, seconds}, {type: "error", id, text}
// The same steps and looks as CompiledTrainer of bnlab.compiled, the same points as bnlab.lab.points.

import { open } from "../../compiled/js/run.js";
import { initial, sampler } from "../../compiled/js/random.js";

const SLICE = 12;  // ms of training between two looks at the messages
const PIXELS = 64;

let opened = null;     // promise of what all races share
let wanted = null;     // the newest race
let busy = false;
const nets = new Map();  // those of the last race: their heaps are used again

const fromHex = (text) => Uint8Array.from({ length: text.length / 2 },
  (_, i) => parseInt(text.slice(2 * i, 2 * i + 2), 16));

async function prepare(asset) {
  const { manifest, programs, kernels } = asset;
  const store = await open({
    manifest: JSON.stringify(manifest), programs: fromHex(programs),
    kernels: { float32: fromHex(kernels) },
  });
  const images = Float32Array.from(asset.images, (level) => (parseInt(level, 36) - 5) / 6);
  const labels = Int32Array.from(asset.labels, Number), first = asset.train;
  if (images.length !== labels.length * PIXELS) throw new Error("The images are damaged.");
  return {
    store, rules: asset.rules,
    train: { images: images.subarray(0, first * PIXELS), labels: labels.subarray(0, first) },
    val: { images: images.subarray(first * PIXELS), labels: labels.subarray(first) },
  };
}

function netOf({ store, rules, train }, key) {
  if (!nets.has(key)) {
    const net = store.net(key, "float32", rules.optimizer);
    net.setData(train.images, train.labels);
    nets.set(key, net);
  }
  return nets.get(key);
}

/** One net of a race: its training, and the points that are due. */
class PageLane {
  constructor(shared, norm, state, steps) {
    const key = shared.rules.keys[norm]?.[state.depth];
    if (!key) throw new Error(`${norm} with depth ${state.depth} is not among the compiled nets.`);
    Object.assign(this, { norm, shared, steps, key, size: state.batch_size, net: netOf(shared, key) });
    const vectors = Object.entries(shared.store.rules(key)).map(
      ([name, rules]) => [name, initial(rules, state.seed)]);
    this.net.start(Object.fromEntries(vectors));
    this.net.set({ ...shared.rules.inputs, lr: state.lr });
    this.batches = sampler("iid", shared.train.labels, state.seed, this.size);
    Object.assign(this, { taken: 0, limit: Infinity, divergedAt: null, done: false });
    Object.assign(this, { loss: [], accuracy: [] });
    this.look();
  }

  look() {
    const { images, labels } = this.shared.val;
    this.accuracy.push([this.taken, this.net.evaluate(images, labels).accuracy]);
  }

  /** The steps of one point of the loss. */
  advance() {
    const { block, evaluate, diverged } = this.shared.rules, { net, size } = this;
    const numbers = this.batches(this.taken, block);
    let losses = [];
    if (this.taken === 0) {  // the first step alone: it says what divergence is
      losses = net.steps(numbers.subarray(0, size), size).loss;
      this.limit = Math.min(diverged * losses[0], Number.MAX_VALUE);
    }
    if (!losses.length || losses[0] <= this.limit) {
      losses = losses.concat(net.steps(numbers.subarray(losses.length * size), size, this.limit).loss);
    }
    const wrong = losses.findIndex((loss) => !(loss <= this.limit));
    if (wrong >= 0) return this.diverge(this.taken + wrong);
    this.taken += block;
    this.loss.push([this.taken, losses.reduce((sum, loss) => sum + loss, 0) / block]);
    this.done = this.taken >= this.steps;
    if (this.done || this.taken % evaluate === 0) this.look();
    if (this.done && !(this.lossNow(numbers.subarray(-size)) <= this.limit)) this.diverge(this.steps);
  }

  /** Loss of a batch after its update: no later batch has seen what the last update did. */
  lossNow(numbers) {
    const { images, labels } = this.shared.train, batch = new Float32Array(numbers.length * PIXELS);
    numbers.forEach((n, i) => batch.set(images.subarray(n * PIXELS, (n + 1) * PIXELS), i * PIXELS));
    return this.net.evaluate(batch, Int32Array.from(numbers, (n) => labels[n]), true).loss;
  }

  diverge(step) {
    this.divergedAt = step;
    this.done = true;
  }

  take() {
    const { loss, accuracy } = this;
    Object.assign(this, { loss: [], accuracy: [] });
    return [this.norm, { loss, accuracy, diverged_at: this.divergedAt, done: this.done }];
  }
}

/** Let messages come in. */
const channel = new MessageChannel();
function breathe() {
  return new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
}

async function race(shared, mine) {
  const begun = performance.now(), { id, state, steps } = mine;
  const keys = state.norms.map((norm) => shared.rules.keys[norm]?.[state.depth]);
  for (const key of nets.keys()) if (!keys.includes(key)) nets.delete(key);
  const lanes = [];
  const turns = state.norms.map((norm) => () => new PageLane(shared, norm, state, steps));
  while (turns.length || lanes.some((lane) => !lane.done)) {
    const until = performance.now() + SLICE, moved = new Set();
    if (turns.length) lanes.push(turns.shift()());
    do {
      const lane = lanes.filter((one) => !one.done).sort((a, b) => a.taken - b.taken)[0];
      if (!lane) break;
      lane.advance();
      moved.add(lane);
    } while (!turns.length && performance.now() < until);
    postMessage({ type: "points", id, points: [...moved].map((lane) => lane.take()) });
    await breathe();
    if (wanted !== mine) return;
  }
  wanted = null;
  postMessage({ type: "finished", id, seconds: (performance.now() - begun) / 1000 });
}

async function work() {
  busy = true;
  const shared = await opened.catch(() => null);
  while (shared && wanted) {
    const mine = wanted;
    try {
      await race(shared, mine);
    } catch (error) {
      if (wanted === mine) wanted = null;
      postMessage({ type: "error", id: mine.id, text: error.message });
    }
  }
  busy = false;
}

onmessage = ({ data: message }) => {
  if (message.type === "open") {
    opened = prepare(message.asset);
    opened.then(() => postMessage({ type: "ready" }),
      (error) => postMessage({ type: "failed", text: error.message }));
    return;
  }
  wanted = message.type === "train" ? message : null;
  if (wanted && !busy) work();
};
