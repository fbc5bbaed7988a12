// The state of Profiles, its address, and the words for what is drawn. No drawing here.

import { shortText } from "../kit/js/depth_plot.js";
import { behind } from "../kit/js/headline.js";
import { parseQuery, writeQuery } from "../kit/js/link_state.js";
import { capitalized } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";

export const NONE_GROWS = "nothing";  // a guess beside the names of the normalizers
const GROWTH = 2;  // from first to last layer: less does not count as growth

export const PANELS = {
  variance: { title: "strength of the signal (variance)", log: true },
  cosine: { title: "likeness of two images (cosine)", log: false },
  gradient_norm: { title: "gradient on its way back (norm)", log: true },
};

export const layerWord = ({ net }) => (net === "residual" ? "block" : "layer");

/** The first layer of the second half, which is wider; null if there is one layer alone. */
export const widerFrom = ({ depth }) => (depth > 1 ? Math.ceil(depth / 2) + 1 : null);

/** Below an axis; the gradient goes from right to left. */
export const axisWord = (state, quantity) => (quantity === "gradient_norm" ? `← ${layerWord(state)}` : layerWord(state));

const hasGroup = ({ norms }) => norms.includes("group");

/** What the stored grid calls a normalizer. */
export const variantOf = ({ group_size }, norm) => (norm === "group" ? `group-${group_size}` : norm);

/** What is computed, as text: names what is drawn. */
export function profilesKey(state) {
  return writeQuery(state, ["net", "depth", "width", "group_size", "norms"]);
}

export function writeProfiles(state) {
  return `${profilesKey(state)}&${writeQuery(state, ["predict"])}`;
}

export function parseProfiles(query, options) {
  const lists = {
    net: options.nets, depth: options.depths, width: options.widths, group_size: options.group_sizes,
  };
  return parseQuery(query, lists, { offered: options.norms, fewest: 1 });
}

// ---- words -------------------------------------------------------------------------------------

const wordOf = (state, norm) =>
  (norm === "group" ? `${STYLE.group.label} (group size ${state.group_size})` : STYLE[norm].label);


/** Which layers lack a finite value, in words; "" if none does. */
function gapText(rows, word) {
  const gaps = rows.flatMap((row, i) => (row ? [] : [i + 1]));
  if (!gaps.length) return "";
  if (gaps.length === rows.length) return `not finite in any ${word}`;
  if (gaps.at(-1) === rows.length && gaps[0] === rows.length - gaps.length + 1) {
    return `not finite from ${word} ${gaps[0]} on`;
  }
  return `not finite up to ${word} ${gaps.at(-1)}`;
}

/** Last median over first; null where one of them is missing or the first is 0. */
export function growth({ variance }) {
  const first = variance[0]?.[0], last = variance.at(-1)?.[0];
  return first > 0 && last !== undefined ? last / first : null;
}

function growthText(profile, word) {
  const gap = gapText(profile.variance, word), ratio = growth(profile);
  if (gap) return gap;
  return ratio === null ? `0 in ${word} 1` : `× ${shortText(ratio)}`;
}

function cosineText({ cosine }, word) {
  return gapText(cosine, word) || cosine.at(-1)[0].toFixed(2);
}

const seedsOf = (curves) => Math.min(...[...curves.values()].map((profile) => profile.seeds));

/** What lines, bands and the upright line are. */
export function readingText({ state, curves }) {
  const seeds = seedsOf(curves);
  const band = seeds > 1 ? `Line: middle of ${seeds} random starts; band: their range.` : "Line: one random start.";
  return widerFrom(state) === null ? band : `${band} Upright line: channels double, images halve.`;
}

/** What each curve does, in short. */
export function profilesText({ state, curves }) {
  const word = layerWord(state), last = `${word} ${state.depth}`;
  const seeds = seedsOf(curves);
  const parts = [...curves].map(([norm, profile]) =>
    `${wordOf(state, norm)}: ${growthText(profile, word)}, ${cosineText(profile, word)}`);
  return `Untrained ${state.net} nets, ${state.width} channels; lines: median of ${seeds} ${seeds === 1 ? "seed" : "seeds"}, bands: their range. `
    + `Variance from ${word} 1 to ${last}, and cosine similarity in ${last}: ${parts.join("; ")}.`;
}

