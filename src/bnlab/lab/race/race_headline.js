// What a race says in one bold line. No drawing here.

import { gone, headlineText, isTie, told } from "../kit/js/headline.js";
import { LEARNED } from "../kit/js/outcome.js";
import { twoDigits } from "../kit/js/sentence.js";
import { movement } from "./layer_view.js";

const FARTHER = 1.5;  // times as far: less is not seen in the panels

/** Who won; where layers are shown, and noise has moved them, what that did to the accuracy. */
export function raceHeadline(race) {
  const { curves } = race, noisy = curves.get("noisy_batch"), calm = curves.get("batch");
  const ratio = noisy && calm ? movement(noisy) / movement(calm) : NaN;
  const ends = [...curves].filter(([, { divergedAt, accuracy }]) => divergedAt === null && accuracy.length)
    .map(([name, { accuracy }]) => [name, accuracy.at(-1)[1]]).sort((a, b) => b[1] - a[1]);
  const ended = new Map(ends), isBoth = ended.has("noisy_batch") && ended.has("batch");
  if (!isBoth || !(ratio >= FARTHER && ratio < Infinity) || ends[0][1] < LEARNED) return headlineText(race);
  const shaken = ended.get("noisy_batch"), steady = ended.get("batch"), isSame = isTie(shaken, steady);
  const others = ends.filter(([name]) => name !== "noisy_batch" && !(isSame && name === "batch"));
  const lost = [...curves.keys()].filter((name) => curves.get(name).divergedAt !== null);
  const accuracy = isSame ? `accuracy is the same: ${rangeOfTwo(shaken, steady)}${others.length ? `, ${told(others)}` : ""}`
    : `accuracy is ${shaken < steady ? "lower" : "higher"}: ${twoDigits(shaken)} against ${told(others)}`;
  return `Noise moves the outputs ${ratio < 3 ? ratio.toFixed(1) : Math.round(ratio)} times as far, and ${accuracy}${gone(lost, "; ")}.`;
}

function rangeOfTwo(a, b) {
  const [low, high] = [Math.min(a, b), Math.max(a, b)].map(twoDigits);
  return low === high ? low : `${low} to ${high}`;
}
