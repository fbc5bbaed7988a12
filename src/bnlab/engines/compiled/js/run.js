// Runs compiled nets: in node, in a web worker, in a page. Imports nothing from outside this folder.
//
//   const store = await open({ manifest, programs, kernels })   bytes; kernels: { float32: ... }
//     throws an Error with a sentence for a corrupted or missing file, or without WebAssembly SIMD
//   store.keys                                names of the nets: "mlp 6x64 batch"
//   await store.add("float64", bytes)         kernels of another precision
//   store.rules(key)                          of the initial state, for initial() of random.js
//   const net = store.net(key, "float32", "sgd")     a net with a heap of its own; any number
//     a fourth argument, an extra of the net: "clip" clips each gradient; "parts DECAY TRAINED" moves
//     a part alone, and decays one by { decay } of set(); a step of LAWN allows constrain()
//   net.constrain()                           LAWN's steps from now on
//   net.setData(images, labels)               numbers n * features, labels n: what batches are from
//   net.setState({ params, buffers, counters, slot0, slot1 })   any of them; also resets Adam's powers
//   net.getState()                            copies of all of them
//   net.set({ lr, weight_decay, momentum, beta1, beta2, eps, clip, r_max, ... })   run-time inputs
//   net.steps(numbers, batchSize, limit)      { taken, loss, accuracy }: one training step for each
//                                             batchSize image numbers, up to a loss beyond limit
//   net.evaluate(images, labels, batchStatistics)    { loss, accuracy }; nothing moves
//   net.gradient(images, labels)              { loss, accuracy, gradient }; running statistics move
//   net.apply(gradient)                       one step of the optimizer with this gradient
//   net.layers()                              numbers of the layers (see WATCHES of watch.py) on the
//                                             last batch of steps(), as lastMetrics()
//   net.look(images, labels)                  the same on any images in training mode; nothing moves
//   net.lastMetrics()                         { gradientNorm, layers: [{ mean, variance, dead }] }
//                                             of that batch; an Error once another was evaluated
//
// The same numbers as bnlab.engines.compiled.engine: every operation is one of the module's.

import { check } from "./check.js";
import { normsOf, weightsOf } from "./norms.js";
import { restored } from "./programs.js";
import { Words } from "./words.js";

const SIMD = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253,
  15, 253, 98, 11,
]);
const VECTORS = ["params", "gradient", "slot0", "slot1"];
const NORM = "gradient_norm";
const FAR = 2 ** 24;
const FORMAT = 2;
const BLOCK = 64; // steps between two returns to JavaScript, at most
const LARGEST_BATCH = 300;
const DATA = 2048; // images that batches are taken from, at most

const REALS = { float32: Float32Array, float64: Float64Array };

export async function open({ manifest, programs, kernels }) {
  if (typeof WebAssembly !== "object" || !WebAssembly.validate(SIMD)) {
    throw new Error("This browser has no WebAssembly SIMD, which nets in the page need.");
  }
  const text = typeof manifest === "string" ? manifest : new TextDecoder().decode(manifest);
  let index;
  try {
    index = JSON.parse(text);
  } catch {
    throw new Error("The manifest of the compiled nets is not readable; load it again.");
  }
  if (index.format !== FORMAT) throw new Error("The compiled nets are of another version.");
  await check("programs.bin", programs, index.sha256["programs.bin"]);
  const store = new Store(index, programs);
  for (const [precision, bytes] of Object.entries(kernels)) await store.add(precision, bytes);
  return store;
}

class Store {
  constructor(index, programs) {
    Object.assign(this, { index, programs, modules: {}, keys: Object.keys(index.nets) });
  }

  async add(precision, bytes) {
    const name = `kernels.${precision}.wasm`;
    await check(name, bytes, this.index.sha256[name]);
    this.modules[precision] = await WebAssembly.compile(bytes);
  }

  entry(key) {
    const entry = this.index.nets[key];
    if (!entry) throw new Error(`The net "${key}" is not among the compiled ones.`);
    return entry;
  }

