// Sentences about the numbers that share a statistic.

import { RENORM_LIMITS, outputOf, sharedBy, statisticAt } from "./formulas.js";
import { STYLE } from "../kit/js/style.js";
import { hasStored, placeOf, usesStored } from "./pooling.js";

/** A number for a sentence: a true minus sign, at most `digits` decimals. */
export function figure(value, digits = 1) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
}

/** A statistic: three digits that count, at most four decimals. */
function rounded(value) {
  const decimals = 2 - Math.floor(Math.log10(Math.abs(value) || 1));
  return figure(value, Math.min(4, Math.max(0, decimals)));
}

/** With spaces at which no line ends. */
const together = (text) => text.replaceAll(" ", "\u00a0");

const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);

/** A term that is added: + 0.2 or − 0.2. */
const added = (value) => (value < 0 ? `− ${rounded(-value)}` : `+ ${rounded(value)}`);

function places(pool, { N, C }) {
  const samples = pool.n1 - pool.n0, channels = pool.c1 - pool.c0;
  const range = (word, from, to, all) => {
    if (to - from === 1) return `${word} ${to}`;
    return to - from === all ? `all ${all} ${word}s` : `${word}s ${from + 1} to ${to}`;
  };
  return channels === 1 && samples !== 1
    ? `channel ${pool.c1} of ${range("image", pool.n0, pool.n1, N)}`
    : `${range("channel", pool.c0, pool.c1, C)} of image ${pool.n1}`;
}

/** Another normalizer that pools the same numbers here, as a sentence, or "". */
function sameAs({ norm, group_size: group, ghost_size: ghost }, { N, C }) {
  if (norm === "group" && group === 1) return " Groups of one channel: the same as instance norm.";
  if (norm === "group" && group === C) return " One group of all channels: the same as layer norm.";
  if (norm === "batch" && N === 1) return " A batch of one image: the same as instance norm.";
  if (norm === "ghost_batch" && ghost === 1) {
    return " Ghost batches of one image: the same as instance norm.";
  }
  if (norm === "ghost_batch" && ghost === N) return " One ghost batch: the same as batch norm.";
  return "";
}

// ---- what is shared ----------------------------------------------------------------------------

const CENTRED = (s) => `one mean and one variance: mean ${rounded(s.mean)}, variance ${rounded(s.variance)}`;
const SPREAD = (s) => `one variance, ${rounded(s.variance)}; no mean is subtracted`;
const SQUARE = (s) => `one mean square, ${rounded(s.square)}; no mean is subtracted`;
const LP = (name, key) => (s) => `one mean and one ${name}: mean ${rounded(s.mean)}, ${name} ${rounded(s[key])}`;

const SHARED = {
  variance: SPREAD,
  evonorm_s0: SPREAD,
  rms: SQUARE,
  filter_response: (s) => `${SQUARE(s)}, and outputs below the threshold 0 become 0`,
  l1_batch: LP("mean of |x|", "absolute"),
  l2_batch: LP("mean square", "square"),
  linf_batch: LP("largest |x|", "largest"),
};

/** The second sentence of some. */
const MORE = {
  batch_renorm: (s) => ` r = ${rounded(s.r)} and d = ${rounded(s.d)} turn them into the stored ones`
    + `${s.limited ? ` as far as the limits allow (r from 1/${RENORM_LIMITS.r} to ${RENORM_LIMITS.r},`
      + ` d from −${RENORM_LIMITS.d} to ${RENORM_LIMITS.d})` : ": the same output as in eval mode"}.`,
  noisy_batch: () => " Noise, that of the first step, then scales and shifts each number.",
};

const STORED_WORDS = {
  variance: (s) => `the variance ${rounded(s.variance)} that was`,
  evonorm_b0: (s) => `the variance ${rounded(s.variance)} that was`,
  ...Object.fromEntries(["l1_batch", "l2_batch", "linf_batch"].map((norm) =>
    [norm, (s) => `the mean ${rounded(s.mean)} and the norm ${rounded(s.norm)} that were`])),
};
const STORED_PAIR = (s) => `the mean ${rounded(s.mean)} and the variance ${rounded(s.variance)} that were`;

