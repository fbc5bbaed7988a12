// A repeated verdict as a small file, and back; what was changed by hand is refused with a sentence.

import { requireFields, requireThat } from "./fields.js";
import { LARGEST, ownMargins, withMargins } from "./margins.js";

const VERDICT_FORMAT = "bnlab verdict 1";
const FILE = "The file";
const MOST_SEEDS = 64;  // more than any evidence has; an interval of so many takes a moment
const FIELDS = {
  format: "text", claim: "text", scale: "text", said: "text", margins: "numbers", seeds: "seeds", values: "lists",
};

/** The text of a file: seeds, the reader's margins by name, each effect's numbers, and the word. */
export function writeVerdict({ id, scale }, { seeds, margins, values, said }) {
  return `${JSON.stringify({ format: VERDICT_FORMAT, claim: id, scale, said, margins, seeds, values })}\n`;
}

/**
 * What such a file holds: {seeds, margins, values, said}.
 *
 * Throws a ReaderError if it is no JSON, lacks something, holds something of another type, is of
 * another claim, or has a seed that may not be counted. The word in it counts for nothing: compare
 * it by `saidOtherwise`.
 */
export function readVerdict(text, { claim, tuning_seeds: tuning, most_seed: most }) {
  const file = parsed(text);
  requireFields(file, FIELDS, FILE);
  requireThat(file.format === VERDICT_FORMAT, `${FILE} is of the format "${file.format}"; this page reads "${VERDICT_FORMAT}".`);
  requireThat(
    file.claim === claim.id && file.scale === claim.scale,
    `${FILE} is a verdict on ${file.claim} (${file.scale}), `
      + `and this box is about ${claim.id} (${claim.scale}).`,
  );
  withMargins(claim, file.margins);
  const { seeds, margins, values, said } = file;
  const count = seeds.length, least = claim.least_seeds;
  requireThat(count >= least && count <= MOST_SEEDS, `${FILE} has ${count} seeds; a verdict is judged of ${least} to ${MOST_SEEDS}.`);
  requireThat(new Set(seeds).size === count, `${FILE} names a seed twice.`);
  const used = seeds.find((seed) => tuning.includes(seed)), tooLarge = seeds.find((seed) => seed >= most);
  requireThat(used === undefined, `${FILE} counts the seed ${used}, which chose the learning rates.`);
  requireThat(tooLarge === undefined, `${FILE} has the seed ${tooLarge}; the largest is ${most - 1}.`);
  const kept = {};
  for (const { name } of claim.effects) {
    requireThat(Object.hasOwn(values, name), `${FILE} has no values for the part "${name}".`);
    const found = values[name].length;
    requireThat(found === count, `${FILE} has ${found} values for the part "${name}" and ${count} seeds.`);
    const far = values[name].find((value) => Math.abs(value) > LARGEST);
    requireThat(far === undefined, `${FILE} has ${far} for the part "${name}"; no value is larger than ${LARGEST}.`);
    kept[name] = values[name];
  }
  return { seeds, margins: ownMargins(claim, margins), values: kept, said };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    requireThat(false, `${FILE} is not a verdict that this page has written: it is no JSON, or it is cut off.`);
  }
}

/** A sentence if a file says another word than its own numbers give, else nothing. */
export const saidOtherwise = (file, decided) => (file.said === decided.said ? ""
  : `${FILE} says "${file.said}"; its numbers give "${decided.said}".`);
