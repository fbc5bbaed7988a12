// Who won, in one sentence. No drawing here.

import { LEARNED } from "./outcome.js";
import { STYLE } from "./style.js";

const TIE = 0.01;
const MOST = 3;  // nets that are named one by one

const asSentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}`;
const digits = (value) => value.toFixed(2);
const listed = (parts) => (parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`);

/** A net as the subject of a sentence, and behind a number. */
export const subject = (name) => (name === "none" ? "the net without a normalizer" : STYLE[name].label);
export const behind = (name) => (name === "none" ? "without a normalizer" : `with ${STYLE[name].label}`);

/** Of nets that trained side by side, from what newTraining() of outcome.js gave; two digits. */
export function headlineText({ curves }) {
  const all = [...curves], lost = all.filter(([, { divergedAt }]) => divergedAt !== null).map(([name]) => name);
  const ends = all.filter(([name, { accuracy }]) => !lost.includes(name) && accuracy.length)
    .map(([name, { accuracy }]) => [name, accuracy.at(-1)[1]]).sort((a, b) => b[1] - a[1]);
  if (!ends.length) return lost.length ? "No winner: every net diverged." : "";
  if (ends[0][1] < LEARNED) return asSentence(`no net learned anything${gone(lost, "; ")}.`);
  const best = ends.filter(([, value]) => isTie(value, ends[0][1]));
  if (best.length > 1) return tied(best, ends.slice(best.length), lost, [...curves.keys()]);
  const [winner, value] = ends[0], others = ends.slice(1);
  const against = others.length ? ` against ${told(others)}` : "";
  return asSentence(`${subject(winner)} wins: ${digits(value)}${against}${gone(lost, others.length ? "; " : ", ")}.`);
}

/** Of two numbers as they are shown: 0.97 and 0.96 are a tie. */
const isTie = (a, b) => Math.abs(Number(digits(a)) - Number(digits(b))) < 1.5 * TIE;

function tied(best, others, lost, order) {
  const low = digits(best.at(-1)[1]), high = digits(best[0][1]), at = low === high ? low : `${low} to ${high}`;
  const names = best.map(([name]) => name), inOrder = order.filter((name) => names.includes(name));
  const who = others.length || lost.length ? listed(inOrder.map(subject)) : best.length === 2 ? "both" : "all";
  const rest = others.length ? `, ${told(others)}` : "";
  return `No winner: ${who} end at ${at}${rest}${gone(lost, "; ")}.`;
}

function told(ends) {
  if (ends.length < MOST) return listed(ends.map(([name, value]) => `${digits(value)} ${behind(name)}`));
  return `${digits(ends.at(-1)[1])} to ${digits(ends[0][1])} of the others`;
}

function gone(lost, before) {
  if (!lost.length) return "";
  return `${before}${lost.length < MOST ? listed(lost.map(subject)) : `${lost.length} nets`} diverged`;
}
