// The job "t5": nets whose weight decay acts on different parts; what bnlab.lab.clinic.t5 computes
// with a kernel. Its points are
//   [undecayed|all|gamma|weights, {loss, accuracy, length, rate, gamma, step, diverged_at, done}]

import { sumOfSquares, weightsOf } from "../../engines/compiled/js/norms.js";
import { JOBS } from "../kit/js/page_jobs.js";
import { Lane } from "../kit/js/page_lane.js";
import { inTurns, ownNet } from "./page_lanes.js";

const T5_DEPTH = 4, T5_BATCH_SIZE = 32, T5_RATE = 0.1, T5_DECAY = 0.01;
/** The program that decays a part alone, by the name of a curve. */
const T5_EXTRAS = { gamma: "parts gamma all", weights: "parts weights all" };

/** Where the gammas lie among the parameters, from their rules: [first, end]. */
function gammasOf(rules) {
  const found = [];
  let at = 0;
  for (const [kind, count] of rules) {
    if (kind === "gamma") found.push([at, at + count]);
    at += count;
  }
  return found;
}

const t5Mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The geometric mean of ||w|| over the hidden layers, and the mean gamma; `rules` are those of the parameters. */
export function lengthAndGamma(params, rules) {
  const numbers = Float64Array.from(params), part = ([first, end]) => numbers.subarray(first, end);
  const hidden = weightsOf(rules).slice(0, -1).map((place) => Math.log(sumOfSquares(part(place))) / 2);
  return [Math.exp(t5Mean(hidden)), t5Mean(gammasOf(rules).map((place) => t5Mean(part(place))))];
}

class DecayLane extends Lane {
  constructor(shared, name, state, steps) {
    const extra = T5_EXTRAS[name] ?? null, own = ownNet(shared, `t5 ${name}`, "batch", T5_DEPTH, extra);
    if (extra) own.net().set({ decay: T5_DECAY });
    super(own, "batch", name === "all" ? { ...state, weight_decay: T5_DECAY } : state, steps);
    Object.assign(this, { name, lr: state.lr });
  }

  clear() {
    super.clear();
    Object.assign(this, { length: [], gamma: [] });
  }

  look() {
    super.look();
    const rules = this.shared.store.rules(this.shared.keyOf("batch", T5_DEPTH)).params;
    const [length, gamma] = lengthAndGamma(this.net.getState().params, rules);
    this.length.push([this.taken, length]);
    this.gamma.push([this.taken, gamma]);
  }

  told() {
    const { length, gamma } = this, rate = length.map(([step, value]) => [step, this.lr / value ** 2]);
    const [, { loss, accuracy, step, diverged_at, done }] = this.take();
    return [[this.name, { loss, accuracy, length, rate, gamma, step, diverged_at, done }]];
  }
}

JOBS.t5 = async function t5(shared, mine, tell) {
  const { state: { decay, seed, repaired }, steps } = mine, names = ["undecayed", decay];
  if (repaired) names.push("weights");
  const state = { depth: T5_DEPTH, batch_size: T5_BATCH_SIZE, lr: T5_RATE, seed };
  await inTurns(names.map((name) => () => new DecayLane(shared, name, state, steps)), shared, tell);
};
