// A claim with the reader's own margins. No drawing here.

import { EFFECT_KINDS } from "./judge.js";
import { requireFields, requireThat } from "./fields.js";

export const LARGEST = 1e6;  // of margins and values: with more of them numbers overflow

/** The claim with other margins, by name of effect; what makes no sense is refused with a sentence. */
export function withMargins(claim, margins) {
  const names = claim.effects.map(({ name }) => name);
  for (const name of Object.keys(margins)) {
    requireThat(names.includes(name), `Claim ${claim.id} has no part "${name}"; it has ${names.join(", ")}.`);
  }
  const own = ({ name, margin }) => (Object.hasOwn(margins, name) ? margins[name] : margin);
  const changed = (effect) => checkEffect({ ...effect, margin: own(effect) });
  return { ...claim, effects: claim.effects.map(changed) };
}

/** Those of the margins that are not the claim's own. */
export function ownMargins({ effects }, margins) {
  const known = Object.fromEntries(effects.map(({ name, margin }) => [name, margin]));
  return Object.fromEntries(Object.entries(margins).filter(([name, margin]) => margin !== known[name]));
}

/** An effect as bnlab.verdicts.parts.Effect allows it. */
export function checkEffect(effect) {
  const part = `The part "${effect.name}"`;
  requireFields(effect, { margin: "number", target: "number", upper: "flag", unit: "text", kind: "text" }, part);
  const { kind, margin, upper } = effect, isOneSided = kind === "identity" || (kind === "same" && upper);
  requireThat(EFFECT_KINDS.includes(kind), `${part} is of no known kind: ${EFFECT_KINDS.join(", ")}.`);
  requireThat(isOneSided || margin >= 0, `${part} cannot have a margin below 0; write 0 or more.`);
  requireThat(Math.abs(margin) <= LARGEST, `${part} has a margin of ${margin}; the largest is ${LARGEST}.`);
  return effect;
}
