// A claim with the reader's own margins. No drawing here.

import { EFFECT_KINDS } from "./judge.js";
import { requireFields, requireThat } from "./fields.js";

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

/** An effect as bnlab.verdicts.parts.Effect allows it. */
export function checkEffect(effect) {
  const part = `The part "${effect.name}"`;
  requireFields(effect, { margin: "number", target: "number", upper: "flag", unit: "text", kind: "text" }, part);
  const { kind, margin, upper } = effect;
  requireThat(EFFECT_KINDS.includes(kind), `${part} is of no known kind: ${EFFECT_KINDS.join(", ")}.`);
  const twoSided = kind === "about" || (kind === "same" && !upper);
  requireThat(!twoSided || margin >= 0, `${part} has a margin on both sides; write 0 or more.`);
  return effect;
}
