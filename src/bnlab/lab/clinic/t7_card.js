// The words of card T7: dropout and BatchNorm.

import { twoDigits } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";
import { lastOf } from "./clinic_words.js";
import { ratioPlot } from "./t7_ratios.js";

const T7_AGREE = 1.1;  // up to this factor the variances agree
const T7_CLOSE = 0.02;  // of accuracy, within which two nets are level
const t7Place = ({ where }) => (where === "before" ? "before each BatchNorm" : "behind each ReLU");

/** The geometric mean over layers of running variance over variance met; null before the end. */
function t7Factor(outcome, name) {
  const ratio = outcome.curves.get(name)?.ratio;
  if (!ratio?.length) return null;
  return Math.exp(ratio.reduce((sum, [, value]) => sum + Math.log(value), 0) / ratio.length);
}

const t7Times = (factor) => `${factor.toFixed(factor < T7_AGREE ? 2 : 1)} times the variance met`;
const t7Lost = ({ curves }) => [...curves].filter(([, { divergedAt }]) => divergedAt !== null).map(([name]) => STYLE[name].label);

function t7Headline(outcome) {
  const { state } = outcome, lost = t7Lost(outcome);
  if (lost.length) return `Diverged: ${lost.join(", ")}.`;
  const name = state.repaired ? "head" : "dropout", factor = t7Factor(outcome, name);
  const [reached, none] = [name, "none"].map((one) => twoDigits(lastOf(outcome, one, "accuracy")));
  const numbers = `it remembers ${t7Times(factor)}: ${reached}, without dropout ${none}.`;
  if (!state.repaired) return `With dropout ${t7Place(state)} ${numbers}`;
  return `${factor < T7_AGREE ? "Repaired" : "Not repaired"}: behind the last BatchNorm ${numbers}`;
}

function t7Told(outcome) {
  const anew = outcome.curves.get("dropout")?.anew, none = lastOf(outcome, "none", "accuracy");
  if (anew == null || none === null) return "";
  const rest = none - anew > T7_CLOSE ? "; what it still lacks is not due to its statistics" : "";
  return `With its statistics computed anew, without dropout, the net with dropout ${t7Place(outcome.state)} reaches `
    + `${twoDigits(anew)}${rest}.`;
}

/** Which of the answers below is true. */
function t7Answer(outcome) {
  const factor = t7Factor(outcome, outcome.state.repaired ? "head" : "dropout");
  return factor === null ? "" : factor < T7_AGREE ? "same" : factor < 2 ? "more" : "twice";
}

export const T7_CARD = {
  headline: t7Headline,
  told: t7Told,
  question: (state) => ({
    text: `With dropout ${state.repaired ? "behind the last BatchNorm" : t7Place(state)}, the variance that BatchNorm remembers is …`,
    items: [
      { value: "same", text: "the one that it meets in evaluation mode (within 10 %)" },
      { value: "more", text: "larger" },
      { value: "twice", text: "at least twice as large" },
    ],
    answer: t7Answer,
  }),
  view: ratioPlot,
};
