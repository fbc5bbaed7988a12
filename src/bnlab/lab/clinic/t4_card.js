// The words of card T4: gradient accumulation with BatchNorm is not a larger batch.

import { twoDigits } from "../kit/js/sentence.js";
import { HIGH_ACCURACIES, ratioScale } from "./card_scales.js";
import { lastOf } from "./clinic_words.js";

const T4_BATCH = 32, T4_ROUNDING = 1e-5;  // float32 has seven digits
const T4_OTHER = 0.1;  // of its length, from which on the gradient is another one
const T4_CLOSE = 0.02; // of accuracy
const T4_COUNTS = { 2: "Two", 4: "Four", 8: "Eight", 16: "Sixteen" };

const t4Number = (value) => String(+value.toPrecision(2));
const t4Accuracies = (outcome, ...names) => names.map((name) => twoDigits(lastOf(outcome, name, "accuracy")));

/** Which of the answers below is true of an accumulated net beside one that sees its batch at once. */
function t4Compared(outcome, ...names) {
  const [atOnce, inParts] = names.map((name) => lastOf(outcome, name, "accuracy"));
  return Math.abs(atOnce - inParts) <= T4_CLOSE ? "level" : atOnce > inParts ? "worse" : "better";
}

function t4Symptom(outcome) {
  const { micro } = outcome.state, off = lastOf(outcome, "accumulated", "distance");
  const [whole, parts] = t4Accuracies(outcome, "whole", "accumulated");
  return `${T4_COUNTS[T4_BATCH / micro]} times ${micro} images are ${off > T4_OTHER ? "not" : "nearly"} a batch of ${T4_BATCH}: `
    + `gradient off by ${t4Number(off)} times its length; accuracy ${parts}, at once ${whole}.`;
}

function t4Headline(outcome) {
  if (!outcome.curves.has("layer_accumulated")) return t4Symptom(outcome);
  const left = lastOf(outcome, "layer_accumulated", "distance");
  const [layer, layerParts] = t4Accuracies(outcome, "layer_whole", "layer_accumulated");
  const same = layer === layerParts ? `${layer} in parts and at once` : `${layerParts} in parts, ${layer} at once`;
  if (left > T4_ROUNDING) return `Not repaired: with layer normalization the gradient is off by ${t4Number(left)} times its length.`;
  return `Repaired: with layer normalization the gradients agree to rounding; accuracy ${same}.`;
}

const t4Answer = (outcome) => (outcome.state.repaired
  ? t4Compared(outcome, "layer_whole", "layer_accumulated") : t4Compared(outcome, "whole", "accumulated"));

export const T4_CARD = {
  headline: t4Headline,
  scales: {
    accuracy: HIGH_ACCURACIES,
    distance: ratioScale(
      1e-8, 100, [[1e-8, "10⁻⁸"], [1e-6, "10⁻⁶"], [1e-4, "10⁻⁴"], [0.01, "0.01"], [1, "1"], [100, "≥ 100"]],
      (value) => (value < 0.001 ? value.toExponential(0) : t4Number(value))),
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
