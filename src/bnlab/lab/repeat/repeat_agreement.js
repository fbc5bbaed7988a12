// How far the numbers of a repeated verdict are those of the evidence. No drawing here.

import { needsEvidence } from "./repeat_formulas.js";
import { KEPT, otherNumbersText, ROUNDED, UNTRAINED } from "./repeat_words.js";

const LAST_BITS = 1e-9;
const isOfEvidence = (formula) => !formula || needsEvidence(formula);

/** Whether some parts are not about the trained rows alone. */
export const isInPart = ({ claim, formulas }) => claim.effects.some(({ name }) => isOfEvidence(formulas[name]));

/** The largest difference between what was found and the evidence, over parts of these kinds. */
function largestDifference({ claim, formulas, values }, found, isMeant) {
  const effects = claim.effects.filter((effect) => formulas[effect.name] && isMeant(effect));
  return Math.max(0, ...effects.flatMap(({ name }) => found[name].map((value, i) => Math.abs(value - values[name][i]))));
}

/** What the reader is told below the parts, once all rows are trained; `found` are the values of now. */
export function agreementText(options, start, found) {
  const partly = isInPart(options);
  if (start !== null) return partly ? UNTRAINED : "";
  const isIdentity = ({ kind }) => kind === "identity";
  const rounding = largestDifference(options, found, isIdentity);
  const others = largestDifference(options, found, (effect) => !isIdentity(effect));
  return [
    partly ? KEPT : "", rounding > LAST_BITS ? ROUNDED : "", others > LAST_BITS ? otherNumbersText(others) : "",
  ].filter(Boolean).join(" ");
}
