// What Bits has given so far, and the words for it. No drawing here.

import { writeQuery } from "../kit/js/link_state.js";
import { named, ranking, shortHeadline, two } from "../kit/js/short_headline.js";
import { STYLE } from "../kit/js/style.js";

export const LEVEL = "level";  // a guess beside the names of the nets
const CLOSE = 2;               // hundredths of accuracy, six images, within which nets are level
const FEW = 3;                 // nets that a headline names one by one
const LEARNED = 0.2;           // guessing among ten digits gives 0.1

export const BITS_PLOTS = {
  accuracy: "validation accuracy",
  flips: "weight signs flipped in 10 steps, all layers",
  loss: "training loss (mean of 5 steps)",
  inside: "share of inputs from −1 to 1 (others stop the gradient)",
};

const shareTicks = [[0.001, "≤ 0.1 %"], [0.01, "1 %"], [0.1, "10 %"], [1, "100 %"]];

/** Scales as those of curve_plot.js. */
export const BITS_SCALES = {
  accuracy: "accuracy",
  loss: "loss",
  flips: { at: (share) => 1 + Math.log10(Math.min(1, Math.max(1e-3, share))) / 3, ticks: shareTicks },
  inside: { at: (share) => share, ticks: [[0, "0 %"], [0.25, "25 %"], [0.5, "50 %"], [0.75, "75 %"], [1, "100 %"]] },
};

const label = (name) => STYLE[name].label;
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const percent = (share) => {
  const value = 100 * share;
  return `${value > 0 && value < 1 ? value.toPrecision(1) : value.toFixed(0)}\u00a0%`;
};
const VALUES = { accuracy: (v) => v.toFixed(2), loss: (v) => String(+v.toPrecision(2)), flips: percent, inside: percent };

const SETTING = ["depth", "shortcuts", "start", "clip", "optimizer", "lr", "seed"];

/** The setting of a training as text. */
export const bitsKey = (state) => writeQuery(state, ["norms", ...SETTING]);
/** All of a state. */
export const bitsQuery = (state) => writeQuery(state, ["norms", ...SETTING, "net", "layer", "predict"]);

export const clipText = (clip) => (clip === 0 ? "off" : String(clip));

function settingText({ depth, shortcuts, start, clip, optimizer, lr }) {
  const parts = [`${depth} blocks ${shortcuts === "on" ? "with" : "without"} shortcuts`, `first weights ${start}`];
  if (clip) parts.push(`clipping at ${clip}`);
  return `${parts.join(", ")}, ${optimizer === "adam" ? "Adam" : "SGD"} at ${lr}`;
}

/** A state in which the BN-free block has its shortcuts; `part` is what was changed last. */
export function settled(state, part, block) {
  if (state.shortcuts === "on" || !state.norms.includes(block)) return state;
  if (part.norms && !part.shortcuts) return { ...state, shortcuts: "on" };
  const norms = state.norms.filter((name) => name !== block);
  return { ...state, norms: norms.length ? norms : ["none"] };
}

export function newBits(state) {
  const empty = () => ({ loss: [], accuracy: [], flips: [], inside: [], bits: null, step: 0, divergedAt: null });
  return { state: { ...state }, phase: "training", curves: new Map(state.norms.map((name) => [name, empty()])) };
}

export function addBits(outcome, name, content) {
  const curve = outcome.curves.get(name);
  for (const which of Object.keys(BITS_PLOTS)) curve[which].push(...content[which]);
  curve.bits = content.bits ?? curve.bits;
  curve.divergedAt = content.diverged_at;
  curve.step = content.step;
}

export const hasBits = (outcome) => [...outcome.curves.values()].some(({ accuracy }) => accuracy.length);

// ---- which signs -------------------------------------------------------------------------------

/** The number of a layer, from 0. */
export const layerNumber = (layer, depth) => ({ first: 0, middle: depth >> 1, last: depth - 1 })[layer];

/** The net whose signs are drawn: the one that is asked for, if it was trained. */
export const netShown = (outcome, net) => (outcome.curves.has(net) ? net : [...outcome.curves.keys()][0]);

/** Bits of a text of hexadecimal digits. */
export function bitsOf(text) {
  return Uint8Array.from({ length: 4 * text.length }, (_, i) =>
    (parseInt(text[i >> 2], 16) >> (3 - (i & 3))) & 1);
}

/** The signs of a layer, {signs, weights}: each {now, flipped} (arrays of bits); null if none are there. */
export function signsOf({ bits }, layer) {
  if (!bits) return null;
  return Object.fromEntries(["signs", "weights"].map((kind) => {
    const now = bitsOf(bits.now[kind][layer]);
    const before = bits.before ? bitsOf(bits.before[kind][layer]) : now;
    return [kind, { now, flipped: now.map((bit, i) => bit ^ before[i]) }];
  }));
}

const shareOf = (bits) => bits.reduce((sum, bit) => sum + bit, 0) / bits.length;

