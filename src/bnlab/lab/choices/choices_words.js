// What the widget says of its architectures. No drawing here.

import { rankOf } from "./choices_space.js";

export const WHO = { mine: "yours", found: "the search’s", random: "a random one of that size" };
const LEVEL = 1;  // points of accuracy
const SHORT = { ...WHO, random: "the random one" };

export const accuracyWords = (value) => `${(100 * value).toFixed(1)}\u00a0%`;
export const kiloText = (macs) => `${Math.round(macs / 1000)}\u00a0k`;
const tauText = (value) => value.toFixed(2).replace("-", "−");
export const architectureText = (name) => name.replaceAll("-", " · ");

/** The rows of the table: {who, name, score, size, truth} for those that are known. */
export function rankRows(space, scores, chosen, hidden, same = []) {
  const { names, macs, right, accuracy } = space;
  const rank = (values, i) => `${rankOf(values, i)}`;
  const rows = Object.entries(chosen).filter(([, i]) => i !== null).map(([who, i]) => ({
    who, name: architectureText(names[i]),
    score: `${rank(scores, i)} (${(scores[i] / 1000).toFixed(2)})`,
    size: `${rank(macs, i)} (${kiloText(macs[i])})`,
    truth: hidden ? "guess first" : `${rank(right, i)} (${accuracyWords(accuracy[i])})`,
  }));
  if (same.length < 2) return rows;
  const mean = (values) => same.reduce((sum, i) => sum + values[i], 0) / same.length;
  return [...rows, {
    who: "same", name: "", score: `mean ${(mean(scores) / 1000).toFixed(2)}`,
    size: `mean ${kiloText(mean(macs))}`, truth: `mean ${accuracyWords(mean(accuracy))}`,
  }];
}

/** How score, size and another training order all architectures, as the end of a sentence. */
export function orderText({ names }, { score, counted, most }) {
  const [layers, macs, parameters] = counted.map(tauText);
  const again = most === null ? "" : `, another training of the same nets ${tauText(most)}`;
  return `over all ${names.length}, γ has a Kendall’s τ of ${tauText(score)}, the number of layers ${layers}, `
    + `of MACs ${macs}, of parameters ${parameters}${again}`;
}

/** The answer in one sentence, after a search. */
export function answerText(space, { found, random, allowed, taus }) {
  if (found === null) return "No architecture fits into this budget.";
  const rank = (i) => rankOf(space.right, i, allowed);
  const other = random === null ? "" : `, a random one of its size number ${rank(random)}`;
  return `Of the ${allowed.length} architectures within the budget, what γ finds is number ${rank(found)} `
    + `by accuracy${other}; ${orderText(space, taus)}.`;
}

/** What the search has found is compared with all others of its size, `same`, or else nothing. */
export function foundHeadline({ accuracy }, { found }, same) {
  if (found === null) return "No architecture fits into this budget.";
  const others = same.filter((i) => i !== found), own = accuracy[found];
  if (!others.length) return `γ’s pick gets ${accuracyWords(own)} right.`;
  const mean = others.reduce((sum, i) => sum + accuracy[i], 0) / others.length, gain = 100 * (own - mean);
  const how = Math.abs(gain) < LEVEL ? "is level with" : gain > 0 ? "beats" : "loses to";
  const against = others.length > 1 ? "the average net of its size" : "a net of about its size";
  return `γ’s pick ${how} ${against}: ${accuracyWords(own)} against ${accuracyWords(mean)}.`;
}

/** 1st, 2nd, 3rd, 4th, 11th. */
export function ordinal(number) {
  const end = number % 100 > 10 && number % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][number % 10] ?? "th";
  return `${number}${end}`;
}

/** Where the reader's own architecture stands. */
export function ownHeadline({ names, right }, scores, { mine }) {
  const [byScore, alone] = [scores, right].map((values) => ordinal(rankOf(values, mine)));
  return `γ ranks your architecture ${byScore} of ${names.length}, trained alone it is ${alone} (1 is best).`;
}

/** The answer before a search, or while the supernet trains. */
export function soFarText(space, scores, { mine, step, taus }) {
  const count = space.names.length, { right, macs } = space;
  const place = `Yours is number ${rankOf(scores, mine)} of ${count} by γ`;
  const rest = `${rankOf(macs, mine)} by size and ${rankOf(right, mine)} by accuracy`;
  return `${place} at step ${step}, ${rest}; ${orderText(space, taus)}.`;
}

export function cloudAlt(space, scores, { across, step, taus, chosen, hidden }) {
  const what = across === "score" ? `score at step ${step}` : "multiply-accumulates";
  if (hidden) return `Accuracy against ${what}: hidden until a guess is made.`;
  const places = rankRows(space, scores, chosen, false).map(({ who, truth }) => `${WHO[who]} ${truth}`);
  return `Accuracy when trained alone against ${what}, ${space.names.length} architectures: `
    + `${orderText(space, taus)}. Rank by accuracy: ${places.join("; ")}.`;
}

/** What a reader may guess. */
export const choicesGuesses = () => Object.entries(SHORT).map(([value, text]) => ({ value, text }));

export function choicesVerdict({ right, accuracy }, chosen, guess) {
  const known = Object.entries(chosen).filter(([, i]) => i !== null);
  const best = Math.max(...known.map(([, i]) => right[i]));
  const winners = known.filter(([, i]) => right[i] === best).map(([who]) => who);
  const said = known.map(([who, i]) => `${WHO[who]} ${accuracyWords(accuracy[i])}`).join("; ");
  const outcome = `${winners.map((who) => WHO[who]).join(" and ")} ranked highest`;
  return `Guess: ${WHO[guess]}. ${winners.includes(guess) ? "Right" : "Not right"}: ${outcome} (${said}).`;
}
