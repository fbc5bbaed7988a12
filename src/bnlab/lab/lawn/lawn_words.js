// What Lawn has given so far, and the words for it. No drawing here.

import { writeQuery } from "../kit/js/link_state.js";
import { STYLE } from "../kit/js/style.js";

export const NETS = ["adam", "lawn"];
export const LEVEL = "level";  // a guess beside the names of the nets
const CLOSE = 2;               // hundredths of accuracy, six images, within which two nets are level
const LEARNED = 0.2;           // guessing among ten digits gives 0.1

export const LAWN_PLOTS = {
  accuracy: "accuracy on new images (all labels right)",
  weights: "size of all weights (their norm)",
  logits: "size of the net’s outputs (logits), validation",
  loss: "training loss (labels made wrong included)",
};

const decades = (low, high) => (value) =>
  Math.log(Math.min(high, Math.max(low, value)) / low) / Math.log(high / low);

/** Scales as those of curve_plot.js. */
export const LAWN_SCALES = {
  accuracy: "accuracy",
  weights: { at: decades(10, 200), ticks: [[10, "≤ 10"], [20, "20"], [50, "50"], [100, "100"], [200, "≥ 200"]] },
  logits: { at: decades(0.1, 30), ticks: [[0.1, "≤ 0.1"], [0.3, "0.3"], [1, "1"], [3, "3"], [10, "10"], [30, "≥ 30"]] },
  loss: "loss",
};

const lawnKeys = ["free", "lr", "wrong", "seed"];
const digits = (value) => (value >= 100 ? value.toFixed(0) : String(+value.toPrecision(2)));
const written = (which, value) => (which === "accuracy" ? value.toFixed(2) : digits(value));
const label = (name) => STYLE[name].label;

export const percentText = (share) => `${Math.round(100 * share)}\u00a0%`;
export const lawnKey = (state) => writeQuery(state, lawnKeys);

/** The step after which LAWN holds the norms; null if it never does. */
export function switchStep({ state, curves }, steps) {
  const step = Math.round(state.free * steps), lost = curves.get("lawn").divergedAt;
  return state.free < 1 && (lost ?? steps) >= step ? step : null;
}

function switchText(outcome, steps) {
  const step = switchStep(outcome, steps);
  return step === null ? "LAWN never holds the norms" : `LAWN holds the norms from step ${step} on`;
}

export function newLawn(state) {
  const empty = () => ({ loss: [], accuracy: [], weights: [], logits: [], step: 0, divergedAt: null });
  const curves = new Map(NETS.map((name) => [name, empty()]));
  return { state: { ...state, norms: NETS }, phase: "training", curves };
}

export function addLawn(outcome, name, content) {
  const curve = outcome.curves.get(name);
  for (const which of Object.keys(LAWN_PLOTS)) curve[which].push(...content[which]);
  curve.divergedAt = content.diverged_at;
  curve.step = content.step;
}

export const hasLawn = (outcome) => [...outcome.curves.values()].every((curve) => curve.accuracy.length);

// ---- who is ahead ------------------------------------------------------------------------------

/** The accuracies in hundredths at the last step that both nets have seen. */
function hundredths(outcome) {
  const all = [...outcome.curves.values()].map(({ accuracy }) => accuracy);
  const seen = Math.min(...all.map((points) => points.length)) - 1;
  return all.map((points) => Math.round(100 * points[seen][1]));
}

/** The name of a net, or LEVEL. */
export function leader(outcome) {
  const lost = NETS.filter((name) => outcome.curves.get(name).divergedAt !== null);
  if (lost.length === 2) return LEVEL;
  const other = NETS.find((name) => name !== lost[0]);
  if (lost.length) return outcome.curves.get(other).accuracy.at(-1)[1] < LEARNED ? LEVEL : other;
  const [adam, lawn] = hundredths(outcome);
  return Math.abs(adam - lawn) <= CLOSE ? LEVEL : adam > lawn ? "adam" : "lawn";
}

const labelsText = ({ wrong }) =>
  (wrong === 0 ? "With all labels right" : `With ${percentText(wrong)} of training labels made wrong`);

