// The words of card T5: weight decay on gamma, beta and the biases.

import { capitalized, twoDigits } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";
import { HIGH_ACCURACIES, ratioScale } from "./card_scales.js";
import { lastOf } from "./clinic_words.js";

const T5_LAST = 0.9;   // the last tenth of the training says where it ends
const T5_SAME = 1.1;   // what is within a tenth of each other is the same
const T5_CLOSE = 0.02; // of accuracy, within which two nets are level
const t5Number = (value) => String(+value.toPrecision(2));

/** Mean training loss over the last tenth. */
function t5Loss(outcome, name) {
  const { loss, step } = outcome.curves.get(name), last = loss.filter(([at]) => at > T5_LAST * step);
  return last.reduce((sum, [, value]) => sum + value, 0) / last.length;
}

/** "training loss × 2.2", or "unchanged". */
const t5Times = (what, ratio) =>
  `${what} ${ratio < T5_SAME && ratio > 1 / T5_SAME ? "unchanged" : `× ${t5Number(ratio)}`}`;

function t5Accuracies(outcome, name, other) {
  const [one, two] = [name, other].map((each) => twoDigits(lastOf(outcome, each, "accuracy")));
  return one === two ? `accuracy ${one} either way` : `accuracy ${one} instead of ${two}`;
}

function t5Symptom(outcome, decay) {
  const rates = [decay, "undecayed"].map((name) => lastOf(outcome, name, "rate"));
  const losses = [decay, "undecayed"].map((name) => t5Loss(outcome, name));
  return `${capitalized(STYLE[decay].label)}: ${t5Times("effective rate", rates[0] / rates[1])}, `
    + `${t5Times("training loss", losses[0] / losses[1])}, ${t5Accuracies(outcome, decay, "undecayed")}.`;
}

function t5Headline(outcome) {
  const { state: { decay }, curves } = outcome;
  if (!curves.has("weights")) return t5Symptom(outcome, decay);
  const [own, before] = ["weights", decay].map((name) => t5Loss(outcome, name)), ratio = before / own;
  const word = ratio > T5_SAME ? "Repaired" : ratio < 1 / T5_SAME ? "Not repaired" : "No difference";
  return `${word} with decay of the weights alone: training loss ${t5Number(own)} instead of `
    + `${t5Number(before)}, ${t5Accuracies(outcome, "weights", decay)}.`;
}

function t5Gammas({ state, curves, phase }) {
  if (phase !== "finished") return "";
  const ends = state.norms.map((name) => `${STYLE[name].label} ${t5Number(curves.get(name).gamma.at(-1)[1])}`);
  return `Mean γ at the end: ${ends.join(", ")}. All have the same learning rate.`;
}

/** Which of the answers below is true. */
function t5Answer(outcome) {
  const { decay, repaired } = outcome.state, others = repaired ? ["weights", decay] : [decay, "undecayed"];
  const [one, other] = others.map((name) => lastOf(outcome, name, "accuracy"));
  return Math.abs(one - other) <= T5_CLOSE ? "level" : one > other ? "better" : "worse";
}

export const T5_CARD = {
  headline: t5Headline,
  scales: {
    accuracy: HIGH_ACCURACIES,
    length: ratioScale(3, 15, [[3, "≤ 3"], [5, "5"], [7, "7"], [10, "10"], [15, "≥ 15"]]),
    rate: ratioScale(
      0.0005, 0.005, [[0.0005, "≤ 0.0005"], [0.001, "0.001"], [0.002, "0.002"], [0.005, "≥ 0.005"]]),
  },
  told: t5Gammas,
  question: ({ decay, repaired }) => ({
    text: repaired ? `Beside ${STYLE[decay].label}, decay of the weights alone ends with an accuracy that is …`
      : `Beside no decay at all, ${STYLE[decay].label} ends with an accuracy that is …`,
    items: [
      { value: "level", text: `the same (within ${T5_CLOSE})` },
      { value: "better", text: "higher" },
      { value: "worse", text: "lower" },
    ],
    answer: t5Answer,
  }),
};