/** What the pictures of a layer's signs show: a sentence for each, and it in short. */
export function signsText(name, curve, layer, depth, found, every) {
  const { step, inside, before } = curve.bits, where = `layer ${layer + 1} of ${depth}, ${label(name)}, step ${step}`;
  const flips = ({ flipped }) => (before ? `${percent(shareOf(flipped))} flipped in ${every} steps` : "no look before");
  const plus = ({ now }) => `${percent(shareOf(now))} are plus`;
  const now = ({ flipped }, what, since) => (before ? `${percent(shareOf(flipped))} of ${what} signs flipped${since}` : `${what} signs`);
  return {
    signs: {
      short: `net “${STYLE[name].short}”, layer ${layer + 1}: ${now(found.signs, "input", "")}`,
      text: `Signs of the inputs of ${where}: ${plus(found.signs)}, ${flips(found.signs)}; ${percent(inside[layer])} of the inputs lie between −1 and 1.`,
    },
    weights: {
      short: `this layer: ${now(found.weights, "weight", ` in ${every} steps`)}`,
      text: `Signs of the weights of ${where}: ${plus(found.weights)}, ${flips(found.weights)}.`,
    },
  };
}

// ---- who is ahead ------------------------------------------------------------------------------

/** The name of a net, or LEVEL. */
export function leaderOfBits(outcome) {
  const [[name, best], second] = ranking(outcome.curves);
  if (best < 100 * LEARNED) return LEVEL;
  return second && best - second[1] <= CLOSE ? LEVEL : name;
}

/** Names that say what a net is made of. */
const madeOf = (name) => (name === "none" ? "a scale for each filter (its weights’ mean size)" : label(name));

/** Who has won, when all are at the end: of few nets each with its number. */
export function bitsHeadline({ curves }) {
  const all = ranking(curves), ended = all.filter(([, value]) => value >= 0);
  if (all.length > FEW || ended.length < all.length || ended[0][1] < 100 * LEARNED) return shortHeadline(curves, CLOSE);
  const level = ended.filter(([, value]) => ended[0][1] - value <= CLOSE);
  const told = (some) => some.map(([name, value]) => `${madeOf(name)} ${two(value)}`).join(", ");
  const [[winner, best]] = level, rest = told(ended.slice(level.length));
  const begin = level.length > 1 ? `No winner: ${told(level)}` : `${capital(madeOf(winner))} wins: ${two(best)}`;
  return `${begin}${rest ? `; ${rest}` : ""}.`;
}

/** Who is ahead now. */
export function aheadOfBits(outcome) {
  const [[name, best]] = ranking(outcome.curves);
  return best < 100 * LEARNED ? "No net has learned anything yet." : `${capital(named(name))} is ahead so far: ${two(best)}.`;
}

export const bitsGuesses = (norms) => [
  ...norms.map((name) => ({ value: name, text: STYLE[name].short, swatchOf: name })),
  { value: LEVEL, text: "level (within 0.02)" },
];

/** Whether the guess was right, with the numbers. */
export function bitsVerdict(outcome, guess) {
  if (outcome.phase !== "finished") return "The training did not reach its end: no verdict on the guess.";
  const guessed = bitsGuesses(outcome.state.norms).find(({ value }) => value === guess).text;
  return `Guess: ${guessed}. ${guess === leaderOfBits(outcome) ? "Right" : "Not right"}. ${bitsHeadline(outcome)}`;
}

// ---- all numbers -------------------------------------------------------------------------------

const PHASES_OF_BITS = {
  training: "Training: step", finished: "Finished: step", stopped: "Stopped at step", failed: "Broke off at step",
};

/** All results in one line of text. */
export function bitsText(outcome, steps) {
  const curves = [...outcome.curves];
  const at = Math.max(0, ...curves.map(([, { divergedAt, step }]) => divergedAt ?? step));
  const results = curves.map(([name, { flips, inside, divergedAt }]) => {
    if (divergedAt !== null) return `${label(name)} diverged at step ${divergedAt}`;
    const parts = [];
    if (flips.length) parts.push(`${percent(flips.at(-1)[1])} of the weights’ signs flipped in 10 steps`);
    if (inside.length) parts.push(`${percent(inside.at(-1)[1])} of the inputs between −1 and 1`);
    return `${label(name)}: ${parts.join(", ")}`;
  });
  return `${PHASES_OF_BITS[outcome.phase]} ${at} of ${steps}; ${settingText(outcome.state)}. ${results.join("; ")}.`;
}

/** The alt text of a plot. */
export function bitsPlotText(outcome, which, names) {
  const ends = names.map((name) => {
    const curve = outcome.curves.get(name), end = curve[which].at(-1);
    if (curve.divergedAt !== null) return `${label(name)} diverged at step ${curve.divergedAt}`;
    return end ? `${label(name)} is at ${VALUES[which](end[1])} at step ${end[0]}` : `${label(name)} has no point yet`;
  });
  return `${capital(BITS_PLOTS[which])} with ${settingText(outcome.state)}: ${ends.join("; ") || "all curves are switched off"}.`;
}

export const emptyBitsText = (which) => `${capital(BITS_PLOTS[which])}: no net is trained yet.`;
