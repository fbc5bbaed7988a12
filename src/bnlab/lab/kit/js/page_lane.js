// One net in training in a page: the steps and looks of CompiledTrainer (bnlab.engines.compiled.engine),
// the points of Points (bnlab.lab.kit.points).

import { initial, sampler } from "../../../engines/compiled/js/random.js";

const PIXELS = 64;
const DIGITS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** Those inputs of a net that the state changes: by name, and the strength of noise. */
function inputsFor(usual, { inputs = {}, noise = 1 }) {
  const known = Object.entries(inputs).filter(([name]) => name in usual);
  if (!("n_mu" in usual)) return Object.fromEntries(known);
  const { n_mu, n_sigma, r_mu, r_sigma } = usual;
  const noises = { n_mu: noise * n_mu, n_sigma: 1 + noise * (n_sigma - 1), r_mu: noise * r_mu, r_sigma: noise * r_sigma };
  return { ...noises, ...Object.fromEntries(known) };
}

export class Lane {
  /**
   * @param shared   see page_jobs.js
   * @param variant  of the net: a key of the rules, as a rule the name of its normalizer
   * @param state    {depth, lr, batch_size, seed}, and what is not as usual: {sampler: {name, k},
   *                 gamma, positive, scale, inputs, momentum, weight_decay}: gamma's start, whether
   *                 filters of binary layers start positive, a factor of the weights that they start
   *                 from, and run-time inputs of the net by their names
   * @param seen     numbers of the validation images whose guessed digits are told
   */
  constructor(shared, variant, state, steps, seen = []) {
    const { rules, store, train } = shared;
    // The program without momentum does less, and gives the bits of momentum 0.
    const net = shared.net(variant, state.depth, state.momentum ? "momentum" : rules.optimizer);
    const vectors = Object.entries(store.rules(shared.keyOf(variant, state.depth))).map(
      ([name, rule]) => [name, initial(rule, state.seed, { gamma: state.gamma ?? null, positive: state.positive ?? false, scale: state.scale ?? 1 })]);
    net.start(Object.fromEntries(vectors));
    net.set({ ...rules.nets[variant].inputs, lr: state.lr });
    for (const name of ["momentum", "weight_decay"]) if (state[name]) net.set({ [name]: state[name] });
    net.set(inputsFor(rules.nets[variant].inputs, state));
    const { name, k } = state.sampler ?? { name: rules.sampler };
    this.batches = sampler(name, train.labels, state.seed, state.batch_size, k);
    Object.assign(this, { shared, net, variant, steps, seen, size: state.batch_size });
    this.guessed = seen.map(() => null);
    Object.assign(this, { taken: 0, limit: Infinity, divergedAt: null, done: false });
    this.block = [];  // losses that make no point yet
    this.clear();
    this.look();
  }

  clear() {
    Object.assign(this, { loss: [], accuracy: [], records: [], layers: [], guesses: null });
  }

  look() {
    const { images, labels } = this.shared.val;
    this.accuracy.push([this.taken, this.net.evaluate(images, labels).accuracy]);
    if (this.seen.length) this.guess();
  }

  /**
   * The digit that the net sees in each image: with this label it is right. The one of before comes
   * first, as it is most often the one of now. Null if the outputs are no numbers.
   */
  guess() {
    const { images } = this.shared.val;
    this.guessed = this.guessed.map((before, i) => {
      const image = images.subarray(this.seen[i] * PIXELS, (this.seen[i] + 1) * PIXELS);
      const isRight = (digit) => this.net.evaluate(image, [digit]).accuracy === 1;
      return (before === null ? DIGITS : [before, ...DIGITS]).find(isRight) ?? null;
    });
    this.guesses = [...this.guessed];
  }

  /** Up to `most` steps, at most to the next point of the loss. */
  advance(most = Infinity) {
    const { block, evaluate } = this.shared.rules;
    let left = Math.min(most, block - this.block.length);
    while (left > 0 && !this.done) left -= this.update(left);
    if (this.done) return;
    if (this.shared.rules.units) this.layers.push([this.taken, this.units()]);
    if (this.block.length === block) {
      this.loss.push([this.taken, this.block.reduce((sum, loss) => sum + loss, 0) / block]);
      this.block = [];
    }
    const last = this.taken === this.steps;
    if (last || this.taken % evaluate === 0) this.look();
    if (last) this.finish();
  }

  /** [mean, variance] over the last batch, of the units that the program watches. */
  units() {
    const values = this.net.layers(), rows = [];
    for (let i = 0; i < values.length; i += 2) rows.push([values[i], values[i + 1]]);
    return rows;
  }

  /** How many of `count` steps were taken: the first one alone, as it says what divergence is. */
  update(count) {
    const some = this.taken === 0 ? 1 : count;
    const seen = this.net.steps(this.batches(this.taken, some), this.size, this.limit);
    if (this.taken === 0) {
      this.limit = Math.min(this.shared.rules.diverged * seen.loss[0], Number.MAX_VALUE);
    }
    for (const [i, loss] of seen.loss.entries()) {
      if (!(loss <= this.limit)) { this.diverge(this.taken); break; }
      this.taken++;
      this.block.push(loss);
      this.records.push([loss, seen.accuracy[i]]);
    }
    return some;
  }

  /** No later batch has seen what the last update did: the last batch is tried again. */
  finish() {
    this.done = true;
    const { images, labels } = this.shared.train, numbers = this.batches(this.steps - 1, 1);
    const batch = new Float32Array(numbers.length * PIXELS);
    numbers.forEach((n, i) => batch.set(images.subarray(n * PIXELS, (n + 1) * PIXELS), i * PIXELS));
    const { loss } = this.net.evaluate(batch, Int32Array.from(numbers, (n) => labels[n]), true);
    if (!(loss <= this.limit)) this.diverge(this.steps);
  }

  diverge(step) {
    this.divergedAt = step;
    this.done = true;
  }

  /** What is new since the last time, and of each step [loss, accuracy] of its batch. */
  take() {
    const { loss, accuracy, records, layers, guesses, taken: step, divergedAt: diverged_at, done } = this;
    this.clear();
    return [this.variant, { loss, accuracy, records, layers, guesses, step, diverged_at, done }];
  }
}
