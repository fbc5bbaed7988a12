// What SmallBatches has given so far, and the words for it. No drawing here.

import { writeQuery } from "../kit/js/link_state.js";
import { capitalized } from "../kit/js/sentence.js";
import { STYLE } from "../kit/js/style.js";

export const KEYS = ["batch_size", "classes", "r_max", "d_max", "lr", "seed", "norms"];
export const INDEPENDENT_CLASSES = 10;
export const ACCURACIES = {
  train: "right in training",
  batch: "right with batch statistics",
  accuracy: "right with running statistics",
};
const SHORT = { train: "in training", batch: "batch statistics", accuracy: "running statistics" };

const nameOf = (norm) => STYLE[norm].label;
const share = (value) => value.toFixed(2);

export const smallKey = (state) => writeQuery(state, KEYS);

export const classesText = (classes) =>
  classes === INDEPENDENT_CLASSES ? "independent images" : classes === 1 ? "one class" : `${classes} classes`;

function settingWords({ batch_size, classes, r_max, d_max, lr, norms }) {
  const limits = norms.includes("batch_renorm") ? `, r up to ${r_max}, d up to ${d_max}` : "";
  return `batches of ${batch_size} with ${classesText(classes)}, learning rate ${lr}${limits}`;
}

/** What the accuracies of the headline are about. */
export const headlineAbout = ({ batch_size, classes }) =>
  `batches of ${batch_size}${classes === INDEPENDENT_CLASSES ? " images" : ` with ${classesText(classes)}`}, running statistics`;

export function newOutcome(state) {
  const empty = () => ({ loss: [], train: [], batch: [], accuracy: [], recomputed: null, step: 0, divergedAt: null });
  return { state, phase: "training", curves: new Map(state.norms.map((norm) => [norm, empty()])) };
}

export function addContent(outcome, norm, content) {
  const curve = outcome.curves.get(norm);
  for (const which of ["loss", "train", "batch", "accuracy"]) curve[which].push(...content[which]);
  curve.recomputed = content.recomputed ?? curve.recomputed;
  curve.divergedAt = content.diverged_at;
  curve.step = content.step;
}

export const hasContent = (outcome) =>
  [...outcome.curves.values()].some((curve) => curve.accuracy.length || curve.divergedAt !== null);

/** The alt text of a plot. */
export function plotText(outcome, which, names) {
  const what = which === "loss" ? "training loss" : ACCURACIES[which];
  const ends = names.map((norm) => {
    const curve = outcome.curves.get(norm), end = curve[which].at(-1);
    if (curve.divergedAt !== null) return `${nameOf(norm)} diverged at step ${curve.divergedAt}`;
    return end ? `${nameOf(norm)} is at ${share(end[1])} at step ${end[0]}` : `${nameOf(norm)} has no point yet`;
  });
  return `${capitalized(what)} with ${settingWords(outcome.state)}: ${ends.join("; ") || "all curves are switched off"}.`;
}

export const emptyPlotText = (which) =>
  `${capitalized(which === "loss" ? "training loss" : ACCURACIES[which])}: no net is trained yet.`;

/** A row of the table for each net: its name and four numbers as text. */
export function tableRows(outcome) {
  return [...outcome.curves].map(([norm, curve]) => {
    const numbers = ["train", "batch", "accuracy"].map((which) => curve[which].at(-1)?.[1]);
    const cells = [...numbers, curve.recomputed ?? undefined].map((v) => (v === undefined ? "–" : share(v)));
    return { norm, cells: curve.divergedAt === null ? cells : [`diverged at step ${curve.divergedAt}`, "–", "–", "–"] };
  });
}

export const TABLE_HEAD = ["net", ...Object.values(SHORT), "recomputed from training images"].map(capitalized);

const BEGINNINGS = {
  training: "Training: step", finished: "Finished: step", stopped: "Stopped at step", failed: "Broke off at step",
};

/** All results in one line of text. */
export function outcomeText(outcome, steps) {
  const at = Math.max(0, ...[...outcome.curves.values()].map((curve) => curve.divergedAt ?? curve.step));
  const results = tableRows(outcome).map(({ norm, cells }) => {
    const { divergedAt } = outcome.curves.get(norm);
    if (divergedAt !== null) return `${nameOf(norm)} ${cells[0]}`;
    const [train, batch, running, recomputed] = cells;
    const end = recomputed === "–" ? "" : `, recomputed ${recomputed}`;
    return `${nameOf(norm)}: in training ${train}, batch statistics ${batch}, running statistics ${running}${end}`;
  });
  return `${BEGINNINGS[outcome.phase]} ${at} of ${steps}. ${capitalized(results.join("; "))}.`;
}
