// The rows of a claim: which trainings they are, how long they take, what follows for its effects.
// No drawing here.

import { needsEvidence, valuesBy } from "./repeat_formulas.js";

/** The seeds of a state: those of the evidence, or as many fresh ones from a number on. */
export const seedsOf = ({ seeds }, start) => (start === null ? seeds : seeds.map((_, i) => start + i));

/** All rows, seed by seed: {place: [arm, seed], cost, state}, `state` being what the job takes. */
export function rowsOf({ arms, seeds }, start, test) {
  return seedsOf({ seeds }, start).flatMap((seed, number) => arms.map((arm, at) => {
    const { name, label, later, digests, ...fields } = arm;
    return {
      place: [at, number], cost: arm.steps * arm.batch_size * arm.depth,
      state: { ...fields, arm: name, seed: seed + later, sampler: { name: "iid" }, test },
    };
  }));
}

/** What a trained row says about itself: {numbers, outcome}: "equal", "differs" or, of fresh seeds, "trained". */
export function outcomeOf({ arms }, start, [arm, number], { digest, ...numbers }) {
  const outcome = start !== null ? "trained" : digest === arms[arm].digests[number] ? "equal" : "differs";
  return { numbers, outcome };
}

/** Numbers that are no numbers would spoil an interval: a row says so. */
export const isWhole = ({ diverged_at: _, ...numbers }) => Object.values(numbers).flat().every(Number.isFinite);

/**
 * The values of each effect, one a seed, from rows by arm: `trained.get(arm)[number]` are numbers. An
 * effect without a formula is not about these rows: it has the values of the evidence, if its seeds
 * are meant. Nor has one a value of fresh seeds whose formula needs more of the evidence.
 */
export function valuesOf(options, start, trained) {
  const { claim, formulas, values } = options, found = {};
  for (const { name } of claim.effects) {
    const formula = formulas[name], isOwn = start === null;
    if (formula && (isOwn || !needsEvidence(formula))) found[name] = valuesBy(formula, options, trained);
    else if (isOwn) found[name] = values[name];
  }
  return found;
}

/** The claim as far as there are values: a verdict needs all of them, a part its own. */
export function claimWith(claim, values) {
  const effects = claim.effects.filter(({ name }) => name in values);
  return { ...claim, effects, core: claim.core.filter((name) => name in values) };
}

/** Why these seeds cannot be taken, or nothing. */
export function whyNotSeeds({ seeds, tuning_seeds: tuning, most_seed: most, formulas }, start) {
  if (Object.values(formulas).every(needsEvidence)) return "all parts of this claim need numbers of the evidence beside its trainings, so no word follows from other seeds";
  if (!Number.isSafeInteger(start) || start < 0 || start >= most) return `the first seed must be a whole number from 0 to ${most - 1}`;
  const within = (seed) => seed >= start && seed < start + seeds.length, used = tuning.find(within), own = seeds.find(within);
  if (used !== undefined) return `seed ${used} chose the learning rates, so it must not be counted`;
  return own === undefined ? "" : `seed ${own} is one of the evidence, so it is not fresh`;
}

/** Seconds that are left, from the cost that was done in so many seconds. */
export const secondsLeft = (seconds, done, all) => (done ? (seconds * (all - done)) / done : null);