function sharedText(setting, block, { members, inner, pool, innerPool, statistic: s }, c) {
  const { norm } = setting;
  const framed = inner.length ? `the ${inner.length} framed numbers (${places(innerPool, block)})` : "";
  const own = inner.length ? rounded(s.own.variance) : "";
  if (!pool) {
    const words = (STORED_WORDS[norm] ?? STORED_PAIR)(s);
    const begin = inner.length ? "Nothing is pooled over the images" : "Nothing in this batch is pooled";
    return `${begin}: channel ${c + 1} uses ${words} stored while training`
      + `${inner.length ? `; ${framed} share one variance, ${own}` : ""}.`;
  }
  const these = `These ${members.length} numbers (${places(pool, block)}) share`;
  if (inner.length === members.length) {
    return `${these} one variance, ${own}: that of the batch and of the image are the same. No mean is subtracted.`;
  }
  if (inner.length) {
    return `${these} one variance, ${rounded(s.variance)}; ${framed} share another, ${own}. No mean is subtracted.`;
  }
  return `${these} ${(SHARED[norm] ?? CENTRED)(s)}.${MORE[norm]?.(s) ?? ""}`;
}

/** They subtract no mean: what is shared is a scale. */
const SCALES_ALONE = new Set(["variance", "rms", "filter_response", "evonorm_b0", "evonorm_s0"]);

/** Who shares what, for readers who know none of it. */
export function headlineText(setting, block, { inner, pool }) {
  const { norm } = setting, name = STYLE[norm].label.replace(/^./, (letter) => letter.toUpperCase());
  const what = SCALES_ALONE.has(norm) ? "scale" : "mean";
  if (norm === "none") return "Without a normalizer no number depends on another.";
  if (!pool && inner.length) return `${name} in eval mode: ${inner.length} numbers share one ${what}, the other is stored.`;
  if (!pool) return `${name} in eval mode: a stored ${what} replaces that of the batch.`;
  return `${name}: ${places(pool, block)} ${pool.c1 - pool.c0 > 1 ? "share" : "shares"} one ${what}.`;
}

// ---- how the number is normalized --------------------------------------------------------------

const root = (value) => together(`√(${rounded(value)} + ε)`);
const above = (x, s) => together(`(${figure(x)} − ${bracketed(rounded(s.mean))})`);
const byDeviation = (x, s) => `${above(x, s)} / ${root(s.variance)}`;
const byNorm = (text) => (x, s, stored) =>
  `${above(x, s)} / ${stored ? rounded(s.norm) : together(text(s))}`;

/** The formula with this number's values, as far as its last equals sign. */
const WRITTEN = {
  batch_renorm: (x, s, stored) =>
    byDeviation(x, s) + (stored ? "" : together(` × ${rounded(s.r)} ${added(s.d)}`)),
  noisy_batch: (x, s, stored) =>
    byDeviation(x, s) + (stored ? "" : together(` × ${rounded(s.factor)} ${added(s.shift)}`)),
  variance: (x, s) => `${figure(x)} / ${root(s.variance)}`,
  rms: (x, s) => `${figure(x)} / ${root(s.square)}`,
  filter_response: (x, s) => `max(${together(`${figure(x)} / ${root(s.square)}, 0`)})`,
  l1_batch: byNorm((s) => `(${rounded(s.absolute)} + ε)`),
  l2_batch: byNorm((s) => root(s.square)),
  linf_batch: byNorm((s) => `(${rounded(s.largest)} + ε)`),
  evonorm_b0: (x, s) => `${figure(x)} / max(${root(s.variance)}, `
    + `${together(`${figure(x)} + √(${rounded(s.own.variance)} + ε)`)})`,
  evonorm_s0: (x, s) => `${together(`${figure(x)} × sigmoid(${figure(x)})`)} / ${root(s.variance)}`,
};

