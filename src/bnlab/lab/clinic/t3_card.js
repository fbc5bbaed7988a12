// The words of card T3: frozen with requires_grad=False, and BatchNorm still changes.

import { twoDigits } from "../kit/js/sentence.js";
import { evenScale, HIGH_ACCURACIES } from "./card_scales.js";
import { lastOf } from "./clinic_words.js";

const T3_SOME = 0.005, T3_MUCH = 0.05;  // of accuracy; the first is less than an image
const t3Moved = (outcome, name) => +lastOf(outcome, name, "moved").toPrecision(2);

/** Accuracies on the old digits, before and after. */
const t3Old = (outcome, name) => [outcome.curves.get(name).old[0][1], lastOf(outcome, name, "old")];

function t3Headline(outcome) {
  const [before, after] = t3Old(outcome, "head"), moved = `running means moved by ${t3Moved(outcome, "head")} deviations`;
  if (!outcome.curves.has("frozen")) {
    if (before - after <= T3_SOME) return `Frozen, and yet ${moved}; old digits are still at ${twoDigits(after)}.`;
    return `Frozen, and yet it forgets: ${moved}, old digits fell from ${twoDigits(before)} to ${twoDigits(after)}.`;
  }
  const [, kept] = t3Old(outcome, "frozen"), still = t3Moved(outcome, "frozen");
  const fresh = ["frozen", "head"].map((name) => twoDigits(lastOf(outcome, name, "new"))).join(" instead of ");
  if (kept !== before || still !== 0) return `Not repaired: the old digits go from ${twoDigits(before)} to ${twoDigits(kept)}.`;
  return `Repaired: no running mean moves, the old digits stay at ${twoDigits(kept)}, and the new ones reach ${fresh}.`;
}

/** Which of the answers below is true. */
function t3Answer(outcome) {
  const [before, after] = t3Old(outcome, outcome.state.repaired ? "frozen" : "head"), lost = before - after;
  return lost <= T3_SOME ? "nothing" : lost < T3_MUCH ? "some" : "much";
}

export const T3_CARD = {
  headline: t3Headline,
  scales: {
    old: HIGH_ACCURACIES,
    moved: evenScale(0, 0.3, [[0, "0"], [0.1, "0.1"], [0.2, "0.2"], [0.3, "≥ 0.3"]]),
  },
  question: ({ repaired }) => ({
    text: repaired ? "With evaluation mode too, the accuracy on the old digits falls …"
      : "Frozen by requires_grad=False alone, the accuracy on the old digits falls …",
    items: [
      { value: "nothing", text: "not at all" },
      { value: "some", text: `by less than ${T3_MUCH}` },
      { value: "much", text: `by ${T3_MUCH} or more` },
    ],
    answer: t3Answer,
  }),
};
