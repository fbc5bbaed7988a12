// What is said while a verdict is repeated. No drawing here.

import { countsText } from "./repeat_grid.js";

const LONG = 90;  // seconds; what takes longer is said beforehand, and in minutes

const minutes = (seconds) => (seconds < LONG ? `${Math.max(1, Math.ceil(seconds))} s` : `${Math.ceil(seconds / 60)} minutes`);

/** The sentence above the grid. */
export function repeatHeadline({ id }, all, { phase, counts, decided, opened, seeds, margins, isFresh, isPart, problem }) {
  const own = margins ? ", with your margins" : "", verdict = `verdict on ${id}${own}: ${decided?.said}.`;
  if (opened) return decided ? `By the numbers of the file, ${seedsText(seeds)}, the ${verdict}` : "";
  if (phase === "training" || phase === "paused") {
    const done = counts.equal + counts.trained + counts.differs;
    const alike = isFresh || !done ? "" : counts.differs ? `, ${counts.differs} different` : ", all equal";
    return `${done} of ${all} trainings done${alike}.`;
  }
  if (problem) return `No verdict on ${id} follows from these numbers.`;
  if (phase !== "finished") return decided?.said ? `The evidence says of ${id}${own}: ${decided.said}.` : "";
  if (!decided) return `All ${all} trainings are done; intervals and words are being computed.`;
  if (counts.differs) return `${counts.differs} of ${all} trainings ended with other weights than those of the evidence.`;
  if (isFresh) return decided.said ? `With fresh seeds, the ${verdict}` : `With fresh seeds${own}, ${partsText(decided)}.`;
  const last = isPart ? `Together with the rest of the evidence, the ${verdict}` : `The ${verdict}`;
  return `All ${all} trainings ended with the weights of the evidence, to the last bit. ${last}`;
}

/** How many parts hold, where some were not trained. */
function partsText({ parts }) {
  const held = parts.filter(({ word }) => word === "holds").length;
  return `${held} of ${parts.length} parts that were trained here hold${held === 1 ? "s" : ""}`;
}

/** What is done and what is left, for the line beside the bar. */
export function progressText(done, all, left, phase) {
  const rest = phase === "paused" ? ", paused" : phase !== "training" || left === null ? "" : `, about ${minutes(left)} left`;
  return `${done} of ${all}${rest}`;
}

/** `8 seeds from 1064 to 1071`; those of a file need not follow each other. */
export const seedsText = (seeds) => `${seeds.length} seeds from ${Math.min(...seeds)} to ${Math.max(...seeds)}`;

/** The summary below, for the ear and for the last detail. */
export function repeatSummary({ id, where }, { phase, counts, outcomes, seeds, decided, opened, workers, seconds, isFresh }) {
  const who = workers > 1 ? `${workers} workers train` : "one worker trains", each = seconds / workers;
  const which = seedsText(seeds);
  if (opened) return `The verdict on ${id} on ${where} from the opened file, ${which}.${decided ? ` ${decided.sentence}` : ""}`;
  if (phase === "idle") {
    const what = isFresh ? `Fresh seeds for ${id}, ${which}: nothing is trained yet. Press Repeat to train them`
      : `The verdict on ${id} on ${where} from the evidence, ${which}. Press Repeat to train its rows again`;
    return `${what}: ${who}${each > LONG ? `, for about ${minutes(each)}` : ""}.`;
  }
  const state = { training: "Training", paused: "Paused", stopped: "Stopped", failed: "Broken off", finished: "Finished" }[phase];
  const by = phase === "finished" ? "" : " By the evidence:", other = counts.differs ? ` ${DIFFERENT}` : "";
  return `${state}, ${which}: ${countsText(outcomes.flat())}.${other}${decided?.sentence ? `${by} ${decided.sentence}` : ""}`;
}

const DIFFERENT = "Where a training is different, its numbers were computed otherwise than those of the evidence, or belong to other evidence.";
export const KEPT = "Parts that need more than these trainings keep the numbers of the evidence.";
export const UNTRAINED = "Parts that need more than these trainings have no numbers for fresh seeds, so that no word for the whole claim follows.";
export const ROUNDED = "The parts that hold by algebra measure errors of rounding, which are others here than in the evidence.";
export const otherNumbersText = (largest) =>
  `What was measured differs from the evidence by up to ${largest.toPrecision(1)}, in the units of the margins.`;
export const BACK = "The tab was in the background, where a browser may slow workers down; nothing was lost.";
export const GO_ON = 'What is trained is kept: "Go on" trains the rest.';
export const SILENT = "It had said nothing for two minutes.";
export const lostText = (text) => `One of the workers stopped, and another one does its training again. ${text}`;