/** What the number at `index` shares, and how it is normalized: {shared, result, text}. */
export function explain(setting, block, stored, eps, index) {
  const shared = sharedBy(setting, block, stored, eps, index), x = block.values[index];
  const s = statisticAt(setting, block, shared.statistic, index);
  const result = outputOf(setting, block, s, index), { norm, mode } = setting;
  if (norm === "none") {
    return { shared, result, text: `No number shares anything: ${figure(x)} stays ${figure(x)}.` };
  }
  const fromStored = usesStored(setting);
  const written = (WRITTEN[norm] ?? byDeviation)(x, s, fromStored);
  const same = mode === "eval" && !fromStored ? " Eval mode computes the same as train mode." : "";
  const quiet = norm === "noisy_batch" && fromStored ? " Eval mode has no noise." : "";
  const text = `${sharedText(setting, block, shared, placeOf(index, block).c)} `
    + `Here ${written} = ${figure(result, 2)}.${shared.pool ? sameAs(setting, block) : ""}${same}${quiet}`;
  return { shared, result, text };
}

// ---- what a change did -------------------------------------------------------------------------

const STILL = 1e-9;  // less is rounding

/** What a change of the other samples did to an output, and why. `now` and `old` from `explain`. */
export function changeText(setting, count, old, now) {
  const begin = `With ${count === 1 ? "another image" : `${count} other images`} this output`;
  const [before, after] = [old.result, now.result], [from, to] = [before, after].map((v) => figure(v, 2));
  const pool = now.shared.pool;
  if (!pool || pool.n1 - pool.n0 === 1 || Math.abs(after - before) < STILL) {
    return `${begin} stays ${to}: ${stayReason(setting, pool, after)}.`;
  }
  const noise = setting.norm === "noisy_batch" ? " (same noise)" : "";
  if (from === to) return `${begin} moved by less than 0.01: still ${to}${noise}.`;
  return `${begin} went from ${from} to ${to}${noise}.`;
}

function stayReason(setting, pool, value) {
  const { norm } = setting;
  if (norm === "none") return "nothing is pooled";
  if (usesStored(setting)) {
    if (norm === "variance") return "the variance is stored";
    if (norm === "evonorm_b0") return "the batch’s variance is stored";
    return norm in STORED_WORDS ? "mean and norm are stored" : "mean and variance are stored";
  }
  if (pool.n1 - pool.n0 === 1) return "its own image alone decides";
  if (norm === "batch_renorm") return "r and d undo what the batch does";
  if (value === 0) return "0 divided by anything is 0";  // with a mean, the mean would have moved
  if (norm === "evonorm_b0") return "its own image’s divisor is larger";
  return "its statistic is what it was";
}

// ---- the hint ----------------------------------------------------------------------------------

const STARTS = { filter_response: ", threshold τ = 0", evonorm_b0: ", v = 1", evonorm_s0: ", v = 1" };

/** How to use the widget, and where its numbers come from. */
export function hintText({ shape: [, H, W], eps, images }, norm) {
  const all = `all ${images.toLocaleString("en")} training images`;
  const stored = norm === "linf_batch"
    ? ` Stored: mean and largest |x| of ${all}; a running average over batches would hold a smaller one.`
    : hasStored(norm) ? ` Stored statistics are those of ${all} as one batch.` : "";
  const small = norm === "none" ? "" : ` Untrained: weight 1, bias 0${STARTS[norm] ?? ""}; `
    + `ε = ${eps[norm].toFixed(6).replace(/0$/, "")}.`;
  return "Point at a number, tap it, or choose it with the arrow keys. Each crossing of an image "
    + `(a digit) and a channel holds ${H} × ${W} positions of the first convolution's output, in a net `
    + `at its start, rounded to one decimal.${small}${stored}`;
}
