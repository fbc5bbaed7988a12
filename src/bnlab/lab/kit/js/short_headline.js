// Who won of some nets that trained side by side, in one line. No drawing here.

import { capitalized, listed, twoDigits } from "./sentence.js";
import { STYLE } from "./style.js";

const LEAST = 20;  // hundredths of accuracy; guessing among ten digits gives 10

/** [name, hundredths of accuracy], the best first; a net that diverged has none. */
export function ranking(curves) {
  return [...curves]
    .map(([name, { accuracy, divergedAt }]) =>
      [name, divergedAt === null && accuracy.length ? Math.round(100 * accuracy.at(-1)[1]) : -1])
    .sort((one, other) => other[1] - one[1]);
}

export const two = (hundredths) => twoDigits(hundredths / 100);
const fromTo = (all) => (all[0][1] === all.at(-1)[1] ? two(all[0][1]) : `${two(all.at(-1)[1])} to ${two(all[0][1])}`);

/** Names in a headline: short, and as at the curves where the long one has no room. */
export const named = (name) => (STYLE[name].label.length < 14 ? STYLE[name].label : STYLE[name].short);
const many = (all) => (all.length > 2 ? `${all.length} nets` : listed(all.map(([name]) => named(name))));

/** Who has won, when all are at the end; nets within `close` hundredths of the best one are level. */
export function shortHeadline(curves, close) {
  const all = ranking(curves), diverged = ([name]) => curves.get(name).divergedAt !== null;
  const lost = all.filter(diverged), ranked = all.filter((one) => !diverged(one) && one[1] >= 0);
  const gone = lost.length ? `; ${lost.length > 1 ? `${lost.length} nets` : named(lost[0][0])} diverged` : "";
  if (!ranked.length) return lost.length ? "No winner: every net diverged." : "";
  const best = ranked[0][1], level = ranked.filter(([, value]) => best - value <= close), rest = ranked.slice(level.length);
  if (best < LEAST) return `No net learned anything: ${fromTo(ranked)}${gone}.`;
  const [[winner]] = level, others = rest.length > 1 ? "the others" : rest.length ? named(rest[0][0]) : "";
  if (level.length === 1) {
    const against = rest.length ? ` against ${fromTo(rest)} with ${others}` : "";
    return `${capitalized(named(winner))} wins: ${two(best)}${rest.length > 1 ? `, ${others} ${fromTo(rest)}` : against}${gone}.`;
  }
  const who = rest.length && lost.length ? `${level.length} nets` : rest.length || lost.length ? many(level) : "all nets";
  return `No winner: ${who} ${fromTo(level)}${rest.length ? `, ${others} ${fromTo(rest)}` : ""}${gone}.`;
}
