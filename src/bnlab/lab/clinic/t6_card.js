// The words of card T6: BatchNorm before and behind the ReLU.

import { twoDigits } from "../kit/js/sentence.js";
import { lastOf } from "./clinic_words.js";

const T6_CLOSE = 2;  // hundredths of accuracy, as they are written, within which two nets are level

/** The accuracies that a state is about, before and behind the ReLU; a net that diverged has none. */
const t6Ends = (outcome) => ["before", "after"].map((order) => {
  const name = outcome.state.repaired ? `${order}_own` : order, curve = outcome.curves.get(name);
  return !curve || curve.divergedAt !== null ? null : lastOf(outcome, name, "accuracy");
});

/** Which of the answers below is true. */
function t6Answer(outcome) {
  const [before, after] = t6Ends(outcome).map((end) => Math.round(100 * (end ?? 0)));
  if (Math.abs(before - after) <= T6_CLOSE) return "level";
  return before > after ? "before" : "after";
}

const t6Reached = (end, place) => (end === null ? `${place} it the training diverged` : `${twoDigits(end)} ${place} it`);

function t6Headline(outcome) {
  const [before, after] = t6Ends(outcome), { repaired, lr } = outcome.state;
  const found = {
    level: "the places are level", before: "the place before the ReLU wins", after: "the place behind the ReLU wins",
  }[t6Answer(outcome)];
  const rate = repaired ? "Each at its own best rate" : `At one rate of ${lr} for both`;
  return `${rate}, ${found}: ${t6Reached(before, "before")}, ${t6Reached(after, "behind")}.`;
}

export const T6_CARD = {
  headline: t6Headline,
  question: ({ repaired, lr }) => ({
    text: repaired ? "Each at its own best rate, which net ends higher?" : `Both at a rate of ${lr}: which net ends higher?`,
    items: [
      { value: "before", text: "BatchNorm before the ReLU" },
      { value: "after", text: "BatchNorm behind the ReLU" },
      { value: "level", text: "level (within 0.02)" },
    ],
    answer: t6Answer,
  }),
};