  rules(key) {
    const parts = this.entry(key).initial.map((part) => part.map((n) => this.index.rules[n]));
    return { params: parts[0], buffers: parts[1], counters: parts[2] };
  }

  code([start, length]) {
    return restored(this.programs.subarray(start, start + length), this.index.kernels);
  }

  net(key, precision, update, extra = null) {
    if (!this.modules[precision]) throw new Error(`There are no kernels for ${precision}.`);
    if (!this.index.updates[update] || update === NORM) throw new Error(`The optimizer "${update}" is not compiled.`);
    const entry = this.entry(key);
    if (extra && !entry.extras?.[extra]) throw new Error(`"${extra}" is not compiled for "${key}".`);
    return new Net(this, entry, precision, update, extra);
  }
}

class Net extends Words {
  constructor(store, entry, precision, update, extra) {
    super();
    const named = (names, values) => Object.fromEntries(names.map((name, i) => [name, values[i]]));
    this.places = { ...store.index.places, ...named(store.index.own, entry.places) };
    this.sizes = named(store.index.sizes, entry.sizes);
    this.sizes.slot0 = this.sizes.slot1 = this.sizes.params;
    this.features = this.sizes.x;
    const codes = [entry.gradient, entry.evaluation].map((where) => store.code(where));
    for (const name of [update, NORM]) {
      codes.push(this.moved(store.code(store.index.updates[name])));
    }
    const isOfParts = extra?.startsWith("parts ");
    if (isOfParts) this.places.decay = entry.norms; // what an extra alone takes lies there
    if (isOfParts || extra === "clip") codes[2] = [...store.code(entry.extras[extra]), ...codes[2]];
    else if (extra) {
      codes.push(store.code(entry.extras[extra]));
      this.places.norms = entry.norms;
      this.weights = weightsOf(entry.initial[0].map((n) => store.index.rules[n]));
    }
    this.ends = { gradient: entry.gradient.slice(2), evaluation: entry.evaluation.slice(2) };
    this.instantiate(store.modules[precision], REALS[precision], entry.heap, codes);
  }

  /** The code of an optimizer for the vectors of this net. */
  moved(code) {
    return code.map((word) => {
      const vector = Math.floor(word / FAR);
      return vector ? this.places[VECTORS[vector - 1]] + (word % FAR) : word;
    });
  }

  instantiate(module, Real, heap, codes) {
    const parts = { task: 16, record: 2 * BLOCK, numbers: BLOCK * LARGEST_BATCH };
    parts.labels = DATA;
    parts.images = DATA * this.features;
    this.at = {};
    for (const [name, size] of Object.entries(parts)) {
      this.at[name] = heap;
      heap += size;
    }
    this.fill(module, Real, heap, codes);
  }

  setData(images, labels) {
    if (labels.length > DATA) throw new Error(`At most ${DATA} images fit, got ${labels.length}.`);
    this.reals.set(images, this.at.images);
    this.writeWhole(this.at.labels, labels);
  }

  setState(state) {
    for (const name of ["params", "buffers", "slot0", "slot1"]) {
      if (!state[name]) continue;
      if (state[name].length !== this.sizes[name]) {
        throw new Error(`${name} must have ${this.sizes[name]} numbers, got ${state[name].length}.`);
      }
      this.reals.set(state[name], this.places[name]);
    }
    if (state.counters) this.writeWhole(this.places.counters, state.counters);
    this.set({ power1: state.power1 ?? 1, power2: state.power2 ?? 1 });
  }

  /** A state to start from: no momentum, no steps of Adam. */
  start(state) {
    const zeros = new Float32Array(this.sizes.params);
    this.setState({ ...state, slot0: zeros, slot1: zeros });
    this.isConstrained = false;
  }

  /** From now on LAWN holds the norms of the weights. */
  constrain() {
    this.reals.set(normsOf(this.weights, this.getState().params), this.places.norms);
    this.isConstrained = true;
  }

