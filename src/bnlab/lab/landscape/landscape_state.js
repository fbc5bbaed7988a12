// What the Landscape says: of its state, of its curves, of a guess. No drawing here.

import { behind, subject } from "../kit/js/headline.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import { capitalized, listed } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";
import { short, stepText } from "./slide_plot.js";

const nameOf = (norm) => STYLE[norm].label;
const COMPUTED = ["norms", "lr", "depth", "step", "seed"];  // what the curves depend on

export const landscapeKey = (state) => writeQuery(state, COMPUTED);

export const writeLandscape = (state) => writeQuery(state, [...COMPUTED, "length", "predict"]);

export function parseLandscape(query, options) {
  const lists = {
    lr: options.lrs, depth: options.depths, step: options.steps, length: options.lengths, seed: options.seeds,
  };
  return parseQuery(query, lists, { offered: options.norms, fewest: 1 });
}

export const QUANTITIES = {
  losses: { title: "loss after a step of this length", of: ({ losses }) => losses },
  changes: { title: "how much the gradient changes", of: ({ changes }) => changes },
  betas: { title: "curvature along the step (β)", of: (found, options, lr) => betas(found, options.lengths, lr) },
};

/** |g(w - s g) - g| / |s g| for each length s. */
export function betas({ changes, size }, lengths, lr) {
  return changes.map((change, i) => (change === null ? null : change / (lengths[i] * lr * size)));
}

/** Largest less smallest loss from half the rate to four times it; Infinity if one is not finite. */
export function rangeOf({ losses }, { lengths, band: [low, high] }) {
  const seen = losses.filter((_, i) => lengths[i] >= low && lengths[i] <= high);
  return seen.includes(null) ? Infinity : Math.max(...seen) - Math.min(...seen);
}

const wordOf = (value) => (value === Infinity ? "not finite" : short(value));

export function panelAlt(result, quantity, options) {
  const { title, of } = QUANTITIES[quantity], { state, found } = result;
  const parts = [...found].map(([norm, one]) => {
    if (one.diverged_at !== null) return `${nameOf(norm)} diverged at step ${one.diverged_at}`;
    const values = of(one, options, state.lr), middle = options.lengths.indexOf(1);
    const ends = [0, middle, values.length - 1].map((i) => short(values[i]));
    return `${nameOf(norm)} at step ${one.step}: ${ends[0]} at an eighth of the rate, ${ends[1]} at the rate, ${ends[2]} at eight times`;
  });
  return `${capitalized(title)} against the length of the step along the gradient. ${parts.join("; ")}.`;
}

export function mapAlt(name, { plane, step, loss }) {
  const values = plane.flat().filter((value) => value !== null), half = (plane.length - 1) / 2;
  return `Loss of ${nameOf(name)} at step ${step} on a plane: ${short(loss)} nats at the net, `
    + `${short(Math.min(...values))} at least and ${short(Math.max(...values))} at most; at the end of the way down the gradient `
    + `${short(plane.at(-1)[half])}, across it ${short(plane[half].at(-1))}.`;
}

/** What is found at the marker, and the range of the loss, for each net. */
export function landscapeText(result, options, length) {
  const { state, found } = result, at = options.lengths.indexOf(length);
  const parts = [...found].map(([norm, one]) => {
    if (one.diverged_at !== null) return `${nameOf(norm)}: diverged at step ${one.diverged_at}.`;
    const beta = betas(one, options.lengths, state.lr)[at], range = rangeOf(one, options);
    return `${nameOf(norm)} at step ${one.step}: loss ${short(one.loss)} → ${short(one.losses[at])}, `
      + `gradient of length ${short(one.size)} changes by ${short(one.changes[at])}, β ${short(beta)}; range of the loss in the shade ${wordOf(range)}.`;
  });
  return `A step of ${short(length)} times the rate (${short(length * state.lr)}).${["", ...parts].join("\n")}`;
}

/** Whose way is smoothest, in one sentence: by the range of the loss in the shade. */
export function landscapeHeadline({ found }, options) {
  const seen = [...found], gone = seen.filter(([, one]) => one.diverged_at !== null).map(([norm]) => subject(norm));
  const lost = gone.length ? ` ${capitalized(listed(gone))} diverged.` : "";
  const ranges = seen.filter(([, one]) => one.losses).map(([norm, one]) => [norm, rangeOf(one, options)])
    .sort((a, b) => a[1] - b[1]);
  if (!ranges.length) return lost.trim();
  const [[smooth, low], [rough, high]] = [ranges[0], ranges.at(-1)];
  const [from, to] = options.band.map(stepText);
  const varies = `In steps of ${from} to ${to} times the rate (grey) the loss varies by ${rangeText(low)}`;
  if (ranges.length === 1) return `${varies} ${behind(smooth)}.${lost}`;
  if (rangeText(low) === rangeText(high)) return `${varies} in every net: equally smooth.${lost}`;
  return `${varies} ${behind(smooth)}, by ${rangeText(high)} ${behind(rough)}.${lost}`;
}

const rangeText = (value) => (value === Infinity ? "no finite number" : String(Number(value.toPrecision(2))));

export const rangeGuesses = (norms) => norms.map((norm) => ({ value: norm, text: STYLE[norm].short, swatchOf: norm }));

export function rangeVerdict({ found }, options, guess) {
  const ranges = [...found].map(([norm, one]) =>
    [norm, one.diverged_at === null ? rangeOf(one, options) : Infinity]);
  const widest = Math.max(...ranges.map(([, range]) => range));
  const winners = ranges.filter(([, range]) => range === widest).map(([norm]) => norm);
  const said = ranges.map(([norm, range]) => `${nameOf(norm)} ${wordOf(range)}`);
  const right = winners.includes(guess) ? "Right" : `Not so: you said ${nameOf(guess)}`;
  return `${right}. Range of the loss from half the rate to four times it: ${said.join(", ")}.`;
}
