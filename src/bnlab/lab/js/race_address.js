// The state of a race in the address of its page.

import { settingKey } from "./outcome.js";

export const FEWEST = 2;  // nets in a race

export function writeState(state) {
  return `${settingKey(state)}&predict=${state.predict ? 1 : 0}`;
}

/** The part of a link that makes sense here, and a sentence for each value that does not. */
export function parseState(query, options) {
  const state = {}, problems = [];
  const lists = { lr: options.lrs, batch_size: options.batch_sizes, depth: options.depths, seed: options.seeds };
  for (const [key, text] of query) {
    if (key === "norms") readNorms(text);
    else if (key === "predict" && /^[01]$/.test(text)) state.predict = text === "1";
    else if (Object.hasOwn(lists, key)) readNumber(key, text);
    else problems.push(`${key}=${text} means nothing here`);
  }
  return { state, problems };

  function readNumber(key, text) {
    const value = lists[key].find((one) => text.trim() !== "" && one === Number(text));
    if (value !== undefined) state[key] = value;
    else problems.push(`${key}=${text} is not one of ${lists[key].join(", ")}`);
  }
  function readNorms(text) {
    const names = text.split(","), enabled = options.norms.filter((norm) => norm.enabled).map((norm) => norm.name);
    const chosen = enabled.filter((name) => names.includes(name));
    if (chosen.length >= FEWEST && chosen.length === names.length) state.norms = chosen;
    else problems.push(`norms=${text} is not ${FEWEST} or more of ${enabled.join(", ")}`);
  }
}
