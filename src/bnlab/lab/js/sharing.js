// Sentences about the numbers that share a statistic.

import { sharedBy, usesStored } from "./pooling.js";

/** A number for a sentence: a true minus sign, at most `digits` decimals. */
export function figure(value, digits = 1) {
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? (0).toFixed(digits) : text).replace("-", "−");
}

/** A statistic: three digits that count, at most four decimals. */
function statistic(value) {
  const decimals = 2 - Math.floor(Math.log10(Math.abs(value) || 1));
  return figure(value, Math.min(4, Math.max(0, decimals)));
}

/** With spaces at which no line ends. */
const together = (text) => text.replaceAll(" ", "\u00a0");

const bracketed = (text) => (text.startsWith("−") ? `(${text})` : text);

function places(pool, { N, C }) {
  const samples = pool.n1 - pool.n0, channels = pool.c1 - pool.c0;
  const range = (word, from, to, all) => {
    if (to - from === 1) return `${word} ${to}`;
    return to - from === all ? `all ${all} ${word}s` : `${word}s ${from + 1} to ${to}`;
  };
  return channels === 1 && samples !== 1
    ? `channel ${pool.c1} of ${range("sample", pool.n0, pool.n1, N)}`
    : `${range("channel", pool.c0, pool.c1, C)} of sample ${pool.n1}`;
}

/** Another normalizer that pools the same numbers here, as a sentence, or "". */
function sameAs({ norm, group_size: group, ghost_size: ghost }, { N, C }) {
  if (norm === "group" && group === 1) return " Groups of one channel: the same as instance norm.";
  if (norm === "group" && group === C) return " One group of all channels: the same as layer norm.";
  if (norm === "batch" && N === 1) return " A batch of one sample: the same as instance norm.";
  if (norm === "ghost_batch" && ghost === 1) {
    return " Ghost batches of one sample: the same as instance norm.";
  }
  if (norm === "ghost_batch" && ghost === N) return " One ghost batch: the same as batch norm.";
  return "";
}

/** What the number at `index` shares, and how it is normalized: {shared, result, text}. */
export function explain(setting, block, stored, eps, index) {
  const shared = sharedBy(setting, block, stored, index), value = block.values[index];
  const { members, pool, mean, variance } = shared;
  if (setting.norm === "none") {
    const text = `No number shares anything: ${figure(value)} stays ${figure(value)}.`;
    return { shared, result: value, text };
  }
  const result = (value - mean) / Math.sqrt(variance + eps), outcome = figure(result, 2);
  const root = together(`√(${statistic(variance)} + ε)`);
  const rest = `${together(`(${figure(value)} − ${bracketed(statistic(mean))})`)} / ${root} = ${outcome}.`;
  if (!pool) {
    const c = Math.floor(index / block.P) % block.C;
    return {
      shared, result,
      text: `Nothing in this batch is pooled: channel ${c + 1} uses the mean ${statistic(mean)} and `
        + `the variance ${statistic(variance)} that were stored while training. Here ${rest}`,
    };
  }
  const these = `These ${members.length} numbers (${places(pool, block)}) share`;
  const spread = statistic(variance);
  const text = setting.norm === "rms"
    ? `${these} one mean square, ${spread}; no mean is subtracted. `
      + `Here ${figure(value)} / ${root} = ${outcome}.`
    : `${these} one mean and one variance: mean ${statistic(mean)}, variance ${spread}. Here ${rest}`;
  const mode = setting.mode === "eval" ? " Eval mode computes the same as train mode." : "";
  return { shared, result, text: text + sameAs(setting, block) + mode };
}

/** What a change of the other samples did to an output, and why. */
export function changeText(setting, pool, count, before, after) {
  const begin = `The other ${count === 1 ? "sample" : `${count} samples`} changed; this output`;
  const [from, to] = [before, after].map((v) => figure(v, 2));
  if (pool && pool.n1 - pool.n0 > 1) {
    if (from === to) return `${begin} moved by less than 0.01: it is still ${to}.`;
    const by = figure(Number(after.toFixed(2)) - Number(before.toFixed(2)), 2);  // of what is shown
    return `${begin} went from ${from} to ${to} (by ${by.startsWith("−") ? "" : "+"}${by}).`;
  }
  const why = setting.norm === "none" ? "nothing is pooled"
    : usesStored(setting) ? "mean and variance are stored"
      : "its own sample alone decides";
  return `${begin} stays ${to}: ${why}.`;
}

/** How to use the widget, and where its numbers come from. */
export function hintText({ shape: [, H, W], eps, images }) {
  return "Point at a number, tap it, or choose it with the arrow keys. Each crossing of a sample "
    + `(a digit) and a channel holds ${H} × ${W} positions of the first convolution's output, in a net `
    + `at its start, rounded to one decimal. ε = ${eps.toFixed(5)}, weight 1, bias 0. Stored: mean and `
    + `unbiased variance of all ${images.toLocaleString("en")} training images.`;
}
