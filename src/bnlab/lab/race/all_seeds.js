// A race with all seeds: at each step the median of the nets, and the band from the lowest to the
// highest. A net that diverged counts as one that guesses, with a loss beyond all. No drawing here.

import { subject } from "../kit/js/headline.js";
import { STYLE } from "../kit/js/style.js";
import { median } from "./layer_view.js";

const GUESSING = { accuracy: 0.1, loss: Infinity };
const BAND = " (band: all seeds)";  // in full screen nothing else says it
const AHEAD = 0.015;  // less is a tie: 0.97 and 0.96

export function newSeeds(state, seeds) {
  const empty = () => ({ runs: new Map(), loss: [], accuracy: [], bands: {}, divergedAt: null, layers: [], guesses: null });
  const curves = new Map(state.norms.map((norm) => [norm, empty()]));
  return { state, seeds, curves, phase: "training", isOfSeeds: true };
}

export function addRun({ curves }, norm, { seed, loss, accuracy, diverged_at }) {
  const curve = curves.get(norm);
  curve.runs.set(seed, { loss, accuracy, divergedAt: diverged_at });
  for (const which of ["loss", "accuracy"]) Object.assign(curve, joined(curve, which));
}

function joined({ runs, bands }, which) {
  const all = [...runs.values()], longest = all.reduce((a, b) => (b[which].length > a[which].length ? b : a))[which];
  const rows = longest.map(([step], i) => {
    const values = all.map((run) => run[which][i]?.[1] ?? GUESSING[which]).sort((a, b) => a - b);
    return { step, low: values[0], middle: median(values), high: values.at(-1) };
  });
  return {
    [which]: rows.map(({ step, middle }) => [step, middle]),
    bands: { ...bands, [which]: rows.map(({ step, low, high }) => [step, low, high]) },
  };
}

const endOf = ({ accuracy, divergedAt }) => (divergedAt === null ? accuracy.at(-1)[1] : GUESSING.accuracy);

/** The seeds with which every net has trained. */
const whole = ({ seeds, curves }) => seeds.filter((seed) => [...curves.values()].every(({ runs }) => runs.has(seed)));

export const hasRuns = ({ curves }) => [...curves.values()].some(({ runs }) => runs.size);

/** With how many seeds each net ends ahead of all others. */
function wins(race) {
  const count = new Map([...race.curves.keys()].map((norm) => [norm, 0]));
  for (const seed of whole(race)) {
    const ends = [...race.curves].map(([norm, { runs }]) => [norm, endOf(runs.get(seed))]).sort((a, b) => b[1] - a[1]);
    if (ends[0][1] - ends[1][1] >= AHEAD) count.set(ends[0][0], count.get(ends[0][0]) + 1);
  }
  return count;
}

export function seedsHeadline(race) {
  const done = whole(race).length;
  if (!done) return "";
  const ahead = [...wins(race)], [norm, count] = ahead.reduce((a, b) => (b[1] > a[1] ? b : a));
  const told = `${subject(norm)} is ahead in ${count} of ${done} seeds`;
  if (2 * count > done) return `${told[0].toUpperCase()}${told.slice(1)}${BAND}.`;
  const ties = done - ahead.reduce((sum, [, some]) => sum + some, 0);
  const all = count === 0 ? `a tie in each of ${done} seeds` : ties ? `${told}, ${ties} are ties` : told;
  return `No clear winner: ${all}${BAND}.`;
}

const SEED_PHASES = { training: "Training", paused: "Paused", finished: "Finished", stopped: "Stopped", failed: "Broke off" };

export function seedsText(race) {
  const results = [...race.curves].filter(([, { runs }]) => runs.size).map(([norm, { runs }]) => {
    const ends = [...runs.values()].map(endOf).sort((a, b) => a - b), lost = [...runs.values()].filter(({ divergedAt }) => divergedAt !== null).length;
    const told = `${median(ends).toFixed(2)} (${ends[0].toFixed(2)} to ${ends.at(-1).toFixed(2)})`;
    return `${STYLE[norm].label}: accuracy ${told}${lost ? `, ${lost} diverged` : ""}`;
  });
  const text = results.join("; ");
  return `${SEED_PHASES[race.phase]}: ${whole(race).length} of ${race.seeds.length} seeds. Line: the median; band: from the lowest to the `
    + `highest. ${text[0].toUpperCase()}${text.slice(1)}.`;
}

export function seedsAlt(race, which, names) {
  const results = names.map((norm) => {
    const [step, low, high] = race.curves.get(norm).bands[which]?.at(-1) ?? [];
    return step === undefined ? `${STYLE[norm].label} has no point yet`
      : `${STYLE[norm].label} is at ${rounded(low)} to ${rounded(high)} at step ${step}`;
  });
  const quantity = which === "loss" ? "Training loss" : "Validation accuracy";
  return `${quantity} of ${whole(race).length} seeds: ${results.join("; ") || "all curves are switched off"}.`;
}

const rounded = (number) => (number >= 10 ? "10 or more" : String(+number.toPrecision(2)));
