// What nets that train side by side have given so far, and the words for it. No drawing here.

import { writeQuery } from "./link_state.js";
import { STYLE } from "./style.js";

export const NO_NET_LEARNS = "nothing";  // a guess beside the names of the normalizers
export const LEARNED = 0.2;  // validation accuracy; guessing among ten digits gives 0.1

const label = (norm) => STYLE[norm].label;
const lossText = (v) => (v <= 1e-3 ? "0.001 or less" : v >= 10 ? "10 or more" : String(+v.toPrecision(2)));
const accuracyText = (v) => v.toFixed(2);
const divergedText = (norm, step) => `${label(norm)} diverged at step ${step}`;

/** The setting of a training as text: names what is drawn, and makes the link. */
export function settingKey(state) {
  const numbers = ["lr", "batch_size", "depth", "seed"], noise = "noise" in state ? ["noise"] : [];
  return writeQuery(state, [...numbers, ...noise, "norms"]);
}

function settingText({ norms, lr, batch_size, depth, noise, seed, momentum, weight_decay }) {
  const strength = norms.includes("noisy_batch") && noise !== undefined ? `noise × ${noise}, ` : "";
  const push = momentum ? `momentum ${momentum}, ` : "", decay = weight_decay ? `weight decay ${weight_decay}, ` : "";
  return `learning rate ${lr}, batch size ${batch_size}, depth ${depth}, ${strength}${push}${decay}seed ${seed}`;
}

/** A training that has begun. Its phase is "training", "paused", "finished", "stopped" or "failed". */
export function newTraining(state) {
  const empty = () =>
    ({ loss: [], accuracy: [], layers: [], batches: [], guesses: null, divergedAt: null, step: 0, batch: null });
  const curves = state.norms.map((norm) => [norm, empty()]);
  return { state, curves: new Map(curves), phase: "training" };
}

export function addPoints(training, norm, { loss, accuracy, diverged_at, step, records = [], layers = [], guesses = null }) {
  const curve = training.curves.get(norm);
  curve.loss.push(...loss);
  curve.accuracy.push(...accuracy);
  curve.layers.push(...layers);
  curve.guesses = guesses ?? curve.guesses;
  curve.divergedAt = diverged_at;
  curve.step = step ?? curve.loss.at(-1)?.[0] ?? 0;
  curve.batch = records.at(-1) ?? curve.batch;  // loss and accuracy of the last one, if known
  const before = curve.step - records.length;
  curve.batches.push(...records.map(([value], i) => [before + i + 1, value]).filter(([, value]) => Number.isFinite(value)));
}

export const hasPoints = (training) =>
  [...training.curves.values()].some(({ loss, accuracy, divergedAt }) =>
    loss.length || accuracy.length || divergedAt !== null);

function lastStep(training) {
  const steps = [...training.curves.values()].map(({ step, divergedAt }) => divergedAt ?? step);
  return Math.max(0, ...steps);
}

function resultText([norm, { loss, accuracy, divergedAt }]) {
  if (divergedAt !== null) return divergedText(norm, divergedAt);
  const parts = [];
  if (accuracy.length) parts.push(`accuracy ${accuracyText(accuracy.at(-1)[1])}`);
  if (loss.length) parts.push(`loss ${lossText(loss.at(-1)[1])}`);
  return `${label(norm)}: ${parts.join(", ") || "no point yet"}`;
}

/** With all the digits that a loss has: a reader compares them with those of Python. */
function batchText([norm, { batch, divergedAt }]) {
  if (divergedAt !== null || !batch) return resultText([norm, { loss: [], accuracy: [], divergedAt }]);
  return `${label(norm)}: loss ${batch[0].toFixed(7)}, accuracy ${accuracyText(batch[1])}`;
}

const PHASES = {
  training: "Training: step", paused: "Paused at step", finished: "Finished: step", stopped: "Stopped at step", failed: "Broke off at step",
};

/** All results in one line of text. */
export function summaryText(training, steps) {
  const paused = training.phase === "paused", begin = `${PHASES[training.phase]} ${lastStep(training)} of ${steps}.`;
  const results = [...training.curves].map(paused ? batchText : resultText).join("; ");
  if (paused) return `${begin} On its batch: ${results}.`;
  return `${begin} ${results[0].toUpperCase()}${results.slice(1)}.`;
}

/** Whether the evidence of a claim counts these very runs; `counted` lists its settings. */
export function countedText(state, counted) {
  if (!counted || !state.norms.every((norm) => counted.norms.includes(norm))) return "";
  const keys = ["lr", "batch_size", "depth", "seed", "momentum", "weight_decay", "steps"];
  const same = keys.every((key) => !(key in counted) || counted[key].includes(state[key]))
    && (!state.norms.includes("noisy_batch") || (state.noise ?? 1) === 1);
  return same ? ` The evidence for ${counted.claim} counts these very runs.` : "";
}

const quantity = (which) => (which === "loss" ? "Training loss" : "Validation accuracy");

/** What a plot shows before the first training. */
export const untrainedText = (which) => `${quantity(which)}: no net is trained yet.`;

/** The alt text of one plot: `which` is "loss" or "accuracy", `names` the curves drawn. */
export function altText(training, which, names) {
  const write = which === "loss" ? lossText : accuracyText;
  const results = names.map((norm) => {
    const curve = training.curves.get(norm);
    if (curve.divergedAt !== null) return divergedText(norm, curve.divergedAt);
    const last = curve[which].at(-1);
    return last ? `${label(norm)} is at ${write(last[1])} at step ${last[0]}` : `${label(norm)} has no point yet`;
  });
  return `${quantity(which)} with ${settingText(training.state)}: ${results.join("; ") || "all curves are switched off"}.`;
}

// ---- guesses -----------------------------------------------------------------------------------

/** What a reader may guess, as items of a choice. */
export function guesses(norms) {
  const items = norms.map((norm) => ({ value: norm, text: label(norm), swatchOf: norm }));
  return [...items, { value: NO_NET_LEARNS, text: "none of them learns" }];
}

/** Who ended highest in validation accuracy to two decimals, as shown; NO_NET_LEARNS if no net did. */
export function winners(training) {
  const ends = [...training.curves]
    .filter(([, { accuracy, divergedAt }]) => divergedAt === null && accuracy.length)
    .map(([norm, { accuracy }]) => [norm, accuracy.at(-1)[1]]);
  const best = Math.max(0, ...ends.map(([, value]) => value));
  if (best < LEARNED) return [NO_NET_LEARNS];
  return ends.filter(([, value]) => accuracyText(value) === accuracyText(best)).map(([norm]) => norm);
}

function endText([norm, { accuracy, divergedAt }]) {
  return divergedAt !== null ? divergedText(norm, divergedAt) : `${label(norm)} ${accuracyText(accuracy.at(-1)[1])}`;
}

/** Whether the guess was right, with the numbers. */
export function verdictText(training, guess) {
  if (training.phase !== "finished") return "The race did not reach its end: no verdict on the guess.";
  const best = winners(training), right = best.includes(guess);
  const guessed = guess === NO_NET_LEARNS ? "none of them learns" : label(guess);
  const outcome = best[0] === NO_NET_LEARNS
    ? `no net reached a validation accuracy of ${LEARNED}`
    : `${best.map(label).join(" and ")} ended highest`;
  const numbers = [...training.curves].map(endText).join("; ");
  return `Guess: ${guessed}. ${right ? "Right" : "Not right"}: ${outcome} (${numbers}).`;
}
