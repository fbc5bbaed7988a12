// From intervals to words: bnlab.verdicts.parts and .verdict in JavaScript. No drawing here.
//
// A claim is what claim_json.py makes of it; an effect is one of claim.effects.

import { intervalPieces } from "./interval.js";
import { meanOf } from "./means.js";
import { sizeText, spanText } from "./sizes.js";

const HOLDS = "holds", NO_EFFECT = "no effect", OPPOSITE = "opposite", FAILS = "does not hold", UNDECIDED = "undecided";
export const PART_WORDS = [HOLDS, NO_EFFECT, OPPOSITE, FAILS, UNDECIDED];
export const EFFECT_KINDS = ["more", "same", "about", "identity"];
const ALGEBRA = "holds by algebra", SHOWN = "shown", DEPENDS = "depends";

/** Where the whole interval must lie for a part to hold: [least, most], infinite where it is open. */
function holdsBetween({ kind, margin, target, upper }) {
  if (kind === "more") return [margin, Infinity];
  return [upper || kind === "identity" ? -Infinity : target - margin, target + margin];
}

/** The word of a part from its interval; see bnlab.verdicts.parts.judge. */
export function judge(effect, [low, high]) {
  const { kind, margin } = effect, [least, most] = holdsBetween(effect);
  if (!EFFECT_KINDS.includes(kind)) {
    throw new RangeError(`There is no kind of effect "${kind}"; choose from ${EFFECT_KINDS.join(", ")}.`);
  }
  if (kind === "more") {
    if (low > margin) return HOLDS;
    if (-margin <= low && high <= margin) return NO_EFFECT;
    return high < -margin ? OPPOSITE : UNDECIDED;
  }
  if (least <= low && high <= most) return HOLDS;
  return low > most || high < least ? FAILS : UNDECIDED;
}

/** The word of a claim; `words` are those of its parts, by name. See bnlab.verdicts.verdict.Verdict. */
export function verdictOf(claim, words) {
  const missing = claim.effects.filter(({ name }) => !PART_WORDS.includes(words[name]));
  if (missing.length) throw new RangeError(`Claim ${claim.id} has no word for its part ${missing[0].name}.`);
  if (claim.effects.every(({ name }) => words[name] === HOLDS)) {
    return claim.effects.every(({ kind }) => kind === "identity") ? ALGEBRA : SHOWN;
  }
  const found = new Set(claim.core.map((name) => words[name])), has = (...some) => some.some((word) => found.has(word));
  const is = (word) => found.size === 1 && found.has(word);
  if (is(HOLDS)) return "shown in part";
  if (has(HOLDS) && has(NO_EFFECT, FAILS, OPPOSITE)) return DEPENDS;
  if (has(UNDECIDED)) return UNDECIDED;
  return is(OPPOSITE) ? "reversed" : "not shown";
}

/** The word as it is said: with the setting that decides, if there is one. */
export function verdictSaid(claim, words) {
  const word = verdictOf(claim, words);
  if (word === DEPENDS) return `depends on ${claim.setting}`;
  return word === ALGEBRA ? "holds by algebra, checked" : word;
}

/** What the word means for this claim: which of its parts hold, and which do not. */
export function verdictSentence(claim, words) {
  const { whole, core, condition, again } = claim.said, word = verdictOf(claim, words);
  if (Object.hasOwn(whole, word)) return whole[word].replace("{where}", claim.where);
  const inCore = ({ name }) => claim.core.includes(name);
  const sentences = (starts, order, effects) => order.map((each) => {
    const found = effects.filter(({ name }) => words[name] === each);
    return found.length ? listedParts(starts[each], found, again) : "";
  });
  const others = claim.effects.filter((effect) => !inCore(effect));
  return [
    ...sentences(core, PART_WORDS, claim.effects.filter(inCore)),
    ...sentences(condition, Object.keys(condition), others),
  ].filter(Boolean).join(" ");
}

function listedParts(start, found, again) {
  const last = start.trim().split(" ").at(-1);
  const joint = start.includes("claimed") ? "; and that " : again[last] ?? "; ";
  return `${start}${found.map(({ says, sentence }) => says || sentence).join(joint)}.`;
}

/** The margin in words: what the whole interval must be for the part to hold. */
export function countsIf(effect) {
  const { kind, unit, upper } = effect, [low, high] = holdsBetween(effect);
  if (kind === "more") return low ? `more than ${sizeText(low, unit)}` : "larger at all";
  if (kind === "about" || upper || kind === "identity") return spanText(low, high, unit);
  return unit === "decades" ? `${spanText(low, high, unit)} as large` : `within ${sizeText(high, unit)}, up or down`;
}

/** Mean and interval as a reader says them. */
export const measuredText = ({ unit }, mean, [low, high]) =>
  `${sizeText(mean, unit)} (95\u00a0%: ${spanText(low, high, unit)})`;

/**
 * The verdict on a claim from each effect's numbers, one a seed: bnlab.verdicts.verdict.decide. Each
 * part takes some 15 ms, so it is decided in pieces of a few: a generator that returns it.
 */
export function* decidePieces(claim, values) {
  const seeds = requireSeeds(claim, values), parts = [];
  for (const effect of claim.effects) parts.push(yield* partPieces(effect, values[effect.name]));
  const words = Object.fromEntries(parts.map(({ name, word }) => [name, word]));
  const said = verdictSaid(claim, words), sentence = verdictSentence(claim, words);
  return { word: verdictOf(claim, words), said, sentence, seeds, parts };
}

function* partPieces(effect, values) {
  const mean = meanOf(Float64Array.from(values)), ends = yield* intervalPieces(values), [low, high] = ends;
  const word = judge(effect, ends);
  const said = { measured: measuredText(effect, mean, ends), counts_if: countsIf(effect) };
  return { name: effect.name, mean, low, high, word, ...said };
}

/** How many seeds there are, the same for each effect, and enough. */
function requireSeeds({ id, effects, least_seeds: least }, values) {
  const missing = effects.find(({ name }) => !Object.hasOwn(values, name));
  if (missing) throw new RangeError(`Claim ${id} has no values for its part ${missing.name}.`);
  const counts = [...new Set(effects.map(({ name }) => values[name].length))], all = counts.join(", ");
  if (counts.length > 1) throw new RangeError(`The parts of claim ${id} have different numbers of seeds: ${all}.`);
  if (counts[0] < least) throw new RangeError(`A verdict needs at least ${least} seeds, got ${counts[0]}.`);
  return counts[0];
}