/** Who is ahead, or who has won if the training is `over`. */
export function aheadText(outcome, over = false) {
  const at = (name) => outcome.curves.get(name).divergedAt;
  const lost = NETS.filter((name) => at(name) !== null), best = leader(outcome);
  const leads = over ? "wins" : "is ahead", nobody = over ? "No winner" : "Nobody leads";
  if (lost.length === 2) return `${nobody}: Adam diverged at step ${at("adam")}, LAWN-Adam at step ${at("lawn")}.`;
  if (lost.length) {
    const diverged = `${label(lost[0])} diverged at step ${at(lost[0])}`, [other] = NETS.filter((name) => name !== lost[0]);
    return best === LEVEL ? `${nobody}: ${diverged}, and ${label(other)} has learned nothing.` : `${label(best)} ${leads}: ${diverged}.`;
  }
  const [adam, lawn] = hundredths(outcome).map((value) => (value / 100).toFixed(2));
  if (Math.max(adam, lawn) < LEARNED) return `${nobody}: LAWN-Adam (${lawn}) and Adam (${adam}) have learned nothing.`;
  if (outcome.state.free === 1) return `No winner: LAWN-Adam that stays free is Adam, ${adam}.`;
  if (best === LEVEL) return `${over ? "No winner" : "They are level"}: ${lawn} with LAWN-Adam, ${adam} with Adam.`;
  if (!over) return `${label(best)} ${leads}: ${best === "lawn" ? `${lawn} against ${adam} with Adam` : `${adam} against ${lawn} with LAWN-Adam`}.`;
  return `${labelsText(outcome.state)}, holding the weights’ size ${best === "lawn" ? "helps" : "hurts"}: `
    + `${lawn} (LAWN-Adam), ${adam} (Adam).`;
}

export const lawnGuesses = () => [
  ...NETS.map((name) => ({ value: name, text: label(name), swatchOf: name })),
  { value: LEVEL, text: "level (within 0.02)" },
];

/** Whether the guess was right, with the numbers. */
export function lawnVerdict(outcome, guess) {
  if (outcome.phase !== "finished") return "The training did not reach its end: no verdict on the guess.";
  const guessed = lawnGuesses().find(({ value }) => value === guess).text;
  return `Guess: ${guessed}. ${guess === leader(outcome) ? "Right" : "Not right"}. ${aheadText(outcome, true)}`;
}

// ---- all numbers -------------------------------------------------------------------------------

const PHASES_OF_LAWN = {
  training: "Training: step", finished: "Finished: step", stopped: "Stopped at step", failed: "Broke off at step",
};
const SHORT_WORDS = { weights: "norm of the weights", logits: "size of the logits", loss: "training loss" };

/** All results in one line of text. */
export function lawnText(outcome, steps) {
  const curves = [...outcome.curves];
  const at = Math.max(0, ...curves.map(([, { divergedAt, step }]) => divergedAt ?? step));
  const results = curves.map(([name, curve]) => {
    if (curve.divergedAt !== null) return `${label(name)} diverged at step ${curve.divergedAt}`;
    const parts = Object.entries(SHORT_WORDS).filter(([which]) => curve[which].length)
      .map(([which, words]) => `${words} ${written(which, curve[which].at(-1)[1])}`);
    return `${label(name)}: ${parts.join(", ")}`;
  });
  return `${PHASES_OF_LAWN[outcome.phase]} ${at} of ${steps}; ${switchText(outcome, steps)}. ${results.join("; ")}.`;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** The alt text of a plot of this many steps. */
export const lawnPlotText = (steps) => (outcome, which, names) => {
  const ends = names.map((name) => {
    const curve = outcome.curves.get(name), end = curve[which].at(-1);
    if (curve.divergedAt !== null) return `${label(name)} diverged at step ${curve.divergedAt}`;
    return end ? `${label(name)} is at ${written(which, end[1])} at step ${end[0]}` : `${label(name)} has no point yet`;
  });
  const { lr, wrong } = outcome.state;
  const setting = `learning rate ${lr}, ${percentText(wrong)} wrong labels; ${switchText(outcome, steps)}`;
  return `${capital(LAWN_PLOTS[which])} with ${setting}: ${ends.join("; ") || "all curves are switched off"}.`;
};

export const emptyLawnText = (which) => `${capital(LAWN_PLOTS[which])}: no net is trained yet.`;
