// The words of card T2: batches of a few images.

import { lastOf } from "./clinic_words.js";
import { twoDigits } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";

const T2_CLOSE = 0.02;  // of accuracy, within which two nets are level
const t2End = (outcome, name) => lastOf(outcome, name, "accuracy");
const t2Batches = (size) => (size === 1 ? "single images" : `batches of ${size}`);

function t2Alone({ state, curves }, reached) {
  const { refused } = curves.get("batch");
  if (refused) return `PyTorch refuses BatchNorm on single images: “${refused}”.`;
  return `On ${t2Batches(state.batch_size)} BatchNorm reaches ${twoDigits(reached)}.`;
}

function t2Headline(outcome) {
  const { state, curves } = outcome, reached = t2End(outcome, "batch");
  const other = curves.get(state.instead), instead = STYLE[state.instead].label;
  if (!state.repaired || !other) return t2Alone(outcome, reached);
  if (other.refused) return `No repair: ${instead} needs more than one image as well.`;
  const found = t2End(outcome, state.instead), on = t2Batches(state.batch_size);
  if (reached === null) return `Repaired: on ${on} ${instead} reaches ${twoDigits(found)}; BatchNorm is refused.`;
  const numbers = `${twoDigits(found)} with ${instead}, ${twoDigits(reached)} with BatchNorm`;
  if (found - reached > T2_CLOSE) return `Repaired on ${on}: ${numbers}.`;
  return `${found - reached < -T2_CLOSE ? "Worse" : "No difference"} on ${on}: ${numbers}.`;
}

/** Which of the answers below is true. */
function t2Answer(outcome) {
  const { batch_size: size, repaired, instead } = outcome.state;
  const reached = t2End(outcome, repaired ? instead : "batch");
  return reached === null ? "refused" : reached < 0.5 ? "low" : reached < 0.9 ? "middle" : "high";
}

export const T2_CARD = {
  headline: t2Headline,
  question: ({ batch_size: size, repaired, instead }) => ({
    text: `On ${t2Batches(size)}, ${repaired ? STYLE[instead].label : "BatchNorm"} reaches an accuracy …`,
    items: [
      { value: "refused", text: "of nothing: PyTorch refuses it" },
      { value: "low", text: "below 0.5" },
      { value: "middle", text: "between 0.5 and 0.9" },
      { value: "high", text: "above 0.9" },
    ],
    answer: t2Answer,
  }),
};