/** The alt text of one panel. */
export function panelText({ state, curves }, quantity) {
  const word = layerWord(state);
  const write = quantity === "cosine" ? (v) => v.toFixed(2) : shortText;
  const parts = [...curves].map(([norm, profile]) => {
    const rows = profile[quantity], gap = gapText(rows, word);
    if (gap) return `${wordOf(state, norm)}: ${gap}`;
    const [[first], [last, low, high]] = [rows[0], rows.at(-1)];
    const range = profile.seeds > 1 ? ` (seeds ${write(low)} to ${write(high)})` : "";
    return `${wordOf(state, norm)}: ${write(first)} in ${word} 1, ${write(last)} in ${word} ${rows.length}${range}`;
  });
  return `${capitalized(PANELS[quantity].title)} by ${word} of the ${state.net} net: ${parts.join("; ")}.`;
}

export const hiddenText = (quantity) => `${capitalized(PANELS[quantity].title)}: nothing is drawn yet.`;

export const groupShown = hasGroup;

/** What becomes of the signal on its way, in one sentence: the two nets that are farthest apart. */
export function profilesHeadline(result) {
  const word = layerWord(result.state), nets = [...result.curves];
  const lost = nets.filter(([, profile]) => gapText(profile.variance, word)).map(([norm]) => norm);
  const ends = nets.map(([norm, profile]) => [norm, growth(profile)])
    .filter(([norm, ratio]) => ratio > 0 && !lost.includes(norm)).sort((a, b) => b[1] - a[1]);
  const gone = lost.map((norm) => `${capitalized(behind(norm))} it leaves the range of numbers.`);
  if (!ends.length) return gone.join(" ");
  const [[most, high], [least, low]] = [ends[0], ends.at(-1)];
  const both = nets.length === 2 ? "both" : "all", told = ends.length === 1 ? `${changeText(high)} ${behind(most)}`
    : high < GROWTH * low ? `${changeText(high)} in ${both} nets`
      : `${changeText(high)} ${behind(most)}, ${changeText(low, high)} ${behind(least)}`;
  return [`Over ${result.state.depth} ${word}s the signal ${told}.`, ...gone].join(" ");
}

/** After another change of the same kind the verb need not be said again. */
function changeText(ratio, before = null) {
  if (ratio < 1 / GROWTH) return `${before < 1 / GROWTH && before !== null ? "" : "shrinks "}to 1/${shortText(1 / ratio)}`;
  return ratio < GROWTH ? "keeps its strength" : `${before ? "" : "grows "}${shortText(ratio)} times`;
}

// ---- guesses -----------------------------------------------------------------------------------

/** What a reader may guess, as items of a choice. */
export function growthGuesses(state) {
  const items = state.norms.map((norm) => ({ value: norm, text: wordOf(state, norm), swatchOf: norm }));
  return [...items, { value: NONE_GROWS, text: "none of them doubles it" }];
}

/** Where the variance grew most, to two digits, as shown; NONE_GROWS if it doubled nowhere. */
export function mostGrown({ curves }) {
  const ratios = [...curves].map(([norm, profile]) => [norm, growth(profile)])
    .filter(([, ratio]) => ratio !== null);
  const most = Math.max(0, ...ratios.map(([, ratio]) => ratio));
  if (most < GROWTH) return [NONE_GROWS];
  return ratios.filter(([, ratio]) => shortText(ratio) === shortText(most)).map(([norm]) => norm);
}

/** Whether the guess was right, with the numbers. */
export function growthVerdict(result, guess) {
  const { state, curves } = result, best = mostGrown(result), right = best.includes(guess);
  const guessed = guess === NONE_GROWS ? "none of them doubles it" : wordOf(state, guess);
  const outcome = best[0] === NONE_GROWS ? "the variance doubles in none of them"
    : `the variance grows most with ${best.map((norm) => wordOf(state, norm)).join(" and ")}`;
  const numbers = [...curves].map(([norm, profile]) => {
    const ratio = growth(profile);
    return `${wordOf(state, norm)} ${ratio === null ? "without a finite value" : `× ${shortText(ratio)}`}`;
  });
  return `Guess: ${guessed}. ${right ? "Right" : "Not right"}: ${outcome} (${numbers.join("; ")}).`;
}
