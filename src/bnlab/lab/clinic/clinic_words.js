// What a card of the clinic has given so far, and the words that all cards have. No drawing here.
//
// An outcome is {state, phase, curves, coming}: `curves` by their names, each with its points by the
// names of the plots, `step`, `divergedAt`, `done`, and whatever else the last message about it had;
// `coming` are those of the training of now; where curves of before are drawn, they take their places
// when they are whole.

import { capitalized } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";

const brief = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : String(+value.toPrecision(2)));
export const writtenBy = ({ scale }) => (scale === "accuracy" ? (value) => value.toFixed(2) : brief);
const cardLabel = (name) => STYLE[name].label;

/** An outcome that begins; `before` is the one whose curves stay until they come anew. */
export function newCardOutcome(state, before = null) {
  const curves = new Map(before?.curves);
  return { state: { ...state, norms: [...curves.keys()] }, phase: "training", curves, coming: new Map() };
}

/** Takes in what is new about a curve; `order` are the names of all curves, `plots` those of the plots. */
export function addToCard(outcome, name, content, order, plots) {
  if (!content) return;
  const { coming, curves } = outcome, { step, diverged_at, done, ...news } = content;
  if (!coming.has(name)) coming.set(name, Object.fromEntries(plots.map((which) => [which, []])));
  const curve = coming.get(name);
  for (const [key, value] of Object.entries(news)) {
    if (plots.includes(key)) curve[key].push(...value);
    else curve[key] = value;
  }
  Object.assign(curve, { step, divergedAt: diverged_at, done });
  // A curve of before stays until this one is whole.
  if (done || !curves.has(name) || curves.get(name) === curve) curves.set(name, curve);
  outcome.state.norms = order.filter((one) => curves.has(one));
}

/** Whether there is something to draw. */
export const hasCurves = ({ curves }) => curves.size > 0;

/** The last value of a curve in a plot; null if it has none. */
export const lastOf = (outcome, name, which) => outcome.curves.get(name)?.[which]?.at(-1)?.[1] ?? null;

const PHASES_OF_CARD = {
  training: "Training:", finished: "Finished:", stopped: "Stopped at", failed: "Broke off at",
};

function endText(name, curve, plots) {
  if (curve.refused) return `${cardLabel(name)} is refused: ${curve.refused}`;
  if (curve.divergedAt !== null) return `${cardLabel(name)} diverged`;
  const ends = Object.entries(plots).filter(([which]) => curve[which]?.length)
    .map(([which, plot]) => `${plot.title} ${writtenBy(plot)(curve[which].at(-1)[1])}`);
  return ends.length ? `${cardLabel(name)}: ${ends.join(", ")}` : `${cardLabel(name)} has no point yet`;
}

/** All results in one line of text. */
export function cardText(outcome, { axis, plots }) {
  const all = outcome.state.norms.map((name) => [name, outcome.curves.get(name)]);
  const at = Math.max(0, ...all.map(([, { step }]) => step));
  const ends = all.map(([name, curve]) => endText(name, curve, plots)).join("; ");
  return `${PHASES_OF_CARD[outcome.phase]} ${axis} ${at}. ${capitalized(ends)}.`;
}

/** Whether a curve belongs to a plot: it has points there, may get some, or a reason why it has none. */
const isToldIn = (curve, which) => !curve.done || curve[which]?.length || curve.refused || curve.divergedAt !== null;

/** The alt text of a plot. */
export function cardPlotText(outcome, which, names, { axis, plots }) {
  const plot = plots[which], ends = names.filter((name) => isToldIn(outcome.curves.get(name), which)).map((name) => {
    const curve = outcome.curves.get(name), end = curve[which]?.at(-1);
    if (!end) return endText(name, curve, {});
    return `${cardLabel(name)} is at ${writtenBy(plot)(end[1])} at ${axis} ${end[0]}`;
  });
  return `${capitalized(plot.title)}: ${ends.join("; ") || "all curves are switched off"}.`;
}

export const emptyCardText = (plot) => `${capitalized(plot.title)}: no net is trained yet.`;

/** Whether the guess was right, with the numbers. */
export function cardVerdict(outcome, guess, { items, answer }, headline) {
  if (outcome.phase !== "finished") return "The training did not reach its end: no verdict on the guess.";
  const guessed = items.find(({ value }) => value === guess).text;
  return `Guess: ${guessed}. ${guess === answer(outcome) ? "Right" : "Not right"}. ${headline}`;
}