  getState() {
    const state = {};
    for (const name of ["params", "buffers", "slot0", "slot1"]) {
      state[name] = this.read(name);
    }
    state.counters = new Int32Array(this.sizes.counters);
    for (let i = 0; i < state.counters.length; i++) {
      state.counters[i] = this.ints[(this.places.counters + i) * this.step];
    }
    for (const name of ["power1", "power2"]) {
      state[name] = this.bytes.getFloat64(this.offset(name), true);
    }
    return state;
  }

  task(batchSize) {
    const [gradient, , free, , constrained] = this.codes, { places, at } = this;
    const update = this.isConstrained ? constrained : free;
    const words = [
      batchSize, this.sizes.params, gradient.place, this.ends.gradient[1], update.place,
      update.length, places.x, places.y, this.features, at.images, at.labels, at.numbers,
      places.loss, places.accuracy, at.record,
    ];
    this.ints.set(words, at.task * this.step);
  }

  checkBatch(count) {
    if (!(count >= 1 && count <= LARGEST_BATCH)) {
      throw new Error(`A batch has 1 to ${LARGEST_BATCH} images, got ${count}.`);
    }
  }

  steps(numbers, batchSize, limit = Infinity) {
    this.checkBatch(batchSize);
    this.task(batchSize);
    this.batchSize = batchSize;
    this.fresh = true;
    const count = numbers.length / batchSize, loss = [], accuracy = [];
    while (loss.length < count) {
      const some = Math.min(BLOCK, count - loss.length), first = loss.length * batchSize;
      this.writeWhole(this.at.numbers, numbers.subarray(first, first + some * batchSize));
      const taken = this.exports.steps(this.at.task, some, limit);
      for (let s = 0; s < taken; s++) {
        loss.push(this.reals[this.at.record + 2 * s]);
        accuracy.push(this.reals[this.at.record + 2 * s + 1]);
      }
      if (taken < some || !(loss[loss.length - 1] <= limit)) break;
    }
    return { taken: loss.length, loss, accuracy };
  }

  run(which, batch, end) {
    this.exports.run(batch, this.codes[which].place, 0, end);
    this.fresh = false;
    const { loss, accuracy } = this.places;
    return { loss: this.reals[loss], accuracy: this.reals[accuracy] };
  }

  write(images, labels) {
    this.checkBatch(labels.length);
    this.reals.set(images, this.places.x);
    this.writeWhole(this.places.y, labels);
  }

  evaluate(images, labels, batchStatistics = false) {
    this.write(images, labels);
    const ends = batchStatistics ? this.ends.gradient : this.ends.evaluation;
    return this.run(batchStatistics ? 0 : 1, labels.length, ends[0]);
  }

  gradient(images, labels) {
    this.write(images, labels);
    const found = this.run(0, labels.length, this.ends.gradient[1]), at = this.places.gradient;
    return { ...found, gradient: this.reals.slice(at, at + this.sizes.params) };
  }

  apply(gradient) {
    this.reals.set(gradient, this.places.gradient);
    const [, , { place, length }] = this.codes;
    this.exports.run(this.sizes.params, place, 0, length);
    this.fresh = false;
  }

  layers() {
    if (!this.fresh) throw new Error("Ask for the layers right after steps().");
    const [, first, end] = this.ends.gradient;
    this.exports.run(this.batchSize, this.codes[0].place, first, end);
    return this.read("layers");
  }

  look(images, labels) {
    const { buffers, counters, power1, power2 } = this.getState();
    this.write(images, labels);
    this.run(0, labels.length, this.ends.gradient[2]);
    this.setState({ buffers, counters, power1, power2 });
    return this.read("layers");
  }

  lastMetrics() {
    const numbers = this.layers(), layers = [];
    this.exports.run(this.sizes.params, this.codes[3].place, 0, this.codes[3].length);
    for (let i = 0; i < numbers.length; i += 3) {
      const [mean, variance, dead] = numbers.subarray(i, i + 3);
      layers.push({ mean, variance, dead });
    }
    return { gradientNorm: this.reals[this.places.norm], layers };
  }
}
