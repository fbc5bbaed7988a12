// The words of card T4: gradient accumulation with BatchNorm is not a larger batch.

import { twoDigits } from "../kit/js/sentence.js";
import { lastOf } from "./clinic_words.js";

const T4_BATCH = 32, T4_ROUNDING = 1e-6, T4_LOWEST = 1e-8, T4_HIGHEST = 100;
const T4_OTHER = 0.1;  // of its length, from which on the gradient is another one
const T4_CLOSE = 0.02; // of accuracy
const T4_COUNTS = { 2: "Two", 4: "Four", 8: "Eight", 16: "Sixteen" };

const t4Number = (value) => String(+value.toPrecision(2));
const t4Accuracies = (outcome, ...names) => names.map((name) => twoDigits(lastOf(outcome, name, "accuracy")));

function t4Headline(outcome) {
  const { micro } = outcome.state, off = lastOf(outcome, "accumulated", "distance");
  const [whole, parts] = t4Accuracies(outcome, "whole", "accumulated");
  if (!outcome.curves.has("layer_accumulated")) {
    const times = `${T4_COUNTS[T4_BATCH / micro]} times ${micro} images`;
    return `${times} are ${off > T4_OTHER ? "not" : "nearly"} a batch of ${T4_BATCH}: the gradient is off by `
      + `${t4Number(off)} of its length, and the net reaches ${parts} instead of ${whole}.`;
  }
  const left = lastOf(outcome, "layer_accumulated", "distance");
  const [layer, layerParts] = t4Accuracies(outcome, "layer_whole", "layer_accumulated");
  const same = layer === layerParts ? `${layer} in parts and at once` : `${layerParts} in parts, ${layer} at once`;
  if (left > T4_ROUNDING) return `Not repaired: with layer normalization the gradient is off by ${t4Number(left)} of its length.`;
  return `Repaired: with layer normalization the gradients are the same but for rounding, and the net reaches ${same}.`;
}

/** Which of the answers below is true. */
function t4Answer(outcome) {
  const names = outcome.state.repaired ? ["layer_whole", "layer_accumulated"] : ["whole", "accumulated"];
  const [whole, parts] = names.map((name) => lastOf(outcome, name, "accuracy"));
  return Math.abs(whole - parts) <= T4_CLOSE ? "level" : whole > parts ? "worse" : "better";
}

const t4Decades = (value) => Math.log(Math.min(T4_HIGHEST, Math.max(T4_LOWEST, value)) / T4_LOWEST)
  / Math.log(T4_HIGHEST / T4_LOWEST);

export const T4_CARD = {
  headline: t4Headline,
  scales: {
    distance: {
      at: t4Decades,
      ticks: [[1e-8, "10⁻⁸"], [1e-6, "10⁻⁶"], [1e-4, "10⁻⁴"], [0.01, "0.01"], [1, "1"], [100, "≥ 100"]],
      write: (value) => (value < 0.001 ? value.toExponential(0) : t4Number(value)),
    },
  },
  question: ({ micro, repaired }) => ({
    text: `${repaired ? "With layer normalization, a" : "A"}ccumulated over parts of ${micro} images, the net ends …`,
    items: [
      { value: "level", text: `as good as at once (within ${T4_CLOSE})` },
      { value: "worse", text: "worse than at once" },
      { value: "better", text: "better than at once" },
    ],
    answer: t4Answer,
  }),
};
