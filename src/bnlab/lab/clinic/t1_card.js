// The words of card T1: right in training mode, wrong in evaluation mode.

import { lastOf } from "./clinic_words.js";
import { twoDigits } from "../kit/js/sentence.js";

const T1_LOST = 0.05;  // of accuracy: "wrong"
const t1End = (outcome, name) => lastOf(outcome, name, "accuracy");

function t1Headline(outcome) {
  const [inTraining, inUse, anew] = ["train", "eval", "repaired"].map((name) => t1End(outcome, name));
  const modes = `${twoDigits(inTraining)} in training mode`;
  if (anew !== null && inTraining - anew < T1_LOST) {
    return `Repaired: ${twoDigits(anew)} in evaluation mode with new statistics, ${modes}.`;
  }
  if (anew !== null) return `Not repaired: ${twoDigits(anew)} with new statistics, ${modes}.`;
  if (inTraining - inUse < T1_LOST) return `Both modes agree: ${modes}, ${twoDigits(inUse)} in evaluation mode.`;
  return `Right in training mode, ${twoDigits(inTraining)}, and wrong in evaluation mode, ${twoDigits(inUse)}.`;
}

/** Which of the answers below is true. */
function t1Answer(outcome) {
  const top = t1End(outcome, "train"), low = t1End(outcome, outcome.state.repaired ? "repaired" : "eval");
  return top - low < T1_LOST ? "as good" : low > top / 2 ? "worse" : "half";
}

export const T1_CARD = {
  headline: t1Headline,
  question: ({ repaired }) => ({
    text: repaired ? "With statistics computed anew, evaluation mode is …" : "In evaluation mode the same net is …",
    items: [
      { value: "as good", text: "as good as in training mode" },
      { value: "worse", text: "more than 0.05 worse" },
      { value: "half", text: "less than half as good" },
    ],
    answer: t1Answer,
  }),
  events: ({ state }) => (state.cause === "one_class" ? [{ step: 200, text: "one class from here" }] : []),
};
