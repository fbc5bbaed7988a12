// The words of card T8: samples that see each other.

import { capitalized } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";
import { lastOf } from "./clinic_words.js";
import { matrixView } from "./t8_matrix.js";

const T8_RIGHT = 0.5;  // per cent, up to which nothing leaks
const t8Percent = (value) => (value < T8_RIGHT ? "0\u00a0%" : `${value.toFixed(0)}\u00a0%`);
const t8Shown = ({ repaired, norm, instead }) => (repaired ? instead : norm);
const t8When = ({ when }) => (when === "before" ? "before the training" : "after the training");

/** The leak of a net in per cent at the time that the state asks for. */
function t8Leak(outcome, name) {
  const points = outcome.curves.get(name)?.leak;
  return outcome.state.when === "before" ? points?.[0]?.[1] ?? null : lastOf(outcome, name, "leak");
}

function t8Headline(outcome) {
  const { state } = outcome, name = t8Shown(state), curve = outcome.curves.get(name), leak = t8Leak(outcome, name);
  if (!curve || leak === null) return "";
  if (curve.divergedAt !== null) return `${STYLE[name].label} diverged.`;
  const numbers = `${t8Percent(leak)} of squared gradients come from others, a penalty is off by ${t8Percent(curve.penalty)}`;
  if (!state.repaired) return `${capitalized(STYLE[name].label)}, ${t8When(state)}: ${numbers}.`;
  return `${leak < T8_RIGHT ? "Repaired" : "Not repaired"}: with ${STYLE[name].label} ${numbers}.`;
}

/** Which of the answers below is true. */
function t8Answer(outcome) {
  const leak = t8Leak(outcome, t8Shown(outcome.state));
  return leak < T8_RIGHT ? "none" : leak < 20 ? "little" : "much";
}

export const T8_CARD = {
  headline: t8Headline,
  scales: {
    leak: {
      at: (value) => value / 100, ticks: [0, 20, 40, 60, 80, 100].map((value) => [value, `${value} %`]),
      write: t8Percent,
    },
  },
  question: (state) => ({
    text: `Of the squared gradients in a batch of eight with ${STYLE[t8Shown(state)].label}, other samples have …`,
    items: [
      { value: "none", text: "nothing" },
      { value: "little", text: "less than 20 %" },
      { value: "much", text: "20 % or more" },
    ],
    answer: t8Answer,
  }),
  view: matrixView,
};
