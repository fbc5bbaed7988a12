// Who won, in one sentence. No drawing here.

import { LEARNED } from "./outcome.js";
import { capitalized, listed, twoDigits } from "./sentence.js";
import { STYLE } from "./style.js";

const TIE = 0.01;
const MOST = 3;  // nets that are named one by one

/** A net as the subject of a sentence, and behind a number. */
export const subject = (name) => (name === "none" ? "the net without a normalizer" : STYLE[name].label);
export const behind = (name) => (name === "none" ? "without a normalizer" : `with ${STYLE[name].label}`);

/**
 * Of nets that trained side by side, from what newTraining() of outcome.js gave; two digits. `about`
 * stands in brackets at the end.
 */
export function headlineText({ curves }, about = "") {
  const told = whoWon(curves);
  return about && told ? `${told.slice(0, -1)} (${about}).` : told;
}

function whoWon(curves) {
  const all = [...curves], lost = all.filter(([, { divergedAt }]) => divergedAt !== null).map(([name]) => name);
  const ends = all.filter(([name, { accuracy }]) => !lost.includes(name) && accuracy.length)
    .map(([name, { accuracy }]) => [name, accuracy.at(-1)[1]]).sort((a, b) => b[1] - a[1]);
  if (!ends.length) return lost.length ? "No winner: every net diverged." : "";
  if (ends[0][1] < LEARNED) return capitalized(`no net learned anything${gone(lost, "; ")}.`);
  const best = ends.filter(([, value]) => isTie(value, ends[0][1]));
  if (best.length > 1) return tied(best, ends.slice(best.length), lost, [...curves.keys()]);
  const [winner, value] = ends[0], others = ends.slice(1);
  const against = others.length ? ` against ${told(others)}` : "";
  return capitalized(`${subject(winner)} wins: accuracy ${twoDigits(value)}${against}${gone(lost, others.length ? "; " : ", ")}.`);
}

/** Of two accuracies as they are shown: 0.97 and 0.96 are a tie. */
export const isTie = (a, b) => Math.abs(Number(twoDigits(a)) - Number(twoDigits(b))) < 1.5 * TIE;

function tied(best, others, lost, order) {
  const low = twoDigits(best.at(-1)[1]), high = twoDigits(best[0][1]), at = low === high ? low : `${low} to ${high}`;
  const names = best.map(([name]) => name), inOrder = order.filter((name) => names.includes(name));
  const who = others.length || lost.length ? listed(inOrder.map(subject)) : best.length === 2 ? "both" : "all";
  const rest = others.length ? `, ${told(others)}` : "";
  return `No winner: ${who} end at accuracy ${at}${rest}${gone(lost, "; ")}.`;
}

export function told(ends) {
  if (ends.length < MOST) return listed(ends.map(([name, value]) => `${twoDigits(value)} ${behind(name)}`));
  return `${twoDigits(ends.at(-1)[1])} to ${twoDigits(ends[0][1])} of the others`;
}

export function gone(lost, before) {
  if (!lost.length) return "";
  return `${before}${lost.length < MOST ? listed(lost.map(subject)) : `${lost.length} nets`} diverged`;
}
